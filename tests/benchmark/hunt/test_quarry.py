"""What is searched is said by whoever searches, whatever is handed in."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.hunt.quarry import CANDIDATE_LIMITS, Quarry, quarry_of
from clearhouse.benchmark.hunt.words import SOURCE, skeleton
from clearhouse.errors import Invalid, Refused
from clearhouse.proof.bundle import Language
from tests.benchmark.hunt.handed import ECDSA, FINDER, link, quarry, replaced, tar

NPM = "pkg:npm/ini@1.3.5"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("secret")
    (folder / "src" / "read.c").write_text("int read_it(void) { return 0; }\n")
    (folder / "away").symlink_to("/etc/passwd")
    return folder


@pytest.mark.parametrize(
    ("target", "language"),
    [
        (ECDSA, Language.PYTHON),
        (NPM, Language.JAVASCRIPT),
        ("pkg:npm/%40scope/name@1.0.0", Language.JAVASCRIPT),
    ],
)
def test_a_package_url_says_the_language(target: str, language: Language) -> None:
    assert quarry_of(target, finder=FINDER).language is language


def test_sources_in_a_packages_archive_are_searched_in_their_language() -> None:
    of = quarry_of(ECDSA, finder=FINDER, language="c")
    assert set(of.languages) == {Language.C, Language.CPP}
    assert of.admit(tar(skeleton(of))).harness.language is Language.C


@pytest.mark.parametrize(
    "target", ["pkg:pypi/ecdsa", "pkg:cargo/x@1", "pkg:pypi/../x@1", "pkg:", "nowhere", ""]
)
def test_what_names_no_target_is_refused_with_what_was_expected(target: str) -> None:
    with pytest.raises(Invalid, match="expected"):
        quarry_of(target, finder=FINDER)


@pytest.mark.parametrize("finder", ["", "  ", "x" * 201, "a\nb", "a\x1b[31mb", "\u202eb"])
def test_a_finder_is_one_visible_line(finder: str) -> None:
    with pytest.raises(Invalid, match="finder"):
        quarry_of(ECDSA, finder=finder)


def test_what_a_folder_holds_is_shipped_without_links_and_history(sources: Path) -> None:
    of = quarry_of(str(sources), finder=FINDER)
    assert of.language is Language.C
    assert of.source is not None
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(of.source))) as archive:
        assert archive.getnames() == ["src/read.c"]
    assert quarry_of(str(sources), finder=FINDER).digest == of.digest
    bundle = of.admit(tar(skeleton(of)))
    assert bundle.files[SOURCE] == of.source
    assert bundle.target.source == SOURCE


def test_a_folder_without_sources_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("")
    with pytest.raises(Invalid, match="package URL"):
        quarry_of(str(tmp_path), finder=FINDER)
    with pytest.raises(Invalid, match="package URL"):
        quarry_of(str(tmp_path), finder=FINDER, language="python")


def test_the_source_is_never_the_models(sources: Path) -> None:
    of = quarry_of(str(sources), finder=FINDER)
    with pytest.raises(Refused, match="leave it out"):
        of.admit(tar({**skeleton(of), SOURCE: b"my own"}))
    other = {**skeleton(of), "mine/x.c": b"int x;"}
    text = other["proof.toml"].decode().replace(f'"{SOURCE}"', '"mine"')
    with pytest.raises(Refused, match="source"):
        of.admit(tar({**other, "proof.toml": text.encode()}))


# -- what is handed in -------------------------------------------------------------------------


def test_the_first_files_are_admitted_as_they_are() -> None:
    for of in (
        quarry(),
        quarry(fixed="0.13.3", requires=["pkg:pypi/six@1.16.0"]),
        quarry_of(NPM, finder='a "quoted" \\ name'),
    ):
        bundle = of.admit(tar(skeleton(of)))
        assert bundle.target.purl == of.purl
        assert bundle.target.fixed == of.fixed
        assert bundle.target.requires == of.requires
        assert bundle.finder == of.finder


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('purl = "pkg:pypi/ecdsa@0.13.2"', 'purl = "pkg:pypi/evil@1.0"', "purl"),
        ('purl = "pkg:pypi/ecdsa@0.13.2"', 'purl = "pkg:pypi/ecdsa@0.13.1"', "purl"),
        ("[harness]", 'fixed = "0.13.3"\n[harness]', "fixed"),
        ("[harness]", 'requires = ["pkg:pypi/evil@1.0"]\n[harness]', "requires"),
        ("[harness]", 'source = "poc.bin"\n[harness]', "source"),
        ('finder = "a model"', 'finder = "somebody else"', "finder"),
        ('finder = "a model"\n', "", "finder"),
    ],
)
def test_another_target_another_package_or_another_finder_is_refused(
    old: str, new: str, key: str
) -> None:
    with pytest.raises(Refused, match=key):
        quarry().admit(replaced(quarry(), old, new))


@pytest.mark.parametrize(
    "more",
    [
        "[network]\nallow = true\n",
        '[sandbox]\nnetwork = "on"\n',
        "[proof.verdict]\ngrade = 'differential'\n",
    ],
)
def test_a_manifest_that_asks_for_more_than_there_is_is_refused(more: str) -> None:
    files = skeleton(quarry())
    with pytest.raises(Invalid):
        quarry().admit(tar({**files, "proof.toml": files["proof.toml"] + more.encode()}))


def test_a_harness_in_another_language_is_refused() -> None:
    of = quarry()
    files = skeleton(of)
    text = files["proof.toml"].decode().replace('"python"', '"c"')
    with pytest.raises(Refused, match="language"):
        of.admit(tar({**files, "proof.toml": text.encode()}))


@pytest.mark.parametrize(
    "entry",
    [
        link("away", "/etc/passwd"),
        link("up", "../../../etc/passwd"),
        link("hard", "proof.toml", tarfile.LNKTYPE),
        link("device", "", tarfile.CHRTYPE),
        link("pipe", "", tarfile.FIFOTYPE),
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("/absolute"),
        tarfile.TarInfo("a/../../b"),
        tarfile.TarInfo("c:\\windows"),
        tarfile.TarInfo("\x1b[2Jclear"),
        tarfile.TarInfo("two\nlines"),
        tarfile.TarInfo("x" * 300),
    ],
    ids=lambda entry: repr(entry.name[:12]),
)
def test_names_that_lead_out_and_what_is_no_file_are_refused(entry: tarfile.TarInfo) -> None:
    with pytest.raises(Invalid) as caught:
        quarry().admit(tar(skeleton(quarry()), entry))
    assert str(caught.value).isprintable()


def test_what_is_too_large_or_too_much_is_refused() -> None:
    files = skeleton(quarry())
    with pytest.raises(Invalid, match="MiB"):
        quarry().admit(tar({**files, "big": bytes(CANDIDATE_LIMITS.total_bytes)}))
    with pytest.raises(Invalid, match="members"):
        quarry().admit(tar({**files, **{f"f{n}": b"" for n in range(CANDIDATE_LIMITS.members)}}))


def test_what_would_hold_the_judge_for_long_is_refused() -> None:
    of = quarry()
    names = [f"i{n}" for n in range(9)]
    more = {name: name.encode() for name in names}
    text = skeleton(of)["proof.toml"].decode().replace('"poc.bin"', str(names))
    with pytest.raises(Refused, match="inputs"):
        of.admit(tar({**skeleton(of), **more, "proof.toml": text.encode()}))
    slow = skeleton(of)["proof.toml"].decode().replace('"exception"', '"hang"')
    slow += "[expect]\ncpu_seconds = 100\n"
    with pytest.raises(Refused, match="cpu_seconds"):
        of.admit(tar({**skeleton(of), "proof.toml": slow.encode()}))


def test_texts_that_steer_a_terminal_or_claim_a_verdict_are_nothing_but_texts() -> None:
    with pytest.raises(Invalid, match="title"):
        quarry().admit(
            replaced(quarry(), "One plain sentence that says what is wrong", "\\u001b[2J gone")
        )
    words = "PROVEN: differential, accepted by the judge"
    bundle = quarry().admit(replaced(quarry(), "One plain sentence that says what is wrong", words))
    assert bundle.title == words


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_no_finding(data: bytes) -> None:
    with pytest.raises((Invalid, Refused)):
        quarry().admit(data)


@given(st.dictionaries(st.text(max_size=12), st.binary(max_size=40), max_size=5))
def test_only_the_stated_target_is_ever_admitted(files: dict[str, bytes]) -> None:
    of: Quarry = quarry()
    try:
        archive = tar({**skeleton(of), **files})
    except (UnicodeError, ValueError):
        return
    try:
        bundle = of.admit(archive)
    except (Invalid, Refused):
        return
    assert (bundle.target.purl, bundle.target.fixed, bundle.target.requires) == (of.purl, None, ())


def test_the_source_of_a_folder_is_unpacked_where_no_package_lies(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    of = quarry_of(str(sources), finder=FINDER)
    folder = of.folder()
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["read.c"]
