"""CycloneDX in XML as the value that its JSON would be (ECMA-424, both schemas of 1.0 to 1.7).

Only what is read of it elsewhere is kept: what the document is about, components with what they are
made of, and vulnerabilities with what is stated of them.  XML wraps a list into an element of its
own and a few names differ; places in messages are those of the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from xml.parsers import expat

from clearhouse.errors import Invalid
from clearhouse.formats.inventory import check_count
from clearhouse.formats.json_value import shown

_DEEPEST: Final = 200
_NAMESPACE: Final = "http://cyclonedx.org/schema/bom/"


@dataclass(frozen=True, slots=True)
class _Text:
    """An element whose text is the value."""


@dataclass(frozen=True, slots=True)
class _Table:
    """An element that is an object: its attributes, and its elements by what they are."""

    attributes: tuple[str, ...] = ()
    members: dict[str, _Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _List:
    """An element that is a list of the elements of one name."""

    member: str
    shape: _Shape


_Shape: TypeAlias = _Text | _Table | _List


def _texts(*names: str) -> dict[str, _Shape]:
    return dict.fromkeys(names, _Text())


_NAMED: Final = _Table((), _texts("name"))
_COMPONENT: Final = _Table(("type", "bom-ref"), _texts("name", "group", "version", "purl"))
_COMPONENT.members["components"] = _List("component", _COMPONENT)
_METADATA: Final = _Table((), {
    **_texts("timestamp"),
    "authors": _List("author", _NAMED),
    "supplier": _NAMED, "manufacturer": _NAMED, "manufacture": _NAMED,
    "component": _COMPONENT,
})  # fmt: skip
_ANALYSIS: Final = _Table((), {
    **_texts("state", "justification", "detail", "lastUpdated"),
    "responses": _List("response", _Text()),
})  # fmt: skip
_TARGET: Final = _Table((), {
    **_texts("ref"),
    "versions": _List("version", _Table((), _texts("version", "range", "status"))),
})  # fmt: skip
_VULNERABILITY: Final = _Table((), {
    **_texts("id", "updated", "recommendation", "workaround"),
    "references": _List("reference", _Table((), _texts("id"))),
    "analysis": _ANALYSIS,
    "affects": _List("target", _TARGET),
})  # fmt: skip
_BOM: Final = _Table(("serialNumber", "version"), {
    "metadata": _METADATA,
    "components": _List("component", _COMPONENT),
    "vulnerabilities": _List("vulnerability", _VULNERABILITY),
})  # fmt: skip
#: Elements that JSON calls otherwise.
_IN_JSON: Final[Mapping[str, str]] = {"responses": "response"}


def decode(text: str, where: str) -> dict[str, Any]:
    """The document's value.

    Raises Invalid where it is not well-formed, no CycloneDX, nested too deeply, or declares a
    document type: entities can make a small file endless.  And where something would be lost: an
    element that stands twice where the schema has one, is inside of a text, or is of another
    edition.
    """
    return _Reading(where).read(text)


class _Reading:
    """Builds the value from the parser's events; what has no shape is passed over."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._parser = expat.ParserCreate("utf-8", " ")
        self._namespace = ""
        self._found: dict[str, Any] = {}
        self._open: list[tuple[_Shape | None, Any]] = []
        self._text: list[str] = []
        self._count = 0

    def read(self, text: str) -> dict[str, Any]:
        # The text is decoded already: what the declaration says of its encoding is past.
        parser = self._parser
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._refuse
        try:
            parser.Parse(text.encode(), True)  # noqa: FBT003 # expat has no names
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "it is not well-formed")
            raise Invalid(
                f"is not XML: {reason} in line {error.lineno}", where=self._where
            ) from None
        return self._found

    def _refuse(self, *_: object) -> None:
        raise Invalid("declares a document type; CycloneDX needs none", where=self._where)

    def _invalid(self, reason: str) -> Invalid:
        line = self._parser.CurrentLineNumber
        return Invalid(f"{reason} in line {line}", where=self._where)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._text.clear()
        if not self._open:
            if local != "bom" or not namespace.startswith(_NAMESPACE):
                raise Invalid("expected a CycloneDX bom", where=self._where)
            self._namespace = namespace
            self._open.append((_BOM, self._found))
            self._found["bomFormat"] = "CycloneDX"
            self._found["specVersion"] = namespace.removeprefix(_NAMESPACE)
            self._found |= _attributes(_BOM, attributes)
            return
        if len(self._open) > _DEEPEST:
            raise Invalid("is nested too deeply", where=self._where)
        around, value = self._open[-1]
        if isinstance(around, _Text):
            raise self._invalid(f"has {shown(local)} inside of a text")
        if namespace != self._namespace and namespace.startswith(_NAMESPACE):
            raise self._invalid(f"has {shown(local)} of another edition than itself")
        # An extension may call its elements as it likes.
        shape = self._member(local) if namespace == self._namespace else None
        if isinstance(around, _Table) and shape is not None and _in_json(local) in value:
            raise self._invalid(f"has {shown(local)} twice where one can be")
        match shape:
            case _Table():
                self._open.append((shape, _attributes(shape, attributes)))
            case _List():
                self._open.append((shape, []))
            case _:
                self._open.append((shape, None))

    def _member(self, local: str) -> _Shape | None:
        match self._open[-1][0]:
            case _Table(_, members):
                return members.get(local)
            case _List(member, shape) if member == local:
                return shape
            case _:
                return None

    def _end(self, name: str) -> None:
        shape, value = self._open.pop()
        if shape is None or not self._open:
            return
        if isinstance(shape, _Text):
            value = "".join(self._text).strip()
        _, around = self._open[-1]
        if isinstance(around, list):
            self._count += 1
            check_count(self._count, self._where)
            around.append(value)
        else:
            around[_in_json(name.rpartition(" ")[2])] = value


def _in_json(local: str) -> str:
    return _IN_JSON.get(local, local)


def _attributes(shape: _Table, attributes: Mapping[str, str]) -> dict[str, Any]:
    return {one: attributes[one].strip() for one in shape.attributes if one in attributes}
