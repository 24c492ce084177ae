"""Plans are committed before the first attempt; openings of their sealed sets are noted."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from clearhouse.benchmark import openings
from clearhouse.benchmark.bank import Bank
from clearhouse.benchmark.determination import departures
from clearhouse.benchmark.plan import Plan
from clearhouse.benchmark.public_bank import Commitment
from clearhouse.errors import Conflict, Invalid, NotFound
from clearhouse.formats.json_value import shown
from clearhouse.ledger.entry import JSON
from clearhouse.office.assessments.kinds import COMMITTED, RETIRED, SET_OPENED
from clearhouse.office.assessments.models import MOST_ITEM_NAME, CommittedPlan, SetOpening
from clearhouse.office.blobs import store
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.viewer import Viewer
from clearhouse.proof.text import is_plain_line
from clearhouse.protocol.roles import Scope

_MOST_CONSTRUCT: Final = 1000


def commit_plan(
    viewer: Viewer,
    raw_plan: bytes,
    raw_bank: bytes,
    of_set: Commitment | None = None,
    *,
    now: datetime,
) -> CommittedPlan:
    """Commit to a plan: its digest goes into the ledger, and it is the same for all from then on.

    ``of_set`` is the public commitment to the items' contents.  For coordinators.  The same plan
    again is the one that is there.  Raises :class:`Invalid` for documents that cannot be read, and
    for a plan that does not follow from its terms and the bank, and :class:`Conflict` where the
    plan is committed already with another set.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_WRITE)
    plan, bank = Plan.parse(raw_plan, "plan"), Bank.parse(raw_bank, "bank")
    wrong = departures(plan, bank)
    if wrong:
        raise Invalid("; ".join(wrong[:3]), where="plan")
    if of_set is not None and of_set.items != len(plan.items):
        raise Invalid(f"commits to {of_set.items} items, the plan has {len(plan.items)}", key="set")
    _must_be_legible(plan)
    try:
        return _there(plan, of_set) or _committed(viewer, plan, bank, of_set, now=now)
    except IntegrityError:  # somebody else was a moment earlier
        return _there(plan, of_set) or _committed(viewer, plan, bank, of_set, now=now)


def _must_be_legible(plan: Plan) -> None:
    """What is shown of a plan and of its attempts are lines of text, and not too long to keep."""
    if len(plan.terms.construct) > _MOST_CONSTRUCT or not is_plain_line(plan.terms.construct):
        raise Invalid(
            f"what the plan decides is one line of at most {_MOST_CONSTRUCT} characters",
            where="plan", key="terms.construct",
        )  # fmt: skip
    for one in plan.items:
        if len(one.name) > MOST_ITEM_NAME or not is_plain_line(one.name):
            raise Invalid(
                f"the name of the item {shown(one.name)} is not one line of at most"
                f" {MOST_ITEM_NAME} characters",
                where="plan", key="items",
            )  # fmt: skip


def _there(plan: Plan, of_set: Commitment | None) -> CommittedPlan | None:
    there = CommittedPlan.objects.filter(digest=plan.digest).first()
    if there is not None and of_set is not None and there.set_root != of_set.root:
        raise Conflict(f"this plan is committed already as {there.name}, and not with this set")
    return there


def _committed(
    viewer: Viewer, plan: Plan, bank: Bank, of_set: Commitment | None, *, now: datetime
) -> CommittedPlan:
    with transaction.atomic():
        root = of_set.root if of_set is not None else ""
        name = new_name("PL")
        entry = record(
            COMMITTED,
            name,
            {"plan": plan.digest, "bank": bank.digest, "items": len(plan.items), "set": root},
            now=now,
        )
        document, kept_bank = store.put_many([bytes(plan), bytes(bank)])
        return CommittedPlan.objects.create(
            name=name, digest=plan.digest, bank_digest=bank.digest, set_root=root,
            construct=plan.terms.construct, items=len(plan.items), document=document,
            bank=kept_bank, committed_at=now, committed_by=viewer.name, entry=entry.index,
        )  # fmt: skip


def retire_plan(viewer: Viewer, name: str, *, now: datetime) -> CommittedPlan:
    """Begin nothing more by a plan; what runs by it ends by it.  Again changes nothing."""
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_WRITE)
    with transaction.atomic():
        plan = held_plan(name)
        if plan.retired_at is None:
            plan.retired_at = now
            plan.save(update_fields=["retired_at"])
            record(RETIRED, name, {"plan": plan.digest}, now=now)
        return plan


def note_openings(viewer: Viewer, name: str, raw: bytes, *, now: datetime) -> list[SetOpening]:
    """Take the keepers' record of openings of a plan's sealed set; the new ones, each an entry.

    ``raw`` is the whole record as it stands beside the set.  For coordinators.  Raises
    :class:`Invalid` for a record that is not sound, and :class:`Conflict` where it does not go on
    from what is noted already.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.REVIEWS_WRITE)
    of = openings.set_in(raw, where="openings")
    chain = openings.parse(raw, of=of, where="openings")
    with transaction.atomic():
        plan = held_plan(name)
        before = list(plan.openings.filter(set_digest=of).order_by("number"))
        lines = [hashlib.sha256(one.line()).hexdigest() for one in chain]
        if [one.line for one in before] != lines[: len(before)]:
            raise Conflict(
                f"{len(before)} openings are noted, and this record does not begin with them:"
                " a line was taken from it or changed"
            )
        return [
            _note_opening(plan, one, line, now=now)
            for one, line in zip(chain[len(before) :], lines[len(before) :], strict=True)
        ]


def held_plan(name: str) -> CommittedPlan:
    """A plan, locked for this transaction.  Raises :class:`NotFound`."""
    found = CommittedPlan.objects.select_for_update(no_key=True).filter(name=name).first()
    if found is None:
        raise NotFound("there is no such plan here")
    return found


def _note_opening(
    plan: CommittedPlan, one: openings.Opening, line: str, *, now: datetime
) -> SetOpening:
    facts: dict[str, JSON] = {
        "set": one.set, "number": one.number, "line": line, "keepers": len(one.keepers),
        "when": one.when.isoformat(),
    }  # fmt: skip
    entry = record(SET_OPENED, plan.name, facts, now=now)
    return SetOpening.objects.create(
        plan=plan, set_digest=one.set, number=one.number, at=one.when, by=one.by, why=one.why,
        keepers=len(one.keepers), line=line, noted_at=now, entry=entry.index,
    )  # fmt: skip
