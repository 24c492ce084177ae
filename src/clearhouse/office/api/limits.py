"""How often somebody may ask: a token bucket for each organisation, and for each address.

The bucket is a row in the database, so that it holds over all processes and machines.  A process
takes a lot of tokens from it at a time and gives them out by itself: a request costs a write once
in a lot, and what a process does not use it leaves behind.  Nobody gets more than the bucket has.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from ninja.errors import HttpError

from clearhouse.office.api.models import Allowance
from clearhouse.office.viewer import Viewer

_LOT: Final = 20
#: What a process has taken and not given out goes stale: the bucket has filled meanwhile.
_FRESH: Final = timedelta(seconds=30)
_KEPT_LOTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Policy:
    """``burst`` requests at once, and ``per_second`` more as time goes by."""

    name: str
    burst: int
    per_second: float


#: An organisation's machines together.  Ten thousand findings in bulk are one request.
MEMBERS: Final = Policy("organisation", burst=1200, per_second=20.0)
#: Somebody without a key, by address.
ANYBODY: Final = Policy("address", burst=240, per_second=4.0)


class TooMany(HttpError):
    """No tokens are left; ``wait`` says in how many seconds there are some."""

    def __init__(self, policy: Policy, wait: int) -> None:
        super().__init__(429, f"Too many requests; ask again in {wait} seconds.")
        self.policy = policy
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Left:
    """What is left after a request was counted."""

    policy: Policy
    tokens: int

    def headers(self) -> dict[str, str]:
        """The RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4)."""
        return headers_of(self.policy, self.tokens)


def headers_of(policy: Policy, tokens: int, *, wait: int = 0) -> dict[str, str]:
    """The RateLimit fields of a policy with so many tokens left, and when to ask again."""
    window = round(policy.burst / policy.per_second)
    refill = round((policy.burst - tokens) / policy.per_second)
    return ({"Retry-After": str(wait)} if wait else {}) | {
        "RateLimit-Policy": f'"{policy.name}";q={policy.burst};w={window}',
        "RateLimit": f'"{policy.name}";r={tokens};t={max(refill, 0)}',
    }


def filled(tokens: float, since: timedelta, policy: Policy) -> float:
    """The tokens of a bucket after a while.  A clock that went back adds nothing."""
    return min(float(policy.burst), tokens + max(0.0, since.total_seconds()) * policy.per_second)


def take_lot(who: str, policy: Policy, *, now: datetime) -> tuple[int, float]:
    """Take up to a lot of tokens from the bucket: how many it gave, and how many it has left."""
    with transaction.atomic():
        Allowance.objects.bulk_create(
            [Allowance(who=who, tokens=policy.burst, at=now)], ignore_conflicts=True
        )
        row = Allowance.objects.select_for_update().get(who=who)
        there = filled(row.tokens, now - row.at, policy)
        given = min(_LOT, int(there))
        row.tokens, row.at = there - given, max(now, row.at)
        row.save(update_fields=["tokens", "at"])
    return given, there - given


@dataclass(slots=True)
class _Lot:
    tokens: int
    behind: float
    taken_at: datetime


class Counter:
    """Gives out tokens in one process, by the lots that it takes."""

    def __init__(self) -> None:
        self._lots: dict[str, _Lot] = {}
        self._lock = threading.Lock()

    def take(self, who: str, policy: Policy, *, now: datetime) -> Left:
        """One token.  Raises :class:`TooMany`."""
        key = f"{policy.name}:{who}"
        with self._lock:
            lot = self._lots.get(key)
            if lot is not None and lot.tokens > 0 and abs(now - lot.taken_at) < _FRESH:
                lot.tokens -= 1
                return Left(policy, lot.tokens + int(lot.behind))
        # Outside of the lock: a slow database holds up nobody else.
        given, behind = take_lot(_digest(key), policy, now=now)
        if given == 0:
            raise TooMany(policy, wait=max(1, round((1 - behind) / policy.per_second)))
        with self._lock:
            if len(self._lots) >= _KEPT_LOTS:
                self._lots.clear()
            lot = self._lots.setdefault(key, _Lot(0, behind, now))
            lot.tokens, lot.behind, lot.taken_at = lot.tokens + given - 1, behind, now
            return Left(policy, lot.tokens + int(behind))


def who_asks(viewer: Viewer, request: HttpRequest) -> tuple[str, Policy]:
    """Whose bucket a request is counted in."""
    if viewer.organisation is not None:
        return str(viewer.organisation), MEMBERS
    return network_of(address_of(request)), ANYBODY


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; behind a proxy of the office's own, what that one saw."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.CONFIG.is_behind_proxy and forwarded:
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def network_of(address: str) -> str:
    """What is counted as one: an IPv4 address, or an IPv6 network of 64 bits (RFC 4291, 2.5.4)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _digest(key: str) -> str:
    """Who it is, so that the database alone does not say who asked for what is public."""
    return hmac.new(settings.SECRET_KEY.encode(), key.encode(), hashlib.sha256).hexdigest()


def forget(*, now: datetime) -> int:
    """Remove buckets that are full again.  How many there were."""
    slowest = max(policy.burst / policy.per_second for policy in (MEMBERS, ANYBODY))
    count, _ = Allowance.objects.filter(at__lt=now - timedelta(seconds=slowest)).delete()
    return count
