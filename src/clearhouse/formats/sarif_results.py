"""SARIF 2.1.0 logs, written from results about lines and places of files.

OASIS SARIF 2.1.0 with Errata 01.  A rule stands once, each result names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Result:
    """One result: the rule it is of, where, and what."""

    rule: str
    summary: str
    """Of the rule."""
    message: str
    file: str
    line: int | None
    """From 1; None where the place in the file is no line."""
    is_sure: bool
    suppression: str = ""
    """Who says that it needs no action, and why; empty where nobody does."""


def log(results: Sequence[Result], *, tool: str, version: str) -> dict[str, Any]:
    """The log as JSON has it, with one run."""
    rules = {one.rule: one.summary for one in reversed(results)}
    suppressing = any(one.suppression for one in results)
    numbers = {rule: index for index, rule in enumerate(sorted(rules))}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": tool,
                        "version": version,
                        "rules": [
                            {"id": rule, "shortDescription": {"text": rules[rule] or rule}}
                            for rule in numbers
                        ],
                    }
                },
                "results": [
                    _result(one, numbers[one.rule]) | (_suppressions(one) if suppressing else {})
                    for one in results
                ],
            }
        ],
    }


def _result(one: Result, number: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(one.file)}}
    if one.line is not None:
        place["region"] = {"startLine": one.line}
    return {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": "error" if one.is_sure else "warning",
        "message": {"text": one.message},
        "locations": [{"physicalLocation": place}],
    }


def _suppressions(one: Result) -> dict[str, Any]:
    """Where one result of a run has suppressions all have, an empty list if none (3.27.23)."""
    if not one.suppression:
        return {"suppressions": []}
    return {
        "suppressions": [
            {"kind": "external", "status": "accepted", "justification": one.suppression}
        ]
    }
