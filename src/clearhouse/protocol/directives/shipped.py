"""The directives that every office has: CISA BOD 26-04, and templates for Executive Order 14409.

None of them addresses anybody: an office issues one by naming its audience
(:meth:`.Directive.addressed_to`), and a template by setting its dates too.  Sources: CISA, Binding
Operational Directive 26-04 (June 10, 2026); Executive Order 14409 (June 2, 2026), section 2.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from clearhouse.protocol.directives.conditions import (
    AnySystem,
    AnyVulnerability,
    InKev,
    OfKind,
    SeverityAtLeast,
)
from clearhouse.protocol.directives.deadlines import Bod2604Table, DaysFrom, Start
from clearhouse.protocol.directives.directive import Audience, Directive, Force, Source, Way
from clearhouse.protocol.directives.selection import Systems, Vulnerabilities
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.system_questions import Kind

_ORDER: Final = datetime(2026, 6, 2, tzinfo=UTC)
_ORDERED: Final = Source("Executive Order 14409 (June 2, 2026), section 2")
_NOBODY: Final = Audience()

BOD_26_04: Final = Directive(
    key="CISA-BOD-26-04",
    title="Remediate vulnerabilities by their risk",
    issuer="Cybersecurity and Infrastructure Security Agency",
    basis="44 U.S.C. 3553(b)(2)",
    force=Force.BINDING,
    issued=datetime(2026, 6, 10, tzinfo=UTC),
    in_force=datetime(2026, 12, 7, tzinfo=UTC),
    audience=_NOBODY,
    vulnerabilities=Vulnerabilities(((AnyVulnerability(),),)),
    systems=Systems(((AnySystem(),),)),
    deadline=Bod2604Table(),
    actions=(
        "Update to a version that is fixed, or take the affected software away.",
        "Where an obligation says so, search the system for signs of an attack.",
        "Say of each system whether it can be reached from the internet: nobody else can.",
    ),
    ways=frozenset(Way),
    sources=(Source("CISA, Binding Operational Directive 26-04 (June 10, 2026)"),),
)

#: Section 2(a): within 30 days, on systems that are of national security.
NATIONAL_SECURITY: Final = Directive(
    key="EO-14409-2a",
    title="Harden national security systems",
    issuer="The office that issues it",
    basis="Executive Order 14409, section 2(a)",
    force=Force.BINDING,
    issued=_ORDER,
    in_force=_ORDER,
    audience=_NOBODY,
    vulnerabilities=Vulnerabilities(((InKev(),), (SeverityAtLeast(Severity.HIGH),))),
    systems=Systems(((OfKind(frozenset({Kind.NATIONAL_SECURITY})),),)),
    deadline=DaysFrom(Start.ISSUE, 30),
    actions=(
        "Update what is attacked already, or severe, to a version that is fixed.",
        "Where there is no fix, cut the system off from whoever does not need it.",
    ),
    ways=frozenset(Way),
    sources=(_ORDERED,),
)

#: Section 2(b): the same for the armed forces.
MILITARY: Final = replace(
    NATIONAL_SECURITY,
    key="EO-14409-2b",
    title="Harden military systems",
    basis="Executive Order 14409, section 2(b)",
    systems=Systems(((OfKind(frozenset({Kind.MILITARY})),),)),
)

#: Section 2(c): as CISA directs agencies, and advises operators of critical infrastructure.
CIVILIAN: Final = replace(
    BOD_26_04,
    key="EO-14409-2c",
    title="Remediate what is attacked",
    issuer="The office that issues it",
    basis="Executive Order 14409, section 2(c)",
    force=Force.ADVICE,
    issued=_ORDER,
    in_force=_ORDER,
    vulnerabilities=Vulnerabilities(((InKev(),),)),
    deadline=DaysFrom(Start.LISTING, 14),
    sources=(_ORDERED,),
)

#: Templates by their keys, besides the one that is in force.
TEMPLATES: Final = (NATIONAL_SECURITY, MILITARY, CIVILIAN)


def issued(
    template: Directive,
    *,
    key: str,
    issuer: str,
    audience: Audience,
    at: datetime,
    delay: timedelta = timedelta(0),
) -> Directive:
    """A template as an office issues it: its own key, name, audience and date.

    Nothing is due before ``delay`` has passed.  Raises :class:`clearhouse.errors.Invalid` for a
    time without zone.
    """
    return replace(
        template, key=key, issuer=issuer, audience=audience, issued=at, in_force=at + delay
    )
