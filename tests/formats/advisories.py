"""Advisories for tests: as different from each other as the type allows, all well formed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.formats.advisory import (
    Advisory,
    AffectedPackage,
    Credit,
    CreditRole,
    Publisher,
    RangeSource,
    Reference,
    Remediation,
    Remedy,
    Revision,
    Score,
    Status,
    VersionRanges,
)
from clearhouse.formats.osv import Bound, Event
from clearhouse.protocol.tlp import Tlp

_METRICS_3 = {
    "AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "NLH", "I": "NLH", "A": "NLH"
}  # fmt: skip
_MORE_3 = {"E": "XUPFH", "RL": "XOTWU", "RC": "XURC", "CR": "XLMH", "MAV": "XNALP", "MS": "XUC"}
_METRICS_4 = {
    "AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA", "VC": "HLN", "VI": "HLN",
    "VA": "HLN", "SC": "HLN", "SI": "HLN", "SA": "HLN",
}  # fmt: skip
_MORE_4 = {"E": "XAPU", "CR": "XHML", "MAV": "XNALP", "MSI": "XNLHS", "S": "XNP", "AU": "XNY"}
_METRICS_2 = {"AV": "NAL", "AC": "LMH", "Au": "MSN", "C": "NPC", "I": "NPC", "A": "NPC"}

_ORG = "8254265b-2729-46b6-b9e3-3dfca2d5bfca"
PURLS = (
    "pkg:pypi/demo",
    "pkg:npm/demo",
    "pkg:npm/%40scope/demo",
    "pkg:generic/demo",
    "pkg:cargo/demo",
    "pkg:golang/example.com/demo",
    "pkg:maven/org.example/demo",
    "pkg:deb/debian/demo",
)


@st.composite
def vectors(draw: st.DrawFn) -> str:
    """A CVSS vector of any version."""
    prefix, base, more = draw(
        st.sampled_from(
            [
                ("CVSS:3.0/", _METRICS_3, _MORE_3),
                ("CVSS:3.1/", _METRICS_3, _MORE_3),
                ("CVSS:4.0/", _METRICS_4, _MORE_4),
                ("", _METRICS_2, {}),
            ]
        )
    )
    chosen = draw(st.lists(st.sampled_from(sorted(more)), unique=True)) if more else []
    metrics = base | {name: more[name] for name in chosen}
    return prefix + "/".join(
        f"{name}:{draw(st.sampled_from(values))}" for name, values in metrics.items()
    )


def times() -> st.SearchStrategy[datetime]:
    """A moment of the years of CVE's record format, in one of several zones."""
    zones = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(minutes=330))])
    seconds = st.integers(0, 100 * 365 * 86400)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return st.builds(
        lambda s, zone: (start + timedelta(seconds=s)).astimezone(zone), seconds, zones
    )


def texts(*, least: int = 1, most: int = 60) -> st.SearchStrategy[str]:
    """Text as people write it, other scripts and line ends included."""
    characters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))
    return st.text(characters | st.just("\n"), min_size=least, max_size=most).filter(
        lambda text: bool(text.strip()) or least == 0
    )


def versions() -> st.SearchStrategy[str]:
    """A release's version in an order that all ecosystems share."""
    return st.builds("{}.{}.{}".format, *[st.integers(0, 30)] * 3)


@st.composite
def version_ranges(draw: st.DrawFn, source: RangeSource | None = None) -> VersionRanges:
    """Ascending intervals, ended either way or open, and versions named one by one."""
    marks = sorted(draw(st.sets(st.integers(1, 40), min_size=2, max_size=6)))
    intervals: list[tuple[Event, ...]] = []
    for start, end in zip(marks[::2], marks[1::2], strict=False):
        zero = not intervals and draw(st.booleans())
        first = Event(Bound.INTRODUCED, "0" if zero else f"{start}.0.0")
        bound = draw(st.sampled_from([Bound.FIXED, Bound.LAST_AFFECTED]))
        intervals.append((first, Event(bound, f"{end}.0.0")))
    if draw(st.booleans()):
        intervals[-1] = intervals[-1][:1]
    named = draw(st.lists(versions(), unique=True, max_size=9))
    return VersionRanges(
        source or draw(st.sampled_from(RangeSource)),
        tuple(intervals) if draw(st.integers(0, 9)) or not named else (),
        affected=tuple(named[::3]) or (f"{marks[0]}.0.0",),
        unaffected=tuple(named[1::3]),
        undecided=tuple(named[2::3]),
        by=draw(st.sampled_from(["", "sha256:00", "GHSA-aaaa-bbbb-cccc"])),
    )


