"""Flaws and systems for the tests of judging, by hand and as hypothesis makes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from clearhouse.exposure.judging.facts import Epss, Fact, Flaw, Known, Scored, System, published
from clearhouse.exposure.matching import Answer
from clearhouse.formats.cvss import parse
from clearhouse.protocol.ssvc.points import POINTS
from tests.formats.advisories import vectors

NOW = datetime(2026, 12, 10, 9, tzinfo=UTC)
DAY = date(2026, 12, 1)
TOTAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
NOT_LISTED: Fact[date | None] = Fact(None, "KEV 2026.12.09", date(2026, 12, 9))
LISTED: Fact[date | None] = Fact(date(2026, 12, 9), "KEV 2026.12.09", date(2026, 12, 9))
WORST = published({"E": "active", "A": "yes", "TI": "total"}, "CISA", DAY)
LEAST = published({"E": "none", "A": "no", "TI": "partial"}, "CISA", DAY)


def scored(vector: str, source: str = "NVD", *, is_suppliers: bool = False) -> Fact[Scored]:
    return Fact(Scored(parse(vector), is_suppliers), source, DAY)


def system(name: str = "archive", **points: str) -> System:
    said = {key: Fact(value, "its owner", DAY) for key, value in points.items()}
    return System(name, f"The {name}", said)


EXPOSED = system(PE="Y", EXP="O", SI="C", MI="MF")
HIDDEN = system(PE="N", EXP="S", SI="N", MI="D")


def answers(*keys: str) -> st.SearchStrategy[dict[str, Fact[str]]]:
    return st.fixed_dictionaries(
        {},
        optional={
            key: st.sampled_from(sorted(POINTS[key].values)).map(lambda v: Fact(v, "somebody", DAY))
            for key in keys
        },
    )


share = st.floats(0, 1)
flaws = st.builds(
    Flaw,
    st.sampled_from(["CVE-2026-1", "CVE-2026-2"]),
    st.sampled_from([None, LISTED, NOT_LISTED]),
    st.none() | st.builds(Fact, st.builds(Epss, share, share), st.just("EPSS"), st.just(DAY)),
    st.lists(st.builds(scored, vectors(), st.just("NVD")), max_size=2).map(tuple),
    answers("E", "A", "TI", "VD"),
)
systems = st.builds(
    System,
    st.sampled_from(["a", "b"]),
    st.just("The archive"),
    answers("PE", "EXP", "SI", "MI", "HI"),
)
moments = st.integers(0, 20).map(lambda days: NOW + timedelta(days=days))
known = st.builds(
    Known,
    flaws,
    systems,
    moments,
    st.sampled_from(Answer),
    st.none() | st.builds(Fact, moments, st.just("a directive"), st.just(DAY)),
)
