"""CycloneDX 1.0 to 1.7 as an inventory, in JSON and in XML (ECMA-424).

Read are the components, nested ones too, and what the document is about where it has a package URL.
Services and files are no packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.formats import cyclonedx_xml
from clearhouse.formats.inventory import MOST_PACKAGES, Inventory, Listed, check_count
from clearhouse.formats.json_value import JsonValue

SUBJECT: Final = "metadata.component"
"""Where a document says what it is of, by JSON's keys."""
_LONGEST_SHOWN: Final = 200
_NO_PACKAGES: Final = frozenset({"file", "data", "cryptographic-asset", "machine-learning-model"})
_READ: Final = frozenset({"name", "group", "version", "purl"})


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
    """The inventory in an XML document; raises what :func:`cyclonedx_xml.decode` raises."""
    return from_json(JsonValue(cyclonedx_xml.decode(text, where), where))
