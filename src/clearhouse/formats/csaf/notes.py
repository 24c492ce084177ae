"""The notes of a document: what CSAF 2.0 has no field for is told in words (section 3.1.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clearhouse.formats.advisory import Advisory, AffectedPackage, RangeSource, VersionRanges
from clearhouse.formats.csaf import cwe
from clearhouse.formats.csaf.scores import in_words as score_in_words
from clearhouse.formats.csaf.vers import in_words, range_of

Note = dict[str, str]


def of_document(advisory: Advisory) -> list[Note]:
    """Notes on the document as a whole."""
    found = [_note("summary", "Summary", advisory.summary)]
    if advisory.withdrawn is not None:
        at = advisory.withdrawn.date().isoformat()
        found.append(_note("general", "Withdrawn", f"This advisory was withdrawn on {at}."))
    return [note for note in found if note["text"]]


def of(advisory: Advisory, packages: Sequence[AffectedPackage]) -> list[Note]:
    """Notes on the vulnerability, with what is known of the versions of ``packages``."""
    found = [
        _note("summary", "Summary", advisory.summary or advisory.title),
        _note("details", "Details", advisory.details),
        *(note for package in packages for note in _version_notes(package)),
        _note("other", "Scores", "\n".join(score_in_words(one) for one in advisory.scores)),
    ]
    others = [f"CWE-{one} {cwe.NAMES[one]}" for one in advisory.weaknesses[1:] if one in cwe.NAMES]
    found.append(_note("other", "Further weaknesses", "\n".join(others)))
    return [note for note in found if note["text"]]


def _note(category: str, title: str, text: str) -> Note:
    return {"category": category, "text": text.strip(), "title": title}


def _version_notes(package: AffectedPackage) -> Iterator[Note]:
    """One for each source: the executed ranges first, then each that somebody declares."""
    published = package.ranges
    for ranges in (package.executed, *package.declared):
        if ranges is None:
            continue
        executed = ranges.source is RangeSource.EXECUTED
        how = "executed" if executed else "declared"
        title = f"Affected versions of {package.purl.to_string()}, {how}"
        yield _note("details" if ranges is published else "other", title, _text(package, ranges))
    if package.fixed:
        title = f"Fixed versions of {package.purl.to_string()}"
        yield _note("other", title, f"Said to be fixed: {', '.join(package.fixed)}.")


def _text(package: AffectedPackage, ranges: VersionRanges) -> str:
    executed = ranges.source is RangeSource.EXECUTED
    spans = [in_words(range_of(package.purl.type, one)) for one in ranges.intervals]
    parts = [f"Affected: {'; '.join(spans)}." if spans else "No range is given as affected."]
    verb = "Run and found" if executed else "Declared"
    for versions, found in (
        (ranges.affected, f"{verb} affected"),
        (ranges.unaffected, f"{verb} not affected"),
        (ranges.undecided, "Not decided"),
    ):
        parts += [f"{found}: {', '.join(versions)}."] if versions else []
    by = f": {ranges.by}" if ranges.by else ""
    if executed:
        parts.append(f"Found by running versions{by}.")
    else:
        parts.append(f"Declared, not found by running versions{by}.")
    if ranges is not package.ranges:
        parts.append("The product status of this document does not rest on this.")
    return "\n".join(parts)
