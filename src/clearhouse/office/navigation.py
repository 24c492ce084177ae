"""What stands in the header of each page, for whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role


class Link(NamedTuple):
    """One entry of the header."""

    label: str
    url: str
    current: bool


_MEMBERS: Final = frozenset(Role)
_ENTRIES: Final[tuple[tuple[str, str, frozenset[Role]], ...]] = (
    ("Queue", "/queue/", frozenset({Role.COORDINATOR})),
    ("Findings", "/findings/", frozenset({Role.COORDINATOR, Role.FINDER})),
    ("Scans", "/scans/", frozenset({Role.COORDINATOR, Role.FINDER})),
    ("Cases", "/cases/", _MEMBERS),
    ("Exposure", "/exposure/", frozenset({Role.DEPLOYER})),
    (
        "Directives",
        "/directives/",
        frozenset({Role.COORDINATOR, Role.DEPLOYER, Role.AUTHORITY}),
    ),
    ("Notices", "/notices/", frozenset({Role.COORDINATOR, Role.DEPLOYER})),
    ("Advisories", "/advisories/", frozenset()),
    ("Reviews", "/reviews/", frozenset()),
    ("Oversight", "/oversight/", frozenset()),
)

LeadsThere = Callable[[Viewer], bool]
"""Whether an entry is there for a viewer, whatever its roles."""
_ALSO: Final[dict[str, LeadsThere]] = {}


def also_for(url: str) -> Callable[[LeadsThere], LeadsThere]:
    """Register a room's rule for its entry, asked where the roles do not decide; a decorator."""

    def register(rule: LeadsThere) -> LeadsThere:
        _ALSO[url] = rule
        return rule

    return register


#: What lies elsewhere and belongs to an entry.
_PARTS: Final = {"/assessments/": "/reviews/"}


def navigation_of(viewer: Viewer, path: str) -> list[Link]:
    """The entries that lead somewhere for this viewer; those without roles are for everybody."""
    here = next((url for part, url in _PARTS.items() if path.startswith(part)), path)
    return [
        Link(label, url, here.startswith(url))
        for label, url, roles in _ENTRIES
        if not roles or viewer.roles & roles or (url in _ALSO and _ALSO[url](viewer))
    ]
