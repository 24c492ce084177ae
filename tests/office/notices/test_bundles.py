"""A bundle to carry along: the same bytes for the same notices, and known to be the office's."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from clearhouse.cli.main import main
from clearhouse.errors import Invalid, Refused
from clearhouse.ledger.note import SigningKey
from clearhouse.office.ledgerbook.keys import signing_key as ledger_key
from clearhouse.office.notices import actions
from clearhouse.office.notices.bundle import key_of, verify
from clearhouse.office.notices.carrying import bundle_for, signing_key
from clearhouse.protocol.tlp import Tlp
from tests.office.notices.made import SECRET, at, hospital, tell

pytestmark = pytest.mark.django_db


def members(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {one: archive.read(one) for one in archive.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_it_is_read_without_the_office_and_has_what_was_read_and_what_waits() -> None:
    viewer = hospital()
    read = tell(viewer, "read", headline="Read already")
    actions.acknowledge(viewer, read.name, now=at(hours=1))
    tell(viewer, tlp=Tlp.AMBER, what="<script>alert(1)</script>")
    tell(viewer, "over")
    actions.end(viewer.acting_for(), "over", now=at(hours=1))
    raw = bundle_for(viewer)
    files = members(raw)
    document = json.loads(files["notices.json"])
    assert [one["headline"] for one in document["notices"]] == [
        f"Update {SECRET} on 2 systems", "Read already",
    ]  # fmt: skip
    assert document["tlp"] == "TLP:AMBER"
    page = files["notices.html"].decode()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "What to do\nInstall 2.4.1." in files["notices.txt"].decode()
    found = verify(raw, key_of(str(ledger_key().verifier)))
    assert (found.organisation, found.count) == ("Valley-Hospital", 2)
    assert found.as_of == "2026-11-01T13:00:00+00:00"


def test_the_same_notices_are_the_same_bytes() -> None:
    viewer = hospital()
    tell(viewer)
    first = bundle_for(viewer)
    assert bundle_for(viewer) == first
    tell(viewer, "another")
    assert bundle_for(viewer) != first


def test_what_is_only_for_people_is_left_out_and_that_is_said() -> None:
    viewer = hospital()
    tell(viewer, tlp=Tlp.RED)
    files = members(bundle_for(viewer))
    assert SECRET not in b"".join(files.values()).decode()
    assert json.loads(files["notices.json"])["something_else_waits"] is True


def test_an_empty_one_says_that_nothing_waits() -> None:
    raw = bundle_for(hospital())
    assert b"Nothing waits." in members(raw)["notices.txt"]
    assert verify(raw, signing_key().verifier).count == 0


def test_anybodys_sha256sum_checks_the_files(tmp_path: Path) -> None:
    viewer = hospital()
    tell(viewer)
    for name, data in members(bundle_for(viewer)).items():
        (tmp_path / name).write_bytes(data)
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", ["notices.json", "notices.txt", "notices.html", "SHA256SUMS"])
def test_a_byte_that_was_altered_is_found(name: str) -> None:
    viewer = hospital()
    tell(viewer)
    files = members(bundle_for(viewer))
    files[name] = files[name].replace(b"a", b"b", 1)
    with pytest.raises((Refused, Invalid)):
        verify(packed(files), signing_key().verifier)


def test_sums_made_anew_do_not_help_and_another_key_does_not_either() -> None:
    import hashlib

    viewer = hospital()
    tell(viewer)
    files = members(bundle_for(viewer))
    files["notices.txt"] = b"Nothing waits.\n"
    three = [one for one in files if one.startswith("notices.")]
    files["SHA256SUMS"] = "".join(
        f"{hashlib.sha256(files[one]).hexdigest()}  {one}\n" for one in three
    ).encode()
    with pytest.raises(Refused, match="not the one that was signed"):
        verify(packed(files), signing_key().verifier)
    other = SigningKey(signing_key().verifier.name, bytes(32)).verifier
    with pytest.raises(Refused, match="not signed by"):
        verify(bundle_for(viewer), other)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_bundle_that_was_damaged_on_the_way_is_refused_in_words(method: int) -> None:
    viewer = hospital()
    tell(viewer)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members(bundle_for(viewer)).items():
            archive.writestr(name, data)
    raw = bytearray(out.getvalue())
    begin = 30 + len("notices.json")
    raw[begin : begin + 60] = b"\xff" * 60
    with pytest.raises((Refused, Invalid)):
        verify(bytes(raw), key_of(str(ledger_key().verifier)))


@pytest.mark.parametrize("what", ["missing", "more", "twice", "no zip", "empty", "signature"])
def test_what_is_no_bundle_is_refused(what: str) -> None:
    viewer = hospital()
    files = members(bundle_for(viewer))
    raw = {
        "missing": packed({k: v for k, v in files.items() if k != "SIGNED"}),
        "more": packed(files | {"setup.exe": b""}),
        "no zip": b"PK\x03\x04 nothing",
        "empty": b"",
        "signature": packed(files | {"SIGNED": b"x"}),
        "twice": b"",
    }[what]
    if what == "twice":
        out = io.BytesIO(packed({k: v for k, v in files.items() if k != "SIGNED"}))
        with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("notices.txt", b"another")
        raw = out.getvalue()
    with pytest.raises(Invalid):
        verify(raw, signing_key().verifier)


def test_the_command_line_says_whose_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    viewer = hospital()
    tell(viewer)
    file, key = tmp_path / "notices.zip", tmp_path / "key"
    file.write_bytes(bundle_for(viewer))
    key.write_text(f"{ledger_key().verifier}\n")
    assert main(["notices", "verify", str(file), "--key", str(key)]) == 0
    assert "1 notice(s) for Valley-Hospital" in capsys.readouterr().out
    other = SigningKey(ledger_key().verifier.name, bytes(32)).verifier
    assert main(["notices", "verify", str(file), "--key", str(other)]) == 1
    assert main(["notices", "verify", str(key), "--key", str(key)]) == 2
    assert main(["notices", "verify", str(tmp_path / "none"), "--key", str(key)]) == 2
    assert main(["notices", "verify", str(file), "--key", "nonsense"]) == 2
