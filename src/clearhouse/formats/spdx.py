"""SPDX 2.2, 2.3 and 3.0 in JSON as an inventory (ISO/IEC 5962).

Read are the packages, with the package URL among their external references (2.x), in their own
property or among their external identifiers (3.0).
"""

from __future__ import annotations

from typing import Final

from clearhouse.errors import Invalid
from clearhouse.formats.inventory import Inventory, Listed, check_count
from clearhouse.formats.json_value import JsonValue

#: How SPDX says that nothing is said.
_NOTHING: Final = frozenset({"NOASSERTION", "NONE"})
_PURL_TYPES: Final = frozenset({"purl", "packageurl", "packageUrl"})


def from_json_2(document: JsonValue) -> Inventory:
    """The inventory in an SPDX 2.x document.  Raises Invalid where its frame is malformed."""
    packages: list[Listed] = []
    for one in document.listed("packages"):
        try:
            references = list(one.listed("externalRefs"))
            purls = [
                reference.text_at("referenceLocator") or ""
                for reference in references
                if (reference.text_at("referenceType") or "").rpartition("/")[2] in _PURL_TYPES
            ]
            packages.append(_listed(one, "name", "versionInfo", next(iter(purls), "")))
        except Invalid as error:
            packages.append(Listed("", place=one.path, problem=error.message))
        check_count(len(packages), one.path)
    name = document.text_at("name") or ""
    return Inventory((document.text_at("spdxVersion") or "SPDX").replace("-", " "), packages, name)


def from_json_3(document: JsonValue) -> Inventory:
    """The inventory in an SPDX 3.0 document.  Raises Invalid where its frame is malformed."""
    packages: list[Listed] = []
    version, subject = "3.0", ""
    for one in document.listed("@graph"):
        try:
            match one.text_at("type"):
                case "CreationInfo":
                    version = one.text_at("specVersion") or version
                case "SpdxDocument":
                    subject = one.text_at("name") or ""
                case "software_Package":
                    packages.append(_package(one))
        except Invalid as error:
            packages.append(Listed("", place=one.path, problem=error.message))
        check_count(len(packages), one.path)
    return Inventory(f"SPDX {version}", packages, subject)


def _package(one: JsonValue) -> Listed:
    purl = one.text_at("software_packageUrl") or ""
    for identifier in one.listed("externalIdentifier"):
        if identifier.text_at("externalIdentifierType") in _PURL_TYPES:
            purl = purl or identifier.text_at("identifier") or ""
    return _listed(one, "name", "software_packageVersion", purl)


def _listed(one: JsonValue, name: str, version: str, purl: str) -> Listed:
    found = [(one.text_at(key) or "").strip() for key in (name, version)]
    found = ["" if text in _NOTHING else text for text in found]
    return Listed(found[0], found[1], purl.strip(), place=one.path)
