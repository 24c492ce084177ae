"""A developer with an endpoint, a party with a grant on it, and somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clearhouse.office.access import actions
from clearhouse.office.access.actions import Issued, Terms
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.grants import Amounts, Call, Rates
from clearhouse.protocol.prices import Price
from clearhouse.protocol.roles import Role
from tests.office.story import somebody

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECRET = "sk-developers-own-0123456789"
CANARY = "zebra0planted0text"


@dataclass(frozen=True)
class Sides:
    """Who has to do with a grant."""

    developer: Viewer
    party: Viewer
    office: Viewer
    other: Viewer


def sides() -> Sides:
    """One of each."""
    return Sides(
        somebody("lab", Role.DEVELOPER),
        somebody("tester", Role.TRUSTED_PARTNER),
        somebody("office", Role.COORDINATOR),
        somebody("rival", Role.DEVELOPER, Role.TRUSTED_PARTNER),
    )


def terms(address: str = "http://127.0.0.1:9/", **changed: Any) -> Terms:
    """What the developer says."""
    prices = {"m": Price(1_000_000, 2_000_000, 1000)}
    return Terms(**{"address": address, "credential": SECRET, "prices": prices, **changed})


def issued(viewer: Viewer, endpoint: str, *, now: datetime = NOW, **changed: Any) -> Issued:
    """A grant of the tester's for a day."""
    wanted: dict[str, Any] = {
        "party": "tester",
        "window": "W-1",
        "start": now,
        "end": now + timedelta(days=1),
        "models": ["m"],
        "calls": list(Call),
        "budget": Amounts(1000, 1_000_000, 10_000_000),
        "rates": Rates(500, 500_000, 10),
        "networks": ["127.0.0.0/8"],
    }
    return actions.issue(viewer, endpoint, **{**wanted, **changed}, now=now)
