"""Every address, every method, everybody who may ask, every state of a case."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Final

import pytest
from pytest_django import Settings

from clearhouse.office.authorisation import ReviewPart
from tests.office.security.directive_routes import reads_it, sees_obligation
from tests.office.security.exposure_routes import its_owner
from tests.office.security.listed import (
    operations_there_are,
    pages_there_are,
    verbs_there_are,
)
from tests.office.security.routes import (
    ROUTES,
    Route,
    sent,
)
from tests.office.security.rules import (
    anybody,
    developer,
    has_endpoint,
    has_notices,
    in_review,
    its_finder,
    its_own,
    member,
    office,
    sees,
    sees_report,
)
from tests.office.security.world import (
    ABSENT,
    REVIEW_STAGES,
    STAGES,
    Browser,
    Looker,
    Stage,
    World,
    Writes,
    undone,
)

pytestmark = pytest.mark.django_db

#: How a page tells who has not signed in that there may be something: it leads to the sign-in.
_SIGN_IN: Final = "/account/login/"
_IDS: Final = [one.id for one in ROUTES]
#: Pages know no keys: one key stands for all of them there.
_ONE_KEY: Final = "office key"
#: What the API says of itself: no key is looked at there.
_BEFORE_THE_GATE: Final = ("api/openapi.json", "api/docs")
#: How refusals read that are about who asks; all others are about what is asked.
_OF_PERSONS: Final = (b"scope", b"API key", b"only a manager", b"sign in")


def lookers_at(route: Route, world: World) -> list[Looker]:
    """Everybody whose answer may differ."""
    everybody = world.lookers.values()
    return [one for one in everybody if route.is_api or not one.is_machine or one.name == _ONE_KEY]


#: Those who are asked for at every address; of the others a few, different at each.
_ALWAYS: Final = ("public", "stranger", "coordinator")
_SOME: Final = 4


def some_at(route: Route, world: World) -> list[Looker]:
    """A sample that takes in everybody over all addresses."""
    found = lookers_at(route, world)
    first = ROUTES.index(route) * _SOME
    turn = [found[(first + place) % len(found)] for place in range(_SOME)]
    return [one for one in found if one.name in _ALWAYS or one in turn]


def is_let_in(route: Route, looker: Looker, stage: Stage, world: World) -> bool:
    """Whether it may, by the table and by what its key is for."""
    if not route.is_api and looker.is_machine:
        looker = world.lookers["public"]
    if looker.is_shut_out and looker.is_machine and route.is_api:
        return route.place in _BEFORE_THE_GATE
    if looker.is_machine and not looker.viewer.scopes.issuperset(route.scopes):
        return False
    return route.rule(looker, stage, world)


def asked(route: Route, looker: Looker, names: dict[str, str]) -> Any:
    return Browser().ask(looker, route.method, route.path(names), **sent(route, names))


def is_answer(found: Any) -> bool:
    """Whether somebody was let in: refusals of what was sent come after that."""
    return found.status_code not in (401, 403, 404) and not (
        found.status_code == 302 and found["Location"].startswith(_SIGN_IN)
    )


def judge(route: Route, looker: Looker, stage: Stage, world: World, found: Any) -> str:
    """What is wrong with an answer; nothing where all is well."""
    status = found.status_code
    if status >= 500:
        return f"a bug: {found.content[:300]!r}"
    allowed = is_let_in(route, looker, stage, world)
    if allowed:
        of_persons = any(one in found.content for one in _OF_PERSONS)
        by_rule = status == 403 and route.method != "GET" and not of_persons
        return "" if is_answer(found) or by_rule else f"kept out: {found.content[-300:]!r}"
    if is_answer(found):
        return f"let in: {found.content[:300]!r}"
    known = not looker.viewer.is_public and (route.is_api or not looker.is_machine)
    lacks = looker.is_machine  # of what its organisation may do, a machine may do less
    if status == 403 and b"only a manager" in found.content:
        known = not knows_of_it(route, looker, stage, world)
    if known and not lacks and status != 404:
        return f"told that there is something: {found.content[:300]!r}"
    return ""


def test_every_page_operation_and_verb_has_its_line_in_the_table() -> None:
    pages = {one for one in pages_there_are() if not one.startswith("account/")}
    listed = {one.place for one in ROUTES if not one.is_api}
    assert listed == pages
    operations = {f"{one.method} /{one.place}" for one in ROUTES if one.is_api}
    assert operations - {"GET /api/openapi.json", "GET /api/docs"} == operations_there_are()
    verbs = {one.verb for one in ROUTES if one.method == "POST" and one.verb}
    assert verbs == verbs_there_are()


def tried(route: Route, looker: Looker, stage: Stage, world: World) -> str:
    """Ask, and look at the answer and at what it changed; then undo it."""
    writes = Writes()
    with undone():
        stage.enter(world.case)
        with writes.counted():
            found = asked(route, looker, world.names)
        wrong = judge(route, looker, stage, world, found)
        may_write = is_let_in(route, looker, stage, world) and route.method != "GET"
        if not wrong and not may_write and writes.statements:
            wrong = f"it wrote: {writes.statements[0][:200]}"
    return f"{looker.name}: {found.status_code}: {wrong}" if wrong else ""


@pytest.mark.parametrize("route", ROUTES, ids=_IDS)
def test_each_is_let_in_by_the_table_alone_and_who_is_not_changes_nothing(
    world: World, route: Route
) -> None:
    stages = [STAGES["active"]]
    if route.of_review:  # nobody but the developer learns of one that was withdrawn
        stages.append(REVIEW_STAGES["review withdrawn"])
    faults = [tried(route, one, stage, world) for stage in stages for one in some_at(route, world)]
    assert not [one for one in faults if one]


@pytest.mark.exhaustive
@pytest.mark.parametrize("route", ROUTES, ids=_IDS)
def test_the_same_holds_for_everybody_in_every_state_of_the_case(
    world: World, route: Route
) -> None:
    stages = list(STAGES.values()) if route.of_case else [STAGES["active"]]
    if route.of_review:
        stages = list(REVIEW_STAGES.values())
    faults = [
        tried(route, one, stage, world) for stage in stages for one in lookers_at(route, world)
    ]
    assert not [one for one in faults if one]


_TOKEN: Final = re.compile(rb'(?<="x-csrftoken": ")\w+|(?<=csrfmiddlewaretoken" value=")\w+')
_SHORT: Final = 6


def said(found: Any, names: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what differs in any two: tokens, and the names that were asked for."""
    text = _TOKEN.sub(b"", found.content)
    for name in names.values():
        if len(name) > _SHORT:
            text = text.replace(name.encode(), b"NAME")
    headers = {
        key: value for key, value in found.headers.items()
        if key not in ("RateLimit", "Content-Length", "Location", "ETag")
    }  # fmt: skip
    return found.status_code, text, headers


