"""A deployer is told what touches a system: one notice for each, told anew when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from clearhouse.exposure.judging.reason import day
from clearhouse.exposure.remedies import Flawed, Remedy, remedies
from clearhouse.office.inventories.models import Exposure, System
from clearhouse.office.inventories.present import flawed_in
from clearhouse.office.notices.actions import end, tell
from clearhouse.office.notices.told import Told
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.tlp import Tlp

_NAMED: Final = 5
#: Nearer than this it is told at once, and nearer than that within the hour.
_NOW, _SOON = timedelta(days=3), timedelta(days=14)


def flawed(one: Exposure) -> list[Flawed]:
    """An exposure as what is to be done counts it: each component that is affected."""
    return flawed_in(
        one.found, system=one.system.name, flaw=one.flaw, due=one.due, rank=one.rank
    )  # fmt: skip


def tell_owner(system: System, standing: Sequence[Exposure], *, now: datetime) -> None:
    """Tell the owner of a system what touches it; in the transaction that has matched it.

    It is confidential to the owner: what a system lacks is nobody else's to read on the way.
    Nothing that touches it ends what was told.
    """
    topic = f"exposure:{system.name}"
    open_ = [one for one in standing if one.statement is None]
    steps = remedies(each for one in open_ for each in flawed(one))
    if not steps:
        end(system.organisation_id, topic, now=now)
        return
    first = steps[0]
    tell(
        system.organisation_id,
        Told(
            topic=topic,
            urgency=_urgency(first, now),
            tlp=Tlp.AMBER,
            headline=f"{system.title}: {_do(first)}",
            what=_what(open_),
            where=f"On {system.title}, in {_packages(steps)}.",
            by_when=_by_when(first, now),
            to_do="\n".join(f"{_do(one)}." for one in steps[:_NAMED]),
            if_not=(
                "Let only those reach the system that cannot work without it, and cut it off from"
                " the internet. Each flaw's page says more."
            ),
            page=f"/exposure/systems/{system.name}/",
            due_at=first.due,
        ),
        now=now,
    )


def _what(open_: Sequence[Exposure]) -> str:
    named = sorted(open_, key=lambda one: one.rank)[:_NAMED]
    listed = "\n".join(f"{one.flaw}: {one.title or 'no title'}" for one in named)
    more = len(open_) - len(named)
    return listed + (f"\nand {more} more" if more else "")


def _packages(steps: Sequence[Remedy]) -> str:
    named = [f"{one.package} {', '.join(one.versions)}".strip() for one in steps[:_NAMED]]
    more = len(steps) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _do(one: Remedy) -> str:
    if one.target:
        return f"Update {one.package} to {one.target} or later"
    return f"Do without {one.package}, or keep others away from it"


def _by_when(one: Remedy, now: datetime) -> str:
    if one.due is None:
        return "At the next planned update."
    return f"By {day(one.due)}." if one.due > now else f"It was due on {day(one.due)}: do it now."


def _urgency(one: Remedy, now: datetime) -> Urgency:
    if one.due is None:
        return Urgency.DIGEST
    if one.due - now <= _NOW:
        return Urgency.NOW
    return Urgency.SOON if one.due - now <= _SOON else Urgency.DIGEST
