"""OpenVEX 0.2.0 documents, written from what is known of packages and flaws.

OpenVEX specification 0.2.0.  A package that is affected needs an action, one that is not affected a
reason; one of which nobody can tell is under investigation.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.formats.advisory import Claim

CONTEXT: Final = "https://openvex.dev/ns/v0.2.0"


@dataclass(frozen=True, slots=True)
class Statement:
    """What holds of one flaw and one package."""

    vulnerability: str
    aliases: tuple[str, ...]
    product: str
    """A package URL, or another name that is an IRI."""
    claim: Claim
    notes: str
    action: str = ""
    """What to do; needed where it is affected."""
    justification: str = ""
    """One of OpenVEX's labels; this or ``impact`` is needed where it is not affected."""
    impact: str = ""

    def __post_init__(self) -> None:
        reasoned = bool(self.justification or self.impact)
        if self.claim is Claim.NOT_AFFECTED and not reasoned:
            raise Invalid("say why it is not affected", key=self.product)
        if self.claim is Claim.AFFECTED and not self.action:
            raise Invalid("say what to do about it", key=self.product)


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
    said = {
        "status_notes": one.notes,
        "justification": one.justification if one.claim is Claim.NOT_AFFECTED else "",
        "impact_statement": one.impact if one.claim is Claim.NOT_AFFECTED else "",
        "action_statement": one.action if one.claim is Claim.AFFECTED else "",
    }
    return {
        "vulnerability": known,
        "products": [{"@id": one.product}],
        "status": one.claim.value,
        **{key: text for key, text in said.items() if text},
    }
