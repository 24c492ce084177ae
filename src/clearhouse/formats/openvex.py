"""OpenVEX 0.2.0 documents, written from what is known of packages and flaws.

OpenVEX specification 0.2.0.  A package that is affected needs an action; one of which nobody can
tell is under investigation.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

CONTEXT: Final = "https://openvex.dev/ns/v0.2.0"


@dataclass(frozen=True, slots=True)
class Statement:
    """What holds of one flaw and one package."""

    vulnerability: str
    aliases: tuple[str, ...]
    product: str
    """A package URL, or another name that is an IRI."""
    affected: bool
    """False where it is under investigation."""
    notes: str
    action: str = ""
    """What to do; needed where it is affected."""


def document(statements: Iterable[Statement], *, author: str, at: datetime) -> dict[str, Any]:
    """The document as JSON has it.  Its identifier is made of what it says: equal for equals."""
    said = [_statement(one) for one in statements]
    time = at.astimezone(UTC).isoformat(timespec="seconds")
    seed = json.dumps([author, time, said], sort_keys=True)
    return {
        "@context": CONTEXT,
        "@id": uuid.uuid5(uuid.NAMESPACE_URL, seed).urn,
        "author": author,
        "timestamp": time,
        "version": 1,
        "statements": said,
    }


def _statement(one: Statement) -> dict[str, Any]:
    known: dict[str, Any] = {"name": one.vulnerability}
    if one.aliases:
        known["aliases"] = list(one.aliases)
    found = {
        "vulnerability": known,
        "products": [{"@id": one.product}],
        "status": "affected" if one.affected else "under_investigation",
        "status_notes": one.notes,
    }
    return found | ({"action_statement": one.action} if one.affected else {})
