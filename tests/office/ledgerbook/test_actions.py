"""Writing to the ledger: what is appended is the tree over it, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clearhouse.errors import Invalid
from clearhouse.ledger.entry import Entry
from clearhouse.ledger.tree import Node, is_consistent, is_included
from clearhouse.office.ledgerbook.actions import (
    Decision,
    record,
    record_many,
    sign_checkpoint,
)
from clearhouse.office.ledgerbook.models import LedgerEntry, LedgerTile
from clearhouse.office.ledgerbook.queries import (
    StoredTree,
    consistency,
    head,
    inclusion,
)
from tests.ledger.test_tree import Log

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOMETHING = {"digest": "ab" * 32, "state": "received"}


def some(count: int) -> list[Decision]:
    return [Decision("finding.received", f"F-{at}", {"number": at}) for at in range(count)]


def reference() -> Log:
    """A tree in memory over the leaves as they are stored."""
    log = Log()
    for leaf in LedgerEntry.objects.order_by("index").values_list("leaf", flat=True):
        log.add(bytes(leaf))
    return log


class Batches(TestCase):
    """Hypothesis gives each example a database of its own."""

    @settings(max_examples=20)
    @given(st.lists(st.integers(0, 700), max_size=5), st.data())
    def test_batches_of_any_size_make_the_tree_over_all_leaves(
        self, sizes: list[int], data: st.DataObject
    ) -> None:
        for size in sizes:
            record_many(some(size), now=NOW)
        log = reference()
        total = sum(sizes)
        assert head().size == log.size == total
        assert head().root == log.root(total)
        stored = StoredTree()
        assert all(stored.read(node) == hashed for node, hashed in log.stored.items())
        if total:
            sign_checkpoint(now=NOW)
            size = data.draw(st.integers(1, total))
            index = data.draw(st.integers(0, size - 1))
            proof = inclusion(index, size)
            assert (proof.leaf_hash, proof.root) == (log.read(Node(0, index)), log.root(size))
            assert is_included(proof.leaf_hash, index, size, proof.hashes, proof.root)
            grown = consistency(size, total)
            roots = (grown.old_root, grown.new_root)
            assert roots == (log.root(size), log.root(total))
            assert is_consistent(size, total, *roots, grown.hashes)


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_nothing_is_recorded() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of its decision"):
        record("finding.received", "F-1", SOMETHING, now=NOW)
    assert head().size == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_leaves_nothing() -> None:
    with transaction.atomic():
        record_many(some(250), now=NOW)
    before = head()
    with transaction.atomic():
        record_many(some(300), now=NOW + timedelta(days=1))
        assert head().size == 550
        transaction.set_rollback(True)
    assert head() == before
    assert LedgerEntry.objects.count() == 250
    assert not LedgerTile.objects.exists()
    with transaction.atomic():
        entry = record("finding.received", "F-1", SOMETHING, now=NOW)
    assert (entry.index, entry.at) == (250, NOW)


@pytest.mark.django_db
def test_an_entry_is_stored_as_it_was_returned() -> None:
    entry = record("finding.received", "F-1", SOMETHING, now=NOW)
    row = LedgerEntry.objects.get()
    assert (row.index, row.kind, row.subject, row.at) == (0, "finding.received", "F-1", NOW)
    assert bytes(row.leaf_hash) == entry.leaf_hash
    assert Entry.parse(bytes(row.leaf), index=0) == entry


@pytest.mark.django_db
def test_equal_decisions_have_different_hashes() -> None:
    first, second = record_many([Decision("case.opened", "C-1", {})] * 2, now=NOW)
    assert first.leaf_hash != second.leaf_hash


@pytest.mark.django_db
def test_no_entry_is_earlier_than_the_one_before_it() -> None:
    first = record("finding.received", "F-1", {}, now=NOW)
    assert record("finding.received", "F-2", {}, now=NOW - timedelta(hours=1)).at == first.at
    later = NOW + timedelta(hours=1)
    assert record("finding.received", "F-3", {}, now=later).at == later


@pytest.mark.django_db
def test_facts_that_no_entry_can_hold_are_refused_and_nothing_is_written() -> None:
    with pytest.raises(Invalid, match=r"facts\.share"):
        record_many([*some(3), Decision("finding.received", "F-4", {"share": 0.5})], now=NOW)  # type: ignore[dict-item]
    assert head().size == 0
