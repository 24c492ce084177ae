"""The JSON form of a report, said to machines: its limits, its patterns, and its schema.

The parser (:mod:`clearhouse.formats.report`) uses the same limits and patterns.
"""

from __future__ import annotations

from typing import Any, Final

TITLE_CHARACTERS: Final = 200
DESCRIPTION_CHARACTERS: Final = 65_536
EFFECT_CHARACTERS: Final = 2_000
LINE_CHARACTERS: Final = 500
"""Longest file, function, address or other single line."""
NAME_CHARACTERS: Final = 100
WEAKNESSES: Final = 20
LOCATIONS: Final = 200
ALIASES: Final = 50
REFERENCES: Final = 50
ATTACHMENTS: Final = 20
ATTACHMENT_BYTES: Final = 15 << 20
"""A multiple of three, so that the length in base64 says it."""
ATTACHED_BYTES: Final = 32 << 20
RECORD_BYTES: Final = 48 << 20
"""One report in JSON: the attachments in base64, and room for the text."""
LAST_LINE: Final = 10_000_000
LAST_WEAKNESS: Final = 99_999

# Patterns are JSON Schema's and Python's at once.  They end in _END, for Python's $ also matches
# before a last line feed; ECMAScript, read with its flag u, has no \Z.
_END: Final = r"(?![\s\S])"
#: No control character, nothing that hides or turns text around (Unicode 16, section 23.2;
#: Boucher and Anderson 2021), no half of a surrogate pair.
_UNSEEN: Final = (
    r"\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
)
LINE_PATTERN: Final = rf"^[^{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]*{_END}"
PARAGRAPHS_PATTERN: Final = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff]*" + _END
PURL_PATTERN: Final = (
    r"^pkg:[a-z][a-z0-9.+-]*(?:/[A-Za-z0-9%._~!+:-]+)+@[A-Za-z0-9%._~!+:-]+"
    rf"(?:\?[A-Za-z0-9%._~!+:=&/,-]*)?(?:#[A-Za-z0-9%._~!+:/-]*)?{_END}"
)
VECTOR_PATTERN: Final = rf"^(?:CVSS:(?:3\.[01]|4\.0)/)?[A-Za-z]{{1,3}}:[A-Za-z]{{1,7}}(?:/[A-Za-z]{{1,3}}:[A-Za-z]{{1,7}})*{_END}"  # noqa: E501 - one pattern
ALIAS_PATTERN: Final = (
    r"^(?:CVE-[0-9]{4}-[0-9]{4,19}"
    rf"|GHSA(?:-[23456789cfghjmpqrvwx]{{4}}){{3}}){_END}"
)
URL_PATTERN: Final = rf"^https?://[^\s\"<>\\{_UNSEEN}]+{_END}"
WEAKNESS_PATTERN: Final = rf"^CWE-[1-9][0-9]{{0,4}}{_END}"
FILE_NAME_PATTERN: Final = rf"^[A-Za-z0-9_][A-Za-z0-9._ -]*{_END}"
BASE64_PATTERN: Final = (
    rf"^(?:[A-Za-z0-9+/]{{4}})*(?:[A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=)?{_END}"
)
BASE64_CHARACTERS: Final = (ATTACHMENT_BYTES + 2) // 3 * 4


def _line(most: int = LINE_CHARACTERS) -> dict[str, Any]:
    return {"type": ["string", "null"], "maxLength": most, "pattern": LINE_PATTERN}


def _texts(pattern: str, most: int) -> dict[str, Any]:
    one = {"type": "string", "maxLength": LINE_CHARACTERS, "pattern": pattern}
    return {"type": ["array", "null"], "maxItems": most, "items": one}


def _system(what: str) -> dict[str, Any]:
    return {
        "description": what,
        "type": ["object", "null"],
        "properties": {
            "name": _line(NAME_CHARACTERS) | {"type": "string"},
            "version": _line(NAME_CHARACTERS),
        },
        "required": ["name"],
        "additionalProperties": False,
    }


#: The JSON form of a report.  A key that is null is as one that is not there.
SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A report of a vulnerability",
    "type": "object",
    "properties": {
        "title": _line(TITLE_CHARACTERS) | {"type": "string"},
        "description": {
            "type": ["string", "null"],
            "maxLength": DESCRIPTION_CHARACTERS,
            "pattern": PARAGRAPHS_PATTERN,
        },
        "target": {
            "description": "Package URL with a version",
            "type": ["string", "null"],
            "maxLength": LINE_CHARACTERS,
            "pattern": PURL_PATTERN,
        },
        "target_text": _line(),
        "weaknesses": {
            "type": ["array", "null"],
            "maxItems": WEAKNESSES,
            "items": {
                "anyOf": [
                    {"type": "integer", "minimum": 1, "maximum": LAST_WEAKNESS},
                    {"type": "string", "maxLength": 9, "pattern": WEAKNESS_PATTERN},
                ]
            },
        },
        "locations": {
            "type": ["array", "null"],
            "maxItems": LOCATIONS,
            "items": {
                "type": "object",
                "properties": {
                    "file": _line() | {"type": "string"},
                    "function": _line(),
                    "line": {"type": ["integer", "null"], "minimum": 1, "maximum": LAST_LINE},
                },
                "required": ["file"],
                "additionalProperties": False,
            },
        },
        "effect": {
            "type": ["string", "null"],
            "maxLength": EFFECT_CHARACTERS,
            "pattern": PARAGRAPHS_PATTERN,
        },
        "severity": _line(NAME_CHARACTERS),
        "severity_vector": {
            "description": "CVSS vector",
            "type": ["string", "null"],
            "maxLength": LINE_CHARACTERS,
            "pattern": VECTOR_PATTERN,
        },
        "found_by": _system("The AI system that found it; absent for a person"),
        "aliases": _texts(ALIAS_PATTERN, ALIASES),
        "references": _texts(URL_PATTERN, REFERENCES),
        "origin_id": _line(),
        "tool": _system("The program that wrote the report"),
        "attachments": {
            "description": "Files by name, in base64",
            "type": ["object", "null"],
            "maxProperties": ATTACHMENTS,
            "propertyNames": {"maxLength": NAME_CHARACTERS, "pattern": FILE_NAME_PATTERN},
            "additionalProperties": {
                "type": "string",
                "maxLength": BASE64_CHARACTERS,
                "pattern": BASE64_PATTERN,
            },
        },
    },
    "required": ["title"],
    "additionalProperties": False,
}
