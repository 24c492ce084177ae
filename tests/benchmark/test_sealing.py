"""Sealed sets, with real age identities: keepers together open them, and nobody else."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pyrage
import pytest

from clearhouse.benchmark.item_file import ITEM_FILE
from clearhouse.benchmark.sealing import BANK_FILE, SealedSet, Share, open_set, seal
from clearhouse.benchmark.shamir import join
from clearhouse.errors import Invalid, Refused
from clearhouse.proof.door import read_archive
from clearhouse.proof.zips import write_zip
from tests.benchmark.making import CANARY, files_of, sample

IDENTITIES = [pyrage.x25519.Identity.generate() for _ in range(3)]
KEEPERS = [str(one.to_public()) for one in IDENTITIES]
SECRETS = [str(one) for one in IDENTITIES]
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def _items() -> dict[str, dict[str, bytes]]:
    return {
        name: files_of(sample(), name=name, canary=CANARY[:-1] + name) for name in ("a", "b", "c")
    }


def _sealed(together: int = 2) -> SealedSet:
    raw, _ = seal(_items(), KEEPERS, together=together, chance=secrets.token_bytes)
    return SealedSet.parse(raw, where="the set")


def _open(sealed: SealedSet, shares: list[Share], folder: Path) -> Mapping[str, object]:
    from clearhouse.benchmark.openings import Occasion

    occasion = Occasion("Ann", "a review", NOW)
    opened = open_set(sealed, shares, occasion, openings=folder / "set.openings")
    assert opened.opening.keepers == tuple(sorted({share.keeper for share in shares}))
    return opened.files


@pytest.mark.parametrize("together", [1, 2, 3])
def test_so_many_keepers_open_a_set_and_one_fewer_cannot(together: int, tmp_path: Path) -> None:
    sealed = _sealed(together)
    shares = [sealed.share_of(secret) for secret in SECRETS]
    for some in combinations(shares, together):
        assert _open(sealed, list(some), tmp_path) == _items()
    before = (tmp_path / "set.openings").read_bytes()
    for few in combinations(shares, together - 1):
        with pytest.raises(Refused, match=f"{together} of its 3 keepers have to act together"):
            _open(sealed, list(few), tmp_path)
    # The same keeper twice is one keeper.
    if together > 1:
        with pytest.raises(Refused, match="act together"):
            _open(sealed, [shares[0]] * together, tmp_path)
    assert (tmp_path / "set.openings").read_bytes() == before


def test_a_share_too_few_makes_no_key_even_where_nobody_counts(tmp_path: Path) -> None:
    sealed = _sealed(2)
    lenient = replace(sealed, seal=replace(sealed.seal, together=1))
    share = sealed.share_of(SECRETS[0])
    assert not join({share.number: share.value}).startswith(b"AGE-SECRET-KEY-")
    with pytest.raises(Refused, match="do not make its key"):
        _open(lenient, [share], tmp_path)


def test_whoever_is_no_keeper_gets_no_share() -> None:
    sealed = _sealed()
    with pytest.raises(Refused, match="is no keeper"):
        sealed.share_of(str(pyrage.x25519.Identity.generate()))
    for text in ("", "AGE-SECRET-KEY-1", KEEPERS[0]):
        with pytest.raises(Invalid, match="expected an age identity"):
            sealed.share_of(text)


def test_a_keeper_lends_a_share_to_one_who_opens_and_to_nobody_else(tmp_path: Path) -> None:
    sealed = _sealed()
    lent = sealed.lend(SECRETS[1], KEEPERS[0])
    share = sealed.lent(lent, SECRETS[0])
    assert _open(sealed, [sealed.share_of(SECRETS[0]), share], tmp_path) == _items()
    with pytest.raises(Refused, match="not lent to this identity"):
        sealed.lent(lent, SECRETS[2])
    with pytest.raises(Refused, match="not lent to this identity"):
        sealed.lent(lent[:-1] + bytes([lent[-1] ^ 1]), SECRETS[0])
    with pytest.raises(Refused, match="lent for another set"):
        _sealed().lent(lent, SECRETS[0])


def test_nothing_of_the_items_can_be_read_or_guessed_from_the_outside() -> None:
    items = _items()
    raw, about = seal(items, KEEPERS, together=2, chance=secrets.token_bytes)
    for files in items.values():
        assert not any(data in raw for data in files.values() if len(data) > 8)
    told = json.dumps(about.announcement())
    assert set(about.announcement()) == {"format", "items", "root", "keepers", "together", "sealed"}
    assert not any(name in told for name in ("ini", "CVE", CANARY[:8]))
    again = seal(items, KEEPERS, together=2, chance=secrets.token_bytes)[1]
    assert again.commitment.root != about.commitment.root


# -- tampering ---------------------------------------------------------------------------------


def _members(sealed: bytes) -> dict[str, bytes]:
    return read_archive(sealed, where="here")


def test_altered_items_are_refused_before_anything_is_decrypted() -> None:
    raw, _ = seal(_items(), KEEPERS, together=2, chance=secrets.token_bytes)
    members = _members(raw)
    members["items.age"] = members["items.age"][:-1] + b"\0"
    with pytest.raises(Invalid, match="was altered"):
        SealedSet.parse(write_zip(members), where="here")
    for missing in ("items.age", "seal.json"):
        less = {name: data for name, data in members.items() if name != missing}
        with pytest.raises(Invalid, match="expected a sealed set"):
            SealedSet.parse(write_zip(less), where="here")


def test_other_items_put_under_a_seal_are_refused_by_every_keepers_share() -> None:
    mine, _ = seal(_items(), KEEPERS, together=2, chance=secrets.token_bytes)
    theirs, _ = seal({"a": _items()["a"]}, KEEPERS, together=2, chance=secrets.token_bytes)
    members, others = _members(mine), _members(theirs)
    document = json.loads(members["seal.json"])
    document["items"] = json.loads(others["seal.json"])["items"]
    forged = write_zip(
        {"seal.json": json.dumps(document).encode(), "items.age": others["items.age"]}
    )
    sealed = SealedSet.parse(forged, where="here")
    with pytest.raises(Refused, match="was made for other items"):
        sealed.share_of(SECRETS[0])


def test_another_commitment_under_a_seal_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    sealed = _sealed()
    other = _sealed().seal.commitment
    doctored = replace(sealed, seal=replace(sealed.seal, commitment=other))
    shares = [doctored.share_of(secret) for secret in SECRETS[:2]]
    with pytest.raises(Refused, match="not those that were committed to"):
        _open(doctored, shares, tmp_path)
    assert not (tmp_path / "set.openings").exists()


def test_items_that_are_not_those_of_their_bank_are_refused(tmp_path: Path) -> None:
    sealed = _sealed()
    shares = [sealed.share_of(secret) for secret in SECRETS[:2]]
    key = pyrage.x25519.Identity.from_str(
        join({share.number: share.value for share in shares}).decode()
    )
    inside = read_archive(pyrage.decrypt(sealed.encrypted, [key]), where="here")
    assert BANK_FILE in inside
    less = {name: data for name, data in inside.items() if not name.startswith("a/")}
    moved = {name.replace("a/", "d/", 1): data for name, data in inside.items()}
    for other, words in ((less, "not those of its bank"), (moved, "goes by another's name")):
        encrypted = pyrage.encrypt(write_zip(other), [key.to_public()])
        with pytest.raises(Refused, match=words):
            _open(replace(sealed, encrypted=encrypted), shares, tmp_path)
    assert not (tmp_path / "set.openings").exists()


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"together": 0}, {"together": 4}, {"together": True}, {"items": 3},
     {"shares": []}, {"shares": {"x": "eA=="}}, {"commitment": {}}],
)  # fmt: skip
def test_a_description_that_is_none_is_refused(change: dict[str, object]) -> None:
    raw, _ = seal(_items(), KEEPERS, together=2, chance=secrets.token_bytes)
    members = _members(raw)
    document = {**json.loads(members["seal.json"]), **change}
    forged = {**members, "seal.json": json.dumps(document).encode()}
    with pytest.raises(Invalid):
        SealedSet.parse(write_zip(forged), where="here")


def test_a_set_needs_two_keepers_that_differ_and_sound_items() -> None:
    for keepers in ([], KEEPERS[:1], [KEEPERS[0]] * 2):
        with pytest.raises(Invalid, match="at least 2 different keepers"):
            seal(_items(), keepers, together=1, chance=secrets.token_bytes)
    with pytest.raises(Invalid, match="4 of 3 keepers cannot"):
        seal(_items(), KEEPERS, together=4, chance=secrets.token_bytes)
    with pytest.raises(Invalid, match="begins with 'age1'"):
        seal(_items(), [*KEEPERS, "age1x"], together=2, chance=secrets.token_bytes)
    altered = _items()
    altered["a"]["given/0/try"] = b""
    with pytest.raises(Invalid, match="was altered"):
        seal(altered, KEEPERS, together=2, chance=secrets.token_bytes)
    with pytest.raises(Invalid, match=f"has no {ITEM_FILE}"):
        seal({"a": {}}, KEEPERS, together=2, chance=secrets.token_bytes)
