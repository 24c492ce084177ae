"""What a deployer was told under embargo, and where it has it: computed as it looks, never kept.

Only a deployer that was invited to the case and accepted its embargo is told, and of its own
systems.  For everybody else the lists, counts and dates of this room are those of what is public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.office.authorisation import Part, parts_seen
from clearhouse.office.cases.account import account
from clearhouse.office.cases.queries import cases_of, standing_of
from clearhouse.office.inventories.touched import (
    Found,
    Named,
    holders_of,
    named_by,
    vulnerability_of,
)
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol.roles import Role, Scope


@dataclass(frozen=True, slots=True)
class Confidential:
    """A case that is not public, and the viewer's systems that it touches."""

    case: str
    title: str
    package: str
    ends_at: datetime | None
    """When the embargo ends as planned."""
    found: Sequence[Found]
    unknown: str
    """Why it cannot be told what it touches; empty where it can."""
    named: Sequence[Named] = ()
    """Systems whose lists name the package by an entry that cannot be identified."""


def told_to(viewer: Viewer) -> list[Confidential]:
    """The cases that the viewer's organisation is in as a deployer and that are not public.

    1. Its key may read cases and inventories, 2. it is bound by the embargo, and 3. sees the
    versions of the case; 4. what is found is its own.
    """
    mine = viewer.organisation
    needed = {Scope.CASES_READ, Scope.INVENTORIES_READ}
    if mine is None or viewer.coordinates or not needed <= viewer.scopes:  # 1
        return []
    told: list[Confidential] = []
    for case in cases_of(viewer).filter(public_at=None, state="open").order_by("name"):
        standing = standing_of(viewer, case)
        if standing is None or standing.role is not Role.DEPLOYER or not standing.is_bound:  # 2
            continue
        if Part.VERSIONS not in parts_seen(viewer, standing):  # 3
            continue
        known = account(SYSTEM, case.name)
        unknown, found, named = "", tuple[Found, ...](), tuple[Named, ...]()
        try:
            [asked] = vulnerability_of(known).affected
            found = tuple(holders_of(asked, mine))  # 4
            named = tuple(named_by(asked, mine))
        except Invalid as error:
            unknown = error.message
        package = PackageURL.from_string(known.package)
        told.append(
            Confidential(
                case.name, known.title, package.name, case.embargo_ends_at, found, unknown, named
            )
        )
    return told
