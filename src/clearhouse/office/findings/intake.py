"""What is handed in, read and checked before anything is stored.  No database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.aixcc import Joined, parse_submissions
from clearhouse.formats.report import (
    Attachment,
    Report,
    System,
    clean_paragraphs,
    parse_report,
    plain_report,
    read_report,
)
from clearhouse.formats.report_schema import DESCRIPTION_CHARACTERS, TITLE_CHARACTERS
from clearhouse.formats.sarif import parse_log, parse_sarif
from clearhouse.formats.sarif_places import visible
from clearhouse.office.findings.impact import impact_of
from clearhouse.proof.authoring import pack
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import parse_archive
from clearhouse.proof.manifest import MANIFEST, parse_bundle
from clearhouse.proof.text import printable

_UNPROVEN_IMPACT: Final = 20
_TITLE, _NAME = 300, 200
_PURL, _PACKAGE = 400, 300
_ARCHIVES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment that is now revealed: its name, and the key it was made with."""

    name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """One finding at the door.

    ``content`` is its digest, ``data`` what is kept of it: the archive of a bundle, or the report
    as canonical JSON.  ``purl`` names the target with its version, as the finder does.
    """

    kind: str
    content: str
    data: bytes
    title: str
    purl: str
    package: str
    weaknesses: tuple[int, ...]
    locations: tuple[dict[str, Any], ...]
    found_by: str
    origin_id: str
    effect: str
    impact: int
    promise: Promise | None = None

    def promised(self, promise: Promise | None) -> Item:
        """The same, with the commitment that it opens."""
        return replace(self, promise=promise)


@dataclass(frozen=True, slots=True)
class Left:
    """Something handed in that became no finding: where it stands, and why."""

    where: str
    reason: str


def of_bundle(data: bytes, *, where: str) -> Item:
    """Read the archive of a proof bundle.  Raises :class:`Invalid` naming file and key."""
    return _of_bundle(parse_archive(data, where=where), data, where=where)


def _of_bundle(bundle: Bundle, data: bytes, *, where: str) -> Item:
    target = bundle.target
    return Item(
        kind="bundle",
        content=bundle.digest,
        data=data,
        title=printable(bundle.title)[:_TITLE],
        purl=_fitting(str(target.purl or ""), _PURL, where),
        package=_fitting(package_of(target.purl), _PACKAGE, where),
        weaknesses=bundle.cwe,
        locations=(),
        found_by=printable(bundle.finder or "")[:_NAME],
        origin_id=printable(bundle.id)[:_NAME],
        effect=bundle.effect.value,
        impact=impact_of(bundle.effect, fixed=target.fixed),
    )


def of_report(report: Report, *, kind: str = "report", where: str | None = None) -> Item:
    """Take a report that came without a proof of ours.  Raises :class:`Invalid`."""
    return Item(
        kind=kind,
        content=report.digest,
        data=json.dumps(plain_report(report), sort_keys=True, ensure_ascii=False).encode(),
        title=printable(report.title)[:_TITLE],
        purl=_fitting(str(report.target or ""), _PURL, where),
        package=_fitting(package_of(report.target), _PACKAGE, where),
        weaknesses=report.weaknesses,
        locations=tuple(
            {"file": one.file, "function": one.function, "line": one.line}
            for one in report.locations
        ),
        found_by=printable(_system(report.found_by))[:_NAME],
        origin_id=printable(report.origin_id or "")[:_NAME],
        effect="",
        impact=_UNPROVEN_IMPACT,
    )


def of_sarif(raw: bytes, *, target: PackageURL | None, where: str) -> tuple[list[Item], list[Left]]:
    """Take the results of a SARIF file, and what of it is no finding or could not be taken along.

    ``target`` is the package that was scanned, where the file does not name it itself.  Raises
    :class:`Invalid` where the file as a whole cannot be read.
    """
    log = parse_sarif(raw, target=target, where=where)
    left = [Left(f"{where}: {one.path}", one.reason) for one in log.skipped]
    left += [Left(where, note) for note in log.notes]
    return [of_report(one, kind="sarif", where=where) for one in log.reports], left


