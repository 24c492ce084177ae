"""``item.toml``: what an item says of itself, and the digest of each of its files.  Pure.

The text has one form only, so that equal items have equal bytes: whatever differs from what
:func:`render` writes of it is refused.  The item's digest is that of this text, and with it of
everything: a file that is missing, added or altered shows.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from clearhouse.benchmark.families import Family
from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Language
from clearhouse.proof.effects import Effect

T = TypeVar("T", bound=StrEnum)

ITEM_FILE: Final = "item.toml"
#: Where an item's files stand: for the agent, for the judge; and the name of what was handed in.
GIVEN: Final = "given/"
JUDGE: Final = "judge/"
HANDED_IN: Final = "handed-in.bin"
FORMAT: Final = 1
#: What stands before an item's canary, as BIG-bench has it (Srivastava 2022, section 2).
CANARY_WORDS: Final = "Benchmark data must never appear in training data. Canary GUID"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_CANARY: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
#: An item has some twenty files; this is room for thousands.
_MOST_BYTES: Final = 4 << 20
_KEYS: Final = {
    "item": {"format", "name", "family", "effect", "language", "canary", "published"},
    "target": {"digest", "masked"},
    "renamed": None,
    "versions": None,
    "files": None,
}
_MAY_BE_ABSENT: Final = frozenset({"renamed", "versions"})


class Masked(StrEnum):
    """How far an item hides which package it is; the value stands in ``item.toml``."""

    NO = "no"
    #: Its version is another one, wherever its files tell it.
    VERSION = "re-versioned"
    #: And so is its name.
    NAME = "renamed"


@dataclass(frozen=True, slots=True)
class Record:
    """What ``item.toml`` holds.

    ``published`` is the day on which the fix was released, None where the registry does not say.
    ``target_digest`` is that of the target's files (for C and C++ of its sources).  ``renamed``
    maps words of the package to those in their place, ``versions`` likewise its version, and
    ``files`` every other file of the item to the SHA-256 of its content, in hexadecimal.
    """

    name: str
    family: Family
    effect: Effect
    language: Language
    canary: str
    published: date | None
    target_digest: str
    masked: Masked
    renamed: Mapping[str, str]
    versions: Mapping[str, str]
    files: Mapping[str, str]


def canary_line(canary: str) -> str:
    """The line by which a text can be told to hold part of an item."""
    return f"{CANARY_WORDS} {canary}"


def render(record: Record) -> bytes:
    """Return the one text that stands for a record."""
    item: dict[str, object] = {
        "format": FORMAT, "name": record.name, "family": record.family.value,
        "effect": record.effect.value, "language": record.language.value,
        "canary": record.canary,
    }  # fmt: skip
    lines = [f"# {canary_line(record.canary)}", "[item]"]
    lines += [f"{key} = {_text(value)}" for key, value in item.items()]
    if record.published is not None:
        lines.append(f"published = {record.published.isoformat()}")
    lines += ["", "[target]", f"digest = {_text(record.target_digest)}"]
    lines.append(f"masked = {_text(record.masked.value)}")
    tables = {"renamed": record.renamed, "versions": record.versions, "files": record.files}
    for name, table in tables.items():
        if table or name not in _MAY_BE_ABSENT:
            lines += ["", f"[{name}]"]
            lines += [f"{_text(key)} = {_text(table[key])}" for key in sorted(table)]
    return "\n".join([*lines, ""]).encode()


def _text(value: object) -> str:
    # JSON's texts and numbers are TOML's too, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def parse(raw: bytes, *, where: str) -> Record:
    """Return the record that a text stands for.  Raises Invalid.

    1. The text is TOML with the sections and keys of the format, and no others.
    2. Each value has its form.
    3. It is the text that :func:`render` writes of them.
    """
    if len(raw) > _MOST_BYTES:
        raise Invalid(f"is larger than {_MOST_BYTES >> 20} MiB", where=where)
    document = _document(raw, where)
    record = _record(document, where)
    if render(record) != raw:
        raise Invalid(
            "says nothing wrong, but is not in its one form: it was edited by hand;"
            " 'clearhouse bench build' makes it anew",
            where=where,
        )
    return record


def _document(raw: bytes, where: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Invalid("expected TOML in UTF-8", where=where) from None
    unknown = sorted(document.keys() - _KEYS.keys())
    if unknown:
        raise Invalid(f"unknown section; expected {', '.join(_KEYS)}", where=where, key=unknown[0])
    for name, keys in _KEYS.items():
        table = document.get(name, {} if name in _MAY_BE_ABSENT else None)
        if not isinstance(table, dict):
            raise Invalid("the section is missing", where=where, key=f"[{name}]")
        document[name] = table
        if keys is None:
            continue
        optional = {"published"} & keys
        wrong = sorted((table.keys() - keys) | (keys - optional - table.keys()))
        if wrong:
            raise Invalid("the key is missing or unknown", where=where, key=f"[{name}] {wrong[0]}")
    return document


def _record(document: Mapping[str, Any], where: str) -> Record:
    item, target = document["item"], document["target"]
    if type(item["format"]) is not int or item["format"] != FORMAT:
        raise Invalid(f"expected {FORMAT}", where=where, key="[item] format")
    published = item.get("published")
    if published is not None and type(published) is not date:
        raise Invalid("expected a day such as 2026-01-31", where=where, key="[item] published")
    return Record(
        name=_matching(_NAME, item["name"], where, "[item] name"),
        family=_one_of(Family, item["family"], where, "[item] family"),
        effect=_one_of(Effect, item["effect"], where, "[item] effect"),
        language=_one_of(Language, item["language"], where, "[item] language"),
        canary=_matching(_CANARY, item["canary"], where, "[item] canary"),
        published=published,
        target_digest=_matching(_SHA256, target["digest"], where, "[target] digest"),
        masked=_one_of(Masked, target["masked"], where, "[target] masked"),
        renamed=MappingProxyType(_texts(document["renamed"], where, "[renamed]")),
        versions=MappingProxyType(_texts(document["versions"], where, "[versions]")),
        files=MappingProxyType(
            {
                name: _matching(_SHA256, digest, where, f"[files] {name}")
                for name, digest in _texts(document["files"], where, "[files]").items()
            }
        ),
    )


def _matching(pattern: re.Pattern[str], value: object, where: str, key: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Invalid("the value has not the form of its kind", where=where, key=key)
    return value


def _one_of(kind: type[T], value: object, where: str, key: str) -> T:
    try:
        return kind(str(value))
    except ValueError:
        expected = ", ".join(one.value for one in kind)
        raise Invalid(f"expected one of {expected}", where=where, key=key) from None


def _texts(table: Mapping[str, Any], where: str, key: str) -> dict[str, str]:
    if not all(isinstance(value, str) for value in table.values()):
        raise Invalid("expected texts only", where=where, key=key)
    return dict(table)


def digest_of(raw: bytes) -> str:
    """``sha256:`` and the digest of an ``item.toml``, which is the item's."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def listing(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file's content, as ``[files]`` has it."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
