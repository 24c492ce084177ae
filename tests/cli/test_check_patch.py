"""``clearhouse check-patch``: what is refused before anything runs, and what is told afterwards."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from clearhouse.cli.main import main
from clearhouse.proof.diff import PATCH_BYTES, unified
from clearhouse.proof.door import open_bundle
from clearhouse.proof.patched import Distribution, distribution_of

SAMPLES: Final = Path(__file__).resolve().parents[2] / "samples"
ZIPP: Final = SAMPLES / "proofs" / "CVE-2024-5569"
QUICK: Final = ("--no-own-tests", "--variants", "4", "--seconds", "2")

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(["check-patch", *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


NO_PATCHES: Final[dict[str, tuple[bytes | None, str]]] = {
    "missing": (None, "cannot be read: No such file or directory"),
    "empty": (b"", "found an empty file"),
    "words": (b"please mend it\n", "expected a unified diff"),
    "binary": (b"\x7fELF\0\0", "found binary data"),
    "packed": (gzip.compress(b"x"), "found a file packed with gzip; unpack it first"),
    "huge": (b"+" * (PATCH_BYTES + 1), "is larger than 8 MiB"),
    "cut off": (b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n a\n", "line 4: the hunk has fewer lines"),
    "leading out": (b"--- ../x\n+++ ../x\n@@ -1 +1 @@\n-a\n+b\n", "leads out of the tree"),
}


@pytest.mark.parametrize(("raw", "message"), NO_PATCHES.values(), ids=NO_PATCHES)
def test_what_is_no_patch_is_bad_input(
    raw: bytes | None, message: str, told: Told, tmp_path: Path
) -> None:
    patch = tmp_path / "fix.patch"
    if raw is not None:
        patch.write_bytes(raw)
    code, out, err = told(ZIPP, patch)
    assert (code, out) == (2, "")
    assert err.startswith(f"clearhouse: {patch}: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_folder_is_no_patch_and_a_patch_is_no_bundle(told: Told, tmp_path: Path) -> None:
    code, out, err = told(ZIPP, tmp_path)
    assert (code, out, err) == (2, "", f"clearhouse: {tmp_path}: cannot be read: Is a directory\n")
    patch = SAMPLES / "patches" / "CVE-2024-5569" / "comment-only.patch"
    code, out, _ = told(patch, patch)
    assert (code, out) == (2, "")


def test_a_patch_is_read_from_standard_input(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"no diff\n")))
    code, out, err = told(ZIPP, "-")
    assert (code, out) == (2, "")
    assert err.startswith("clearhouse: standard input: expected a unified diff")


@pytest.fixture(scope="module")
def zipp() -> Distribution:
    return distribution_of(open_bundle(ZIPP))


def of_git(name: str, before: bytes | None, after: bytes) -> bytes:
    new = b"new file mode 100644\n" if before is None else b""
    head = f"diff --git a/{name} b/{name}\n".encode()
    return head + new + b"index 1..2\n" + unified(name, before, after)


def mail(before: bytes, after: bytes, *, end: bytes = b"\n") -> bytes:
    """A fix as git format-patch sends it, with what a repository has beside the package."""
    parts = [
        of_git("NEWS.rst", b"3.19.0\n", b"3.19.1\n"),
        b"diff --git a/docs/logo.png b/docs/logo.png\nindex 1..2 100644\n"
        b"Binary files a/docs/logo.png and b/docs/logo.png differ\n",
        of_git("docs/loops.rst", None, b"Mended.\n"),
        b"diff --git a/setup.py b/setup.py\nold mode 100644\nnew mode 100755\n",
        of_git("src/zipp/__init__.py", before, after),
        of_git("tests/test_zipp.py", b"import zipp\n", b"import zipp\nzipp.Path\n"),
    ]
    head = b"From 0 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: [PATCH] Mend\n\n"
    stat = b"- no loop\n+ a test\n---\n src/zipp/__init__.py | 2 +-\n 1 file changed\n\n"
    return (head + stat + b"".join(parts) + b"-- \n2.39.2\n").replace(b"\n", end)


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(
    "end", [b"\n", pytest.param(b"\r\n", marks=pytest.mark.slow)], ids=["LF", "CRLF"]
)
def test_a_mail_with_a_fix_is_accepted_and_what_it_left_out_is_said(
    told: Told, tmp_path: Path, zipp: Distribution, end: bytes
) -> None:
    before = zipp.read("site/zipp/__init__.py")
    loop = b"        path, tail = posixpath.split(path)\n"
    assert before.count(loop) == 1
    better = b"        path = posixpath.split(path)[0].rstrip(posixpath.sep)\n"
    patch, page = tmp_path / "0001-mend.patch", tmp_path / "page.html"
    patch.write_bytes(mail(before, before.replace(loop, better), end=end))
    code, out, err = told(ZIPP, patch, "--json", "--report", page, *QUICK)
    document: dict[str, Any] = json.loads(out)
    assert code == 0, document["reasons"]
    # PROOF.md, "Commands": these keys, whatever is added to them.
    assert document["applies"] is True
    assert document["effect_gone"] is True
    assert document["controls_same"] is True
    assert document["accepted"] is True
    assert document["variants"]["tried"] > 0
    assert document["variants"]["still_triggering"] == []
    assert document["tests"].keys() >= {"ran", "passed", "failed_before", "failed_after"}
    assert len(document["reasons"]) == 1
    assert (
        "not in the distribution and left out:"
        " NEWS.rst, docs/logo.png, docs/loops.rst, tests/test_zipp.py" in document["caveats"]
    )
    fates = {one["file"]: one["fate"] for one in document["patch"]["files"]}
    assert fates["src/zipp/__init__.py"] == "modified"
    assert set(fates.values()) == {"modified", "skipped"}
    assert err == f"clearhouse: report written to {page}\n"
    assert "CVE-2024-5569: the patch is accepted" in page.read_text()


@pytest.mark.sandbox
@pytest.mark.network
def test_a_refusal_is_told_to_people_with_its_reason_and_what_the_levels_rest_on(
    told: Told,
) -> None:
    patch = SAMPLES / "patches" / "CVE-2023-26303" / "feature-removed.patch"
    code, out, err = told(SAMPLES / "proofs" / "CVE-2023-26303", patch, "--explain", *QUICK)
    assert (code, err) == (1, "")
    first, *levels = out.splitlines()[:5]
    assert first == "refused   CVE-2023-26303  feature-removed.patch"
    assert [" ".join(line.split()[:3]) for line in levels[:2]] == [
        "applies yes 1",
        "stops the proof",
    ]
    assert levels[1].split()[3:] == ["yes", "the", "effect", "is", "gone"]
    assert "no       controls differ, " in levels[3]
    assert "  - control:control.md: " in out
    assert "    modified markdown_it/renderer.py  markdown_it/renderer.py\n" in out
    assert "site/" not in out


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            unified("tests/test_zipp.py", b"a\n", b"b\n"),
            "none of the files that it changes is in the distribution (tests/test_zipp.py)",
        ),
        (
            unified("src/zipp/glob.py", b"a = 1\nb = 2\n", b"a = 1\nb = 3\n"),
            "line 3 of the patch does not fit zipp/glob.py: the lines it expects are not in the"
            " file",
        ),
    ],
    ids=["only tests", "another version"],
)
def test_a_patch_that_does_not_apply_is_refused_and_nothing_is_run(
    changes: bytes, reason: str, told: Told, tmp_path: Path
) -> None:
    patch = tmp_path / "fix.patch"
    patch.write_bytes(changes)
    code, out, _ = told(ZIPP, patch, "--json")
    document = json.loads(out)
    assert code == 1
    assert document["reasons"] == [reason]
    assert document["applies"] is False
    assert document["effect_gone"] is None
    assert document["variants"]["tried"] == 0
