"""What ``clearhouse match`` found, as JSON, as OpenVEX and as SARIF."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clearhouse import __version__
from clearhouse.exposure.inventories import Unidentified
from clearhouse.exposure.matching import Answer, Component, Match
from clearhouse.exposure.unpacking import SetAside
from clearhouse.formats import openvex, sarif_results

_LINE: Final = re.compile(r"line (\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that the command learnt."""

    components: Sequence[Component]
    matches: Sequence[Match]
    unidentified: Sequence[Unidentified]
    aside: Sequence[SetAside]
    uncovered: Mapping[str, int]
    """How many packages are of ecosystems that no advisory is about."""


def as_json(found: Found) -> dict[str, Any]:
    """All of it, in a document of our own."""
    return {
        "components": len(found.components),
        "not_compared": dict(found.uncovered),
        "matches": [_match(one) for one in found.matches],
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


def _match(one: Match) -> dict[str, Any]:
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
    }


def as_openvex(found: Found, *, at: datetime) -> dict[str, Any]:
    """A statement for each match of a package that has a package URL, as OpenVEX asks."""
    statements = [
        openvex.Statement(
            one.ids[0], one.ids[1:], one.component.purl,
            one.answer is Answer.AFFECTED, one.decision.because, _action(one),
        )
        for one in found.matches
        if one.component.purl
    ]  # fmt: skip
    return openvex.document(statements, author=f"clearhouse match {__version__}", at=at)


def as_sarif(found: Found) -> dict[str, Any]:
    """A result for each match, at the place of the package in its inventory."""
    results = []
    for one in found.matches:
        line = _LINE.fullmatch(one.component.place)
        said = f"{one.component.label}: {one.answer.value}: {one.decision.because}. {_action(one)}"
        results.append(
            sarif_results.Result(
                one.ids[0], one.vulnerability.summary, said, one.component.file,
                int(line[1]) if line else None, one.answer is Answer.AFFECTED,
            )
        )  # fmt: skip
    return sarif_results.log(results, tool="clearhouse", version=__version__)


def _action(one: Match) -> str:
    if one.answer is Answer.UNDECIDED:
        return "Find out which version this is, and compare it by hand."
    if one.decision.fixed is None:
        return "No fixed version is named; look at the advisory for what to do."
    return f"Update to {one.decision.fixed} or later."
