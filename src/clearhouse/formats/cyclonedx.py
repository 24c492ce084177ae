"""CycloneDX 1.0 to 1.7 as an inventory, in JSON and in XML (ECMA-424).

Read are the components, nested ones too, and what the document is about where it has a package URL.
Services and files are no packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from xml.parsers import expat

from clearhouse.errors import Invalid
from clearhouse.formats.inventory import MOST_PACKAGES, Inventory, Listed, check_count
from clearhouse.formats.json_value import JsonValue

SUBJECT: Final = "metadata.component"
"""Where a document says what it is of, by JSON's keys."""
_DEEPEST: Final = 200
_LONGEST_SHOWN: Final = 200
_NO_PACKAGES: Final = frozenset({"file", "data", "cryptographic-asset", "machine-learning-model"})
_READ: Final = frozenset({"name", "group", "version", "purl"})
_NAMESPACE: Final = "http://cyclonedx.org/schema/bom/"


def from_json(document: JsonValue) -> Inventory:
    """The inventory in a decoded JSON document.  Raises Invalid where its frame is malformed."""
    packages: list[Listed] = []
    metadata = document.get("metadata")
    subject = metadata.get("component") if metadata is not None else None
    waiting = _members(document)
    if subject is not None:
        waiting.append(subject)
    while waiting:
        one = waiting.pop()
        try:
            waiting += _members(one)
            found = _listed(one.table(), one.path)
        except Invalid as error:
            packages.append(Listed("", place=one.path, problem=error.message))
            continue
        if found is not None and (found.purl or one.path != SUBJECT):
            packages.append(found)
        check_count(len(packages), one.path)
    version = document.text_at("specVersion") or "of unknown version"
    name = subject.table().get("name") if subject is not None else ""
    return Inventory(f"CycloneDX {version}", packages, name if isinstance(name, str) else "")


def _members(one: JsonValue) -> list[JsonValue]:
    """The components of ``one``, the last first."""
    found = one.get("components")
    return [] if found is None else [*found.items(most=MOST_PACKAGES)][::-1]


def _listed(component: Mapping[str, Any], place: str) -> Listed | None:
    wrong = [key for key in (*_READ, "type") if not isinstance(component.get(key) or "", str)]
    if wrong:
        name = component.get("name")
        known = name.strip() if isinstance(name, str) else ""
        return Listed(known[:_LONGEST_SHOWN], place=place, problem=f"its {min(wrong)} is not text")
    if str(component.get("type")) in _NO_PACKAGES and not component.get("purl"):
        return None
    values = {key: (component.get(key) or "").strip() for key in _READ}
    name = f"{values['group']}/{values['name']}" if values["group"] else values["name"]
    return Listed(name, values["version"], values["purl"], place=place)


def from_xml(text: str, where: str) -> Inventory:
    """The inventory in an XML document.

    Raises Invalid where it is not well-formed, no CycloneDX, nested too deeply, or declares a
    document type: entities can make a small file endless.
    """
    return _Xml(where).read(text)


class _Xml:
    """Builds components from the parser's events."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._path: list[str] = []
        self._open: list[tuple[int, int, dict[str, str]]] = []  # depth, number, values
        self._text: list[str] = []
        self._found: list[tuple[int, Listed | None]] = []
        self._count = 0
        self._subject = ""
        self._version = ""

    def read(self, text: str) -> Inventory:
        # The text is decoded already: what the declaration says of its encoding is past.
        parser = expat.ParserCreate("utf-8", " ")
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
        self._found.sort(key=lambda one: one[0])
        packages = [one for _, one in self._found if one is not None]
        return Inventory(f"CycloneDX {self._version}", packages, self._subject)

    def _refuse(self, *_: object) -> None:
        raise Invalid("declares a document type; an inventory needs none", where=self._where)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not self._path:
            if local != "bom" or not namespace.startswith(_NAMESPACE):
                raise Invalid("expected a CycloneDX bom", where=self._where)
            self._version = namespace.removeprefix(_NAMESPACE)
        if len(self._path) > _DEEPEST:
            raise Invalid("is nested too deeply", where=self._where)
        # Not what tools and build formulas are made of: neither is installed.
        installed = {"bom", "components", "component", "metadata"}.issuperset(self._path)
        if local == "component" and installed and self._path[-1] != "bom":
            self._count += 1
            check_count(self._count, self._where)
            values = {"type": attributes.get("type", "")}
            self._open.append((len(self._path), self._count, values))
        self._path.append(local)
        self._text.clear()

    def _end(self, _: str) -> None:
        local = self._path.pop()
        depth, number, values = self._open[-1] if self._open else (-1, 0, {})
        if len(self._path) == depth + 1 and local in _READ:
            values.setdefault(local, "".join(self._text))
        elif len(self._path) == depth:
            self._open.pop()
            is_subject = self._path[-1:] == ["metadata"]
            found = _listed(values, SUBJECT if is_subject else f"component {number}")
            if is_subject:
                self._subject = values.get("name", "").strip()
                found = found if values.get("purl") else None
            self._found.append((number, found))
        self._text.clear()
