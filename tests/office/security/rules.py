"""Who may do what at an address, as the tests know it: written beside the office's own rules."""

from __future__ import annotations

from collections.abc import Callable

from clearhouse.office.authorisation import (
    Deed,
    Part,
    ReviewDeed,
    ReviewPart,
    ReviewStanding,
    Standing,
    may,
    may_in_review,
    parts_of_review,
    parts_seen,
)
from clearhouse.protocol.roles import Role
from tests.office.security.world import Looker, Stage, World

Allowed = Callable[[Looker, Stage, World], bool]
"""Whether somebody with every scope may do it."""


def standing(looker: Looker, stage: Stage) -> Standing | None:
    """What somebody is in the case."""
    if looker.role is None or looker.consent is None:
        return None
    return Standing(looker.role, looker.consent, stage.is_embargoed)


def anybody(looker: Looker, stage: Stage, world: World) -> bool:
    return True


def member(looker: Looker, stage: Stage, world: World) -> bool:
    return not looker.viewer.is_public


def person(looker: Looker, stage: Stage, world: World) -> bool:
    return member(looker, stage, world) and not looker.is_machine


def office(looker: Looker, stage: Stage, world: World) -> bool:
    return looker.viewer.coordinates


def office_person(looker: Looker, stage: Stage, world: World) -> bool:
    return office(looker, stage, world) and not looker.is_machine


def nobody(looker: Looker, stage: Stage, world: World) -> bool:
    return False


def sees(*parts: Part) -> Allowed:
    """Who sees all of these parts of the case."""

    def rule(looker: Looker, stage: Stage, world: World) -> bool:
        seen = parts_seen(looker.viewer, standing(looker, stage))
        return bool(seen) and seen.issuperset(parts)

    return rule


def does(deed: Deed, *roles: Role) -> Allowed:
    """Who may do that in the case; of a role, where only some of those who may are asked."""

    def rule(looker: Looker, stage: Stage, world: World) -> bool:
        right = may(looker.viewer, deed, standing(looker, stage))
        return right and (not roles or looker.viewer.coordinates or looker.role in roles)

    return rule


def stands(*roles: Role) -> Allowed:
    """Who says where it stands itself: the office has no part of its own."""

    def rule(looker: Looker, stage: Stage, world: World) -> bool:
        return not looker.viewer.coordinates and does(Deed.REPORT_STATE, *roles)(
            looker, stage, world
        )

    return rule


def is_asked(looker: Looker, stage: Stage, world: World) -> bool:
    """Who was invited; nobody answers for another."""
    return not looker.viewer.coordinates and does(Deed.ANSWER_INVITATION)(looker, stage, world)


def handed_on(looker: Looker, stage: Stage, world: World) -> bool:
    """The chosen patch was not handed on yet: whoever sees candidates sees it."""
    return sees(Part.PATCHES)(looker, stage, world)


def files(looker: Looker, stage: Stage, world: World) -> bool:
    return sees(Part.DISCUSSION)(looker, stage, world)


def its_task(looker: Looker, stage: Stage, world: World) -> bool:
    """The task is the supplier's."""
    own = looker.viewer.organisation == _supplier(world)
    return (own or looker.viewer.coordinates) and does(Deed.DO_TASK)(looker, stage, world)


def its_finder(looker: Looker, stage: Stage, world: World) -> bool:
    own = looker.viewer.organisation == world.lookers["finder"].viewer.organisation
    return own or looker.viewer.coordinates


def only_finder(looker: Looker, stage: Stage, world: World) -> bool:
    return its_finder(looker, stage, world) and not looker.viewer.coordinates


def sees_report(looker: Looker, stage: Stage, world: World) -> bool:
    return its_finder(looker, stage, world) or sees(Part.REPORT)(looker, stage, world)


def its_own(looker: Looker, stage: Stage, world: World) -> bool:
    """Whoever is in the supplier's organisation, and the office."""
    return looker.viewer.coordinates or looker.viewer.organisation == _supplier(world)


def runs_it(looker: Looker, stage: Stage, world: World) -> bool:
    """Its managers, and the office: by their own hand."""
    return its_own(looker, stage, world) and not looker.is_machine


def looks_closely(looker: Looker, stage: Stage, world: World) -> bool:
    """The same, and the office's machines, which look and change nothing."""
    return runs_it(looker, stage, world) or office(looker, stage, world)


def _supplier(world: World) -> int | None:
    return world.lookers["supplier"].viewer.organisation


def review_standing(looker: Looker, stage: Stage, world: World) -> ReviewStanding | None:
    """What somebody is in the review."""
    if looker.viewer.coordinates:
        return ReviewStanding(Role.COORDINATOR, stage.review, holds=True)
    found = world.parties.get(looker.viewer.organisation)
    if looker.viewer.organisation is None or found is None:
        return None
    role, choice, holds = found
    return ReviewStanding(role, stage.review, choice, holds)


def in_review(*parts: ReviewPart) -> Allowed:
    """Who sees all of these parts of the review; without any, who sees something of it."""

    def rule(looker: Looker, stage: Stage, world: World) -> bool:
        seen = parts_of_review(review_standing(looker, stage, world))
        return bool(seen) and seen.issuperset(parts)

    return rule


def does_in_review(deed: ReviewDeed) -> Allowed:
    """Who may do that in the review."""

    def rule(looker: Looker, stage: Stage, world: World) -> bool:
        return may_in_review(deed, review_standing(looker, stage, world))

    return rule


def holds_it(looker: Looker, stage: Stage, world: World) -> bool:
    """Who holds what was lent to the partner: the partner, whatever became of the review."""
    return looker.viewer.organisation == world.lookers["partner"].viewer.organisation


def developer(looker: Looker, stage: Stage, world: World) -> bool:
    """Whoever acts for a developer."""
    return looker.viewer.has(Role.DEVELOPER)


def developer_person(looker: Looker, stage: Stage, world: World) -> bool:
    return developer(looker, stage, world) and not looker.is_machine


def by_hand(rule: Allowed) -> Allowed:
    """The same without machines."""

    def by_hand(looker: Looker, stage: Stage, world: World) -> bool:
        return rule(looker, stage, world) and not looker.is_machine

    return by_hand


def manages(rule: Allowed) -> Allowed:
    """The same for those who manage their organisation alone, by their own hand."""

    def manages(looker: Looker, stage: Stage, world: World) -> bool:
        return by_hand(rule)(looker, stage, world) and "member" not in looker.name

    return manages


def has_notices(looker: Looker, stage: Stage, world: World) -> bool:
    """Whose the notice and the channel are: the deployer's, and not the office's."""
    return looker.viewer.organisation == world.lookers["deployer"].viewer.organisation


def gives(looker: Looker, stage: Stage, world: World) -> bool:
    """Who gives grants in the review, and lets them go on."""
    return manages(does_in_review(ReviewDeed.GIVE))(looker, stage, world)


def has_endpoint(looker: Looker, stage: Stage, world: World) -> bool:
    """Whose the endpoint is, whatever became of the review."""
    return looker.viewer.organisation == world.lookers["developer"].viewer.organisation


def sees_grant(looker: Looker, stage: Stage, world: World) -> bool:
    """Who sees that the partner has a grant: the two sides and itself."""
    is_own = in_review(ReviewPart.OWN_GRANTS)(looker, stage, world) and holds_it(
        looker, stage, world
    )
    return is_own or in_review(ReviewPart.GRANTS)(looker, stage, world)


def sees_uses(looker: Looker, stage: Stage, world: World) -> bool:
    """Who sees what was done with it: not the office."""
    return sees_grant(looker, stage, world) and not looker.viewer.coordinates
