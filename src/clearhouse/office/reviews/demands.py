"""What the API takes to change a review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, TypeAlias

from ninja import Schema
from pydantic import AwareDatetime, Field

from clearhouse.office.reviews.actions.access import Allowance
from clearhouse.office.reviews.actions.submitting import Submission
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.grants import MOST, USUAL_BUDGET, USUAL_RATES, Amounts, Call, Rates
from clearhouse.protocol.partners import Part
from clearhouse.protocol.returning import Lent
from clearhouse.protocol.review import Purpose
from clearhouse.protocol.terms import LONGEST_TEXT, Subject
from clearhouse.protocol.two_person import WorkRole
from clearhouse.protocol.window import LONGEST

#: No NUL: PostgreSQL takes none.
_TEXT: str = r"^[^\x00]*$"
Reason: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000, pattern=_TEXT)]
Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]
Slug: TypeAlias = Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9_-]*$")]
Network: TypeAlias = Annotated[str, Field(max_length=50, pattern=r"^[0-9a-fA-F:./]+$")]
Model: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=_TEXT)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST)]
Digest: TypeAlias = Annotated[str, Field(max_length=80, pattern=r"^sha256:[0-9a-f]{64}$")]


class SubmissionIn(Schema):
    """What you say of the model and of your organisation."""

    model: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    purpose: Purpose
    contacts: str = Field(min_length=1, max_length=1000, pattern=_TEXT)
    size: Size
    planned_release: date | None = None
    about: str = Field(default="", max_length=20_000, pattern=_TEXT)

    def value(self) -> Submission:
        """The value that the action takes."""
        return Submission(
            self.purpose, self.model, self.contacts, self.size, self.planned_release, self.about
        )


class DeclineIn(Schema):
    """Why."""

    reason: Reason


class TextIn(Schema):
    """Another text of the terms."""

    subject: Subject
    text: str = Field(min_length=1, max_length=LONGEST_TEXT, pattern=_TEXT)


class AgreeIn(Schema):
    """The digest of the terms that you read."""

    digest: Digest


class JoinIn(Schema):
    """The digest of the terms that you read, and your conflicts of interest, empty for none."""

    digest: Digest
    conflicts: str = Field(default="", max_length=1000, pattern=_TEXT)


class DaysIn(Schema):
    """How many days."""

    days: int = Field(ge=1, le=LONGEST.days)


class EarlierEndIn(Schema):
    """An earlier end."""

    ends_at: AwareDatetime


class PartyIn(Schema):
    """A third party that you propose."""

    organisation: Slug
    part: Part
    size: Size
    reason: Reason
    conflicts: str = Field(default="", max_length=1000, pattern=_TEXT)


class ConflictsIn(Schema):
    """A conflict of interest that came up."""

    conflicts: Reason


class LoanIn(Schema):
    """Something that you lend; without a party, to the office."""

    kind: Lent
    what: str = Field(min_length=1, max_length=300, pattern=_TEXT)
    party: Name = ""


class StatementIn(Schema):
    """What was deleted, where, and how."""

    statement: Reason


class OpeningIn(Schema):
    """Something sealed that has to be opened."""

    what: str = Field(min_length=1, max_length=300, pattern=_TEXT)
    reason: Reason


class CriteriaIn(Schema):
    """By what third parties are chosen from now on."""

    text: str = Field(min_length=1, max_length=20_000, pattern=_TEXT)


class ReviewerIn(Schema):
    """Somebody of the office who reviews."""

    person: int = Field(ge=1, le=2**53)
    role: WorkRole
    available_from: date | None = None
    available_until: date | None = None


class ReviewerConflictIn(Schema):
    """A conflict of interest of your own with a developer."""

    organisation: Slug
    reason: Reason


Answer: TypeAlias = Literal["agree", "refuse"]


class PartyAnswerIn(Schema):
    """Agree to a third party or refuse it, and why."""

    answer: Answer
    reason: Reason


class BudgetIn(Schema):
    """What may be used up in all; ``micros`` are millionths of the currency's unit."""

    requests: Count = USUAL_BUDGET.requests
    tokens: Count = USUAL_BUDGET.tokens
    micros: Count = USUAL_BUDGET.micros


class RatesIn(Schema):
    """How fast: in a minute of the clock, and streams at the same time."""

    requests_a_minute: Count = USUAL_RATES.requests_a_minute
    tokens_a_minute: Count = USUAL_RATES.tokens_a_minute
    streams: Count = USUAL_RATES.streams


class GrantIn(Schema):
    """A grant: to whom, an organisation's short name; on what; from which networks.

    ``holder`` is the address that one person there signs in with, whom alone it is for.  Models
    are all of the endpoint's where none is named, calls all there are.
    """

    to: Slug
    holder: str = Field(default="", max_length=254, pattern=_TEXT)
    endpoint: Name
    networks: list[Network] = Field(min_length=1, max_length=100)
    models: list[Model] | None = Field(default=None, max_length=200)
    calls: list[Call] = Field(default=list(Call), min_length=1, max_length=20)
    budget: BudgetIn = BudgetIn()
    rates: RatesIn = RatesIn()

    def value(self, models: Sequence[str]) -> Allowance:
        """The value that the action takes; ``models`` are the endpoint's."""
        return Allowance(
            self.endpoint, self.models if self.models is not None else models, self.calls,
            Amounts(self.budget.requests, self.budget.tokens, self.budget.micros),
            Rates(self.rates.requests_a_minute, self.rates.tokens_a_minute, self.rates.streams),
            self.networks, self.holder,
        )  # fmt: skip
