"""What a directive asks for a flaw that touches a system, as far as is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from clearhouse.exposure.judging.directed import Beside, asked_by
from clearhouse.office.inventories.present import Present, Touching
from clearhouse.protocol.directives.conditions import Package
from clearhouse.protocol.directives.directive import Demand, Directive, Organisation
from clearhouse.protocol.directives.selection import Applies
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.system_questions import KIND, kinds_of
from clearhouse.versions.ecosystems import base_name

#: What has to be known where it cannot be told whether the installed version is affected.
VERSION: Final = "version"
_SECTORS: Final = frozenset(one.value for one in Sector)


def organisation_of(present: Present) -> Organisation:
    """Who owns a system; without any sector where neither it nor the system has one."""
    named = frozenset(Sector(one) for one in present.sectors & _SECTORS)
    return Organisation(present.slug, named or None)


def asked_of(directive: Directive, present: Present, one: Touching) -> Demand | None:
    """What a directive asks for a flaw that touches a system; None where it asks nothing.

    Where it cannot be told whether the version is affected, it may apply.
    """
    if one.judgement is None:
        return None
    kinds = present.answers.get(KIND.key, ())
    beside = Beside(
        names=frozenset(one.ids),
        packages=frozenset(Package(base_name(ecosystem), name) for ecosystem, name, _ in one.found),
        weaknesses=one.weaknesses or None,
        kinds=kinds_of([kinds] if isinstance(kinds, str) else kinds),
    )
    found = asked_by(directive, organisation_of(present), one.judgement, beside)
    if found is None or not one.is_undecided:
        return found
    return replace(found, applies=Applies.MAYBE, unanswered=found.unanswered | {VERSION})
