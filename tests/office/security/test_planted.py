"""A mark in every text under embargo, looked for in everything that others are answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from clearhouse.office.authorisation import Part
from clearhouse.protocol.roles import Role
from tests.office.cases.made import proven as found_by
from tests.office.security.routes import ROUTES, Route, sent
from tests.office.security.rules import sees, standing
from tests.office.security.world import STAGES, Browser, Looker, Stage, World, mark, undone

pytestmark = pytest.mark.django_db

Rule = Callable[[Looker, Stage], bool]
#: What a page says differently a minute later.
_CLOCK: Final = re.compile(
    rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*|(?<=>)now(?=<)|\d+ (second|minute|hour)s?( ago)?\b"
)
_TOKEN: Final = re.compile(rb'(?<="x-csrftoken": ")\w+|(?<=csrfmiddlewaretoken" value=")\w+')


def in_part(*parts: Part) -> Rule:
    """Who sees these parts of the case."""
    rule = sees(*parts)
    return lambda looker, stage: rule(looker, stage, None)  # type: ignore[arg-type] # not needed


def of(slug: str, *parts: Part) -> Rule:
    """Who acts for that organisation, the office, and who sees all these parts, if any."""

    def rule(looker: Looker, stage: Stage) -> bool:
        own = looker.viewer.coordinates or slug in looker.name or _IS.get(looker.name) == slug
        return own or (bool(parts) and in_part(*parts)(looker, stage))

    return rule


def of_any(*slugs: str) -> Rule:
    """Who acts for one of those organisations, and the office."""
    rules = [of(slug) for slug in slugs]
    return lambda looker, stage: any(rule(looker, stage) for rule in rules)


def of_only(*slugs: str) -> Rule:
    """Who acts for one of those organisations; the office does not."""
    return lambda looker, stage: _IS.get(looker.name) in slugs


def meets_finders(looker: Looker, stage: Stage) -> bool:
    """Suppliers that are bound, the office, and the second finder itself."""
    there = standing(looker, stage)
    works = there is not None and there.is_bound and there.role is Role.SUPPLIER
    return works or of("otherlab")(looker, stage)


#: The organisations that lookers act for, where their names do not say it.
_IS: Final = {
    "finder": "hexfind", "finder key": "hexfind", "second finder": "otherlab",
    "deployer": "hospital", "authority": "agency", "observer": "auditor",
    "supplier": "ecdsa-team", "developer": "lab", "developer key": "lab",
    "developer member": "lab",
    "partner": "clinic-net", "partner key": "clinic-net", "assessor": "measurers",
    "partner asked": "asked-net", "partner proposed": "proposed-net", "partner gone": "gone-net",
}  # fmt: skip
_TEXTS: Final = ("title", "foundby", "origin", "reason", "location", "verdict", "content")
#: Who may read what carries each mark.
MAY_READ: Final[dict[str, Rule]] = {
    **dict.fromkeys(("case title", "case summary", "closed because"), in_part(Part.SUMMARY)),
    "declared": in_part(Part.VERSIONS),
    **dict.fromkeys(("history reason", "history stack"), in_part(Part.VERSIONS, Part.PROOF)),
    **{f"own {one}": of("hexfind", Part.REPORT) for one in _TEXTS},
    **{f"second {one}": of("otherlab", Part.REPORT) for one in _TEXTS},
    **{f"loose {one}": of("otherlab") for one in _TEXTS},
    "red message": of("ecdsa-team"),
    **dict.fromkeys(("amber message", "file name", "file bytes"), in_part(Part.DISCUSSION)),
    "supplier task": of("ecdsa-team"),
    "office task": of("office"),
    **dict.fromkeys(("assessment reason", "second assessment reason"), in_part(Part.SEVERITY)),
    "proposal reason": in_part(Part.PARTICIPANTS),
    **{
        f"{patch} {what}": in_part(Part.PATCHES)
        for patch in ("chosen", "candidate")
        for what in ("note", "maker", "verdict reason", "bytes", "verdict")
    },
    **{f"event {part.value}": in_part(Part.TIMELINE, part) for part in Part},
    "suggestion reason": in_part(Part.TRIAGE),
    **{f"draft {one}": of("office") for one in ("title", "summary", "details", "remedy")},
    "claim": of("hexfind"),
    "commitment": of("hexfind"),
    "policy": of("ecdsa-team"),
    "invitation": of("ecdsa-team"),
    # The authority is told by name how those stand whom its directive obliges.
    "deployer name": of_any("hospital", "agency"),
    "authority name": of("agency"),
    "observer name": of("auditor"),
    "second name": meets_finders,
    "declined name": of("team-declined"),
    "clinic name": of("clinic-invited"),
    **dict.fromkeys(("review model", "review about"), of_any("lab", "clinic-net", "measurers")),
    "review contacts": of_any("lab", "measurers"),
    "review terms": of_any("lab", "clinic-net", "measurers", "asked-net"),
    "review partner loan": of_any("lab", "clinic-net"),
    "review gone loan": of_any("lab", "gone-net"),
    **dict.fromkeys(
        (
            "review loan",
            "review opening",
            "review opening reason",
            "review line",
            "review reason",
            "review conflict",
        ),
        of("lab"),
    ),
    **dict.fromkeys(("assessment system", "assessment reply"), of_any("lab", "measurers")),
    "partner name": of_any("lab", "clinic-net"),
    "grant alert": of_any("lab", "clinic-net"),
    "grant use": of_only("lab", "clinic-net"),
    "endpoint address": of_only("lab"),
    "proposed name": of_any("lab", "proposed-net"),
    "directive title": of_any("hospital", "agency"),
    "directive audience": of("agency"),
    "draft directive title": of_only("agency"),
    # Of a directive that is binding its issuer sees which flaw on which system, and what was
    # handed in; never what is installed.
    **dict.fromkeys(
        ("system title", "obliged flaw", "obliged because", "evidence text", "evidence by"),
        of_only("hospital", "agency"),
    ),
    **dict.fromkeys(
        (
            "list name",
            "statements name",
            "installed package",
            "installed place",
            "exposure summary",
            "exposed package",
            "run package",
            *(f"notice {one}" for one in ("headline", "what", "where", "when", "to do", "if not")),
            "channel address",
        ),
        of_only("hospital"),
    ),
}
#: A key of the same organisation reads no more than its people do; those are looked through whole.
PEOPLE: Final = (
    "public", "finder", "second finder", "supplier", "deployer", "authority", "observer",
    "team-invited", "team-lapsed", "team-declined", "clinic-invited", "stranger",
    "outside finder", "outside supplier", "outside deployer", "outside authority",
    "closed account", "stranger key", "finder key", "expired key",
)  # fmt: skip
#: Those of the review, who are nobody in the case: a stranger looks through its pages for them.
REVIEWING: Final = (
    "coordinator", "developer", "partner", "assessor", "partner asked", "partner proposed",
    "partner gone",
)  # fmt: skip


#: Between a developer and a party; what a deployer runs, is told and is obliged to; an authority's
#: drafts: the office does not read it.
NOT_THE_OFFICES: Final = {
    "grant use", "endpoint address", "system title", "list name", "statements name",
    "installed package",
    "installed place", "exposure summary", "exposed package", "run package", "channel address",
    "draft directive title", "obliged flaw", "obliged because",
    "evidence text", "evidence by",
    *(name for name in MAY_READ if name.startswith("notice ")),
}  # fmt: skip


def hidden_from(looker: Looker, stage: Stage, world: World) -> dict[bytes, str]:
    """The marks that must not reach somebody."""
    return {
        word.lower().encode(): name
        for name, word in world.marks.items()
        if not MAY_READ[name](looker, stage)
    }


def everything_in(found: Any) -> bytes:
    """An answer with its headers and cookies."""
    headers = "".join(f"{key}: {value}\n" for key, value in found.headers.items())
    return (headers + str(found.cookies)).encode() + bytes(found.content)


def leaks(looker: Looker, stage: Stage, world: World, routes: list[Route]) -> list[str]:
    """Where a mark shows that should not."""
    hidden, browser, faults = hidden_from(looker, stage, world), Browser(), []
    for route in routes:
        with undone():
            found = browser.ask(
                looker, route.method, route.path(world.names), **sent(route, world.names)
            )
        said = everything_in(found).lower()
        faults += [f"{route.id}: {name}" for word, name in hidden.items() if word in said]
    return faults


def test_every_mark_has_its_readers_and_the_office_reads_all_but_what_was_asked_of_models(
    world: World,
) -> None:
    assert set(world.marks) <= set(MAY_READ)
    hidden = hidden_from(world.lookers["coordinator"], STAGES["active"], world)
    assert set(hidden.values()) == NOT_THE_OFFICES


@pytest.mark.parametrize("name", [*PEOPLE, *REVIEWING])
def test_no_mark_shows_to_who_may_not_read_it(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stage, looker = STAGES["active"], world.lookers[name]
    with undone():
        stage.enter(world.case)
        routes = [one for one in ROUTES if one.method == "GET"]
        if name in REVIEWING:
            routes = [one for one in routes if not one.of_case]
        faults = leaks(looker, stage, world, routes)
    assert not faults
    # Statements of the database are logged for nobody: Django does so where it is debugged.
    logged = "".join(
        one.getMessage() for one in caplog.records if one.name != "django.db.backends"
    ).lower()
    assert not [one for one in world.marks.values() if one.lower() in logged]


@pytest.mark.exhaustive
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", [*PEOPLE, *REVIEWING])
def test_no_mark_shows_in_any_state_nor_in_the_answer_to_any_deed(
    world: World, name: str, stage: str
) -> None:
    with undone():
        STAGES[stage].enter(world.case)
        # Accepting an invitation opens the case, and the answer shows it: as it should.
        deeds = [one for one in ROUTES if "answer" not in one.id]
        faults = leaks(world.lookers[name], STAGES[stage], world, deeds)
    assert not faults


def test_the_marks_do_show_to_who_may_read_them(world: World) -> None:
    stage, said = STAGES["active"], b""
    with undone():
        stage.enter(world.case)
        for route in ROUTES:
            for name in ("coordinator", "developer", "deployer", "authority"):
                deployers = route.of_systems or route.of_notices or route.of_directives
                own = {
                    "developer": route.of_grants, "deployer": deployers,
                    "authority": route.of_directives,
                }  # fmt: skip
                if route.method == "GET" and own.get(name, True):
                    looker = world.lookers[name]
                    said += Browser().ask(looker, "GET", route.path(world.names)).content.lower()
    # Each is in a page, a document or a download; a test that looks for nothing would find nothing.
    absent = [name for name, word in world.marks.items() if word.lower().encode() not in said]
    assert set(absent) <= {
        "candidate bytes", "candidate verdict", "second content", "second verdict", "loose content",
        "loose verdict", "loose location", "closed because", "loose foundby", "loose origin",
        "second origin", "policy", "second foundby",
    }  # fmt: skip


_SEARCHES: Final = (
    "/cases/?q=", "/findings/?text=", "/advisories/?q=", "/api/cases?q=", "/api/findings?q=",
    "/api/advisories?q=", "/api/ledger/entries?subject=",
)  # fmt: skip
_SEARCHED: Final = ("case title", "own title", "second title", "draft title", "deployer name")


#: Who asks in the fast tests; the others are asked for in the slow ones.
_FIRST: Final = ("finder", "deployer", "stranger", "outside supplier")


@pytest.mark.parametrize(
    "name", [*_FIRST, *(pytest.param(n, marks=pytest.mark.slow) for n in PEOPLE if n not in _FIRST)]
)
def test_a_search_answers_for_what_is_hidden_as_for_what_is_not_there(
    world: World, name: str
) -> None:
    looker, stage, faults = world.lookers[name], STAGES["active"], []
    hidden = set(hidden_from(looker, stage, world).values())
    asked = [mark(one) for one in _SEARCHED if one in hidden]
    if looker.role is None:
        asked += [world.names["case"], world.names["finding"]]
    with undone():
        stage.enter(world.case)
        for place in _SEARCHES:
            for word in (part for one in asked for part in (one, one[:-3])):
                there, absent = (
                    _TOKEN.sub(b"", Browser().ask(looker, "GET", place + text).content)
                    .replace(text.encode(), b"WORD").replace(text.lower().encode(), b"WORD")
                    for text in (word, word[::-1])
                )  # fmt: skip
                faults += [f"{place}{word}"] if there != absent else []
    assert not faults


#: What differs by design: a place in the queue, receipts, for which a checkpoint is signed, and
#: the token in the page that tries the API out.
_COUNTS: Final = ("/job", "receipt", "receipt/", "receipt/$", "{entry}", "api/docs")


@pytest.mark.parametrize(
    "name",
    [
        "public",
        "stranger",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("finder", "supplier", "team-invited")),
    ],
)
def test_what_happens_in_cases_of_others_changes_nothing_that_one_is_answered(
    world: World, name: str
) -> None:
    looker = world.lookers[name]
    routes = [
        one for one in ROUTES if one.method == "GET" and not one.place.endswith(_COUNTS)
    ]  # fmt: skip

    def all_answers() -> dict[str, bytes]:
        return {
            one.id: _CLOCK.sub(
                b"",
                _TOKEN.sub(b"", Browser().ask(looker, "GET", one.path(world.names)).content),
            )
            for one in routes
        }

    with undone():
        before = all_answers()
        other = world.lookers["outside finder"].viewer
        found = found_by(other, "CVE-2016-6581", hours=30, signature="sig1:elsewhere")
        assert found.case != world.case.name
        after = all_answers()
    assert [one for one in before if before[one] != after[one]] == []
