"""Scanners' results as reports: SARIF 2.1.0 (OASIS Standard, 2020; sections are its).

A result becomes a report, or is skipped for a reason that is told: nothing gets lost in silence.
Of what the format allows, what a reader needs to find and judge a flaw is read; the rest is left
alone.  A value of the wrong type makes the whole file :class:`Invalid`, with its path.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from packageurl import PackageURL

from clearhouse.formats.json_value import JsonValue, decode, shown
from clearhouse.formats.report import (
    Attachment,
    Location,
    Report,
    System,
    clean_paragraphs,
    parse_target,
)
from clearhouse.formats.report_schema import (
    ATTACHED_BYTES,
    ATTACHMENT_BYTES,
    ATTACHMENTS,
    DESCRIPTION_CHARACTERS,
    LINE_CHARACTERS,
    LOCATIONS,
    NAME_CHARACTERS,
    REFERENCES,
    TITLE_CHARACTERS,
    URL_PATTERN,
    WEAKNESSES,
)
from clearhouse.formats.sarif_places import Places, distinct, visible
from clearhouse.formats.sarif_rules import Component, Rules, message_text, rule_text, severity

LOG_BYTES: Final = 64 << 20
RESULTS: Final = 100_000
_VERSION: Final = "2.1.0"
_ALIAS: Final = re.compile(
    r"\bCVE-[0-9]{4}-[0-9]{4,19}\b|\bGHSA(?:-[23456789cfghjmpqrvwx]{4}){3}\b"
)
_ALIASES: Final = 50
_URL: Final = re.compile(URL_PATTERN)
_TARGET_PROPERTIES: Final = ("purl", "packageUrl", "package_url")
#: Kinds of results that are not failures (section 3.27.9); the others are or may be.
_NO_FAILURE: Final = {
    "pass": "the rule found nothing wrong (kind pass)",
    "notApplicable": "the rule does not apply (kind notApplicable)",
    "informational": "it only informs (kind informational)",
}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A result that did not become a report: where it stands, its rule, and why."""

    path: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class SarifLog:
    """What a file holds; ``notes`` say what of it could not be taken along."""

    reports: tuple[Report, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def parse_sarif(raw: bytes, *, target: PackageURL | None, where: str) -> SarifLog:
    """Read a SARIF file.

    ``target`` is the package that was scanned, for runs that name none themselves in the property
    ``purl``.  Raises :class:`Invalid` with the path of what is wrong.
    """
    return parse_log(decode(raw, where, most_bytes=LOG_BYTES), target=target, where=where)


def parse_log(raw: object, *, target: PackageURL | None, where: str) -> SarifLog:
    """The same of decoded JSON, as other formats carry it inside."""
    log = JsonValue(raw, where)
    version = log.text_at("version")
    if version != _VERSION:
        found = "none" if version is None else shown(version)
        raise log.wrong(f"expected SARIF of version {_VERSION}, found {found}")
    runs = log.get("runs")
    if runs is None:
        raise log.wrong("expected runs, a list")
    reports: list[Report] = []
    skipped: list[Skipped] = []
    notes: list[str] = []
    for run in runs.items():
        reader = _Run(run, target, notes)
        for result in reader.results():
            if len(reports) + len(skipped) >= RESULTS:
                raise result.wrong(f"is one more than the {RESULTS} results a file may have")
            outcome = reader.report(result)
            if isinstance(outcome, Report):
                reports.append(outcome)
            else:
                skipped.append(outcome)
    return SarifLog(tuple(reports), tuple(skipped), tuple(dict.fromkeys(notes)))


_Entry = TypeVar("_Entry", int, Location)


class _Run:
    """One run (section 3.14) while its results are read."""

    def __init__(self, run: JsonValue, target: PackageURL | None, notes: list[str]) -> None:
        self._run = run
        self._rules = Rules(run)
        self._places = Places(run)
        self._notes = notes
        driver = self._rules.driver
        version = driver.value.text_at("semanticVersion") or driver.value.text_at("version")
        name = visible(driver.name, NAME_CHARACTERS)
        self._tool = System(name, visible(version or "", NAME_CHARACTERS) or None) if name else None
        self._target = _target(run) or target
        self._sources, self._source_text = _version_control(run)

    def results(self) -> Iterator[JsonValue]:
        """The results; what of the run lies in other files is noted."""
        outside = self._run.get("externalPropertyFileReferences")
        if outside is not None and outside.table():
            self._notes.append(f"{self._run.path}: its external property files were not sent along")
        found = self._run.get("results")
        if found is None:
            self._notes.append(f"{self._run.path}: has no results")
            return iter(())
        return found.items()

    def report(self, result: JsonValue) -> Report | Skipped:
        """The report that a result is, or why it is none."""
        rule, rule_id, component = self._rules.rule_of(result)
        reason = _why_skipped(result)
        if reason is not None:
            return Skipped(result.path, visible(rule_id or "", LINE_CHARACTERS), reason)
        title, description = _texts(result, rule, rule_id, component)
        words, vector = severity(result, rule)
        weaknesses = tuple(dict.fromkeys(self._rules.weaknesses(result, rule)))
        aliases = dict.fromkeys(_ALIAS.findall(f"{rule_id} {title} {description}"))
        return Report(
            title=title,
            description=description,
            target=self._target,
            target_text=None if self._target is not None else self._source_text,
            weaknesses=self._capped(result, "weaknesses", weaknesses, WEAKNESSES),
            locations=self._capped(
                result, "locations", distinct(self._places.of(result)), LOCATIONS
            ),
            severity=visible(words, NAME_CHARACTERS) or None,
            severity_vector=vector,
            aliases=tuple(aliases)[:_ALIASES],
            references=self._references(result, rule),
            origin_id=_origin(result, rule_id),
            tool=self._tool,
            attachments=tuple(self._attachments(result)),
        )

    def _capped(
        self, result: JsonValue, what: str, found: tuple[_Entry, ...], most: int
    ) -> tuple[_Entry, ...]:
        if len(found) > most:
            self._notes.append(f"{result.path}: {most} of {len(found)} {what} taken")
        return found[:most]

    def _references(self, result: JsonValue, rule: JsonValue | None) -> tuple[str, ...]:
        named = [
            rule.text_at("helpUri") if rule is not None else None,
            result.text_at("hostedViewerUri"),
            *(one.text() for one in result.listed("workItemUris")),
            *self._sources,
        ]
        urls = (one for one in named if one and len(one) <= LINE_CHARACTERS and _URL.search(one))
        return tuple(dict.fromkeys(urls))[:REFERENCES]

    def _attachments(self, result: JsonValue) -> Iterator[Attachment]:
        """Files whose content is in the log (sections 3.21 and 3.24.8), such as a poc."""
        names: set[str] = set()
        total = 0
        for stated in result.listed("attachments"):
            location = stated.get("artifactLocation")
            artifact = self._places.artifact(location) if location is not None else None
            contents = artifact.get("contents") if artifact is not None else None
            data = _content(contents) if contents is not None else None
            file = self._places.file(location) if location is not None else None
            base = re.sub(r"[^A-Za-z0-9._ -]", "_", (file or "").rpartition("/")[2])
            name = base.lstrip(". -")[:NAME_CHARACTERS] or f"attachment-{len(names) + 1}"
            total += len(data or b"")
            if data is None:
                self._notes.append(f"{stated.path}: its content is not in the file")
            elif name in names or len(names) == ATTACHMENTS or total > ATTACHED_BYTES:
                self._notes.append(f"{stated.path}: one file too many, or too large")
            else:
                names.add(name)
                yield Attachment(name, data)


def _target(run: JsonValue) -> PackageURL | None:
    properties = run.get("properties")
    if properties is None:
        return None
    for key in _TARGET_PROPERTIES:
        stated = properties.get(key)
        if stated is not None:
            return parse_target(stated)
    return None


def _why_skipped(result: JsonValue) -> str | None:
    kind = result.text_at("kind") or "fail"
    if kind in _NO_FAILURE:
        return _NO_FAILURE[kind]
    for one in result.listed("suppressions"):
        # A suppression without a status is accepted (section 3.35.3); one that was rejected, or is
        # still under review, hides nothing.
        if (one.text_at("status") or "accepted") == "accepted":
            why = visible(one.text_at("justification") or "", LINE_CHARACTERS)
            how = visible(one.text_at("kind") or "", NAME_CHARACTERS)
            return f"it is suppressed ({how})" + (f": {why}" if why else "")
    if result.text_at("baselineState") == "absent":
        return "it is no longer found (baselineState absent)"
    return None


def _texts(
    result: JsonValue, rule: JsonValue | None, rule_id: str | None, component: Component
) -> tuple[str, str]:
    """Title and description: the result's message, then what its rule is about."""
    message = message_text(result.get("message"), rule, component)
    short = rule_text(rule, "shortDescription")
    full = rule_text(rule, "fullDescription")
    name = rule.text_at("name") if rule is not None else None
    first = (message or "").strip().partition("\n")[0]
    candidates = (first, short, name, rule_id, "A result without a message")
    title = next(line for one in candidates if (line := visible(one or "", TITLE_CHARACTERS)))
    about = [message, full or short, rule_text(rule, "help")]
    parts = dict.fromkeys(one.strip() for one in about if one and one.strip())
    return title, clean_paragraphs("\n\n".join(parts), DESCRIPTION_CHARACTERS)


def _origin(result: JsonValue, rule_id: str | None) -> str | None:
    """The tool's identifier of a result, equal in its next run where the tool can do that.

    Fingerprints identify it, any one of them (section 3.27.16); partial ones (3.27.17) do together
    and with the rule; identifiers of results (3.27.3, 3.27.4) say the least.
    """
    whole = _pairs(result.get("fingerprints"))
    partial = _pairs(result.get("partialFingerprints"))
    if whole:
        # Names end in a version, and the highest is the best.
        text = whole[-1]
    elif partial:
        text = ";".join([rule_id or "", *partial])
    else:
        text = result.text_at("correlationGuid") or result.text_at("guid") or ""
    if len(text) > LINE_CHARACTERS or visible(text, LINE_CHARACTERS) != text:
        return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return text or None


def _pairs(prints: JsonValue | None) -> list[str]:
    if prints is None:
        return []
    return [f"{name}={prints.text_at(name) or ''}" for name in sorted(prints.table())]


def _version_control(run: JsonValue) -> tuple[tuple[str, ...], str | None]:
    """Repositories that were scanned (section 3.14.8), and the first with its revision."""
    addresses: list[str] = []
    text: str | None = None
    for one in run.listed("versionControlProvenance"):
        address = one.text_at("repositoryUri") or ""
        revision = one.text_at("revisionId") or one.text_at("revisionTag") or one.text_at("branch")
        addresses.append(address)
        text = text or visible(f"{address} {revision or ''}", LINE_CHARACTERS) or None
    return tuple(addresses), text


def _content(contents: JsonValue) -> bytes | None:
    """The bytes of an artifactContent (section 3.3), if they are there."""
    encoded = contents.get("binary")
    if encoded is None:
        text = contents.get("text")
        return None if text is None else _bounded(text, text.text().encode("utf-8", "replace"))
    try:
        return _bounded(encoded, base64.b64decode(encoded.text(), validate=True))
    except ValueError:
        raise encoded.wrong("expected base64 (RFC 4648, section 4)") from None


def _bounded(value: JsonValue, data: bytes) -> bytes:
    if len(data) > ATTACHMENT_BYTES:
        raise value.wrong(f"has {len(data)} bytes, more than {ATTACHMENT_BYTES}")
    return data
