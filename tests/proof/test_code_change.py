"""What a patch changes: code, words only, or how loudly a fault is heard."""

from __future__ import annotations

import pytest

from clearhouse.proof.code_change import Handler, changes_code, unsilenced

PYTHON = b'''\
"""Module."""


def parse(text):
    """Parse."""
    # a comment
    return text[0]
'''
SCRIPT = b"""\
function parse(text) {
  // a comment
  return text[0] + 'a // b';
}
"""


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("x.py", PYTHON, PYTHON.replace(b"a comment", b"mended")),
        ("x.py", PYTHON, PYTHON.replace(b'"""Parse."""', b'"""Parse safely."""')),
        ("x.py", PYTHON, PYTHON.replace(b"return text[0]", b"return text[ 0 ]  # ok")),
        ("x.js", SCRIPT, SCRIPT.replace(b"// a comment", b"/* mended\n */")),
        ("x.c", SCRIPT, SCRIPT.replace(b"  return", b"\n\treturn")),
        ("README.md", b"a\n", b"b\n"),
    ],
)
def test_words_and_layout_are_no_code(name: str, before: bytes, after: bytes) -> None:
    assert not changes_code(name, before, after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("x.py", PYTHON, PYTHON.replace(b"text[0]", b"text[:1]")),
        ("x.py", PYTHON, b"def ("),
        ("x.py", b"X = '''a'''\n", b"X = '''b'''\n"),
        ("x.js", SCRIPT, SCRIPT.replace(b"'a // b'", b"'a // c'")),
        ("x.js", SCRIPT, SCRIPT.replace(b"text[0]", b"text[1]")),
        ("x.c", b"int a = 1 - -1;\n", b"int a = 1--1;\n"[:8] + b" 2;\n"),
        ("table.json", b"{}\n", b"[]\n"),
        ("x.py", None, b"x = 1\n"),
        ("x.py", b"x = 1\n", None),
    ],
)
def test_a_change_of_what_runs_is_one(name: str, before: bytes | None, after: bytes | None) -> None:
    assert changes_code(name, before, after)


def test_a_docstring_that_is_a_value_is_code() -> None:
    before = b"def f():\n    x = 'a'\n    return x\n"
    assert changes_code("x.py", before, before.replace(b"'a'", b"'b'"))


GUARDED = PYTHON.replace(
    b"    return text[0]\n",
    b"    try:\n        return text[0]\n    except IndexError:\n        return None\n",
)


def handlers(before: bytes, after: bytes, name: str = "x.py") -> tuple[Handler, ...]:
    found = unsilenced(name, before, after)
    return found.handlers if found is not None else ()


def runs(content: bytes, argument: str) -> object:
    space: dict[str, object] = {}
    exec(compile(content, "x.py", "exec"), space)
    parse = space["parse"]
    assert callable(parse)
    return parse(argument)


def test_a_handler_that_a_patch_adds_raises_again() -> None:
    found = unsilenced("x.py", PYTHON, GUARDED)
    assert found is not None
    (handler,) = found.handlers
    assert (handler.function, handler.catches, handler.broad) == ("parse", ("IndexError",), False)
    assert runs(GUARDED, "") is None
    with pytest.raises(IndexError):
        runs(found.content, "")
    assert runs(found.content, "ab") == "a"


@pytest.mark.parametrize(
    "clause", [b"except:", b"except Exception:", b"except (KeyError, BaseException):"]
)
def test_one_that_catches_everything_is_broad(clause: bytes) -> None:
    (handler,) = handlers(PYTHON, GUARDED.replace(b"except IndexError:", clause))
    assert handler.broad


@pytest.mark.parametrize(
    "body",
    [
        b"raise ValueError('no text') from None",
        b"if text:\n            raise\n        else:\n            raise ValueError('no text')",
    ],
)
def test_a_handler_that_always_raises_silences_nothing(body: bytes) -> None:
    assert not handlers(PYTHON, GUARDED.replace(b"return None", body))


def test_a_handler_that_was_there_before_is_not_the_patchs() -> None:
    assert not handlers(GUARDED, GUARDED.replace(b'"""Module."""', b'"""Changed."""'))


def test_a_handler_that_guards_more_than_before_is_looked_at() -> None:
    more = GUARDED.replace(b"return text[0]", b"return text[0] + text[1]")
    assert len(handlers(GUARDED, more)) == 1


def test_a_suppressing_block_raises_again() -> None:
    after = PYTHON.replace(
        b"    return text[0]\n",
        b"    import contextlib\n    with contextlib.suppress(IndexError):\n"
        b"        return text[0]\n    return None\n",
    )
    found = unsilenced("x.py", PYTHON, after)
    assert found is not None
    assert found.handlers[0].catches == ("IndexError",)
    with pytest.raises(IndexError):
        runs(found.content, "")


def test_a_return_in_finally_silences_too() -> None:
    after = PYTHON.replace(
        b"    return text[0]\n",
        b"    try:\n        a = text[0]\n    finally:\n        return None\n",
    )
    found = unsilenced("x.py", PYTHON, after)
    assert found is not None
    with pytest.raises(IndexError):
        runs(found.content, "")


def test_a_catch_clause_of_javascript_throws_again() -> None:
    after = SCRIPT.replace(
        b"return text[0] + 'a // b';",
        b"try { return text[0]; } catch (error) { log('throw } {'); return null; }",
    )
    found = unsilenced("x.js", SCRIPT, after)
    assert found is not None
    assert b"catch (error) { throw error; log('throw } {'); return null; }" in found.content
    assert found.handlers[0].broad


@pytest.mark.parametrize(
    "clause",
    [b"catch { return null; }", b"catch(e){}", b"catch (e) { /* throw */ }"],
)
def test_every_form_of_catch_is_seen(clause: bytes) -> None:
    after = SCRIPT.replace(b"return text[0] + 'a // b';", b"try { return text[0]; } " + clause)
    assert len(handlers(SCRIPT, after, "x.js")) == 1


def test_a_catch_that_throws_or_was_there_before_is_left_alone() -> None:
    inside = b"try { return text[0]; } catch (e) { throw new SyntaxError('no text'); }"
    after = SCRIPT.replace(b"return text[0] + 'a // b';", inside)
    assert not handlers(SCRIPT, after, "x.js")
    quiet = after.replace(b"throw new SyntaxError('no text');", b"")
    assert not handlers(quiet, quiet.replace(b"// a comment", b"// changed"), "x.js")


def test_other_languages_have_no_handlers_to_look_for() -> None:
    assert unsilenced("x.c", b"", SCRIPT) is None
