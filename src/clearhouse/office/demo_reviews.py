"""Reviews of the demonstration office: one in progress, one talked about, one withdrawn.

Made by the same actions that people use.  The models are made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from clearhouse.benchmark.stand_in import MODEL
from clearhouse.office.access.actions import Terms, open_endpoint
from clearhouse.office.orgs.access import seen_by
from clearhouse.office.orgs.actions.keys import make_api_key
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import (
    agreeing,
    choosing,
    lending,
    roster,
    submitting,
    windows,
)
from clearhouse.office.reviews.actions.access import Allowance, give_grant
from clearhouse.office.reviews.actions.submitting import Submission
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.grants import USUAL_BUDGET, Call, Rates
from clearhouse.protocol.partners import Part
from clearhouse.protocol.prices import Price
from clearhouse.protocol.returning import Lent
from clearhouse.protocol.review import Purpose
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.terms import Subject
from clearhouse.protocol.two_person import WorkRole

#: Who takes part: name, short name, roles, first name of its person.
ORGANISATIONS: Final = (
    ("Halcyon AI", "halcyon", (Role.DEVELOPER,), "dev"),
    ("Rural Health Network", "rural-health", (Role.TRUSTED_PARTNER,), "petra"),
    ("Independent Measurement Institute", "measurement", (Role.ASSESSOR,), "asa"),
)

_CRITERIA: Final = (
    "A partner defends systems that many people depend on, and mends what it finds in them.\n"
    "It can keep what it learns to named people, and has shown so.\n"
    "Small operators come before large ones that have other means.\n"
    "It declares its conflicts of interest before it has access."
)
_REASON: Final = "It runs the systems of forty small hospitals, and mends them itself."


def publish(viewers: Mapping[str, Viewer], now: datetime) -> None:
    """What is there before anybody asks: criteria, and a roster."""
    office = viewers["office"]
    choosing.publish_criteria(office, _CRITERIA, now=now)
    assert office.person is not None
    roster.put_on_roster(
        office, office.person, WorkRole.SYSTEMS_TESTING_AND_EVALUATION,
        available_from=None, available_until=None, now=now,
    )  # fmt: skip


def tell(viewers: Mapping[str, Viewer], now: datetime) -> None:
    """The reviews, the first with a window that has run for nine days at ``now``."""
    begin = now - timedelta(days=11)
    name = _submitted(viewers, "Halcyon-9 preview", Purpose.ACCESS, begin)
    _opened(viewers, name, begin + timedelta(days=2))
    gone = _submitted(viewers, "Halcyon-8 research build", Purpose.ACCESS, now - timedelta(days=2))
    submitting.withdraw(viewers["halcyon"], gone, now=now - timedelta(days=1))
    _submitted(viewers, "Halcyon-9 small", Purpose.DETERMINATION, now - timedelta(hours=5))


def _submitted(viewers: Mapping[str, Viewer], model: str, purpose: Purpose, now: datetime) -> str:
    submission = Submission(
        purpose, model, "Security office, security@halcyon.example, day and night", Size.MEDIUM,
        planned_release=(now + timedelta(days=60)).date(),
        about="A language model that writes and reads code.",
    )  # fmt: skip
    made = submitting.draft(viewers["halcyon"], submission, now=now)
    submitting.submit(viewers["halcyon"], made.name, now=now)
    return made.name


def _opened(viewers: Mapping[str, Viewer], name: str, now: datetime) -> None:
    """Terms, window, a partner, an assessor, and something that was lent."""
    office, developer = viewers["office"], viewers["halcyon"]
    agreeing.change_text(
        office, name, Subject.DATA_RETENTION,
        "What was lent goes back within 3 days of the window's end. Whoever held it attests in"
        " writing that no copy is left.", now=now,
    )  # fmt: skip
    bound = queries.view(developer, name, now=now).bound
    assert bound is not None
    agreeing.agree_to_terms(developer, name, bound.digest, now=now)
    windows.propose_window(developer, name, 30, now=now)
    windows.agree_window(office, name, now=now)
    windows.start_window(developer, name, now=now)
    for slug, part in (("rural-health", Part.PARTNER), ("measurement", Part.ASSESSOR)):
        is_partner = part is Part.PARTNER
        row = choosing.propose_party(
            office, name, slug, part, size=Size.SMALL, conflicts="",
            reason=_REASON if is_partner else "It has measured such models before.", now=now,
        )  # fmt: skip
        choosing.agree_to_party(developer, name, row.name, "As the criteria say.", now=now)
        choosing.join(viewers[slug], name, bound.digest, "", now=now)
        if is_partner:
            lending.lend(
                developer, name, Lent.DOCUMENT, "System card, third draft", row.name, now=now
            )
    lending.lend(developer, name, Lent.DOCUMENT, "Safety evaluation of March", "", now=now)


@dataclass(frozen=True, slots=True)
class ToMeasure:
    """A review whose model can be measured now, and what it takes to do so."""

    review: str
    token: str = field(repr=False)
    office_key: str = field(repr=False)
    developer_key: str = field(repr=False)


def to_measure(
    viewers: Mapping[str, Viewer], address: str, credential: str, now: datetime
) -> ToMeasure:
    """A review with an open window, an endpoint behind it, and a grant for the office."""
    office, developer = viewers["office"], viewers["halcyon"]
    begin = now - timedelta(days=3)
    name = _submitted(viewers, "Halcyon-9 mini", Purpose.DETERMINATION, begin)
    bound = queries.view(office, name, now=begin).bound
    assert bound is not None
    agreeing.agree_to_terms(office, name, bound.digest, now=begin)
    windows.propose_window(office, name, 30, now=begin)
    windows.agree_window(developer, name, now=begin)
    windows.start_window(developer, name, now=begin)
    prices = {MODEL: Price(read=1_000_000, written=4_000_000, longest=8_192)}
    terms = Terms(address=address, credential=credential, prices=prices)
    endpoint = open_endpoint(developer, developer.acting_for(), terms, now=now)
    allowance = Allowance(
        endpoint.name, (MODEL,), (Call.CHAT_COMPLETIONS, Call.MODELS), USUAL_BUDGET,
        Rates(requests_a_minute=600, tokens_a_minute=4_000_000, streams=8), ("127.0.0.0/8",),
    )  # fmt: skip
    to = seen_by(office, office.acting_for()).slug
    given = give_grant(developer, name, to, allowance, now=now)
    keys = [
        make_api_key(
            viewer, viewer.acting_for(), name="To measure",
            scopes=(Scope.REVIEWS_READ, Scope.REVIEWS_WRITE),
            expires_at=now + timedelta(days=30), now=now,
        ).text
        for viewer in (office, developer)
    ]  # fmt: skip
    return ToMeasure(name, given.token, *keys)
