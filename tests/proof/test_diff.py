"""Unified diffs: what they are read as, where their hunks go, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.proof.diff import PATCH_BYTES, read_patch, unified
from clearhouse.proof.hunks import Applied, DoesNotApply, apply_hunks

BEFORE = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
GIT, PATHS = b"diff --git a/%b b/%b\n", (b"pkg/x.py", b"pkg/x.py")
PATCH = b"""\
--- a/pkg/x.py
+++ b/pkg/x.py
@@ -2,3 +2,3 @@
 two
-three
+THREE
 four
"""


def applied(before: bytes, patch: bytes) -> Applied:
    (one,) = read_patch(patch, where="p")
    result = apply_hunks(before, one.hunks)
    assert isinstance(result, Applied), result
    return result


def refused(patch: bytes) -> Invalid:
    with pytest.raises(Invalid) as told:
        read_patch(patch, where="fix.patch")
    return told.value


def test_a_hunk_goes_where_it_says() -> None:
    result = applied(BEFORE, PATCH)
    assert result.content == BEFORE.replace(b"three", b"THREE")
    (place,) = result.places
    assert (place.hunk, place.at, place.offset, place.fuzz) == (3, 2, 0, 0)


@pytest.mark.parametrize("moved", [1, 2, 7, 40])
def test_a_hunk_that_has_moved_is_found_and_how_far_is_told(moved: int) -> None:
    ahead = b"".join(b"line %d\n" % n for n in range(moved))
    result = applied(ahead + BEFORE, PATCH)
    assert result.content == ahead + BEFORE.replace(b"three", b"THREE")
    assert result.places[0].offset == moved


def test_the_nearest_of_several_places_counts() -> None:
    twice = BEFORE + b"\n" * 20 + BEFORE
    far = PATCH.replace(b"@@ -2,3 +2,3 @@", b"@@ -28,3 +28,3 @@")
    assert applied(twice, far).content == BEFORE + b"\n" * 20 + BEFORE.replace(b"three", b"THREE")


@pytest.mark.parametrize(
    ("old", "fuzz"), [(b"two", 1), (b"four", 1)], ids=["first line differs", "last line differs"]
)
def test_context_at_an_edge_may_differ_and_keeps_the_files_own_bytes(old: bytes, fuzz: int) -> None:
    before = BEFORE.replace(old, b"other")
    result = applied(before, PATCH)
    assert result.content == before.replace(b"three", b"THREE")
    assert result.places[0].fuzz == fuzz


def test_a_line_that_goes_must_be_there() -> None:
    (one,) = read_patch(PATCH, where="p")
    result = apply_hunks(BEFORE.replace(b"three", b"3"), one.hunks)
    assert result == DoesNotApply(3, "the lines it expects are not in the file")


def test_what_is_applied_already_is_called_so() -> None:
    (one,) = read_patch(PATCH, where="p")
    result = apply_hunks(BEFORE.replace(b"three", b"THREE"), one.hunks)
    assert isinstance(result, DoesNotApply)
    assert "already" in result.why


def test_an_insertion_without_context_goes_behind_the_line_it_names() -> None:
    patch = b"--- a/x\n+++ b/x\n@@ -2,0 +3 @@\n+two and a half\n"
    assert applied(BEFORE, patch).content == BEFORE.replace(b"two\n", b"two\ntwo and a half\n")


def test_hunks_never_go_back_before_one_that_is_done() -> None:
    patch = b"--- a/x\n+++ b/x\n@@ -5 +5 @@\n-five\n+FIVE\n@@ -6 +6 @@\n-two\n+TWO\n"
    (one,) = read_patch(patch, where="p")
    assert isinstance(apply_hunks(BEFORE, one.hunks), DoesNotApply)


def test_a_file_with_crlf_keeps_it_and_so_does_what_is_added() -> None:
    before = BEFORE.replace(b"\n", b"\r\n")
    result = applied(before, PATCH)
    assert result.content == before.replace(b"three", b"THREE")
    assert result.places[0].other_line_ends


def test_a_patch_that_was_converted_as_a_whole_fits_a_plain_file() -> None:
    result = applied(BEFORE, PATCH.replace(b"\n", b"\r\n"))
    assert result.content == BEFORE.replace(b"three", b"THREE")
    assert not result.places[0].other_line_ends


def test_a_patch_may_give_and_take_the_last_line_end() -> None:
    with_end, without = b"one\ntwo\n", b"one\ntwo"
    give = unified("x", without, with_end)
    take = unified("x", with_end, without)
    assert b"\\ No newline at end of file" in give
    assert applied(without, give).content == with_end
    assert applied(with_end, take).content == without


def test_new_and_deleted_files_have_no_other_name() -> None:
    (new,) = read_patch(unified("pkg/new.py", None, b"x = 1\n"), where="p")
    (gone,) = read_patch(unified("pkg/old.py", b"x = 1\n", None), where="p")
    assert (new.source, new.target) == (None, "b/pkg/new.py")
    assert (gone.source, gone.target) == ("a/pkg/old.py", None)


def test_the_words_of_a_mail_around_a_patch_are_passed_over() -> None:
    mail = b"From 1 Mon\nSubject: mend it\n\n- a list\n- of points\n---\n x.py | 2 +-\n\n"
    (one,) = read_patch(mail + PATCH + b"-- \n2.39.2\n", where="p")
    assert one.name == "b/pkg/x.py"
    assert len(one.hunks) == 1


def test_a_quoted_name_is_read_as_git_wrote_it() -> None:
    patch = PATCH.replace(b"a/pkg/x.py", b'"a/pkg/\\303\\251.py"').replace(
        b"b/pkg/x.py", b'"b/pkg/\\303\\251.py"'
    )
    assert read_patch(patch, where="p")[0].names == ("a/pkg/é.py", "b/pkg/é.py")


@pytest.mark.parametrize(
    ("patch", "line"),
    [
        (PATCH.replace(b" four\n", b""), 6),
        (PATCH.replace(b"-2,3 +2,3", b"-2,2 +2,2"), 7),
        (PATCH.replace(b" two", b"*two"), 4),
        (PATCH.replace(b"--- a/pkg/x.py\n", b""), 1),
        (b"@@ -1 +1 @@\n-a\n+b\n", 1),
        (PATCH + b"@@ -9 +9 $$\n-a\n+b\n", 8),
        (PATCH + b"--- a/y\n+++ b/y\n@@ -1 $$ +1\n-a\n+b\n", 10),
        (GIT % (b"y", b"y") + b"--- a/y\n+++ b/y\n@ -1 +1 @\n-a\n" + GIT % PATHS + PATCH, 4),
    ],
    ids=[
        "too few lines", "too many lines", "no line of a hunk", "half a header", "no header",
        "no second hunk", "no hunk of a second file", "no hunk of git",
    ],
)  # fmt: skip
def test_a_malformed_patch_is_refused_with_its_line(patch: bytes, line: int) -> None:
    error = refused(patch)
    assert (error.where, error.key) == ("fix.patch", f"line {line}")


@pytest.mark.parametrize(
    "name",
    [b"../../etc/cron.d/x", b"/etc/passwd", b"a/../../x", b"a\\..\\x", b"a/pkg/..", b"a/x\0y"],
)
def test_a_name_that_leads_out_of_the_tree_is_refused(name: bytes) -> None:
    error = refused(PATCH.replace(b"a/pkg/x.py", name).replace(b"b/pkg/x.py", name))
    assert error.key == "line 2"


def test_a_patch_that_makes_a_link_is_refused() -> None:
    patch = (
        b"diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n"
        b"+/etc/passwd\n\\ No newline at end of file\n"
    )
    assert "symbolic link" in refused(patch).message


@pytest.mark.parametrize("patch", [b"no diff at all\n", b"--- a/x\n", b"diff --git a/x b/x\n"])
def test_what_holds_no_diff_is_refused(patch: bytes) -> None:
    refused(patch)


GREEN, PLAIN = b"\x1b[32m", b"\x1b[m"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (gzip.compress(PATCH, mtime=0), "gzip"),
        (bz2.compress(PATCH), "bzip2"),
        (lzma.compress(PATCH), "xz"),
        (PATCH.decode().encode("utf-16"), "UTF-16"),
        (b"".join(GREEN + one + PLAIN + b"\n" for one in PATCH.splitlines()), "--no-color"),
        (b"\x7fELF\0\0\1", "binary"),
        (b"diff --cc x\n--- a/x\n+++ b/x\n@@@ -1,1 -1,1 +1,2 @@@\n  a\n++b\n", "merge"),
        (b"*** x\n--- y\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n", "context diff"),
        (b"3c3\n< a\n---\n> b\n", "without context"),
        (b"1,2d0\r\n< a\r\n< b\r\n", "without context"),
        (b"".join(b"> " + one for one in PATCH.splitlines(keepends=True)), "quoted"),
        (b" pkg/x.py | 2 +-\n 1 file changed\n", "summary"),
        (b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", "modes only"),
    ],
)
def test_what_was_handed_in_instead_is_named(raw: bytes, word: str) -> None:
    assert word in refused(raw).message


def test_colours_in_the_content_of_a_diff_are_content() -> None:
    patch = PATCH.replace(b"+THREE", b"+" + GREEN + b"THREE" + PLAIN)
    assert GREEN + b"THREE" in applied(BEFORE, patch).content


@pytest.mark.parametrize("header", [b"rename", b"copy"])
def test_only_gits_header_makes_another_name_a_move_or_a_copy(header: bytes) -> None:
    one = PATCH.replace(b"b/pkg", b"b/other")
    words = b"diff --git a/pkg/x.py b/other/x.py\n%b from pkg/x.py\n%b to other/x.py\n"
    (plain,) = read_patch(one, where="p")
    (told,) = read_patch(words % (header, header) + one, where="p")
    assert not plain.moves
    assert not plain.copies
    assert (told.moves, told.copies) == (header == b"rename", header == b"copy")


def test_a_patch_larger_than_any_fix_is_not_read() -> None:
    assert "larger than 8 MiB" in refused(PATCH + b"\n" * PATCH_BYTES).message


def test_an_error_never_quotes_the_patch() -> None:
    error = refused(PATCH.replace(b" two", b"*embargoed"))
    assert "embargoed" not in str(error)


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b" x\n", b"-y\n", b"+z\n", b"c\r\n"]))
CONTENTS = st.builds(lambda lines, end: b"".join(lines) + end, LINES, st.sampled_from([b"", b"e"]))


@given(before=CONTENTS, after=CONTENTS, context=st.integers(0, 4))
def test_the_difference_of_two_contents_applied_to_one_is_the_other(
    before: bytes, after: bytes, context: int
) -> None:
    made = unified("pkg/x.py", before, after, context=context)
    if before == after:
        assert made == b""
        return
    (one,) = read_patch(made, where="p")
    result = apply_hunks(before, one.hunks)
    assert isinstance(result, Applied)
    assert result.content == after
    assert all(place.offset == place.fuzz == 0 for place in result.places)


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(raw: bytes) -> None:
    try:
        read_patch(raw, where="p")
    except Invalid:
        return


@given(st.data())
def test_a_damaged_patch_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(PATCH + PATCH.replace(b"x.py", b"y.py"))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from(b"@+- \n\\/0\r"))
    try:
        files = read_patch(bytes(raw), where="p")
    except Invalid:
        return
    for one in files:
        apply_hunks(BEFORE, one.hunks)