@st.composite
def affected_packages(draw: st.DrawFn, purls: tuple[str, ...] = PURLS) -> AffectedPackage:
    """A package with executed ranges, declared ones, or both."""
    executed = draw(st.none() | version_ranges(RangeSource.EXECUTED))
    least = 0 if executed else 1
    declared = draw(st.lists(version_ranges(RangeSource.DECLARED), min_size=least, max_size=2))
    return AffectedPackage(
        PackageURL.from_string(draw(st.sampled_from(purls))),
        draw(texts(least=0)),
        executed,
        tuple(declared),
        tuple(draw(st.lists(versions(), max_size=2, unique=True))),
    )


def references() -> st.SearchStrategy[Reference]:
    """A web page of any kind that OSV knows."""
    kinds = "ADVISORY ARTICLE DETECTION DISCUSSION REPORT FIX INTRODUCED PACKAGE EVIDENCE WEB GIT"
    return st.builds(
        Reference,
        st.integers(0, 5).map("https://example.org/advisory/{}".format),
        texts(least=0),
        st.sampled_from(kinds.split()),
    )


@st.composite
def advisories(draw: st.DrawFn, purls: tuple[str, ...] = PURLS) -> Advisory:
    """Any advisory; ``purls`` are the packages it is about."""
    moments = sorted(draw(st.lists(times(), min_size=1, max_size=4)))
    scores = draw(st.lists(st.builds(Score, vectors(), texts(), st.booleans()), max_size=3))
    credits_ = st.builds(Credit, texts(), st.sampled_from(CreditRole), texts(least=0))
    remedies = st.builds(
        Remediation,
        st.sampled_from(Remedy),
        texts(),
        st.none() | st.just("https://example.org/fix"),
    )
    return Advisory(
        id=draw(st.sampled_from(["CH-2026-0007", "CH-2026-12345"])),
        title=draw(texts(least=0, most=400)),
        summary=draw(texts(most=200)),
        details=draw(texts(least=0, most=300)) * draw(st.sampled_from([1, 1, 1, 40])),
        tlp=Tlp.CLEAR,
        status=draw(st.sampled_from(Status)),
        publisher=Publisher(
            "Example Clearinghouse",
            "https://example.org",
            "security@example.org",
            _ORG,
            draw(st.none() | st.just("example")),
        ),
        packages=tuple(draw(st.lists(affected_packages(purls), min_size=1, max_size=3))),
        weaknesses=tuple(draw(st.lists(st.integers(1, 1400), max_size=3))),
        revisions=tuple(
            Revision(number, at, draw(texts(least=0))) for number, at in enumerate(moments, 1)
        ),
        cve=draw(st.none() | st.just("CVE-2026-12345")),
        aliases=tuple(draw(st.lists(st.sampled_from(["GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1"])))),
        scores=tuple(scores),
        references=tuple(draw(st.lists(references(), max_size=4))),
        credits=tuple(draw(st.lists(credits_, max_size=4))),
        remediations=tuple(draw(st.lists(remedies, max_size=3))),
        discovered=draw(st.none() | times()),
        withdrawn=draw(st.none() | times()),
    )


def _span(start: str, bound: Bound | None = None, end: str = "") -> tuple[Event, ...]:
    first = Event(Bound.INTRODUCED, start)
    return (first, Event(bound, end)) if bound else (first,)


#: One that says a little of everything.
ADVISORY = Advisory(
    id="CH-2026-0007",
    title="demo reads past its input",
    summary="A short input makes demo read past its end.",
    details="The length is not checked.",
    tlp=Tlp.CLEAR,
    status=Status.FINAL,
    publisher=Publisher("Example", "https://example.org", "", _ORG, "example"),
    packages=(
        AffectedPackage(
            PackageURL.from_string("pkg:pypi/demo"),
            "Demo project",
            VersionRanges(
                RangeSource.EXECUTED,
                (_span("0", Bound.FIXED, "1.2"), _span("2.0", Bound.LAST_AFFECTED, "2.4")),
                affected=("1.0", "1.1", "2.0"),
                unaffected=("1.2",),
                undecided=("1.1.1",),
                by="sha256:11",
            ),
            (VersionRanges(RangeSource.DECLARED, (_span("0"),), by="GHSA-aaaa-bbbb-cccc"),),
        ),
    ),
    weaknesses=(125,),
    revisions=(Revision(1, datetime(2026, 8, 1, 12, tzinfo=UTC), "Published"),),
    cve="CVE-2026-12345",
    scores=(
        Score("AV:N/AC:L/Au:N/C:P/I:P/A:P", "finder"),
        Score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "Demo project", is_suppliers=True),
    ),
    references=(Reference("https://example.org/1", "The change", "FIX"),),
    credits=(Credit("Sam Example", CreditRole.FINDER, "Example lab"),),
    remediations=(
        Remediation(Remedy.FIX, "Update to 1.2", "https://example.org/1.2"),
        Remediation(Remedy.WORKAROUND, "Refuse empty input"),
    ),
    discovered=datetime(2026, 5, 1, tzinfo=UTC),
)
