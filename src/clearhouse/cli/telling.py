"""Telling an office of attempts while a run goes on, and handing in what it comes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import click

from clearhouse.cli.office_client import OfficeClient
from clearhouse.errors import ClearhouseError

if TYPE_CHECKING:
    from clearhouse.benchmark.evaluation.choosing_source import Finished

#: What an office takes in one request, at most.
_AT_ONCE: Final = 1000


class Telling:
    """One assessment of an office.

    A run does not wait for an office that cannot be reached: what it was not told of it learns from
    the evidence.
    """

    def __init__(self, client: OfficeClient, assessment: str) -> None:
        self._client = client
        self._place = f"/assessments/{quote(assessment, safe='')}"
        self._untold: list[Finished] = []

    def of(self, one: Finished) -> None:
        """Tell of a finished attempt, with those that could not be told before."""
        self._untold.append(one)
        try:
            while self._untold:
                some = [_attempt(each) for each in self._untold[:_AT_ONCE]]
                self._client.post(
                    f"{self._place}/attempts",
                    json.dumps({"attempts": some}).encode(),
                    "application/json",
                )
                del self._untold[:_AT_ONCE]
        except ClearhouseError as error:
            click.echo(f"office: attempt {one.number} was not told: {error}", err=True)

    def hand_in(self, evidence: bytes) -> None:
        """Hand the evidence in.  Raises what the office answers."""
        self._client.put(f"{self._place}/evidence", evidence, "application/zip")


def _attempt(one: Finished) -> dict[str, object]:
    return {
        "number": one.number, "item": one.outcome.item, "ending": one.outcome.ending.value,
        "verdict": one.outcome.verdict, "tokens": one.tokens, "micros": one.micros,
        "seconds": one.seconds,
    }  # fmt: skip
