"""A report of a vulnerability as it comes in: one frozen value, whoever or whatever sent it.

``docs/report-format.md`` describes the JSON form, ``report_schema.SCHEMA`` says the same to
machines (JSON Schema 2020-12).  What a schema cannot say is checked here besides: that a purl and
a CVSS vector are whole, and how large all attachments are together.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import cvss
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode, shown
from clearhouse.formats.report_schema import (
    ALIAS_PATTERN,
    ALIASES,
    ATTACHED_BYTES,
    ATTACHMENT_BYTES,
    ATTACHMENTS,
    BASE64_CHARACTERS,
    DESCRIPTION_CHARACTERS,
    EFFECT_CHARACTERS,
    FILE_NAME_PATTERN,
    LAST_LINE,
    LAST_WEAKNESS,
    LINE_CHARACTERS,
    LINE_PATTERN,
    LOCATIONS,
    NAME_CHARACTERS,
    PARAGRAPHS_PATTERN,
    PURL_PATTERN,
    RECORD_BYTES,
    REFERENCES,
    SCHEMA,
    TITLE_CHARACTERS,
    URL_PATTERN,
    VECTOR_PATTERN,
    WEAKNESS_PATTERN,
    WEAKNESSES,
)

_OPTIONAL: Final = tuple(key for key in SCHEMA["properties"] if key not in SCHEMA["required"])
_COMPILED: Final[dict[str, re.Pattern[str]]] = {}


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the target's source, as the reporter names it; lines count from 1."""

    file: str
    function: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class System:
    """A program by name and version: the AI system that found something, the tool that says so."""

    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent along, such as an input that shows the flaw."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says is wrong with a target.  Claims, none of them checked.

    ``target`` has a version.  ``found_by`` is the AI system that found it, None where none is
    named: a person.  ``severity`` is what the reporter calls it, ``severity_vector`` CVSS.
    """

    title: str
    description: str = ""
    target: PackageURL | None = None
    target_text: str | None = None
    weaknesses: tuple[int, ...] = ()
    locations: tuple[Location, ...] = ()
    effect: str | None = None
    severity: str | None = None
    severity_vector: str | None = None
    found_by: System | None = None
    aliases: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    origin_id: str | None = None
    tool: System | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the content: equal for a report that is sent again.

        Over the JSON form with sorted keys and each attachment by its SHA-256.  It is the office's
        own key: published, it would confirm a good guess of a short report.
        """
        plain = plain_report(self)
        plain["attachments"] = {
            one.name: hashlib.sha256(one.data).hexdigest() for one in self.attachments
        }
        packed = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(b"clearhouse report 1\n" + packed.encode("ascii")).hexdigest()


def parse_report(raw: object, where: str) -> Report:
    """Read a report from decoded JSON.  Raises :class:`Invalid` with the path of what is wrong."""
    value = JsonValue(raw, where)
    value.check_keys(("title",), _OPTIONAL)
    target = value.get("target")
    return Report(
        title=_required_line(value, "title", TITLE_CHARACTERS).strip(),
        description=_paragraphs(value.get("description")),
        target=None if target is None else parse_target(target),
        target_text=_line(value.get("target_text"), LINE_CHARACTERS),
        weaknesses=tuple(dict.fromkeys(_weaknesses(value.get("weaknesses")))),
        locations=tuple(_location(one) for one in _several(value, "locations", LOCATIONS)),
        effect=_paragraphs(value.get("effect"), EFFECT_CHARACTERS) or None,
        severity=_line(value.get("severity"), NAME_CHARACTERS),
        severity_vector=_vector(value.get("severity_vector")),
        found_by=_system(value.get("found_by")),
        aliases=_distinct(
            value, "aliases", ALIASES, ALIAS_PATTERN, "an identifier such as CVE-2024-1234"
        ),
        references=_distinct(
            value, "references", REFERENCES, URL_PATTERN, "an address (https://...)"
        ),
        origin_id=_line(value.get("origin_id"), LINE_CHARACTERS),
        tool=_system(value.get("tool")),
        attachments=_attachments(value.get("attachments")),
    )


def read_report(raw: bytes, where: str) -> Report:
    """Read a report from the bytes of a JSON document.  Raises :class:`Invalid`."""
    return parse_report(decode(raw, where, most_bytes=RECORD_BYTES), where)


