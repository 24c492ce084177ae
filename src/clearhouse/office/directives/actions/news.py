"""How news of obligations leave: gathered for each organisation and directive, told as one notice.

What happens to a hundred obligations in a minute is one matter for whose they are: how many there
are to do, the first of them, by when.  It is told by a clock, in a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.office.directives.actions.change import Change
from clearhouse.office.directives.models import DirectiveRow, ObligationRow, Untold
from clearhouse.office.directives.queries import Counts, first_of, tally_of
from clearhouse.office.directives.stored import directive_of
from clearhouse.office.look.clock import absolute
from clearhouse.office.notices import actions as notices
from clearhouse.office.notices.told import Told
from clearhouse.office.orgs.queries import hold
from clearhouse.protocol.directives.directive import Directive, Force, To
from clearhouse.protocol.directives.events import Trigger
from clearhouse.protocol.directives.obligation import News
from clearhouse.protocol.notices import Urgency
from clearhouse.protocol.tlp import Tlp

#: What is due so soon is told at once.
_NEAR: Final = timedelta(days=3)
_AT_ONCE: Final = 100
_FIRST: Final = 5
_REMINDER: Final = "reminder:"
_SOON: Final = frozenset(
    {"opened", Trigger.SEEN_AGAIN, Trigger.REFUSE, Trigger.MOVE_DUE, Trigger.HAND_IN}
)


def tell_about(changes: Sequence[Change], *, now: datetime) -> None:
    """Note who has to be told of what, as part of the transaction in which it happens.

    Call it before entries are written: who tells holds what is noted here, and then the ledger.
    """
    found: dict[tuple[int, int, To], Urgency] = {}
    for one in changes:
        for news in one.news:
            urgency = _urgency(one.row, news, now)
            for to in news.to:
                key = (_told(one.row, to), one.row.directive_id, to)
                known = found.get(key, urgency)
                found[key] = min(known, urgency, key=lambda each: each.place)
    for (organisation, directive, to), urgency in sorted(found.items()):
        row, _ = Untold.objects.select_for_update().get_or_create(
            organisation_id=organisation, directive_id=directive, to=to.value,
            defaults={"urgency": urgency.value, "since": now},
        )  # fmt: skip
        if urgency.place < Urgency(row.urgency).place:
            row.urgency = urgency.value
            row.save(update_fields=["urgency"])


def tell_waiting(now: datetime) -> int:
    """Tell what was noted.  How many were told something.

    1. Organisations are held first, in the order of their keys, 2. then what was noted, 3. and the
    ledger last, as everybody does: nobody waits for who waits.
    """
    with transaction.atomic():
        noted = Untold.objects.order_by("organisation_id").values_list("organisation_id", flat=True)
        those = list(noted.distinct()[:_AT_ONCE])
        for organisation in those:
            hold(organisation)  # 1
        rows = list(
            Untold.objects.select_for_update(of=("self",))
            .select_related("directive")
            .filter(organisation__in=those)
            .order_by("organisation_id", "directive_id", "to")
        )  # 2
        for one in rows:
            _tell(one, now)  # 3
        Untold.objects.filter(pk__in=[one.pk for one in rows]).delete()
        return len(rows)


def _urgency(row: ObligationRow, news: News, now: datetime) -> Urgency:
    if news.what.startswith(_REMINDER):
        return Urgency.NOW if row.due is not None and row.due <= now + _NEAR else Urgency.SOON
    if news.what not in _SOON:
        return Urgency.DIGEST
    is_near = row.due is not None and row.due <= now + _NEAR
    return Urgency.NOW if is_near and news.what != Trigger.HAND_IN else Urgency.SOON


def _told(row: ObligationRow, to: To) -> int:
    return row.organisation_id if to is To.DEPLOYER else row.directive.issuer_id


def _tell(one: Untold, now: datetime) -> None:
    directive = directive_of(one.directive)
    urgency = Urgency(one.urgency)
    if To(one.to) is To.DEPLOYER:
        counts = tally_of(one.directive, organisation=one.organisation_id, now=now)
        topic, open_ = f"directive:{one.directive.name}", counts.open
        told = _to_deployer(one, directive, counts, urgency, topic)
    else:
        counts = tally_of(one.directive, organisation=None, now=now)
        topic = f"directive:{one.directive.name}:followed"
        open_ = counts.examined + counts.overdue
        told = _to_authority(one.directive, directive, counts, urgency, topic)
    if open_:
        notices.tell(one.organisation_id, told, now=now)
    else:
        notices.end(one.organisation_id, topic, now=now)


def _to_deployer(
    one: Untold, directive: Directive, counts: Counts, urgency: Urgency, topic: str
) -> Told:
    first = first_of(one.directive, one.organisation_id, most=_FIRST)
    more = counts.open - len(first)
    named = [f"{each.flaw} on {each.system.title}" for each in first]
    by = absolute(counts.next_due) if counts.next_due is not None else "the next upgrade"
    late = f" {counts.overdue} of them are overdue." if counts.overdue else ""
    ask = "has to be followed" if directive.force is Force.BINDING else "is advice"
    return Told(
        topic=topic, urgency=urgency, tlp=Tlp.AMBER,
        headline=f"{directive.title}: {counts.open} to do, the first by {by}",
        what=f"{directive.title} ({directive.key}), issued by {directive.issuer}, {ask}.",
        where="\n".join([*named, *([f"and {more} more"] if more > 0 else [])]),
        by_when=f"The first by {by}.{late}",
        to_do="\n".join(directive.actions),
        if_not=(
            "Open the obligation's page and hand in that it was taken off the network, or ask the"
            " authority to leave it, with the reason."
        ),
        page=f"/directives/{one.directive.name}/", due_at=counts.next_due,
    )  # fmt: skip


def _to_authority(
    row: DirectiveRow, directive: Directive, counts: Counts, urgency: Urgency, topic: str
) -> Told:
    parts = _parts((counts.examined, "waits", "wait", "for you to examine what was handed in"),
                   (counts.overdue, "is", "are", "overdue"))  # fmt: skip
    return Told(
        topic=topic, urgency=urgency, tlp=Tlp.AMBER,
        headline=f"{directive.title}: {parts}",
        what=f"Of {counts.asked} obligations {counts.done} are met; {parts}.",
        where="Organisations and dates are on the directive's page.",
        by_when="Whoever handed something in waits for your answer.",
        to_do="Examine what was handed in, and ask those who are late.",
        if_not="What was handed in by the date counts as in time, however long it takes.",
        page=f"/directives/{row.name}/",
    )  # fmt: skip


def _parts(*parts: tuple[int, str, str, str]) -> str:
    said: Iterable[str] = (
        f"{count} {one if count == 1 else many} {text}" for count, one, many, text in parts if count
    )
    return ", ".join(said) or "nothing is late"
