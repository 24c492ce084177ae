"""From a case's account and an editor's words to the advisory as a value.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
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
from clearhouse.office.cases.account import Account
from clearhouse.protocol.tlp import Tlp

_UNDECIDED: Final = frozenset({"unrunnable", "inconclusive"})
_CLEAN: Final = frozenset({"not-affected", "clean", "refused"})


@dataclass(frozen=True, slots=True)
class Words:
    """What people wrote for an advisory."""

    title: str
    summary: str
    details: str
    remedy: str
    references: tuple[Reference, ...]


def assemble(
    account: Account,
    words: Words,
    *,
    publisher: Publisher,
    page: str,
    revisions: Sequence[Revision],
    status: Status,
    label: Tlp,
) -> Advisory:
    """Put an advisory together.  ``page`` is its own address at the office.

    Raises :class:`Invalid` where nothing is known of the affected versions.
    """
    package = _package(account)
    return Advisory(
        id=account.name,
        title=words.title,
        summary=words.summary,
        details=words.details,
        tlp=label,
        status=status,
        publisher=publisher,
        packages=(package,),
        weaknesses=account.weaknesses,
        revisions=tuple(revisions),
        cve=account.cve or None,
        scores=tuple(
            Score(one.vector, one.by, is_suppliers=one.is_suppliers) for one in account.scores
        ),
        references=(Reference(page, "The advisory at this office", "ADVISORY"), *words.references),
        credits=tuple(_credits(account)),
        remediations=tuple(_remediations(words, package)),
        discovered=account.opened_at,
    )


def _package(account: Account) -> AffectedPackage:
    purl = PackageURL.from_string(account.package)
    executed = _executed(account.history) if account.history else None
    declared = tuple(_declared(one) for one in account.declared)
    if executed is None and not declared:
        raise Invalid(
            "the affected versions are not known: wait until they were run, or declare them in the"
            " case", key="versions",
        )  # fmt: skip
    ranges = [one for one in (executed, *declared) if one is not None]
    fixed = dict.fromkeys(
        event.version
        for one in ranges[:1]
        for interval in one.intervals
        for event in interval
        if event.bound is Bound.FIXED
    )
    supplier = ", ".join(account.suppliers) or str(purl.namespace or purl.name)
    return AffectedPackage(
        purl=purl, supplier=supplier, executed=executed, declared=declared, fixed=tuple(fixed)
    )


def _executed(history: Mapping[str, Any]) -> VersionRanges | None:
    osv = history.get("osv")
    if not osv:
        return None
    intervals: list[tuple[Event, ...]] = []
    for one in osv["ranges"]:
        intervals += _pairs(one["events"])
    by_status: dict[str, list[str]] = {}
    for entry in history["versions"]:
        by_status.setdefault(str(entry["status"]), []).append(str(entry["version"]))
    return VersionRanges(
        source=RangeSource.EXECUTED,
        intervals=tuple(intervals),
        affected=tuple(by_status.get("affected", ())),
        unaffected=tuple(v for s in sorted(_CLEAN) for v in by_status.get(s, ())),
        undecided=tuple(v for s in sorted(_UNDECIDED) for v in by_status.get(s, ())),
        by=str(history["digest"]),
    )


def _pairs(events: Sequence[Mapping[str, str]]) -> list[tuple[Event, ...]]:
    """Events in ascending order, as intervals."""
    found: list[tuple[Event, ...]] = []
    for one in events:
        ((bound, version),) = one.items()
        event = Event(Bound(bound), version)
        if event.bound is Bound.INTRODUCED:
            found.append((event,))
        else:
            found[-1] = (*found[-1], event)
    return found


def _declared(row: Mapping[str, str]) -> VersionRanges:
    begin = Event(Bound.INTRODUCED, row["introduced"])
    interval = (begin, Event(Bound.FIXED, row["fixed"])) if row["fixed"] else (begin,)
    return VersionRanges(source=RangeSource.DECLARED, intervals=(interval,), by=row["by"])


def _credits(account: Account) -> list[Credit]:
    found = []
    for one in account.credits:
        found.append(Credit(one.organisation, CreditRole.FINDER))
        if one.tool:
            found.append(Credit(one.tool, CreditRole.TOOL, one.organisation))
    return list(dict.fromkeys(found))


def _remediations(words: Words, package: AffectedPackage) -> list[Remediation]:
    if package.fixed:
        text = words.remedy or f"Update {package.purl.name} to {', '.join(package.fixed)} or later."
        return [Remediation(Remedy.FIX, text)]
    if words.remedy:
        return [Remediation(Remedy.WORKAROUND, words.remedy)]
    return [Remediation(Remedy.NONE_YET, "There is no fixed release yet.")]
