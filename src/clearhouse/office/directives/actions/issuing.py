"""A directive is drafted, from one that is shipped or as one's own, issued, and ended."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.formats.directive import parse, write
from clearhouse.office.authorisation import may_issue
from clearhouse.office.directives.actions.deriving import mark, mark_all
from clearhouse.office.directives.models import FINAL, DirectiveRow, ObligationRow
from clearhouse.office.directives.sight import MISSING, own_directive
from clearhouse.office.directives.stored import digest_of, directive_of
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.orgs.queries import hold
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.deadlines import FixedDate
from clearhouse.protocol.directives.directive import MOST_ENTRIES, Audience, Directive
from clearhouse.protocol.directives.shipped import BOD_26_04, TEMPLATES, issued
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.tlp import Tlp

SPREAD: Final = "directives.spread"
#: What can be drafted from, by its key: the one that is in force, and templates.
SHIPPED: Final = {one.key: one for one in (BOD_26_04, *TEMPLATES)}
#: What stands as the template of one that was made from none.
OWN: Final = "own"
#: Drafts and directives in force of one issuer.
MOST: Final = 100
_LONGEST_DELAY: Final = 365
_REASON: Final = 1000
_NOBODY: Final = "say whom it addresses: everybody, sectors, or organisations"


def audience_of(
    *, everybody: str = "", sectors: Iterable[str] = (), organisations: Iterable[str] = ()
) -> Audience:
    """Whom a directive addresses; ``everybody`` is ``yes`` or empty.

    Organisations are named by their short names; one that nobody has reaches nobody, and is not
    told apart.  Raises :class:`Invalid` for an audience that is nobody.
    """
    named = frozenset(one.strip() for one in organisations if one.strip())
    chosen = frozenset(Sector.parse(one, key="sectors") for one in sectors)
    if len(named) > MOST_ENTRIES or any(len(one) > 60 for one in named):
        raise Invalid(f"expected at most {MOST_ENTRIES} short names", key="organisations")
    if not (everybody or named or chosen):
        raise Invalid(_NOBODY, key="everybody")
    if everybody and (named or chosen):
        raise Invalid("it addresses everybody, or some: choose one of the two", key="everybody")
    return Audience(named, chosen, bool(everybody))


def draft(
    viewer: Viewer, template: str, audience: Audience, *, tlp: Tlp = Tlp.CLEAR, delay_days: int = 0,
    now: datetime,
) -> DirectiveRow:  # fmt: skip
    """Write a directive down that is not issued yet.

    One that is in force already (BOD 26-04) keeps its dates; a template's are set when it is
    issued, and nothing is due before ``delay_days`` after that.  Raises :class:`Invalid`, and
    :class:`NotFound` for who issues none.
    """
    _must_issue(viewer)
    source = SHIPPED.get(template)
    if source is None:
        raise Invalid(f"expected one of {', '.join(SHIPPED)}", key="template")
    made = source.addressed_to(audience)
    if source is BOD_26_04:
        return _keep(viewer, made, template, tlp, now)
    return _keep(viewer, made, template, tlp, now, delay_days=_delay(delay_days))


def draft_own(
    viewer: Viewer, directive: Directive, *, tlp: Tlp = Tlp.CLEAR, delay_days: int = 0,
    now: datetime,
) -> DirectiveRow:  # fmt: skip
    """Write a directive of one's own down, which is not issued yet.

    Its issuer becomes who drafts it.  Its dates are set when it is issued, and nothing is due
    before ``delay_days`` after that.  Raises :class:`Invalid` for one that reaches nobody, or
    selects nothing, and :class:`NotFound` for who issues none.
    """
    _must_issue(viewer)
    if directive.audience == Audience():
        raise Invalid(_NOBODY, key="everybody")
    if not directive.vulnerabilities.any_of or not directive.systems.any_of:
        raise Invalid("say which flaws it is about, and which systems", key="vulnerabilities")
    return _keep(viewer, directive, OWN, tlp, now, delay_days=_delay(delay_days))


def draft_from(
    viewer: Viewer, raw: bytes, file: str, *, tlp: Tlp = Tlp.CLEAR, now: datetime
) -> DirectiveRow:
    """The same from a document (``clearhouse-directive/1``).

    Nothing is due before as many days after its issue as lie between the document's dates.
    """
    _must_issue(viewer)
    read = parse(raw, file)
    delay = math.ceil((read.in_force - read.issued) / timedelta(days=1))
    return draft_own(viewer, read, tlp=tlp, delay_days=delay, now=now)


def _delay(days: int) -> int:
    if not 0 <= days <= _LONGEST_DELAY:
        raise Invalid(f"expected 0 to {_LONGEST_DELAY} days", key="delay_days")
    return days


def _keep(
    viewer: Viewer, made: Directive, template: str, tlp: Tlp, now: datetime, *,
    delay_days: int | None = None,
) -> DirectiveRow:  # fmt: skip
    """Keep a draft; where no delay is given its dates stay what they are."""
    with transaction.atomic():
        hold(viewer.acting_for())
        standing = DirectiveRow.objects.filter(issuer=viewer.acting_for())
        if standing.exclude(state=DirectiveRow.State.ENDED).count() >= MOST:
            raise Refused(f"at most {MOST} directives at a time; end some")
        name = new_name("D")
        if delay_days is not None:
            made = _dated(made, name, viewer.name, now, delay_days)
        row = DirectiveRow.objects.create(
            name=name, issuer_id=viewer.acting_for(), template=template,
            delay_days=delay_days, tlp=tlp.value, document=write(made),
            made_at=now, made_by=viewer.name[:200],
        )  # fmt: skip
        record("directive.drafted", name, {}, now=now)
        return row


def discard(viewer: Viewer, name: str, *, now: datetime) -> None:
    """Throw a draft away."""
    with transaction.atomic():
        _must_issue(viewer)
        held = _held(viewer, name)
        if held.state != DirectiveRow.State.DRAFT:
            raise Conflict("it was issued: it can only be ended")
        record("directive.discarded", held.name, {}, now=now)
        held.delete()


def issue(viewer: Viewer, name: str, *, now: datetime) -> DirectiveRow:
    """Issue a directive: from now on it asks.

    A template is dated now.  What follows for each organisation is found by jobs.
    """
    with transaction.atomic():
        _must_issue(viewer)
        held = _held(viewer, name)
        if held.state != DirectiveRow.State.DRAFT:
            raise Conflict("it was issued already")
        value = directive_of(held)
        if held.delay_days is not None:
            value = _dated(value, held.name, value.issuer, now, held.delay_days)
        if not value.asks_at(now):
            raise Refused("by its own dates it asks nothing now")
        held.document = write(value)
        held.state, held.issued_at, held.ends_at = DirectiveRow.State.ISSUED, now, value.ends
        facts = {"document": digest_of(held.document), "tlp": held.tlp}
        held.entry = record("directive.issued", held.name, facts, now=now).index
        held.save()
        _spread(held, now)
        return held


def end(viewer: Viewer, name: str, reason: str, *, now: datetime) -> DirectiveRow:
    """End a directive: it asks no more.  What is open is withdrawn by jobs, with the reason."""
    _must_issue(viewer)
    said = reason.strip()
    if not said or len(said) > _REASON:
        raise Invalid(f"say why, in at most {_REASON} characters", key="reason")
    with transaction.atomic():
        held = _held(viewer, name)
        _end(held, said, now)
        return held


def end_by_date(now: datetime) -> None:
    """End what ends by its own date."""
    due = DirectiveRow.objects.select_for_update(no_key=True).filter(
        state=DirectiveRow.State.ISSUED, ends_at__lte=now
    )
    for one in due.order_by("pk"):
        _end(one, "the date came on which it ends by itself", now)


def spread(name: str, *, now: datetime) -> None:
    """Put in a job for each system that a directive may be about, or has obligations on.

    Also where it has ended: who looks at a system just now may have read that it is in force, and
    what begins by that is seen by nobody yet.  Marking waits for the end of such a look.
    """
    row = DirectiveRow.objects.filter(name=name).first()
    if row is None:
        return
    mark_all(now)
    if row.state == DirectiveRow.State.ENDED:
        # Systems that were retired have some as well.
        open_ = ObligationRow.objects.filter(directive=row).exclude(state__in=FINAL)
        mark(set(open_.values_list("system_id", flat=True)), now=now)


def _end(held: DirectiveRow, reason: str, now: datetime) -> None:
    if held.state != DirectiveRow.State.ISSUED:
        raise Conflict("it is not in force")
    held.state, held.ended_at, held.end_reason = DirectiveRow.State.ENDED, now, reason
    held.end_entry = record("directive.ended", held.name, {}, now=now).index
    held.save()
    _spread(held, now)


def _spread(row: DirectiveRow, now: datetime) -> None:
    enqueue(
        SPREAD, {"directive": row.name}, lane=f"organisation:{row.issuer_id}",
        key=f"{SPREAD}:{row.name}:{row.state}", now=now,
    )  # fmt: skip


def _dated(value: Directive, name: str, issuer: str, now: datetime, days: int) -> Directive:
    if isinstance(value.deadline, FixedDate) and value.deadline.at <= now:
        raise Invalid("the day by which it is due is past", key="date")
    delay = timedelta(days=days)
    key = value.key if value.key.endswith(name) else f"{value.key}/{name}"
    return issued(value, key=key, issuer=issuer, audience=value.audience, at=now, delay=delay)


def _held(viewer: Viewer, name: str) -> DirectiveRow:
    """It, held; obligations that name it begin meanwhile: these hold the ledger, which is next."""
    seen = own_directive(viewer, name)
    return DirectiveRow.objects.select_for_update(no_key=True).get(pk=seen.pk)


def _must_issue(viewer: Viewer) -> None:
    viewer.needs(Scope.DIRECTIVES_WRITE)
    viewer.acting_for()
    if not may_issue(viewer):
        raise NotFound(MISSING)
    if viewer.key is not None:
        raise Refused("an API key cannot do this; sign in")
