"""From what touches a system to what its owner is obliged to.

Each system is looked at for itself, again and again, and with the same result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from clearhouse.office.batches import batches
from clearhouse.office.directives.actions.change import Change
from clearhouse.office.directives.actions.noting import keep
from clearhouse.office.directives.facts import asked_of
from clearhouse.office.directives.models import (
    FINAL,
    DirectiveRow,
    Evidence,
    Following,
    ObligationRow,
    ProofRun,
)
from clearhouse.office.directives.proofs import NOT_SHOWN, not_shown_on, reference_of, speaks_of
from clearhouse.office.directives.stored import directive_of, obligation_of
from clearhouse.office.inventories.actions.matching import judge_by_dates
from clearhouse.office.inventories.following import follows
from clearhouse.office.inventories.present import (
    Present,
    Touching,
    hold_system,
    lanes_of,
    present_of,
    systems_in_use,
)
from clearhouse.office.names import new_name
from clearhouse.office.queue.actions import Request, enqueue_many
from clearhouse.protocol.directives.directive import Way
from clearhouse.protocol.directives.events import End, Event, HandIn, State
from clearhouse.protocol.directives.following import Gone, NotShown, There, follow

DERIVE: Final = "directives.derive"


@follows
def system_changed(system: int, now: datetime) -> None:
    """Note that a system was matched or judged again, where any directive is in force."""
    if DirectiveRow.objects.filter(state=DirectiveRow.State.ISSUED).exists():
        mark([system], now=now)


def mark(systems: Collection[int], *, now: datetime) -> None:
    """Put in a job for each of these systems, as part of the caller's transaction."""
    for some in batches(sorted(set(systems))):
        Following.objects.bulk_create(
            (Following(system_id=one) for one in some), ignore_conflicts=True
        )
        Following.objects.filter(system__in=some).update(wanted=F("wanted") + 1)
        _put_in(some, now)


def mark_all(now: datetime) -> None:
    """The same for every system that is in use."""
    mark([key for key, _, _ in systems_in_use()], now=now)


def look_at_all(now: datetime) -> None:
    """Look at every system again, if any directive is in force."""
    if DirectiveRow.objects.filter(state=DirectiveRow.State.ISSUED).exists():
        mark_all(now)


def look_again(now: datetime) -> None:
    """Put in a job for each system that was not looked at since it changed, if it has none."""
    behind = Following.objects.filter(wanted__gt=F("derived")).order_by("system_id")
    _put_in(list(behind.values_list("system_id", flat=True)), now)


def derive(system: int, *, now: datetime) -> None:
    """Let the obligations of a system follow what is known of it, in one transaction.

    1. Nobody matches the system meanwhile.  2. What a directive that has ended asked is over.
    3. Each directive in force is held against each flaw.  4. Done again, it changes nothing.
    """
    with transaction.atomic():
        if not hold_system(system):  # 1
            return
        row, _ = Following.objects.select_for_update().get_or_create(system_id=system)
        issued = list(DirectiveRow.objects.filter(state=DirectiveRow.State.ISSUED).order_by("pk"))
        rows = list(
            ObligationRow.objects.select_for_update(of=("self",))
            .select_related("directive")
            .filter(system=system)
            .exclude(state__in=FINAL)
            .order_by("pk")
        )
        present = present_of(system, also={one.exposure_id for one in rows})
        runs = not_shown_on(system)
        changes = [
            Change(one, directive_of(one.directive), (End(one.directive.end_reason),))
            for one in rows
            if one.directive.state == DirectiveRow.State.ENDED
        ]  # 2
        for each in issued:
            mine = [one for one in rows if one.directive_id == each.pk]
            changes += _held_against(each, mine, present, runs, now)  # 3
        keep(changes, now=now)
        judge_by_dates(system)
        row.derived = row.wanted  # 4
        row.save(update_fields=["derived"])


def _held_against(
    row: DirectiveRow, mine: Sequence[ObligationRow], present: Present,
    runs: Mapping[int, Sequence[ProofRun]], now: datetime,
) -> Iterator[Change]:  # fmt: skip
    directive = directive_of(row)
    if not directive.asks_at(now):
        return  # its end has come, and the clock will say so
    there = {one.key: one for one in present.touching}
    standing = [one for one in present.touching if one.stands]
    taken: dict[int, Touching] = _paired(mine, standing)
    for one in mine:
        touching = taken.get(one.pk)
        asked = asked_of(directive, present, touching) if touching is not None else None
        run = speaks_of(runs.get(one.pk, ()), touching)
        seen = _seen(one, touching, there.get(one.exposure_id), present, run)
        events = follow(obligation_of(one, directive), seen, asked)
        reference = _reference(seen, present)
        if reference and _is_known(one, reference, events):
            continue
        change = Change(one, directive, events, touching=touching, asked=asked)
        if isinstance(seen, Gone):
            change.text, change.reference = seen.said, reference
        elif run is not None:
            change.text, change.document = NOT_SHOWN, run.document
            change.reference = reference_of(run)
        yield change
    owned = {one.key for one in taken.values()}
    for touching in standing:
        asked = asked_of(directive, present, touching) if touching.key not in owned else None
        if asked is not None:
            yield Change(
                _new(row, present, touching, now), directive, (), touching=touching, asked=asked
            )


