"""The addresses of directives and obligations, and who may there."""

from __future__ import annotations

from typing import Any, Final

from clearhouse.protocol.roles import Role, Scope
from tests.office.security.rules import Allowed, anybody, member
from tests.office.security.world import Looker, Stage, World


def _is(looker: Looker, world: World, *names: str) -> bool:
    mine = looker.viewer.organisation
    return mine is not None and mine in {world.lookers[one].viewer.organisation for one in names}


def its_issuer(looker: Looker, stage: Stage, world: World) -> bool:
    """Whoever acts for the authority that issued it."""
    return _is(looker, world, "authority")


def issuing_person(looker: Looker, stage: Stage, world: World) -> bool:
    return its_issuer(looker, stage, world) and not looker.is_machine


def reads_it(looker: Looker, stage: Stage, world: World) -> bool:
    """Its issuer, the deployer that it addresses, and the office; it is TLP:AMBER."""
    return looker.viewer.coordinates or _is(looker, world, "authority", "deployer")


def counts(looker: Looker, stage: Stage, world: World) -> bool:
    """Who sees how far it is followed."""
    return looker.viewer.coordinates or its_issuer(looker, stage, world)


def is_obliged(looker: Looker, stage: Stage, world: World) -> bool:
    """Whose obligation it is."""
    return _is(looker, world, "deployer")


def sees_obligation(looker: Looker, stage: Stage, world: World) -> bool:
    """Whose obligation it is, and who issued the directive; the office does not."""
    return _is(looker, world, "authority", "deployer")


def issues(looker: Looker, stage: Stage, world: World) -> bool:
    """Authorities, and the office, by their own hand."""
    has_role = looker.viewer.coordinates or Role.AUTHORITY in looker.viewer.roles
    return has_role and not looker.is_machine


_R, _W = Scope.DIRECTIVES_READ, Scope.DIRECTIVES_WRITE
_D: Final = "directives/<str:directive>/"
_O: Final = "directives/obligations/<str:obligation>/"
_STATED: Final = {"way": "accepted", "text": "No fix is known."}
_OWN: Final = {
    "title": "Take old parsers away", "key": "A-1", "basis": "A law", "force": "advice",
    "actions": "Update it.", "rule": "next-upgrade", "ways": ["inventory"], "everybody": "on",
    "tlp": "TLP:CLEAR", "delay_days": "0",
}  # fmt: skip
PAGES: Final[tuple[tuple[str, str, Allowed, dict[str, Any]], ...]] = (
    ("GET", "directives/", anybody, {}),
    ("GET", "directives/new/", issues, {}),
    ("POST", "directives/new/", issues,
     {"template": "EO-14409-2c", "everybody": "on", "tlp": "TLP:CLEAR", "delay_days": "0"}),
    ("GET", "directives/new/own/", issues, {}),
    ("POST", "directives/new/own/", issues, _OWN),
    ("GET", "directives/new/file/", issues, {}),
    ("POST", "directives/new/file/", issues, {"tlp": "TLP:CLEAR"}),
    ("GET", "directives/obligations/", member, {}),
    ("GET", _D, reads_it, {}),
    ("GET", f"{_D}obligations/", its_issuer, {}),
    ("POST", f"{_D}issue/", issuing_person, {}),
    ("POST", f"{_D}discard/", issuing_person, {}),
    ("POST", f"{_D}end/", issuing_person, {"reason": "over"}),
    ("GET", _O, sees_obligation, {}),
    ("POST", f"{_O}hand-in/", is_obliged, _STATED),
    ("POST", f"{_O}prove/", is_obliged, {}),
    ("GET", f"{_O}proof/<str:digest>.json", is_obliged, {}),
    ("POST", f"{_O}answer/", issuing_person, {"verdict": "accept", "reason": ""}),
)  # fmt: skip
_ONE: Final = "api/directives/{name}"
_OBLIGATION: Final = "api/obligations/{name}"
OPERATIONS: Final[tuple[tuple[str, str, Allowed, Any, tuple[Scope, ...]], ...]] = (
    ("GET", "api/directives", member, None, (_R,)),
    ("GET", _ONE, reads_it, None, (_R,)),
    ("GET", f"{_ONE}/compliance", counts, None, (_R,)),
    ("GET", f"{_ONE}/obligations", its_issuer, None, (_R,)),
    ("GET", "api/obligations", member, None, (_R,)),
    ("GET", _OBLIGATION, sees_obligation, None, (_R,)),
    ("POST", f"{_OBLIGATION}/evidence", is_obliged, _STATED, (_R, _W)),
    ("POST", f"{_OBLIGATION}/proof", is_obliged, None, (_R, _W)),
    ("GET", f"{_OBLIGATION}/proof", is_obliged, None, (_R,)),
)
