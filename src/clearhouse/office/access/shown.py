"""Endpoints as their pages show them: everything but the secrets."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from django.urls import reverse

from clearhouse.office.access.forms import RULES, hours_text
from clearhouse.office.access.models import Endpoint
from clearhouse.office.look.clock import absolute
from clearhouse.office.look.table import Cell, Column, Table
from clearhouse.protocol.access import Keyed
from clearhouse.protocol.unusual_use import Consequence

_MILLION: Final = 1_000_000
_HEADERS: Final = {Keyed.BEARER: "Authorization: Bearer", Keyed.X_API_KEY: "x-api-key"}


def endpoints_table(found: Iterable[Endpoint]) -> Table:
    """All of a developer's."""
    columns = (Column("Address"), Column("Models"), Column("Opened"), Column("State"))
    rows = tuple(
        (
            Cell(one.address, reverse("access:endpoint", args=[one.name])),
            ", ".join(sorted(one.prices)), absolute(one.opened_at),
            "open" if one.closed_at is None else "closed",
        )
        for one in found
    )  # fmt: skip
    return Table("Endpoints, the latest first", columns, rows, "None is open.")


def facts_of(one: Endpoint) -> list[tuple[str, object]]:
    """What stands on the page of one."""
    cut = [text for rule, text in RULES if one.consequences.get(rule) == Consequence.CUT]
    found: list[tuple[str, object]] = [
        ("Base address", one.address),
        ("Credential", f"sealed; sent as {_HEADERS[Keyed(one.keyed)]}"),
        ("Pauses a grant when", "; ".join(cut) or "never; unusual use is told to both sides"),
        ("Usual hours", f"{hours_text(one.hours)} UTC" if one.hours else "all"),
        ("Contents", "recorded, for your keys alone" if one.recipients else "not recorded"),
        ("Opened", absolute(one.opened_at)),
    ]
    if one.closed_at is not None:
        found[1] = ("Credential", "destroyed")
        found.append(("Closed", absolute(one.closed_at)))
    return found


def prices_table(one: Endpoint) -> Table:
    """Its models and what they cost."""
    columns = (
        Column("Model"), Column("A million tokens read", number=True),
        Column("A million tokens written", number=True),
        Column("Longest answer, in tokens", number=True),
    )  # fmt: skip
    rows = tuple(
        (
            model, _amount(price["read"]), _amount(price["written"]), f"{price['longest']:,}",
        )
        for model, price in sorted(one.prices.items())
    )  # fmt: skip
    return Table("Models", columns, rows)


def _amount(micros: int) -> str:
    """A price to the hundredth, or as fine as it is."""
    amount = Decimal(micros) / _MILLION
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount:,f}"
