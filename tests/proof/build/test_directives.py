"""What a harness tells the preprocessor, hidden or in the open."""

from __future__ import annotations

import pytest

from clearhouse.proof.build.directives import (
    is_setting,
    logical_lines,
    macro_violations,
    macros_tested,
    read_directives,
)
from clearhouse.proof.build.preprocessed import preprocessed_violations


def said(source: str) -> list[str]:
    return [str(violation) for violation in read_directives(source).violations]


@pytest.mark.parametrize(
    "source",
    [
        '#line 1 "/target/x.c"\n',
        '# 1 "/target/x.c" 1\n',
        '  #  line 7\n',
        '#li\\\nne 7 "x"\n',
        '#li\\  \nne 7 "x"\n',
        '%:line 7\n',
        '/* a */ # /* b */ line 7\n',
        '# /* over\n two lines */ line 7\n',
        '#define A "/*"\n#line 7\n// */\n',
        "int a = '\"'; // \"\n#line 7\n",
        '#ifdef __cplusplus\n#line 7\n#endif\n',
        '/\\\n* a *\\\n/ #line 7\n',
    ],
)  # fmt: skip
def test_a_changed_line_is_found_however_it_is_written(source: str) -> None:
    assert any("changes the line or file" in text for text in said(source)), said(source)


@pytest.mark.parametrize(
    "source",
    [
        '// #line 7\n',
        '/*\n#line 7\n*/\n',
        'const char *text = "\\\n#line 7";\n',
        '#define LINE 7\n',
        'int a;  // one \\\n#line 7\n',
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_not(source: str) -> None:
    assert said(source) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("??=include <a.h>\n", "a trigraph"),
        ('const char *a = R"(\n)";\n', "a raw string literal"),
        ("#pragma pack(1)\n", "#pragma pack(1)"),
        ("#include NAME\n", "a macro or an odd name"),
        ("#include </etc/passwd>\n", "an absolute or odd name"),
        ("#include <a/*b>\n#line 7\n//*/\n", "a macro or an odd name"),
        ("#if ZLIB_VERNUM > 1\n#endif\n", "asks for the target's version (ZLIB_VERNUM)"),
        ("int a = OPENSSL_VERSION_NUMBER;\n", "asks for the target's version"),
        ("#ifdef XML_GE\n#endif\n", "is another harness depending on XML_GE"),
        ("#undef NULL\n", "takes away a macro"),
        ("#include_next <a.h>\n", "#include_next"),
    ],
)
def test_other_directives_that_cost_the_attribution(source: str, what: str) -> None:
    assert any(what in text for text in said(source)), said(source)


HONEST = """\
#ifndef MY_HARNESS
#define MY_HARNESS
#include <stdint.h>
#ifdef __cplusplus
extern "C"
#endif
#pragma GCC diagnostic ignored "-Wunused"
#define ROOM 16
#endif
"""


def test_guards_platforms_and_macros_of_its_own_are_fine() -> None:
    found = read_directives(HONEST)
    assert found.violations == ()
    assert [(d.line, d.name, d.value) for d in found.defines] == [
        (2, "MY_HARNESS", ""),
        (8, "ROOM", "16"),
    ]
    assert [i.name for i in found.includes] == ["stdint.h"]


def test_lines_keep_their_numbers() -> None:
    source = 'one\ntwo \\\nmore\n/* three\nlines */ four\n"a /* b"\nlast'
    assert list(logical_lines(source)) == [
        (1, "one"),
        (2, "two more"),
        (5, "  four"),
        (6, '"a /* b"'),
        (7, "last"),
    ]


def test_only_what_the_target_asks_for_is_a_setting() -> None:
    tested = macros_tested("#ifndef LIMIT\n# define LIMIT 4\n#elif defined(WIDE) \\\n && DEEP\n")
    assert {"LIMIT", "WIDE", "DEEP"} <= tested
    assert is_setting("LIMIT", "8", tested)
    assert is_setting("_GNU_SOURCE", "", tested)
    assert not is_setting("LIMIT", "other", tested)
    assert not is_setting("memcpy", "", tested)


HEADER = "#ifdef WIDE\n#endif\nint take(char *with, int room);\n"


@pytest.mark.parametrize(
    ("line", "set_for_all", "bad"),
    [
        ("#define room 1", (), True),
        ("#define take(a, b) other(a)", (), True),
        ("#define WIDE", (), True),  # the target's own objects would be built without it
        ("#define WIDE", ("WIDE",), False),
        ("#define MINE 4", (), False),
    ],
)
def test_macros_must_not_change_the_targets_headers(
    line: str, set_for_all: tuple[str, ...], bad: bool
) -> None:
    directives = read_directives(f"{line}\n#include <t.h>\n")
    found = macro_violations(directives, {"/target/t.h": HEADER}, set_for_all=set_for_all)
    assert bool(found) is bad
    after = read_directives(f"#include <t.h>\n{line}\n")
    assert macro_violations(after, {"/target/t.h": HEADER}, set_for_all=set_for_all) == []


def whole(*lines: str) -> str:
    return "\n".join(('# 1 "/harness/harness.c"', *lines))


@pytest.mark.parametrize(
    "text",
    [
        "int take(long);",
        "extern int take(long);",
        "char *take(long);",
        "typedef int F(long); F take;",
        "int f(void) { extern int take(long); return take(1); }",
        "int f(void) { int a, take(long); return a; }",
        "int f(void) { int a = 1, *take(long); return a; }",
        "extern __typeof__(int (long)) take;",
    ],
)
def test_declaring_the_targets_function_is_noticed(text: str) -> None:
    found = preprocessed_violations(whole("int a;", text), {"take"})
    assert [str(v) for v in found] == [
        "line 2: declares take itself instead of including the target's header"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "int f(void) { return take(1); }",
        "int f(int a) { if (a) take(a); else take(2); return a; }",
        "int f(int a) { a = 1, take(a); return a * take(2); }",
        "int f(int a) { (void)take(a); return a ? take(1) : take(2); }",
        "static const struct ops ops = {take, 1};",
        '# 5 "/target/take.h" 1\nint take(long);\n# 3 "/harness/harness.c" 2',
    ],
)
def test_using_it_is_not_declaring_it(text: str) -> None:
    assert preprocessed_violations(whole(text), {"take"}) == []


def test_a_pragma_from_a_macro_and_a_foreign_line_show_after_preprocessing() -> None:
    found = preprocessed_violations(
        whole("int a;", "#pragma pack(1)", '# 9 "/target/x.c"', "int b;"), set()
    )
    assert [str(v) for v in found] == [
        "line 2: uses #pragma pack(1)",
        "line 3: says that its lines are those of another file",
    ]
