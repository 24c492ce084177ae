"""Signed checkpoints and receipts: none ever contradicts another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as office
from django.db import transaction

from clearhouse.errors import NotFound, Refused, Unavailable
from clearhouse.ledger.checkpoint import Checkpoint
from clearhouse.ledger.note import Note
from clearhouse.ledger.receipt import check_receipt
from clearhouse.office.ledgerbook import sight
from clearhouse.office.ledgerbook.actions import (
    receipt_for,
    record,
    record_many,
    sign_checkpoint,
)
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.ledgerbook.models import LedgerEntry, LedgerHead, SignedCheckpoint
from clearhouse.office.ledgerbook.queries import entries_about, entry_at, head
from clearhouse.office.viewer import PUBLIC, SYSTEM, Viewer
from tests.office.ledgerbook.office import NOW, signed_ledger, some

COORDINATOR = Viewer(1, SYSTEM.roles, SYSTEM.scopes, "Office", person=1)
FINDER = Viewer(2, frozenset(), frozenset(), "Finder", person=2)


@pytest.mark.django_db
def test_a_checkpoint_is_signed_by_the_key_of_this_office_and_says_how_far_it_goes() -> None:
    signed = signed_ledger(300)
    note = Note.parse(signed.note.encode())
    key = signing_key().verifier
    assert key.name == f"{office.CONFIG.host}/ledger"
    assert note.signed_by([key]) == (key,)
    assert Checkpoint.parse(note.text) == Checkpoint(key.name, 300, head().root)


@pytest.mark.django_db
def test_signing_again_without_a_new_entry_changes_nothing() -> None:
    first = signed_ledger(3)
    again = sign_checkpoint(now=NOW + timedelta(days=1))
    assert (again.size, again.note, again.at) == (first.size, first.note, first.at)
    assert SignedCheckpoint.objects.count() == 1


@pytest.mark.django_db
def test_an_empty_ledger_can_be_signed() -> None:
    assert sign_checkpoint(now=NOW).size == 0


@pytest.mark.django_db(transaction=True)
def test_what_a_rollback_could_take_back_is_not_signed() -> None:
    with transaction.atomic():
        record("case.opened", "C-1", {}, now=NOW)
        with pytest.raises(RuntimeError, match="durable"):
            sign_checkpoint(now=NOW)
    assert not SignedCheckpoint.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("size", [2, 5])
def test_a_ledger_that_was_rewritten_is_signed_no_more(size: int) -> None:
    signed_ledger(3)
    LedgerEntry.objects.all().delete()
    LedgerHead.objects.all().delete()
    record_many(some(size), now=NOW)
    with pytest.raises((Refused, Unavailable)):
        sign_checkpoint(now=NOW)
    assert SignedCheckpoint.objects.count() == 1


@pytest.mark.django_db
def test_a_receipt_holds_against_the_key_of_the_office() -> None:
    signed_ledger(300, 50)
    for index in (0, 299, 349):
        raw = bytes(receipt_for(SYSTEM, index, now=NOW))
        found = check_receipt(raw, trusted_key=signing_key().verifier, checkpoint=None)
        assert [one.outcome for one in found] == ["holds"] * 4
    assert SignedCheckpoint.objects.count() == 2


@pytest.mark.django_db
def test_a_receipt_of_an_entry_that_no_checkpoint_has_yet_has_one_signed() -> None:
    signed_ledger(3)
    record("case.opened", "C-1", {}, now=NOW)
    receipt = receipt_for(SYSTEM, 3, now=NOW)
    assert Checkpoint.parse(receipt.checkpoint.text).size == 4


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """The finder may see what is about F-1, by a room's rule."""
    monkeypatch.setattr(sight, "_RULES", [])

    @sight.may_see_by
    def own(viewer: Viewer, subject: str) -> bool:
        return viewer == FINDER and subject == "F-1"


@pytest.mark.django_db
@pytest.mark.usefixtures("rule")
@pytest.mark.parametrize(
    ("viewer", "subject", "sees"),
    [(PUBLIC, "F-1", False), (PUBLIC, "F-2", False), (FINDER, "F-1", True),
     (FINDER, "F-2", False), (COORDINATOR, "F-1", False), (SYSTEM, "F-1", True),
     (SYSTEM, "F-2", True)],
)  # fmt: skip
def test_entries_are_shown_to_whom_a_rooms_rule_allows_it(
    viewer: Viewer, subject: str, sees: Any
) -> None:
    record_many(some(4), now=NOW)
    index = int(subject[-1])
    assert [one.index for one in entries_about(viewer, subject)] == ([index] if sees else [])
    if sees:
        assert entry_at(viewer, index).subject == subject
        assert receipt_for(viewer, index, now=NOW).index == index
        return
    for of_others in (index, 99):  # the same answer as for what does not exist
        with pytest.raises(NotFound, match="there is no such entry"):
            entry_at(viewer, of_others)
        with pytest.raises(NotFound, match="there is no such entry"):
            receipt_for(viewer, of_others, now=NOW)


@pytest.mark.django_db
def test_where_no_room_has_a_rule_nobody_sees_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "_RULES", [])
    record_many(some(1), now=NOW)
    assert entries_about(COORDINATOR, "F-0") == []
