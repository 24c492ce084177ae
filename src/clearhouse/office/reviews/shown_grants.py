"""Grants as pages show them: whose, how they stand, what was used of them; nothing is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.urls import reverse

from clearhouse.office.access.actions import Issued
from clearhouse.office.access.queries import AccessAlert, AccessGrant, SeenGrant, SeenUse
from clearhouse.office.look.clock import absolute
from clearhouse.office.look.table import Cell, Column, Table
from clearhouse.office.reviews.forms import Book
from clearhouse.office.reviews.forms.base import ReviewForm
from clearhouse.office.reviews.queries import ReviewView
from clearhouse.protocol.grants import Why

#: What a grant's state is called, and the style of its tag; None is a grant that gives access.
_STATES: Final = {
    None: ("open", "open"),
    Why.NOT_BEGUN: ("not begun", "quiet"),
    Why.PAUSED: ("paused", "wait"),
    Why.REVOKED: ("revoked", "quiet"),
    Why.WITHDRAWN: ("ended with the access", "quiet"),
    Why.ENDED: ("ended", "quiet"),
}
_OVER: Final = frozenset({Why.REVOKED, Why.WITHDRAWN, Why.ENDED})
_MILLION: Final = 1_000_000
_CENT: Final = 10_000
_NOT_YOURS: Final = "not shown"
#: An endpoint's APIs as client libraries look for them: address and key, each in its variable.
_VARIABLES: Final = (
    ("OPENAI_BASE_URL", "{address}/v1"),
    ("OPENAI_API_KEY", "{token}"),
    ("ANTHROPIC_BASE_URL", "{address}"),
    ("ANTHROPIC_API_KEY", "{token}"),
)
#: Stands where the gateway is, as long as the office has not said it.
_UNKNOWN: Final = "https://GATEWAY"


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """A grant with its state in a word, the style of that, and the forms that are about it."""

    seen: SeenGrant
    state: str
    style: str
    forms: Sequence[ReviewForm]

    @property
    def whose(self) -> str:
        """Whom it is for."""
        return whose(self.seen.row)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and nothing brings it back."""
        return self.seen.no is not None and self.seen.no.why in _OVER

    @property
    def is_held(self) -> bool:
        """Whether it is paused with its window, and not by itself."""
        return self.seen.row.held_at is not None


def context_of(view: ReviewView, book: Book) -> dict[str, Any]:
    """What the template of a review is given about access."""
    give = book.form("give-grant")
    found = [shown(one, book) for one in view.grants or ()]
    return {
        "shows_access": view.grants is not None and (bool(found) or give is not None),
        "grants": found,
        "grants_table": _table(view, found),
        "hides_uses": any(one.seen.spent is None for one in found),
        "alerts": view.alerts,
        "alerts_table": alerts_table(view.alerts),
        "give": give,
    }


def shown(seen: SeenGrant, book: Book) -> ShownGrant:
    """One grant.  What is over has no forms: nothing brings it back."""
    why = seen.no.why if seen.no is not None else None
    state, style = _STATES[why]
    verbs: tuple[str, ...] = ()
    if why not in _OVER:
        hold = "pause-grant" if seen.row.paused_at is None else "resume-grant"
        verbs = (hold, "shorten-grant", "revoke-grant")
    return ShownGrant(seen, state, style, book.of(seen.row.name, *verbs))


def facts_of(one: ShownGrant, *, endpoint: bool) -> list[tuple[str, object]]:
    """What stands on the page of a grant; the ``endpoint`` is for its developer."""
    row, seen = one.seen.row, one.seen
    found: list[tuple[str, object]] = [
        ("Of", whose(row)),
        ("From", absolute(row.starts_at)),
        ("Until", absolute(row.ends_at)),
        *zip(("Requests", "Tokens", "Money"), _used(seen), strict=True),
        (
            "At most",
            _most(row),
        ),
        ("Models", ", ".join(row.models_allowed)),
        ("Calls", ", ".join(row.calls)),
        ("From where", ", ".join(row.networks)),
    ]
    return [*found, ("Endpoint", row.endpoint.address)] if endpoint else found


