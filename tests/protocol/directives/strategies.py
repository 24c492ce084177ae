"""Directives and what they are applied to, as hypothesis makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from clearhouse.protocol.directives.conditions import (
    AnySystem,
    AnyVulnerability,
    CriticalityAtLeast,
    EpssAtLeast,
    Exposed,
    InKev,
    InPackage,
    InSector,
    Named,
    OfKind,
    OfWeakness,
    Package,
    PubliclyExposed,
    SeverityAtLeast,
)
from clearhouse.protocol.directives.deadlines import (
    MOST_DAYS,
    Bod2604Table,
    DaysFrom,
    FixedDate,
    NextUpgrade,
    Start,
)
from clearhouse.protocol.directives.directive import (
    Audience,
    Directive,
    Force,
    Source,
    Stage,
    To,
    Way,
)
from clearhouse.protocol.directives.selection import (
    SystemFacts,
    Systems,
    Vulnerabilities,
    VulnerabilityFacts,
)
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.ssvc.points import HUMAN_IMPACT
from clearhouse.protocol.system_questions import Kind

T = TypeVar("T")
ISSUED = datetime(2026, 6, 10, tzinfo=UTC)
LEVELS = tuple(HUMAN_IMPACT.values)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip()) and text.isprintable()
)
names = st.sampled_from(["CVE-2026-1", "CVE-2026-2", "GHSA-a"])
packages = st.builds(Package, st.sampled_from(["PyPI", "npm"]), st.sampled_from(["a", "b"]))
times = st.datetimes(
    datetime(2026, 6, 10),  # noqa: DTZ001 - hypothesis puts the zone on
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def some(one: st.SearchStrategy[T]) -> st.SearchStrategy[frozenset[T]]:
    return st.frozensets(one, min_size=1, max_size=3)


vulnerability_conditions = st.one_of(
    st.builds(AnyVulnerability),
    st.builds(InKev),
    st.builds(SeverityAtLeast, st.sampled_from(Severity)),
    st.builds(EpssAtLeast, st.floats(0, 1)),
    st.builds(Named, some(names)),
    st.builds(InPackage, some(packages)),
    st.builds(OfWeakness, some(st.integers(1, 5))),
)
system_conditions = st.one_of(
    st.builds(AnySystem),
    st.builds(InSector, some(st.sampled_from(Sector))),
    st.builds(PubliclyExposed, some(st.sampled_from(Exposed))),
    st.builds(CriticalityAtLeast, st.sampled_from(LEVELS)),
    st.builds(OfKind, some(st.sampled_from(Kind))),
)
vulnerabilities = st.builds(
    Vulnerabilities,
    st.lists(st.lists(vulnerability_conditions, max_size=3).map(tuple), max_size=3).map(tuple),
)
systems = st.builds(
    Systems, st.lists(st.lists(system_conditions, max_size=3).map(tuple), max_size=3).map(tuple)
)
#: Everything known.
known_vulnerabilities = st.builds(
    VulnerabilityFacts,
    some(names),
    st.booleans(),
    st.sampled_from(Severity),
    st.floats(0, 1),
    st.frozensets(packages, max_size=2),
    st.frozensets(st.integers(1, 5), max_size=3),
)
known_systems = st.builds(
    SystemFacts,
    st.sampled_from(Sector),
    st.booleans(),
    st.sampled_from(LEVELS).map(lambda one: (one,)),
    st.frozensets(st.sampled_from(Kind), max_size=2),
)
rules = st.one_of(
    st.builds(Bod2604Table),
    st.builds(DaysFrom, st.sampled_from(Start), st.integers(1, MOST_DAYS)),
    st.builds(FixedDate, times),
    st.builds(NextUpgrade),
)
stages = st.one_of(
    st.builds(Stage, texts, st.integers(1, 99), st.just(0), some(st.sampled_from(To))),
    st.builds(Stage, texts, st.just(100), st.integers(0, 2000), some(st.sampled_from(To))),
)
audiences = st.builds(
    Audience, st.frozensets(texts, max_size=2), st.frozensets(st.sampled_from(Sector), max_size=2),
    st.booleans(),
)  # fmt: skip
directives = st.builds(
    Directive,
    key=texts,
    title=texts,
    issuer=texts,
    basis=texts,
    force=st.sampled_from(Force),
    issued=st.just(ISSUED),
    in_force=times,
    ends=st.none() | times,
    audience=audiences,
    vulnerabilities=vulnerabilities,
    systems=systems,
    deadline=rules,
    actions=st.lists(texts, min_size=1, max_size=3).map(tuple),
    ways=some(st.sampled_from(Way)),
    stages=st.lists(stages, max_size=4, unique_by=lambda one: one.key).map(tuple),
    sources=st.lists(st.builds(Source, texts, st.just("https://example.org/")), max_size=2).map(
        tuple
    ),
)
days = st.integers(0, 60).map(lambda number: timedelta(days=number))
