"""What is handed in, read and checked before anything is stored.  No database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.report import Report, System, plain_report, read_report
from clearhouse.office.findings.impact import impact_of
from clearhouse.proof.door import parse_archive
from clearhouse.proof.text import printable

_UNPROVEN_IMPACT: Final = 20
_TITLE, _NAME = 300, 200


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


def of_bundle(data: bytes, *, where: str) -> Item:
    """Read the archive of a proof bundle.  Raises :class:`Invalid` naming file and key."""
    bundle = parse_archive(data, where=where)
    target = bundle.target
    return Item(
        kind="bundle",
        content=bundle.digest,
        data=data,
        title=printable(bundle.title)[:_TITLE],
        purl=str(target.purl or ""),
        package=package_of(target.purl),
        weaknesses=bundle.cwe,
        locations=(),
        found_by=printable(bundle.finder or "")[:_NAME],
        origin_id=printable(bundle.id)[:_NAME],
        effect=bundle.effect.value,
        impact=impact_of(bundle.effect, fixed=target.fixed),
    )


def of_report(report: Report, *, kind: str = "report") -> Item:
    """Take a report that came without a proof of ours."""
    return Item(
        kind=kind,
        content=report.digest,
        data=json.dumps(plain_report(report), sort_keys=True, ensure_ascii=False).encode(),
        title=printable(report.title)[:_TITLE],
        purl=str(report.target or ""),
        package=package_of(report.target),
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
