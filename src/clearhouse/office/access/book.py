"""The book of the gateways, on the office's database.

Implements ``clearhouse.gateway.book.Book``.  Each method is one transaction; which part of a budget
is handed out is decided by :mod:`clearhouse.protocol.grants`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import Error, connection, transaction
from django.db.models import F

from clearhouse.errors import NotFound, Unavailable
from clearhouse.office.access import sealing
from clearhouse.office.access.models import (
    AccessChange,
    AccessGrant,
    Endpoint,
    GatewayJournal,
    Loan,
)
from clearhouse.office.access.taking import journal_held, note_head, take
from clearhouse.office.access.unusual import raise_alert
from clearhouse.office.access.values import access_of, grant_of, upstream_of, use_of
from clearhouse.protocol import grants
from clearhouse.protocol.access import Access, Changes, Keyed, Settlement, Upstream
from clearhouse.protocol.grants import Amounts, Lot, Refusal
from clearhouse.protocol.unusual_use import Rule, Unusual

_LOG = logging.getLogger(__name__)
_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


def _asked(method: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer]:
    """A database that fails is :class:`Unavailable`; a connection that broke is made anew."""

    @wraps(method)
    def asked(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Answer:
        try:
            return method(*args, **kwargs)
        except Error as error:
            connection.close()  # the next call makes it anew
            raise Unavailable(f"the database failed ({type(error).__name__})") from error

    return asked


class OfficeBook:
    """Grants, budgets and uses as the office has them."""

    def token_digest(self, token: str) -> bytes:
        """The keyed digest by which a token is known."""
        return sealing.token_digest(token)

    @_asked
    def changes(self, since: int) -> Changes:
        """Accesses that changed after that number."""
        number = AccessChange.objects.values_list("number", flat=True).first() or 0
        if number == since:
            return Changes(number, ())
        rows = AccessGrant.objects.filter(changed__gt=since).select_related("endpoint", "party")
        upstreams: dict[int, Upstream | None] = {}
        found = []
        for row in rows.order_by("changed"):
            if row.endpoint_id not in upstreams:
                upstreams[row.endpoint_id] = _opened(row.endpoint)
            found.append(_access(row, upstreams[row.endpoint_id]))
        return Changes(number, found)

    @_asked
    def lease(
        self, journal: str, grant: str, most: Amounts, streams: int, now: datetime
    ) -> Lot | Refusal:
        """Hand a process a part of a grant's budget."""
        with transaction.atomic():
            holder = journal_held(journal)
            row = _held(grant)
            minute = grants.minute_of(max(now, row.seen_at))
            if row.minute != minute:
                row.minute, row.minute_requests, row.minute_tokens = minute, 0, 0
            loans = row.loans.values_list("requests", "tokens", "micros", "streams")
            lent = grants.lot(grant_of(row), most, streams, use_of(row, loans), now)
            row.seen_at = max(now, row.seen_at)
            if isinstance(lent, Lot):
                row.minute_requests += lent.amounts.requests
                row.minute_tokens += lent.amounts.tokens
                loan, _ = Loan.objects.get_or_create(journal=holder, grant=row)
                Loan.objects.filter(pk=loan.pk).update(
                    requests=F("requests") + lent.amounts.requests,
                    tokens=F("tokens") + lent.amounts.tokens,
                    micros=F("micros") + lent.amounts.micros,
                    streams=F("streams") + lent.streams,
                )
            row.save(update_fields=["minute", "minute_requests", "minute_tokens", "seen_at"])
            return lent

    @_asked
    def settle(self, settlement: Settlement, now: datetime) -> None:
        """Take what a process has written; the same step again changes nothing."""
        with transaction.atomic():
            journal = journal_held(settlement.journal)
            if settlement.step <= journal.step:
                return
            journal.step = settlement.step
            take(journal, settlement, now=now)
            journal.save()

    @_asked
    def position(self, journal: str) -> int:
        """How many lines of a journal were taken."""
        rows = GatewayJournal.objects.filter(name=journal)
        return rows.values_list("lines", flat=True).first() or 0

    @_asked
    def close(self, settlement: Settlement, now: datetime) -> None:
        """Take the rest of a journal whose process is gone; what it still held goes back."""
        with transaction.atomic():
            journal = journal_held(settlement.journal)
            if journal.closed_at is not None:
                return
            take(journal, settlement, now=now)
            Loan.objects.filter(journal=journal).delete()
            journal.closed_at = now
            note_head(journal, now=now)
            journal.save()

    @_asked
    def alert(self, grant: str, rule: Rule, says: str, now: datetime) -> None:
        """Tell both sides of unusual use, and do what the endpoint's rule says."""
        with transaction.atomic():
            raise_alert(_held(grant), Unusual(rule, says), now=now)


def _held(grant: str) -> AccessGrant:
    rows = AccessGrant.objects.select_for_update(of=("self",)).select_related("endpoint", "party")
    row = rows.filter(name=grant).first()
    if row is None:
        raise NotFound(f"there is no grant {grant}")
    return row


def _opened(endpoint: Endpoint) -> Upstream | None:
    """The endpoint with its secrets; None where it is closed, or they cannot be opened."""
    if endpoint.closed_at is not None:
        return None
    try:
        return upstream_of(endpoint)
    except Unavailable as error:
        _LOG.error("grants on %s are held: %s", endpoint.name, error)
        return None


def _access(row: AccessGrant, upstream: Upstream | None) -> Access:
    """A grant as gateways hold it; held where its endpoint does not open."""
    if upstream is not None:
        return access_of(row, upstream)
    closed = Upstream(row.endpoint.name, "", Keyed.BEARER, "", {})
    access = access_of(row, closed)
    return replace(access, grant=grants.paused(access.grant, row.issued_at))