def parse_bulk(lines: Iterable[bytes], where: str = "the reports") -> Iterator[Report | Invalid]:
    """Read newline-delimited JSON, each line on its own: one that is wrong stops no other.

    What comes out stands in the order of the lines; blank lines are none.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield read_report(line, f"{where}, line {number}")
        except Invalid as error:
            yield error


def plain_report(report: Report) -> dict[str, Any]:
    """The JSON form of a report; :func:`parse_report` reads it back to an equal one."""
    found: dict[str, Any] = {
        "title": report.title,
        "description": report.description,
        "target": str(report.target) if report.target is not None else None,
        "target_text": report.target_text,
        "weaknesses": [f"CWE-{number}" for number in report.weaknesses],
        "locations": [
            _stated({"file": one.file, "function": one.function, "line": one.line})
            for one in report.locations
        ],
        "effect": report.effect,
        "severity": report.severity,
        "severity_vector": report.severity_vector,
        "found_by": _plain_system(report.found_by),
        "aliases": list(report.aliases),
        "references": list(report.references),
        "origin_id": report.origin_id,
        "tool": _plain_system(report.tool),
        "attachments": {
            one.name: base64.b64encode(one.data).decode() for one in report.attachments
        },
    }
    return {key: one for key, one in _stated(found).items() if one not in ("", [], {})}


def _stated(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _plain_system(system: System | None) -> dict[str, Any] | None:
    if system is None:
        return None
    return _stated({"name": system.name, "version": system.version})


def _matched(value: JsonValue, pattern: str, what: str, most: int) -> str:
    text = value.text()
    if len(text) > most:
        raise value.wrong(f"expected at most {most} characters, found {len(text)}")
    compiled = _COMPILED.get(pattern) or _COMPILED.setdefault(pattern, re.compile(pattern))
    if not compiled.search(text):
        raise value.wrong(f"expected {what}, found {shown(text)}")
    return text


def _line(value: JsonValue | None, most: int) -> str | None:
    if value is None:
        return None
    what = "one line of text without control or invisible characters"
    return _matched(value, LINE_PATTERN, what, most).strip()


def _required_line(value: JsonValue, key: str, most: int) -> str:
    found = value.get(key)
    line = _line(found, most)
    assert line is not None  # check_keys has refused it
    return line


def _paragraphs(value: JsonValue | None, most: int = DESCRIPTION_CHARACTERS) -> str:
    if value is None:
        return ""
    text = _matched(value, PARAGRAPHS_PATTERN, "text without control characters", most)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _several(value: JsonValue, key: str, most: int) -> Iterator[JsonValue]:
    found = value.get(key)
    return found.items(most=most) if found is not None else iter(())


def _distinct(value: JsonValue, key: str, most: int, pattern: str, what: str) -> tuple[str, ...]:
    texts = (_matched(one, pattern, what, LINE_CHARACTERS) for one in _several(value, key, most))
    return tuple(dict.fromkeys(texts))


def clean_paragraphs(text: str, most: int) -> str:
    """``text`` as a description may be: without control characters, cut with an ellipsis."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    lines = cut.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[^\t\n -~\u0080-\ud7ff\ue000-\U0010ffff]", "\ufffd", lines).strip()


def parse_target(value: JsonValue) -> PackageURL:
    """The package, with its version, that a text names.  Raises :class:`Invalid`."""
    what = "a package URL with a version, such as pkg:pypi/sqlparse@0.4.4"
    text = _matched(value, PURL_PATTERN, what, LINE_CHARACTERS)
    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        raise value.wrong(f"expected {what}, found {shown(text)}") from None
    # Percent-encoded parts are decoded only now.
    parts = (purl.namespace, purl.name, purl.version, purl.subpath)
    if not purl.version or any(part and not re.search(LINE_PATTERN, part) for part in parts):
        raise value.wrong(f"expected {what}, found {shown(text)}")
    return purl


def _weaknesses(value: JsonValue | None) -> Iterator[int]:
    if value is None:
        return
    for one in value.items(most=WEAKNESSES):
        if isinstance(one.raw, str):
            yield int(_matched(one, WEAKNESS_PATTERN, "a weakness such as CWE-79", 9)[4:])
            continue
        number = one.integer()
        if not 1 <= number <= LAST_WEAKNESS:
            raise one.wrong(f"expected a CWE number from 1 to {LAST_WEAKNESS}")
        yield number


def _location(value: JsonValue) -> Location:
    value.check_keys(("file",), ("function", "line"))
    number = value.get("line")
    line = None if number is None else number.integer()
    if number is not None and line is not None and not 1 <= line <= LAST_LINE:
        raise number.wrong(f"expected a line from 1 to {LAST_LINE}")
    function = _line(value.get("function"), LINE_CHARACTERS)
    return Location(_required_line(value, "file", LINE_CHARACTERS), function, line)


def _system(value: JsonValue | None) -> System | None:
    if value is None:
        return None
    value.check_keys(("name",), ("version",))
    name = _required_line(value, "name", NAME_CHARACTERS)
    return System(name, _line(value.get("version"), NAME_CHARACTERS))


def _vector(value: JsonValue | None) -> str | None:
    if value is None:
        return None
    what = "a CVSS vector of version 2.0, 3.0, 3.1 or 4.0 with all base metrics"
    text = _matched(value, VECTOR_PATTERN, what, LINE_CHARACTERS)
    if not is_cvss(text):
        raise value.wrong(f"expected {what}, found {shown(text)}")
    return text


def is_cvss(vector: str) -> bool:
    """Whether ``vector`` is whole: its version's base metrics are all there, each once."""
    scheme: Any = cvss.CVSS2
    if vector.startswith("CVSS:3"):
        scheme = cvss.CVSS3
    elif vector.startswith("CVSS:4"):
        scheme = cvss.CVSS4
    try:
        scheme(vector)
    except (cvss.CVSSError, ArithmeticError, LookupError, ValueError):
        return False
    return True


def _attachments(value: JsonValue | None) -> tuple[Attachment, ...]:
    if value is None:
        return ()
    table = value.table()
    if len(table) > ATTACHMENTS:
        raise value.wrong(f"expected at most {ATTACHMENTS} files, found {len(table)}")
    found: list[Attachment] = []
    total = 0
    for name in sorted(table):
        if len(name) > NAME_CHARACTERS or not re.search(FILE_NAME_PATTERN, name):
            raise value.wrong(f"expected a file's plain name, found {shown(name)}")
        encoded = value.get(name)
        if encoded is None:
            raise value.wrong(f"expected base64 for {shown(name)}, found null")
        data = _decoded(encoded)
        total += len(data)
        if total > ATTACHED_BYTES:
            raise value.wrong(f"expected at most {ATTACHED_BYTES} bytes in all")
        found.append(Attachment(name, data))
    return tuple(found)


def _decoded(value: JsonValue) -> bytes:
    text = value.text()
    if len(text) > BASE64_CHARACTERS:
        raise value.wrong(f"expected at most {ATTACHMENT_BYTES} bytes in base64")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise value.wrong("expected base64 (RFC 4648, section 4)") from None