def of_aixcc(
    files: Mapping[str, bytes], *, target: PackageURL | None, where: str
) -> tuple[list[Item], list[Left]]:
    """Take what a cyber reasoning system handed in, each bundle or single proof as one finding.

    Its harness is the task's, so nothing of it can be run as it is; with the harness's source
    ``clearhouse proof from-aixcc`` makes a bundle that can.  Raises :class:`Invalid`.
    """
    found = parse_submissions(files, where)
    items: list[Item] = []
    left = [Left(f"{where}: {name}", "is no submission") for name in found.ignored]
    for one in found.joined():
        place = f"{where}: {one.bundle.id}"
        try:
            items.append(of_report(_report_of(one, target, place), kind="aixcc", where=place))
        except Invalid as error:
            left.append(Left(place, str(error)))
    return items, left


def _report_of(one: Joined, target: PackageURL | None, where: str) -> Report:
    """A submission as a report; what a SARIF document says of it comes along."""
    results = parse_log(one.sarif.sarif, target=target, where=where).reports if one.sarif else ()
    first = next(iter(results), None)
    harness = printable(one.pov.fuzzer_name)[:100] if one.pov else ""
    named = f"Input for {harness} that fails under {one.pov.sanitizer}" if one.pov else ""
    notes = [printable(f"{key} names something that was not sent along") for key in one.missing]
    said = one.bundle.description or ""
    line = visible(said.strip().partition("\n")[0], TITLE_CHARACTERS)
    title = line or (first.title if first else "") or named or "Submission without a proof"
    free = one.freeform.content.decode("utf-8", "replace") if one.freeform else ""
    texts = [said, named, first.description if first else "", free, *notes]
    attached = [Attachment("testcase.bin", one.pov.testcase)] if one.pov else []
    attached += [Attachment("patch.diff", one.patch.diff)] if one.patch else []
    made = Report(
        title=title[:TITLE_CHARACTERS],
        description=clean_paragraphs(
            "\n\n".join(text for text in texts if text), DESCRIPTION_CHARACTERS
        ),
        target=(first.target if first else None) or target,
        weaknesses=first.weaknesses if first else (),
        locations=first.locations if first else (),
        origin_id=printable(one.bundle.id)[:_NAME] or None,
        tool=first.tool if first else None,
        attachments=tuple(attached),
    )
    # Its texts are a program's: what is kept has to be readable as a report.
    return parse_report(plain_report(made), where)


def bundles_in(files: Mapping[str, bytes], *, where: str) -> Iterator[Item | Left]:
    """Take the bundles of an archive: the archives in it, and the folders with a manifest.

    A folder is packed anew; what belongs to no bundle is left, and told.
    """
    tops = sorted(
        {name.removesuffix(MANIFEST) for name in files if f"/{name}".endswith(f"/{MANIFEST}")}
    )
    for name in sorted(files):
        place = f"{where}: {name}"
        if any(name.startswith(top) for top in tops):
            continue
        if not name.lower().endswith(_ARCHIVES):
            yield Left(place, "belongs to no bundle")
            continue
        try:
            yield of_bundle(files[name], where=place)
        except Invalid as error:
            yield Left(place, str(error))
    for top in tops:
        place = f"{where}: {top.rstrip('/')}"
        inside = {name.removeprefix(top): files[name] for name in files if name.startswith(top)}
        try:
            bundle = parse_bundle(inside, where=place)
            yield _of_bundle(bundle, pack(bundle), where=place)
        except Invalid as error:
            yield Left(place, str(error))


def report_in(data: bytes) -> Report:
    """The report that was kept of an item."""
    return read_report(data, where="the report")


def _system(system: System | None) -> str:
    if system is None:
        return ""
    return f"{system.name} {system.version}" if system.version else system.name


def package_of(purl: PackageURL | None) -> str:
    """A purl without version, qualifiers and subpath: what versions, cases and suppliers share."""
    if purl is None:
        return ""
    return str(PackageURL(type=purl.type, namespace=purl.namespace, name=purl.name))


def _fitting(text: str, most: int, where: str | None) -> str:
    if len(text) > most:
        raise Invalid(f"a package URL of more than {most} characters", where=where, key="target")
    return text


def parse_purl(text: str, *, key: str = "purl") -> PackageURL:
    """A purl that somebody typed.  Raises :class:`Invalid`."""
    try:
        return PackageURL.from_string(text.strip())
    except ValueError:
        raise Invalid("expected a package URL such as pkg:pypi/ecdsa@0.13.2", key=key) from None


def unique(items: Iterable[Item]) -> list[Item]:
    """Each content once, the first of them."""
    seen: dict[str, Item] = {}
    for item in items:
        seen.setdefault(item.content, item)
    return list(seen.values())