def _paired(mine: Sequence[ObligationRow], standing: Sequence[Touching]) -> dict[int, Touching]:
    """Which obligation is about which flaw: the same exposure, or one with a name in common.

    A flaw that went and came back is an exposure of its own; two that turned out to be one are one.
    """
    found: dict[int, Touching] = {}
    by_exposure = {one.exposure_id: one for one in mine}
    left = []
    for touching in standing:
        same = by_exposure.get(touching.key)
        if same is not None:
            found[same.pk] = touching
        else:
            left.append(touching)
    for touching in left:
        names = set(touching.ids)
        candidates = [one for one in mine if one.pk not in found and names & set(one.ids)]
        if candidates:
            best = max(
                candidates, key=lambda one: (one.state == State.OPEN, one.changed_at, one.pk)
            )
            found[best.pk] = touching
    return found


def _seen(
    row: ObligationRow, now_there: Touching | None, before: Touching | None, present: Present,
    run: ProofRun | None,
) -> There | Gone:  # fmt: skip
    """What the newest look says of an obligation's flaw."""
    if now_there is not None:
        not_shown = None
        if run is not None:
            since = max(run.asked_at, present.inventory_at or run.asked_at)
            not_shown = NotShown(since, NOT_SHOWN)
        return There(_is_covered(row, now_there, present, run), not_shown)
    if present.is_retired:
        return Gone(Way.REMOVED, "the system was retired")
    if before is not None and not before.is_over:
        return Gone(Way.VEX, _stated(before))
    if any(one.stands and set(one.ids) & set(row.ids) for one in present.touching):
        return Gone(None, "it turned out to be one flaw with another that is listed here")
    is_named = before is not None and before.key in present.may_have
    if is_named or (before is not None and before.found & present.installed):
        return Gone(None, "the records about it do not say any more that this version is affected")
    return Gone(Way.INVENTORY, f"the inventory {present.inventory} does not have it any more")


def _stated(one: Touching) -> str:
    said = one.statement or {}
    author = str(said.get("author") or "its author")[:200]
    claim = str(said.get("claim", "")).replace("_", " ")
    return f"{author} states: {claim}"


def _is_covered(
    row: ObligationRow, now_there: Touching, present: Present, run: ProofRun | None
) -> bool:
    """Whether the evidence that was accepted speaks of what is there now.

    1. An agreement to leave it holds as long as the directive.  2. What was taken off the network
    stays in the inventory until a newer one comes, and a newer one that may only name it does not
    show it.  3. That proofs do not show it holds for the versions that they were run on, whatever
    the records say of these.  4. That an inventory lacks it, or a statement takes it back, does not
    hold where it is.
    """
    if row.state != State.COMPLETED:
        return False
    match Way(row.way):
        case Way.ACCEPTED:
            return True  # 1
        case Way.REMOVED:
            at = present.inventory_at
            handed_in = row.handed_in_at
            return now_there.is_unseen or at is None or handed_in is None or at <= handed_in  # 2
        case Way.PROOF:
            return run is not None  # 3
        case _:
            return False  # 4


def _reference(seen: There | Gone, present: Present) -> str:
    if isinstance(seen, There) or seen.way is None:
        return ""
    return present.inventory if seen.way is Way.INVENTORY else present.name


def _is_known(row: ObligationRow, reference: str, events: Iterable[Event]) -> bool:
    """Whether just that was stated before, and refused: it is not handed in again."""
    if HandIn(Way.REMOVED) not in events:
        return False
    refused = row.evidence.filter(
        verdict=Evidence.Verdict.REFUSED, way=Way.REMOVED, reference=reference
    )
    return refused.exists()


def _new(row: DirectiveRow, present: Present, touching: Touching, now: datetime) -> ObligationRow:
    return ObligationRow(
        name=new_name("O"), directive=row, organisation_id=present.organisation,
        system_id=present.key, exposure_id=touching.key, made_at=now, changed_at=now,
    )  # fmt: skip


def _put_in(systems: Collection[int], now: datetime) -> None:
    wanted = dict(Following.objects.filter(system__in=systems).values_list("system_id", "wanted"))
    enqueue_many(
        (
            Request(
                DERIVE, {"system": key}, lane=f"organisation:{owner}",
                key=f"{DERIVE}:{name}:{wanted[key]}",
            )
            for key, name, owner in lanes_of(systems)
        ),
        now=now,
    )  # fmt: skip
