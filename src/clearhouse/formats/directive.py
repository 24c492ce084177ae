"""Directives as JSON documents: how an office stores them, and others read and write them.

The document has the keys of :class:`clearhouse.protocol.directives.directive.Directive`.  A
selector is a list of lines, each a list of conditions: a line holds where all of its conditions do,
and the selector where one line does.  Times are ISO 8601 with a zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar, assert_never

from clearhouse.errors import Invalid
from clearhouse.formats.directive_conditions import (
    read_system_condition,
    read_vulnerability_condition,
    write_condition,
)
from clearhouse.formats.json_value import JsonValue, decode
from clearhouse.protocol.directives.deadlines import (
    Bod2604Table,
    DaysFrom,
    FixedDate,
    NextUpgrade,
    Rule,
    Start,
)
from clearhouse.protocol.directives.directive import (
    LONGEST_TEXT,
    MOST_ENTRIES,
    Audience,
    Directive,
    Force,
    Source,
    Stage,
    To,
    Way,
)
from clearhouse.protocol.directives.selection import Systems, Vulnerabilities
from clearhouse.protocol.sectors import Sector

FORMAT: Final = "clearhouse-directive/1"
#: Bytes of a document: a thousand identifiers and as many organisations are a tenth of it.
MOST_BYTES: Final = 1_000_000
_TEXTS: Final = ("key", "title", "issuer", "basis")
_REQUIRED: Final = (
    "format", *_TEXTS, "force", "issued", "in_force", "audience", "vulnerabilities", "systems",
    "deadline", "actions", "ways", "stages",
)  # fmt: skip
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def parse(raw: bytes, where: str) -> Directive:
    """Read a document from its bytes, as :func:`read` does; at most ``MOST_BYTES`` of JSON."""
    return read(decode(raw, where, most_bytes=MOST_BYTES), where)


def read(raw: object, where: str) -> Directive:
    """Read a document; ``raw`` is decoded JSON and ``where`` the name of its file for messages.

    Raises :class:`Invalid`, with the place, where it is malformed, names what is not known, or is
    longer than a directive can be.
    """
    document = JsonValue(raw, where)
    document.check_keys(_REQUIRED, ("ends", "sources"))
    if document.text_at("format") != FORMAT:
        raise _at(document, "format").wrong(f"expected {FORMAT}")
    ends = document.get("ends")
    key, title, issuer, basis = (_text(_at(document, one)) for one in _TEXTS)
    return _made(
        document,
        lambda: Directive(
            key=key,
            title=title,
            issuer=issuer,
            basis=basis,
            force=_word(_at(document, "force"), Force),
            issued=_time(_at(document, "issued")),
            in_force=_time(_at(document, "in_force")),
            ends=None if ends is None else _time(ends),
            audience=_audience(_at(document, "audience")),
            vulnerabilities=Vulnerabilities(
                _lines(_at(document, "vulnerabilities"), read_vulnerability_condition)
            ),
            systems=Systems(_lines(_at(document, "systems"), read_system_condition)),
            deadline=_rule(_at(document, "deadline")),
            actions=tuple(_text(one) for one in _entries(document, "actions")),
            ways=frozenset(_word(one, Way) for one in _entries(document, "ways")),
            stages=tuple(_stage(one) for one in _entries(document, "stages")),
            sources=tuple(_source(one) for one in _entries(document, "sources")),
        ),
    )


def write(directive: Directive) -> dict[str, Any]:
    """The document, ready for JSON: equal directives have equal documents."""
    found: dict[str, Any] = {"format": FORMAT}
    found |= {key: getattr(directive, key) for key in _TEXTS}
    found |= {
        "force": directive.force.value,
        "issued": directive.issued.isoformat(),
        "in_force": directive.in_force.isoformat(),
        "audience": {
            "everybody": directive.audience.everybody,
            "organisations": sorted(directive.audience.organisations),
            "sectors": sorted(directive.audience.sectors),
        },
        "vulnerabilities": _written(directive.vulnerabilities.any_of),
        "systems": _written(directive.systems.any_of),
        "deadline": _written_rule(directive.deadline),
        "actions": list(directive.actions),
        "ways": [one.value for one in Way if one in directive.ways],
        "stages": [
            {
                "key": one.key,
                "share": one.share,
                "hours_late": one.hours_late,
                "to": [who.value for who in To if who in one.to],
            }
            for one in directive.stages
        ],
        "sources": [{"title": one.title, "url": one.url} for one in directive.sources],
    }
    return found | ({"ends": directive.ends.isoformat()} if directive.ends is not None else {})


def _written(lines: Iterable[Iterable[Any]]) -> list[list[dict[str, Any]]]:
    return [[write_condition(one) for one in line] for line in lines]


def _written_rule(rule: Rule) -> dict[str, Any]:
    match rule:
        case Bod2604Table():
            return {"rule": "bod-26-04"}
        case DaysFrom(start, days):
            return {"rule": "days", "from": start.value, "days": days}
        case FixedDate(at):
            return {"rule": "date", "at": at.isoformat()}
        case NextUpgrade():
            return {"rule": "next-upgrade"}
        case _:
            assert_never(rule)


def _rule(value: JsonValue) -> Rule:
    name = _text(_at(value, "rule"))
    keys = {"bod-26-04": (), "days": ("from", "days"), "date": ("at",), "next-upgrade": ()}
    if name not in keys:
        raise _at(value, "rule").wrong(f"expected one of {', '.join(keys)}")
    value.check_keys(("rule", *keys[name]), ())
    if name == "days":
        start, days = _word(_at(value, "from"), Start), _at(value, "days").integer()
        return _made(value, lambda: DaysFrom(start, days))
    if name == "date":
        at = _time(_at(value, "at"))
        return _made(value, lambda: FixedDate(at))
    return Bod2604Table() if name == "bod-26-04" else NextUpgrade()


def _lines(value: JsonValue, read_one: Callable[[JsonValue], T]) -> tuple[tuple[T, ...], ...]:
    def made(one: JsonValue) -> T:
        return _made(one, lambda: read_one(one))

    return tuple(
        tuple(made(one) for one in line.items(most=MOST_ENTRIES))
        for line in value.items(most=MOST_ENTRIES)
    )


def _audience(value: JsonValue) -> Audience:
    value.check_keys((), ("everybody", "organisations", "sectors"))
    everybody = value.get("everybody")
    if everybody is not None and not isinstance(everybody.raw, bool):
        raise everybody.expected("true or false")
    return Audience(
        frozenset(_text(one) for one in _entries(value, "organisations")),
        frozenset(_word(one, Sector) for one in _entries(value, "sectors")),
        everybody is not None and everybody.raw is True,
    )


def _stage(value: JsonValue) -> Stage:
    value.check_keys(("key", "to"), ("share", "hours_late"))
    key = _text(_at(value, "key"))
    share, late = value.integer_at("share"), value.integer_at("hours_late")
    to = frozenset(_word(one, To) for one in _entries(value, "to"))
    return _made(value, lambda: Stage(key, 100 if share is None else share, late or 0, to))


def _source(value: JsonValue) -> Source:
    value.check_keys(("title",), ("url",))
    url = value.get("url")
    return Source(_text(_at(value, "title")), "" if url is None else _short(url))


def _entries(value: JsonValue, key: str) -> Iterable[JsonValue]:
    found = value.get(key)
    return () if found is None else found.items(most=MOST_ENTRIES)


def _at(value: JsonValue, key: str) -> JsonValue:
    found = value.get(key)
    if found is None:
        raise value.wrong(f"expected {key}")
    return found


def _short(value: JsonValue) -> str:
    text = value.text()
    if len(text) > LONGEST_TEXT or "\0" in text:
        raise value.wrong(f"expected at most {LONGEST_TEXT} characters, none of them NUL")
    return text


def _text(value: JsonValue) -> str:
    text = _short(value)
    if not text.strip():
        raise value.wrong("expected a text that says something")
    return text


def _word(value: JsonValue, words: type[E]) -> E:
    text = value.text()
    known: Mapping[str, E] = {one.value: one for one in words}
    if text not in known:
        raise value.wrong(f"expected one of {', '.join(known)}")
    return known[text]


def _time(value: JsonValue) -> datetime:
    try:
        found = datetime.fromisoformat(_short(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise value.wrong("expected a time with its zone, such as 2026-12-07T00:00:00+00:00")
    return found


def _made(value: JsonValue, make: Callable[[], T]) -> T:
    """What ``make`` makes; what the value itself refuses is told with its place in the file."""
    try:
        return make()
    except Invalid as error:
        if error.where is not None:
            raise
        place = ".".join(part for part in (value.path, error.key) if part)
        raise Invalid(error.message, where=value.where, key=place or None) from None
