"""Releases that could not be made to run, remembered so that nobody tries again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clearhouse.proof.target.model import PASSING, Reason, TargetUnavailable
from clearhouse.proof.target.store import Store

LIFE = timedelta(days=30)
"""Registries gain wheels for old releases now and then."""


def raise_known(store: Store, *place: str) -> None:
    """Raise the failure that is remembered at ``place``, if there is one."""
    kept = store.read_as(_failure, "failures", *place)
    if kept is not None and datetime.now(UTC) - kept[0] < LIFE:
        raise kept[1]


def _failure(kept: dict[str, str]) -> tuple[datetime, TargetUnavailable]:
    error = TargetUnavailable(Reason(kept["reason"]), kept["message"])
    return datetime.fromisoformat(kept["when"]), error


def remember(store: Store, error: TargetUnavailable, *place: str) -> None:
    """Remember a failure that lies in the release; one of the network or machine passes."""
    if error.reason not in PASSING:
        value = {
            "reason": error.reason.value,
            "message": error.message,
            "when": datetime.now(UTC).isoformat(),
        }
        store.write_json(value, "failures", *place)
