"""Which distributed file a patch means."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from clearhouse.proof.diff import read_patch, unified
from clearhouse.proof.placing import Fate, PatchResult, apply_patch, summary

BODY = b"import os\n\n\ndef load(name):\n    return open(name)\n"
FIXED = BODY.replace(b"open(name)", b"open(os.path.basename(name))")
SITE: Mapping[str, bytes] = {
    "site/pkg/__init__.py": b"from pkg.core import load\n",
    "site/pkg/core.py": BODY,
    "site/pkg/sub/core.py": b"# another\n",
    "site/pkg/data/table.txt": b"1\n2\n",
}


def patched(patch: bytes, files: Mapping[str, bytes] = SITE, base: str = "site/") -> PatchResult:
    return apply_patch(
        read_patch(patch, where="p"), list(files), lambda name: files[name], base=base
    )


@pytest.mark.parametrize(
    "stated",
    ["pkg/core.py", "src/pkg/core.py", "lib/python/pkg/core.py", "pkg-1.2/src/pkg/core.py"],
)
def test_the_path_of_the_repository_finds_the_distributed_file(stated: str) -> None:
    result = patched(unified(stated, BODY, FIXED))
    assert result.applies
    assert result.changes == {"site/pkg/core.py": FIXED}


def test_a_patch_made_inside_the_package_is_understood() -> None:
    assert patched(unified("core.py", BODY, FIXED)).changes == {"site/pkg/core.py": FIXED}


def test_the_package_of_npm_is_found_below_node_modules() -> None:
    files = {"node_modules/@a/b/lib/index.js": b"one\n", "node_modules/@a/b/index.js": b"two\n"}
    made = unified("packages/b/lib/index.js", b"one\n", b"three\n")
    assert patched(made, files, "node_modules/@a/b/").changes == {
        "node_modules/@a/b/lib/index.js": b"three\n"
    }


def test_what_is_not_distributed_is_left_out_and_listed() -> None:
    made = (
        unified("src/pkg/core.py", BODY, FIXED)
        + unified("tests/test_core.py", b"a\n", b"b\n")
        + unified("CHANGES.rst", b"a\n", b"b\n")
        + unified("tests/new_test.py", None, b"b\n")
        + unified("setup.py", b"a\n", b"b\n")
    )
    result = patched(made)
    assert result.applies
    assert [one.fate for one in result.files] == [Fate.MODIFIED] + [Fate.SKIPPED] * 4
    assert list(result.changes) == ["site/pkg/core.py"]


def test_a_patch_that_touches_nothing_distributed_does_not_apply() -> None:
    result = patched(unified("tests/test_core.py", b"a\n", b"b\n"))
    assert not result.applies
    assert not result.failed


def test_a_test_file_is_not_mistaken_for_the_module_of_its_name() -> None:
    result = patched(unified("tests/pkg/core.py", b"x = 1\n", b"x = 2\n"))
    assert [one.fate for one in result.files] == [Fate.SKIPPED]


def test_one_hunk_that_does_not_fit_fails_the_whole_patch() -> None:
    result = patched(
        unified("pkg/core.py", BODY, FIXED) + unified("pkg/sub/core.py", b"a\nb\n", b"a\nc\n")
    )
    assert not result.applies
    (failed,) = result.failed
    assert failed.path == "site/pkg/sub/core.py"
    assert failed.line == 11


def test_two_files_that_it_could_mean_are_not_guessed_between() -> None:
    files = {"site/a/core.py": BODY, "site/b/core.py": BODY}
    (failed,) = patched(unified("core.py", BODY, FIXED), files).failed
    assert "could mean 'a/core.py' and 'b/core.py'" in failed.why


def test_of_two_files_the_one_that_fits_is_meant() -> None:
    files = {"site/a/core.py": BODY, "site/b/core.py": b"else\n"}
    assert patched(unified("core.py", BODY, FIXED), files).changes == {"site/a/core.py": FIXED}


@pytest.mark.parametrize(
    ("stated", "path"),
    [
        ("src/pkg/guard.py", "site/pkg/guard.py"),
        ("pkg/inner/deep/guard.py", "site/pkg/inner/deep/guard.py"),
        ("src/pkg/sub/guard.py", "site/pkg/sub/guard.py"),
    ],
)
def test_a_new_file_goes_where_its_folder_is(stated: str, path: str) -> None:
    result = patched(unified(stated, None, b"x = 1\n"))
    assert [(one.fate, one.path) for one in result.files] == [(Fate.ADDED, path)]
    assert result.changes == {path: b"x = 1\n"}


def test_a_new_module_beside_one_that_the_patch_changes_goes_beside_it() -> None:
    files = {"site/six.py": BODY}
    made = unified("src/six.py", BODY, FIXED) + unified("src/seven.py", None, b"x\n")
    assert set(patched(made, files).changes) == {"site/six.py", "site/seven.py"}


def test_a_new_file_that_is_there_already_fails() -> None:
    (failed,) = patched(unified("pkg/core.py", None, b"x\n")).failed
    assert "already" in failed.why


def test_a_deleted_file_goes_and_must_be_what_the_patch_says() -> None:
    assert patched(unified("pkg/core.py", BODY, None)).changes == {"site/pkg/core.py": None}
    (failed,) = patched(unified("pkg/core.py", BODY[:10] + b"\n", None)).failed
    assert failed.path == "site/pkg/core.py"


def test_a_renamed_file_moves() -> None:
    made = (
        b"diff --git a/src/pkg/core.py b/src/pkg/kernel.py\nrename from src/pkg/core.py\n"
        b"rename to src/pkg/kernel.py\n"
    ) + unified("x", BODY, FIXED).replace(b"a/x", b"a/src/pkg/core.py").replace(
        b"b/x", b"b/src/pkg/kernel.py"
    )
    assert patched(made).changes == {"site/pkg/core.py": None, "site/pkg/kernel.py": FIXED}


@pytest.mark.parametrize("changed", [False, True])
def test_a_copy_leaves_its_source_and_begins_as_that_was_before_the_patch(changed: bool) -> None:
    copy = (
        b"diff --git a/src/pkg/core.py b/src/pkg/kernel.py\nsimilarity index 90%\n"
        b"copy from src/pkg/core.py\ncopy to src/pkg/kernel.py\n"
    )
    hunks = unified("x", BODY, FIXED).replace(b"a/x", b"a/src/pkg/core.py")
    first = unified("src/pkg/core.py", BODY, FIXED)
    result = patched(first + copy + (hunks.replace(b"b/x", b"b/src/pkg/kernel.py") * changed))
    assert result.changes == {
        "site/pkg/core.py": FIXED,
        "site/pkg/kernel.py": FIXED if changed else BODY,
    }
    assert [one.fate for one in result.files] == [Fate.MODIFIED, Fate.ADDED]


def test_a_copy_of_what_is_not_distributed_is_left_out_and_onto_a_file_fails() -> None:
    copy = b"diff --git a/%b b/%b\ncopy from %b\ncopy to %b\n"
    outside, onto = (b"docs/a.py", b"docs/b.py"), (b"pkg/core.py", b"pkg/__init__.py")
    result = patched(unified("pkg/core.py", BODY, FIXED) + copy % (*outside, *outside))
    assert [one.fate for one in result.files] == [Fate.MODIFIED, Fate.SKIPPED]
    (failed,) = patched(copy % (*onto, *onto)).failed
    assert "already" in failed.why


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pkg/core.py.orig", "pkg/core.py"),
        ("old/pkg/core.py", "new/lib/pkg/core.py"),
        ("pkg-1.2/src/pkg/core.py", "pkg-1.3/lib/python/pkg/core.py"),
    ],
)
def test_two_names_without_gits_words_are_one_file(before: str, after: str) -> None:
    made = unified("x", BODY, FIXED).replace(b"a/x", before.encode())
    result = patched(made.replace(b"b/x", after.encode()))
    assert result.changes == {"site/pkg/core.py": FIXED}


def test_a_file_changed_twice_is_changed_by_both() -> None:
    again = FIXED.replace(b"load", b"read")
    made = unified("pkg/core.py", BODY, FIXED) + unified("pkg/core.py", FIXED, again)
    assert patched(made).changes == {"site/pkg/core.py": again}


def test_a_change_of_mode_alone_is_no_change() -> None:
    made = (
        b"diff --git a/pkg/core.py b/pkg/core.py\nold mode 100644\nnew mode 100755\n"
        b"diff --git a/pkg/__init__.py b/pkg/__init__.py\nindex 1..2 100644\n"
    ) + unified("pkg/__init__.py", SITE["site/pkg/__init__.py"], b"\n")
    assert list(patched(made).changes) == ["site/pkg/__init__.py"]


def test_a_binary_change_of_a_distributed_file_cannot_be_applied() -> None:
    made = unified("pkg/core.py", b"a\0", b"b\0")
    (failed,) = patched(made).failed
    assert "binary" in failed.why


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a/pkg/x.py", "b/pkg/x.py", "pkg/x.py"),
        ("i/pkg/x.py", "w/pkg/x.py", "pkg/x.py"),
        ("/dev/null", "b/pkg/x.py", "pkg/x.py"),
        ("a/pkg/x.py", "/dev/null", "pkg/x.py"),
        ("pkg/x.py", "pkg/x.py", "pkg/x.py"),
        ("a/x.py", "lib/x.py", "lib/x.py"),
        ("a/x.py", "a/x.py", "a/x.py"),
        ("b", "b", "b"),
    ],
)
def test_a_file_is_called_what_it_is_called_in_the_repository(
    before: str, after: str, shown: str
) -> None:
    patch = f"--- {before}\n+++ {after}\n@@ -1 +1 @@\n-a\n+b\n".encode()
    assert read_patch(patch, where="p")[0].shown == shown


def test_the_summary_names_files_as_people_do() -> None:
    made = unified("pkg/core.py", BODY, FIXED) + unified("docs/x.rst", b"a\n", b"b\n")
    first, second = summary(patched(made))
    assert first["file"] == "pkg/core.py"
    assert first["distributed_as"] == "pkg/core.py"
    assert (second["fate"], second["hunks"]) == ("skipped", [])