#: Who knows of what is named in an address, by the address's beginning; the office always does.
_KNOWN: Final = (
    ("cases/<str:name>/findings", sees_report),
    ("cases/", sees()),
    ("findings/^commitments", its_finder),
    ("findings/", sees_report),
    ("commitments/", its_finder),
    ("scans/", its_finder),
    ("notices/feed", anybody),
    ("notices/channels/<", has_notices),
    ("notices/channels/{", has_notices),
    ("notices/channels", member),
    ("notices/", has_notices),
    ("organisation", its_own),
    ("reviews/endpoints/<", has_endpoint),
    ("reviews/endpoints/{", has_endpoint),
    ("reviews/endpoints", developer),
    ("reviews/", in_review()),
    ("assessments/plans/", anybody),
    ("assessments/", in_review(ReviewPart.PROGRESS)),
    ("directives/obligations/", sees_obligation),
    ("directives/<", reads_it),
    ("directives/{", reads_it),
    ("directives", anybody),
    ("obligations/", sees_obligation),
    ("obligations", member),
    ("exposure/cases/", office),
    ("exposures/of-case/", office),
    ("exposure/", its_owner),
    ("exposures/", its_owner),
    ("systems/", its_owner),
)


def knows_of_it(route: Route, looker: Looker, stage: Stage, world: World) -> bool:
    """Whether somebody is told of the thing itself, though not let in here."""
    place = route.place.removeprefix("api/")
    rule = next((known for begin, known in _KNOWN if place.startswith(begin)), office)
    return looker.viewer.coordinates or rule(looker, stage, world)


_NOT_THERE: Final = ABSENT | {
    "candidate": ABSENT["patch"], "second": ABSENT["finding"], "slug": "nobody-here",
    "loose": ABSENT["finding"],
}  # fmt: skip


def names_something(route: Route) -> bool:
    """Whether an address has a name in it that may be of nothing."""
    there: dict[str, str] = defaultdict(lambda: "named")
    absent: dict[str, str] = defaultdict(lambda: "named", _NOT_THERE)
    return route.path(there) != route.path(absent)


_NAMED: Final = [one for one in ROUTES if names_something(one)]


@pytest.mark.parametrize("route", _NAMED, ids=[one.id for one in _NAMED])
def test_what_is_hidden_answers_byte_for_byte_as_what_is_not_there(
    world: World, route: Route
) -> None:
    absent = world.names | _NOT_THERE
    faults = []
    for looker in some_at(route, world):
        if knows_of_it(route, looker, STAGES["active"], world):
            continue
        with undone():
            hidden = asked(route, looker, world.names)
            missing = asked(route, looker, absent)
        both = {**world.names, **{f"no {key}": name for key, name in absent.items()}}
        one, other = said(hidden, both), said(missing, both)
        if one != other:
            at = next(n for n in range(3) if one[n] != other[n])
            faults.append(f"{looker.name}: {difference(one[at], other[at])}")
    assert not faults


def difference(one: Any, other: Any) -> str:
    """Where two answers part."""
    if not isinstance(one, bytes):
        return f"{one} {other}"
    at = next((n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return f"{one[at - 60 : at + 90]!r} {other[at - 60 : at + 90]!r}"


def test_a_coordinator_without_its_second_factor_gets_nowhere(
    world: World, settings: Settings
) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    office, writes, faults = world.lookers["coordinator"], Writes(), []
    for route in ROUTES:
        with undone(), writes.counted():
            found = asked(route, office, world.names)
        is_led = found.status_code == 302 and found["Location"].startswith("/account/2fa/")
        is_public = route.is_api and is_let_in(
            route, world.lookers["public"], STAGES["active"], world
        )
        refused = found.status_code in (401, 403, 404, 422) and route.is_api
        if not (is_led or refused or is_public) or writes.statements:
            faults.append(f"{route.id}: {found.status_code} {writes.statements}")
    assert not faults
