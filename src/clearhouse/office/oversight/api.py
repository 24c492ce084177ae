"""The public figures in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from clearhouse.errors import NotFound
from clearhouse.office.oversight import queries

router = Router(tags=["oversight"])


class FiguresOut(Schema):
    """The figures that were published last, and what they were made from."""

    figures: dict[str, Any]
    digest: str
    ledger_size: int
    at: datetime


@router.get("/figures", response=FiguresOut)
def figures(request: HttpRequest) -> FiguresOut:  # noqa: ARG001 - ninja's
    """The vulnerability deficit: counts and medians, small ones withheld."""
    found = queries.latest()
    if found is None:
        raise NotFound("no figures were published yet")
    return FiguresOut(
        figures=found.document, digest=found.digest, ledger_size=found.size, at=found.at
    )
