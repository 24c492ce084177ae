"""The ledger in the API: checkpoint and proofs for everybody, entries for who may see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from clearhouse.errors import NotFound
from clearhouse.ledger.entry import Entry
from clearhouse.office.ledgerbook import queries
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.ledgerbook.proofs import (
    ConsistencyDocument,
    InclusionDocument,
    consistency_document,
    inclusion_document,
)
from clearhouse.office.orgs.middleware import viewer_in

router = Router(tags=["ledger"])
Count: TypeAlias = Annotated[int, Field(ge=0, le=10**15)]
Page: TypeAlias = Annotated[int, Field(ge=1, le=1000)]
Subject: TypeAlias = Annotated[str, Field(min_length=1, max_length=80)]


class CheckpointOut(Schema):
    """The last signed checkpoint: the note itself is what counts."""

    size: int
    note: str
    key: str
    signed_at: datetime


class InclusionOut(Schema):
    """That an entry, of which only the hash is told, is in the log of that size."""

    index: int
    size: int
    leaf_hash: str
    root: str
    hashes: list[str]


class ConsistencyOut(Schema):
    """That the log of one size begins with the log of another."""

    old: int
    new: int
    old_root: str
    new_root: str
    hashes: list[str]


class EntryOut(Schema):
    """One decision."""

    index: int
    kind: str
    subject: str
    at: datetime
    facts: dict[str, Any]
    leaf_hash: str


@router.get("/checkpoint", response=CheckpointOut)
def checkpoint(request: HttpRequest) -> CheckpointOut:  # noqa: ARG001 - ninja's
    """The last signed checkpoint and the key that signed it."""
    signed = queries.latest_checkpoint()
    if signed is None:
        raise NotFound("no checkpoint has been signed yet")
    key = str(signing_key().verifier)
    return CheckpointOut(size=signed.size, note=signed.note, key=key, signed_at=signed.at)


@router.get("/proof/inclusion", response=InclusionOut)
def inclusion(
    request: HttpRequest,  # noqa: ARG001 - ninja's
    index: Count,
    size: Count,
) -> InclusionDocument:
    """The proof that an entry is in the log of a size."""
    return inclusion_document(index, size)


@router.get("/proof/consistency", response=ConsistencyOut)
def consistency(
    request: HttpRequest,  # noqa: ARG001 - ninja's
    old: Count,
    new: Count,
) -> ConsistencyDocument:
    """The proof that the log of one size begins with that of another."""
    return consistency_document(old, new)


@router.get("/entries", response=list[EntryOut])
def entries(
    request: HttpRequest,
    subject: Subject,
    since: Count = 0,
    most: Page = 100,
) -> list[EntryOut]:
    """The entries about a subject, in order; an empty list where there are none for the viewer."""
    found = queries.entries_about(viewer_in(request), subject, since=since, most=most)
    return [_out(one) for one in found]


def _out(entry: Entry) -> EntryOut:
    return EntryOut(
        index=entry.index,
        kind=entry.kind,
        subject=entry.subject,
        at=entry.at,
        facts=dict(entry.facts),
        leaf_hash=entry.leaf_hash.hex(),
    )
