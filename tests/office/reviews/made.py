"""A developer, an office, a partner and an assessor; and reviews at each point of their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearhouse.office.orgs.models import Organisation
from clearhouse.office.reviews import queries
from clearhouse.office.reviews.actions import agreeing, choosing, lending, submitting, windows
from clearhouse.office.reviews.actions.access import Allowance
from clearhouse.office.reviews.actions.submitting import Submission
from clearhouse.office.reviews.models import PublishedCriteria, Review
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.entitlement import has_access
from clearhouse.protocol.evenness import Size
from clearhouse.protocol.grants import Amounts, Call, Rates
from clearhouse.protocol.partners import Part
from clearhouse.protocol.returning import Lent
from clearhouse.protocol.review import Purpose
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, somebody

DAY = timedelta(days=1)
#: Names that stand nowhere else.
MODEL = "Halcyon-9"
SUBMISSION = Submission(
    Purpose.DETERMINATION, MODEL, "ada@lab.example", Size.MEDIUM, about="A model for code."
)


@dataclass(frozen=True)
class Cast:
    """Who takes part."""

    developer: Viewer
    office: Viewer
    partner: Viewer
    assessor: Viewer
    stranger: Viewer


def at(days: float) -> datetime:
    """So many days after the beginning."""
    return NOW + days * DAY


def cast() -> Cast:
    """Everybody, and criteria that were published before."""
    who = Cast(
        somebody("lab", Role.DEVELOPER),
        somebody("office", Role.COORDINATOR),
        somebody("clinic-net", Role.TRUSTED_PARTNER),
        somebody("measurers", Role.ASSESSOR),
        somebody("rivallab", Role.DEVELOPER, Role.TRUSTED_PARTNER),
    )
    Organisation.objects.filter(slug="lab").update(sector="software")
    if not PublishedCriteria.objects.exists():
        choosing.publish_criteria(who.office, "Who defends others comes first.", now=at(-10))
    return who


def submitted(who: Cast, *, now: datetime = NOW) -> str:
    """A review that was handed in."""
    made = submitting.draft(who.developer, SUBMISSION, now=now)
    submitting.submit(who.developer, made.name, now=now)
    return made.name


def agreed(who: Cast, *, now: datetime = NOW) -> str:
    """A review with terms and a window that both sides agreed on."""
    name = submitted(who, now=now)
    agreeing.agree_to_terms(who.office, name, digest(name), now=now)
    windows.propose_window(who.office, name, 20, now=now)
    windows.agree_window(who.developer, name, now=now)
    return name


def opened(who: Cast, *, now: datetime = NOW) -> str:
    """A review whose window runs."""
    name = agreed(who, now=now)
    windows.start_window(who.developer, name, now=now)
    return name


def chosen(
    who: Cast,
    name: str,
    slug: str = "clinic-net",
    part: Part = Part.PARTNER,
    *,
    now: datetime = NOW,
) -> str:
    """A third party that both sides agreed on; its name in the review."""
    row = choosing.propose_party(
        who.office, name, slug, part, size=Size.LARGE, reason="runs clinics", conflicts="", now=now
    )
    choosing.agree_to_party(who.developer, name, row.name, "it defends many", now=now)
    return row.name


def joined(who: Cast, name: str, *, now: datetime = NOW) -> str:
    """A partner that has joined."""
    party = chosen(who, name, now=now)
    choosing.join(who.partner, name, digest(name), "", now=now)
    return party


def lent(who: Cast, name: str, party: str = "", *, now: datetime = NOW) -> str:
    """Something that was lent; its name."""
    return lending.lend(who.developer, name, Lent.DOCUMENT, "A system card", party, now=now).name


def allowance(endpoint: str) -> Allowance:
    """What a developer gives by itself."""
    return Allowance(
        endpoint, ["m"], list(Call), Amounts(10, 10_000, 10_000), Rates(10, 10_000, 1),
        ["127.0.0.0/8"],
    )  # fmt: skip


def digest(name: str) -> str:
    """What is agreed to."""
    return queries.terms_of(Review.objects.get(name=name)).digest


def government(name: str, now: datetime) -> bool:
    """Whether the government has access."""
    return has_access(queries.access_facts(Review.objects.get(name=name), None), now)


def third(name: str, party: str, now: datetime) -> bool:
    """Whether a third party has access."""
    review = Review.objects.get(name=name)
    row = review.parties.get(name=party)
    return has_access(queries.access_facts(review, row), now)


def state(name: str) -> str:
    """Where a review stands."""
    return str(Review.objects.get(name=name).state)