def _most(row: AccessGrant) -> str:
    return (
        f"{row.requests_a_minute:,} requests and {row.tokens_a_minute:,} tokens a minute,"
        f" {row.streams:,} streams at a time"
    )


def uses_table(uses: Sequence[SeenUse], name: str, grant: str) -> Table:
    """The log of a grant's uses; contents, where they are kept, as files."""
    columns = (
        Column("When, in UTC"), Column("What"), Column("From"),
        Column("Tokens", number=True), Column("Money", number=True), Column("Outcome"),
        Column("Digests"),
    )  # fmt: skip
    keeps = any(one.has_contents for one in uses)
    rows = [
        (
            f"{one.row.begun_at:%Y-%m-%d %H:%M:%S}", f"{one.row.call} of {one.row.model}",
            one.row.address,
            f"{one.row.tokens:,}", money(one.row.micros), one.row.outcome,
            f"{one.row.request_digest[:12]} {one.row.response_digest[:12]}",
            *([_contents(one, name, grant)] if keeps else []),
        )
        for one in uses
    ]  # fmt: skip
    return Table(
        "Uses, the latest first", (*columns, *([Column("Contents")] if keeps else [])),
        tuple(rows), "Nothing was asked yet.",
    )  # fmt: skip


def alerts_table(alerts: Iterable[AccessAlert]) -> Table:
    """What was unusual, and what followed."""
    columns = (Column("When"), Column("Whose"), Column("What"), Column("Then"))
    rows = [
        (
            absolute(one.at), one.grant.party.name, one.says,
            "paused by the developer's rule" if one.cut else "told to both sides",
        )
        for one in alerts
    ]  # fmt: skip
    return Table("Alerts, the latest first", columns, tuple(rows), "None was noticed.")


def example_of(issued: Issued) -> str:
    """How a token is used: the variables that the ordinary client libraries read."""
    address = settings.CONFIG.gateway or _UNKNOWN
    return "\n".join(
        f"export {name}={form.format(address=address, token=issued.token)}"
        for name, form in _VARIABLES
    )


def money(micros: int) -> str:
    """An amount in the currency's unit; of less than a hundredth that much."""
    return "under 0.01" if 0 < micros < _CENT else f"{micros / _MILLION:,.2f}"


def _table(view: ReviewView, found: Sequence[ShownGrant]) -> Table:
    columns = (
        Column("Who"), Column("State"), Column("Requests", number=True),
        Column("Tokens", number=True), Column("Money", number=True), Column("Last use"),
        Column("Unusual", number=True),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(whose(one.seen.row), grant_url(view.name, one.seen.row.name)), one.state,
            *_used(one.seen), _last(one.seen), one.seen.alerts,
        )
        for one in found
    )  # fmt: skip
    return Table("Grants, the latest first", columns, rows, "No grant is given yet.")


def whose(row: AccessGrant) -> str:
    """The party, and the one person there whom it is for, if it is for one."""
    return row.party.name if row.holder is None else f"{row.holder}, {row.party.name}"


def grant_url(review: str, grant: str) -> str:
    """The page of a grant."""
    return reverse("reviews:grant", args=[review, grant])


def _used(seen: SeenGrant) -> tuple[str, str, str]:
    """Requests, tokens and money: what is used of what it may use."""
    spent, budget = seen.spent, seen.budget
    if spent is None:
        return _NOT_YOURS, _NOT_YOURS, _NOT_YOURS
    return (
        f"{spent.requests:,} of {budget.requests:,}",
        f"{spent.tokens:,} of {budget.tokens:,}",
        f"{money(spent.micros)} of {money(budget.micros)}",
    )


def _last(seen: SeenGrant) -> str:
    if seen.spent is None:
        return _NOT_YOURS
    return absolute(seen.last_use) if seen.last_use else "never"


def _contents(one: SeenUse, name: str, grant: str) -> Cell | str:
    if not one.has_contents:
        return "none"
    return Cell("download", reverse("reviews:contents", args=[name, grant, one.row.name]))
