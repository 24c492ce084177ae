"""What ``clearhouse match`` found, as JSON, as OpenVEX and as SARIF."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clearhouse import __version__
from clearhouse.cli import match_vex
from clearhouse.exposure.inventories import Unidentified
from clearhouse.exposure.matching import Answer, Component, Match
from clearhouse.exposure.names import to_purl
from clearhouse.exposure.unpacking import SetAside
from clearhouse.exposure.vex import Stated
from clearhouse.formats import openvex, sarif_results
from clearhouse.formats.advisory import Claim
from clearhouse.formats.openvex_reading import JUSTIFICATIONS

_LINE: Final = re.compile(r"line (\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that the command learnt."""

    components: Sequence[Component]
    matches: Sequence[Stated]
    """Those that count, with what is stated of them."""
    suppressed: Sequence[Stated]
    """Those of which somebody states that they are not affected, or fixed."""
    unidentified: Sequence[Unidentified]
    aside: Sequence[SetAside]
    uncovered: Mapping[str, int]
    """How many packages are of ecosystems that no advisory is about."""

    @property
    def compared(self) -> int:
        """How many packages were compared with anything."""
        return len(self.components) - sum(self.uncovered.values())


def as_json(found: Found) -> dict[str, Any]:
    """All of it, in a document of our own."""
    return {
        "components": len(found.components),
        "not_compared": dict(found.uncovered),
        "matches": [_match(one) for one in found.matches],
        "suppressed": [_match(one) for one in found.suppressed],
        "unidentified": [
            {
                "name": one.listed.name,
                "version": one.listed.version,
                "purl": one.listed.purl or None,
                "place": one.listed.place,
                "reason": one.reason,
                "suggestion": one.suggestion,
            }
            for one in found.unidentified
        ],
        "set_aside": [{"where": one.where, "reason": one.reason} for one in found.aside],
    }


def _match(stated: Stated) -> dict[str, Any]:
    one = stated.match
    return {
        "package": {
            "ecosystem": one.component.ecosystem,
            "name": one.component.name,
            "version": one.component.version,
            "purl": one.component.purl or None,
            "file": one.component.file,
            "place": one.component.place,
        },
        "ids": list(one.ids),
        "record": one.vulnerability.id,
        "summary": one.vulnerability.summary,
        "severity": [{"type": kind, "score": score} for kind, score in one.vulnerability.severity],
        "answer": one.answer.value,
        "because": one.decision.because,
        "fixed": one.decision.fixed,
        "statement": _statement(stated),
    }


def _statement(stated: Stated) -> dict[str, Any] | None:
    one, product = stated.statement, stated.product
    if one is None or product is None:
        return None
    return {
        "status": one.claim.value,
        "justification": one.justification or None,
        "impact": one.impact or None,
        "action": one.action or None,
        "author": one.author or None,
        "timestamp": one.at.isoformat() if one.at else None,
        "document": one.source,
        "product": product.name,
    }


def as_openvex(found: Found, *, at: datetime) -> tuple[dict[str, Any] | None, int]:
    """A statement for each match whose package has a package URL, or gets one by its name.

    What is suppressed is stated as the statement says that suppresses it.  None where there is
    nothing to state: a document has one statement or more (OpenVEX 0.2.0, "statements").  With it
    goes how many matches are left out because their package can have no package URL.
    """
    every = [*found.matches, *found.suppressed]
    stated = [(one, _product(one.match.component)) for one in every]
    statements = dict.fromkeys(_vex(one, product) for one, product in stated if product)
    left_out = sum(not product for _, product in stated)
    if not statements:
        return None, left_out
    author = f"clearhouse match {__version__}"
    return openvex.document(statements, author=author, at=at), left_out


def _product(component: Component) -> str:
    if component.purl:
        return component.purl
    made = to_purl(component.ecosystem, component.name, component.version)
    return made.to_string() if made is not None else ""


def _vex(stated: Stated, product: str) -> openvex.Statement:
    one, said = stated.match, stated.statement
    if not stated.is_suppressed or said is None:
        is_affected = one.answer is Answer.AFFECTED
        claim = Claim.AFFECTED if is_affected else Claim.UNDER_INVESTIGATION
        return openvex.Statement(
            one.ids[0], one.ids[1:], product, claim, one.decision.because, _action(one)
        )
    is_label = said.justification in JUSTIFICATIONS
    reasons = (said.justification if not is_label else "", said.impact)
    reason = ": ".join(part for part in reasons if part)
    words = match_vex.in_words(said)
    return openvex.Statement(
        one.ids[0],
        one.ids[1:],
        product,
        said.claim,
        words,
        justification=said.justification if is_label else "",
        impact=reason or ("" if is_label else words),
    )


def as_sarif(found: Found) -> dict[str, Any]:
    """A result for each match, at the place of the package in its inventory."""
    results = []
    for stated in (*found.matches, *found.suppressed):
        one = stated.match
        line = _LINE.fullmatch(one.component.place)
        said = f"{one.component.label}: {one.answer.value}: {one.decision.because}. {_action(one)}"
        statement = stated.statement if stated.is_suppressed else None
        results.append(
            sarif_results.Result(
                one.ids[0], one.vulnerability.summary, said, one.component.file,
                int(line[1]) if line else None, one.answer is Answer.AFFECTED,
                match_vex.in_words(statement) if statement else "",
            )
        )  # fmt: skip
    return sarif_results.log(results, tool="clearhouse", version=__version__)


def _action(one: Match) -> str:
    if one.answer is Answer.UNDECIDED:
        return "Find out which version this is, and compare it by hand."
    if one.decision.fixed is None:
        return "No fixed version is named; look at the advisory for what to do."
    return f"Update to {one.decision.fixed} or later."
