"""Advisories to write documents from: one to read, and a strategy that varies everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.formats.advisory import (
    Advisory,
    AffectedPackage,
    Claim,
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
from clearhouse.formats.csaf.writer import Justification, Statement
from clearhouse.formats.osv import Bound, Event
from clearhouse.protocol.tlp import Tlp

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def interval(introduced: str, **end: str) -> tuple[Event, ...]:
    ends = [Event(Bound(name), version) for name, version in end.items()]
    return (Event(Bound.INTRODUCED, introduced), *ends)


DECLARED = VersionRanges(
    RangeSource.DECLARED, (interval("1.0", fixed="1.2"),), by="GHSA-xxxx-yyyy-zzzz"
)
EXECUTED = VersionRanges(
    RangeSource.EXECUTED,
    (interval("1.0", fixed="2.0"), interval("3.0")),
    affected=("1.0", "1.3", "3.0"),
    unaffected=("0.9", "2.0"),
    undecided=("1.1", "2.1"),
    by="sha256:aa11",
)
PACKAGE = AffectedPackage(
    PackageURL("pypi", None, "demo"),
    "Demo Project",
    executed=EXECUTED,
    declared=(DECLARED,),
    fixed=("2.0",),
)
ADVISORY = Advisory(
    id="CH-2026-0007",
    title="Path traversal in demo",
    summary="An archive member can be written outside the folder.",
    details="The name of a member is joined without a check.",
    tlp=Tlp.CLEAR,
    status=Status.FINAL,
    publisher=Publisher("Example Clearinghouse", "https://clearinghouse.example"),
    packages=(PACKAGE,),
    weaknesses=(22, 59),
    revisions=(Revision(1, START, "First published."),),
    cve="CVE-2026-12345",
    aliases=("GHSA-xxxx-yyyy-zzzz",),
    scores=(
        Score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", "Example Clearinghouse"),
        Score(
            "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N/E:P", "Demo Project", is_suppliers=True
        ),
        Score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N", "A lab"),
    ),
    references=(Reference("https://demo.example/fix", "The fix", "FIX"),),
    credits=(Credit("Ada", CreditRole.FINDER, "A lab"), Credit("Model X", CreditRole.TOOL)),
    discovered=START - timedelta(days=60),
)

_TYPES = (
    PackageURL("pypi", None, "demo"),
    PackageURL("npm", "@scope", "demo"),
    PackageURL("generic", None, "demo"),
    PackageURL("maven", "org.example", "demo"),
)
_SCORES = (
    Score("AV:N/AC:L/Au:N/C:P/I:P/A:P", "A"),
    Score("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "B"),
    Score("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:F/MAV:P/CR:H", "C", is_suppliers=True),
    *ADVISORY.scores,
)
version = st.builds("{}.{}.{}".format, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
words = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)


@st.composite
def ranges(draw: st.DrawFn, source: RangeSource) -> VersionRanges:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(".")]

    bounds = sorted(draw(st.lists(version, max_size=4, unique=True)), key=numbers)
    intervals = []
    while bounds:
        introduced, end = bounds.pop(0), bounds.pop(0) if bounds else None
        if end is None:
            intervals.append(draw(st.sampled_from([interval(introduced), interval("0")])))
        else:
            name = draw(st.sampled_from(["fixed", "last_affected"]))
            intervals.append(interval(introduced, **{name: end}))
    if draw(st.booleans()):
        intervals.append(interval("4.0.0", last_affected="4.0.0"))
    named = st.lists(version, max_size=3).map(tuple)
    listed = draw(st.tuples(named, named, named))
    if not intervals and not any(listed):
        listed = (("1.0.0",), (), ())
    return VersionRanges(source, tuple(dict.fromkeys(intervals)), *listed, by=draw(words))


@st.composite
def packages(draw: st.DrawFn, purl: PackageURL) -> AffectedPackage:
    executed = draw(st.none() | ranges(RangeSource.EXECUTED))
    least = 0 if executed else 1
    declared = draw(st.lists(ranges(RangeSource.DECLARED), min_size=least, max_size=2))
    return AffectedPackage(
        purl,
        draw(st.just("") | words),
        executed=executed,
        declared=tuple(declared),
        fixed=tuple(draw(st.lists(version, max_size=2))),
    )


@st.composite
def advisories(draw: st.DrawFn) -> Advisory:
    purls = draw(st.lists(st.sampled_from(_TYPES), min_size=1, max_size=3, unique=True))
    revisions = tuple(
        Revision(number, START + timedelta(hours=number // 2), draw(words))
        for number in range(1, draw(st.integers(1, 12)) + 1)
    )
    remedies = st.builds(Remediation, st.sampled_from(Remedy), words)
    more: dict[str, Any] = {
        "title": draw(words),
        "details": draw(st.just("") | words),
        "tlp": draw(st.sampled_from([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED])),
        "status": draw(st.sampled_from(Status)),
        "packages": tuple(draw(packages(purl)) for purl in purls),
        "weaknesses": tuple(draw(st.lists(st.sampled_from([22, 79, 416, 787]), max_size=3))),
        "revisions": revisions,
        "cve": draw(st.sampled_from([None, "CVE-2026-12345"])),
        "aliases": tuple(draw(st.lists(st.sampled_from(["CVE-2026-9999", "GHSA-1", "X-1"])))),
        "scores": tuple(draw(st.lists(st.sampled_from(_SCORES), max_size=4))),
        "credits": draw(st.sampled_from([(), ADVISORY.credits])),
        "references": draw(st.sampled_from([(), ADVISORY.references])),
        "remediations": tuple(draw(st.lists(remedies, max_size=2))),
        "discovered": draw(st.sampled_from([None, START])),
        "withdrawn": draw(st.sampled_from([None, START])),
    }
    return replace(ADVISORY, **more)


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    found = []
    for number in draw(st.lists(version, min_size=1, max_size=4, unique=True)):
        claim = draw(st.sampled_from(Claim))
        base = draw(st.sampled_from(_TYPES))
        purl = PackageURL(base.type, base.namespace, base.name, number)
        span = ""
        if draw(st.booleans()):
            purl, span = base, f"vers:{base.type}/<{number}"
        remedy = Remediation(Remedy.WORKAROUND, "Switch it off.", "https://demo.example/off")
        reasoned = claim is Claim.NOT_AFFECTED
        impact = draw(words) if reasoned and draw(st.booleans()) else ""
        justification = draw(st.sampled_from(Justification)) if reasoned and not impact else None
        found.append(
            Statement(
                purl,
                claim,
                span=span,
                justification=justification,
                impact=impact,
                remedy=remedy if claim is Claim.AFFECTED and draw(st.booleans()) else None,
            )
        )
    return found
