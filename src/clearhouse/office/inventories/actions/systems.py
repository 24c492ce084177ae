"""Adding a system, saying what is known of it, retiring it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, Refused
from clearhouse.office.inventories.actions.holding import held_in_use
from clearhouse.office.inventories.actions.matching import judge_anew
from clearhouse.office.inventories.following import tell_followers
from clearhouse.office.inventories.models import Exposure, Inventory, System
from clearhouse.office.inventories.sight import system_seen
from clearhouse.office.inventories.telling import tell_owner
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.orgs.queries import hold
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.system_questions import KIND, UNKNOWN, kinds_of, question

#: Fleets are one system each; an organisation with more than this means machines by it.
MOST: Final = 2000
_TITLE: Final = 120
#: Of a planned upgrade: what is further away is a slip of the keyboard.
_FURTHEST: Final = timedelta(days=5 * 366)

Answer = str | Sequence[str]
"""The key of an answer, or of several where a question takes several."""


def add_system(
    viewer: Viewer, title: str, *, sector: str = "", answers: Mapping[str, Answer],
    next_upgrade: date | None = None, now: datetime,
) -> System:  # fmt: skip
    """Add a system of the viewer's organisation.  Raises :class:`Invalid` and :class:`Refused`."""
    viewer.needs(Scope.INVENTORIES_WRITE)
    known = checked(sector, answers)
    upgrade = _upgrade(next_upgrade, now)
    named = _title(title)
    with transaction.atomic():
        hold(viewer.acting_for())
        mine = System.objects.filter(organisation=viewer.acting_for(), retired_at=None)
        if mine.filter(title=named).exists():
            raise Invalid("you have a system of that name already", key="title")
        if mine.count() >= MOST:
            raise Refused(f"at most {MOST:,} systems; put machines of one kind into one system")
        made = System.objects.create(
            name=new_name("SY"), organisation_id=viewer.acting_for(), title=named, sector=sector,
            answers=known, next_upgrade=upgrade, made_at=now,
        )  # fmt: skip
        record("system.added", made.name, {}, now=now)
        return made


def describe_system(
    viewer: Viewer, name: str, title: str, *, sector: str = "", answers: Mapping[str, Answer],
    next_upgrade: date | None = None, now: datetime,
) -> System:  # fmt: skip
    """Say anew what is known of a system; what touches it is judged anew by that."""
    viewer.needs(Scope.INVENTORIES_WRITE)
    known = checked(sector, answers)
    named = _title(title)
    with transaction.atomic():
        held = held_in_use(system_seen(viewer, name))
        others = System.objects.filter(organisation=held.organisation_id, retired_at=None)
        if others.exclude(pk=held.pk).filter(title=named).exists():
            raise Invalid("you have another system of that name", key="title")
        planned = held.next_upgrade
        if next_upgrade != planned:
            held.next_upgrade = _upgrade(next_upgrade, now)
            if planned is not None and planned < now.astimezone(UTC).date():
                held.past_upgrade = planned
        held.title, held.sector, held.answers = named, sector, known
        held.save(update_fields=["title", "sector", "answers", "next_upgrade", "past_upgrade"])
        record("system.described", held.name, {"answers": len(known)}, now=now)
        judge_anew(held, now=now)
        return held


def retire_system(viewer: Viewer, name: str, *, now: datetime) -> System:
    """Say that a system is no longer there: nothing touches it any more, and it takes nothing."""
    viewer.needs(Scope.INVENTORIES_WRITE)
    with transaction.atomic():
        held = held_in_use(system_seen(viewer, name))
        held.retired_at = now
        held.save(update_fields=["retired_at"])
        Exposure.objects.filter(system=held, gone_at=None).update(
            gone_at=now, gone_because="the system was retired"
        )
        for one in Inventory.objects.filter(system=held, is_current=True):
            one.packages.all().delete()
            one.loose_names.all().delete()
        Inventory.objects.filter(system=held, is_current=True).update(is_current=False)
        record("system.retired", held.name, {}, now=now)
        tell_followers(held.pk, now)
        tell_owner(held, [], now=now)
        return held


def checked(sector: str, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Answers that are some, by the keys of their questions.  Raises :class:`Invalid`.

    Not knowing is no answer: what is unknown is left out.
    """
    if sector:
        Sector.parse(sector, key="sector")
    found: dict[str, Answer] = {}
    for key, given in answers.items():
        asked = question(key)
        chosen = sorted({given} if isinstance(given, str) else set(given))
        known = [asked.choice(one).key for one in chosen if one and one != UNKNOWN]
        if len(known) > asked.most:
            raise Invalid("expected one answer", key=key)
        if asked is KIND:
            kinds_of(known)
        if known:
            found[key] = known if asked.most > 1 else known[0]
    return found


def _upgrade(day: date | None, now: datetime) -> date | None:
    today = now.astimezone(UTC).date()
    if day is not None and not today <= day <= today + _FURTHEST:
        raise Invalid("expected a day from today on, within five years", key="next_upgrade")
    return day


def _title(text: str) -> str:
    named = " ".join(text.split())
    if not named or len(named) > _TITLE or not named.isprintable():
        raise Invalid(f"expected a name of 1 to {_TITLE} characters", key="title")
    return named
