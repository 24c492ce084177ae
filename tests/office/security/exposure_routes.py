"""The addresses of systems and what touches them, and who may there."""

from __future__ import annotations

from typing import Any, Final

from clearhouse.protocol.roles import Scope
from tests.office.security.exposing import STATEMENTS
from tests.office.security.rules import Allowed, member, office, person
from tests.office.security.world import Looker, Stage, World


def its_owner(looker: Looker, stage: Stage, world: World) -> bool:
    """Whoever acts for the deployer whose system it is; the office is nobody there."""
    return looker.viewer.organisation == world.lookers["deployer"].viewer.organisation


_R, _W = Scope.INVENTORIES_READ, Scope.INVENTORIES_WRITE
_S: Final = "exposure/systems/<str:system>/"
_I: Final = "exposure/inventories/<str:inventory>/"
PAGES: Final[tuple[tuple[str, str, Allowed, dict[str, Any]], ...]] = (
    ("GET", "exposure/", person, {}),
    ("GET", "exposure/systems/", person, {}),
    ("GET", "exposure/systems/new/", person, {}),
    ("POST", "exposure/systems/new/", person, {"title": "Another"}),
    ("GET", _S, its_owner, {}),
    ("GET", f"{_S}describe/", its_owner, {}),
    ("POST", f"{_S}describe/", its_owner, {"title": "Another"}),
    ("POST", f"{_S}upload/", its_owner, {"file": "upload"}),
    ("POST", f"{_S}retire/", its_owner, {}),
    ("POST", f"{_S}state/", its_owner, {"statements": "upload"}),
    ("POST", "exposure/statements/<str:statements>/withdraw/", its_owner, {}),
    ("GET", f"{_S}components/", its_owner, {}),
    ("GET", _I, its_owner, {}),
    ("GET", f"{_I}file/", its_owner, {}),
    ("GET", "exposure/<str:exposure>/", its_owner, {}),
    ("GET", "exposure/cases/<str:case>/", office, {}),
)
_ONE: Final = "api/systems/{name}"
OPERATIONS: Final[tuple[tuple[str, str, Allowed, Any, tuple[Scope, ...]], ...]] = (
    ("POST", "api/systems", member, {"title": "Another"}, (_W,)),
    ("GET", "api/systems", member, None, (_R,)),
    ("GET", _ONE, its_owner, None, (_R,)),
    ("PUT", _ONE, its_owner, {"title": "Another"}, (_R, _W)),
    ("POST", f"{_ONE}/retire", its_owner, {}, (_R, _W)),
    ("POST", f"{_ONE}/inventories", its_owner, b"example==1.1\n", (_R, _W)),
    ("GET", f"{_ONE}/inventories", its_owner, None, (_R,)),
    ("POST", f"{_ONE}/statements", its_owner, STATEMENTS, (_R, _W)),
    ("GET", f"{_ONE}/statements", its_owner, None, (_R,)),
    ("POST", "api/systems/statements/{name}/withdraw", its_owner, {}, (_R, _W)),
    ("GET", "api/exposures", member, None, (_R,)),
    ("GET", "api/exposures/of-case/{case}", office, None, (Scope.CASES_READ,)),
    ("GET", "api/exposures/{name}", its_owner, None, (_R,)),
)
