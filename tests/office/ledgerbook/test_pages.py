"""The ledger as verifiers are served it: what is public, what is sealed, what caches may keep."""

from __future__ import annotations

import base64

import pytest
from django.test import Client

from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.note import Note, VerifierKey
from clearhouse.ledger.tiles import Tile, hash_in_tile, tiles_of
from clearhouse.ledger.tree import is_consistent, is_included, root
from clearhouse.office.ledgerbook.actions import record_many
from tests.office.ledgerbook.office import NOW, signed_ledger, some

pytestmark = pytest.mark.django_db


def _content(client: Client, tile: Tile) -> bytes:
    answer = client.get(f"/ledger/{tile.path}")
    assert answer.status_code == 200, tile
    return answer.content


def test_a_client_with_nothing_but_the_address_computes_the_signed_root(client: Client) -> None:
    signed_ledger(256, 300)
    key = VerifierKey.parse(client.get("/ledger/key").content.decode())
    note = Note.parse(client.get("/ledger/checkpoint").content)
    assert note.signed_by([key])
    told = Checkpoint.parse(note.text)
    computed = root(
        told.size, lambda node: hash_in_tile(node, lambda tile: _content(client, tile), told.size)
    )
    assert (told.size, computed) == (556, told.root)


def test_every_tile_of_the_signed_size_is_served_for_good(client: Client) -> None:
    signed_ledger(600)
    for tile in tiles_of(600):
        answer = client.get(f"/ledger/{tile.path}")
        if tile.level is None:
            assert answer.status_code == 404
            continue
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/octet-stream"
        assert "immutable" in answer["Cache-Control"]
        assert len(answer.content) == 32 * tile.width


@pytest.mark.parametrize(
    "path",
    ["tile/entries/000", "tile/entries/000.p/1", "tile/0/002", "tile/0/001.p/45", "tile/1/000",
     "tile/0/000.p/256", "tile/0/0", "tile/63/000", "tile/0/../../key", "tile/", "tile/0/x000/000"],
)  # fmt: skip
def test_bundles_of_entries_and_what_is_no_tile_are_not_found(client: Client, path: str) -> None:
    signed_ledger(300)
    answer = client.get(f"/ledger/{path}")
    assert answer.status_code == 404
    assert "immutable" not in answer.get("Cache-Control", "")


def test_nothing_shows_of_entries_after_the_last_signed_checkpoint(client: Client) -> None:
    signed_ledger(10)
    before = [client.get(f"/ledger/{one}").content for one in ("checkpoint", "tile/0/000.p/10")]
    record_many(some(10), now=NOW)
    after = [client.get(f"/ledger/{one}").content for one in ("checkpoint", "tile/0/000.p/10")]
    assert before == after
    for beyond in ("tile/0/000.p/11", "proof/inclusion?index=10&size=11",
                   "proof/consistency?old=10&new=11"):  # fmt: skip
        assert client.get(f"/ledger/{beyond}").status_code == 404


@pytest.mark.parametrize("where", ["/ledger", "/api/ledger"])
def test_proofs_are_those_that_verify(client: Client, where: str) -> None:
    signed_ledger(10, 290)
    one = client.get(f"{where}/proof/inclusion?index=7&size=300").json()
    leaf, told, *path = map(base64.b64decode, (one["leaf_hash"], one["root"], *one["hashes"]))
    assert is_included(leaf, 7, 300, path, told)
    two = client.get(f"{where}/proof/consistency?old=10&new=300").json()
    old, new, *proof = map(base64.b64decode, (two["old_root"], two["new_root"], *two["hashes"]))
    assert is_consistent(10, 300, old, new, proof)
    assert new == told


@pytest.mark.parametrize(
    "question",
    ["inclusion", "inclusion?index=1", "inclusion?index=-1&size=2", "inclusion?index=x&size=2",
     "inclusion?index=3&size=3", "consistency?old=3&new=2", "consistency?old=1&new=2.0",
     "inclusion?index=1&size=9999999999999999"],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_answered_with_422(client: Client, question: str) -> None:
    signed_ledger(3)
    assert client.get(f"/ledger/proof/{question}").status_code == 422


def test_before_anything_is_signed_there_is_no_checkpoint(client: Client) -> None:
    record_many(some(3), now=NOW)
    assert client.get("/ledger/checkpoint").status_code == 404
    assert client.get("/ledger/tile/0/000.p/3").status_code == 404


def test_the_ledger_is_only_read_here(client: Client) -> None:
    for address in ("", "checkpoint", "key", "tile/0/000", "proof/inclusion", "proof/consistency"):
        assert client.post(f"/ledger/{address}").status_code == 405


def test_entries_are_not_told_to_the_public_by_the_api(client: Client) -> None:
    signed_ledger(3)
    answer = client.get("/api/ledger/entries?subject=F-1")
    assert (answer.status_code, answer.json()) == (200, [])


def test_the_page_shows_how_far_the_ledger_is_signed_and_how_to_verify_it(client: Client) -> None:
    assert "No checkpoint has been signed yet" in client.get("/ledger/").content.decode()
    signed = signed_ledger(300)
    shown = client.get("/ledger/").content.decode()
    assert base64.b64encode(bytes(signed.root)).decode() in shown
    assert "check-receipt" in shown
