"""Inventories read from whatever a deployer has: which format, and which packages these are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.exposure.distributions import RELEASED
from clearhouse.exposure.matching import Component
from clearhouse.exposure.names import normal_ecosystem, of_purl
from clearhouse.formats import cyclonedx, cyclonedx_vex, cyclonedx_xml, package_lists, spdx
from clearhouse.formats.cyclonedx import SUBJECT
from clearhouse.formats.inventory import MOST_BYTES, Inventory, Listed, text_of
from clearhouse.formats.json_value import JsonValue, decode
from clearhouse.formats.vex import purl_of
from clearhouse.versions.ecosystems import ORDERS, base_name, order_of, spelt

KINDS: Final = (
    "CycloneDX (JSON or XML), SPDX (JSON), package-lock.json, requirements.txt, CSV, and what"
    " dpkg-query -W and rpm -qa print"
)
_HEADER: Final = 1000  # characters of a table's first line that are looked at
#: In bytes.  The longest name of a package on PyPI, npm and Maven Central has about 200.
_LONGEST_NAME: Final = 800
_ORDERS: Final = frozenset({"apk/1", "debian/1", "rpm/1"})
_DISTRIBUTIONS: Final = sorted(name for name, one in ORDERS.items() if one.name in _ORDERS)
_LONGEST_SHOWN: Final = 60
#: Types of package URLs whose packages are built of sources that have other names.
_BUILT: Final = ("pkg:deb/", "pkg:apk/")
_COLUMN: Final = re.compile(r"(?:.*[,;])?[\s\"]*(?:purl|name)[\s\"]*(?:$|[,;])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unidentified:
    """A package that cannot be matched as it is listed."""

    listed: Listed
    reason: str
    suggestion: str


def read(raw: bytes, where: str, distribution: str = "") -> Inventory:
    """Read an inventory of any known format; its content tells which.

    ``where`` is the file's name for messages, ``distribution`` OSV's name of the distribution
    (``Debian:12``) that a list of dpkg or rpm is from.  Raises Invalid where the format is not
    known, or the file is not what it seems.
    """
    text = text_of(raw, where)
    start = text.lstrip()[:1]
    if start == "{":
        return _from_json(text, where)
    if start == "<":
        return cyclonedx.from_xml(text, where)
    lines = [one for one in text.splitlines() if one.strip() and not one.startswith("#")]
    if not lines:
        raise Invalid(f"is empty; known are {KINDS}", where=where)
    first = lines[0].strip()
    if _COLUMN.match(first[:_HEADER]):
        return package_lists.from_csv(text, where)
    if package_lists.RPM.fullmatch(first) or first.startswith("gpg-pubkey-"):
        return package_lists.from_rpm(text, _known(distribution, where))
    if "\t" in first:
        return package_lists.from_dpkg(text, _known(distribution, where), where)
    found = package_lists.from_requirements(text)
    if not any(one.version for one in found.packages):
        raise Invalid(
            f"is of no known format, or has no version of any package; known are {KINDS}",
            where=where,
        )
    return found


def subject_of(packages: Iterable[Listed]) -> PackageURL | None:
    """The package URL of what an inventory is of, where it says so."""
    purls = (purl_of(one.purl) for one in packages if one.place == SUBJECT)
    return next(purls, None)


def bom_links_of(raw: bytes, where: str) -> dict[str, PackageURL]:
    """The package URLs of components by BOM-Link; none where it is not CycloneDX.

    Raises Invalid where the file is not what it seems.
    """
    text = text_of(raw, where)
    match text.lstrip()[:1]:
        case "{":
            found = decode(text.encode(), where, most_bytes=MOST_BYTES)
        case "<":
            found = cyclonedx_xml.decode(text, where)
        case _:
            return {}
    document = JsonValue(found, where)
    is_cyclonedx = document.table().get("bomFormat") == "CycloneDX"
    return cyclonedx_vex.bom_links(document) if is_cyclonedx else {}


def _known(distribution: str, where: str) -> str:
    """OSV's name of a distribution.  Raises Invalid where it is none, or lacks its release."""
    if not distribution.strip():
        raise Invalid(
            "is a list of a distribution's packages; say which with --distribution, as in Debian:12"
            " or AlmaLinux:9",
            where=where,
        )
    whole = spelt(distribution)
    base, _, release = whole.partition(":")
    if base not in _DISTRIBUTIONS:
        raise Invalid(
            f"is a list of a distribution's packages, and {base[:_LONGEST_SHOWN]!r} of"
            f" --distribution is none that is known; known are {', '.join(_DISTRIBUTIONS)}",
            where=where,
        )
    if base in RELEASED and not release:
        raise Invalid(
            f"is a list of packages of {base}; say of which release with --distribution,"
            f" as in {base}:12",
            where=where,
        )
    return whole


def _from_json(text: str, where: str) -> Inventory:
    document = JsonValue(decode(text.encode(), where, most_bytes=MOST_BYTES), where)
    table = document.table()
    if table.get("bomFormat") == "CycloneDX":
        return cyclonedx.from_json(document)
    if "spdxVersion" in table:
        return spdx.from_json_2(document)
    if "@graph" in table:
        return spdx.from_json_3(document)
    if "lockfileVersion" in table:
        return package_lists.from_package_lock(document)
    raise Invalid(f"is of no known format; known are {KINDS}", where=where)


def components_of(
    packages: Iterable[Listed], where: str
) -> tuple[list[Component], list[Unidentified]]:
    """The packages that can be matched, and the others with what to do about each."""
    known: list[Component] = []
    unknown: list[Unidentified] = []
    for one in packages:
        found = _component(one, where)
        if isinstance(found, Component) and _is_too_long(found):
            reason = f"its name or version has more than {_LONGEST_NAME} bytes"
            unknown.append(Unidentified(one, reason, "correct it"))
        elif isinstance(found, Component):
            known.append(found)
        else:
            unknown.append(found)
    return known, unknown


def without_release(components: Iterable[Component]) -> list[Unidentified]:
    """Packages of distributions that do not say of which release, with what to do about each.

    Advisories of these distributions are each about one release: that none is about such a package
    says nothing.
    """
    return [
        Unidentified(
            Listed(one.name, one.version, one.purl, one.ecosystem, one.place),
            f"nothing says of which release of {one.ecosystem} it is, and advisories are about one",
            "name the release, as in ?distro=debian-12 of a package URL",
        )
        for one in components
        if one.ecosystem in RELEASED
    ]


def without_source(components: Iterable[Component]) -> list[Unidentified]:
    """One entry without name for each ecosystem whose packages are all named as they are built.

    Advisories of Debian, Ubuntu and Alpine are about source packages, and a built one says in the
    qualifier ``upstream`` of which it is where that has another name (purl-spec, ``deb``).  On a
    list of which none says so nothing tells which sources are there.
    """
    built: dict[str, list[Component]] = {}
    told: set[str] = set()
    for one in components:
        if one.purl.startswith(_BUILT):
            base = base_name(one.ecosystem)
            if "upstream=" in one.purl or "arch=source" in one.purl:
                told.add(base)
            elif "arch=" in one.purl:
                built.setdefault(base, []).append(one)
    return [
        Unidentified(
            Listed("", place=some[0].place),
            f"none of the packages of {base} says of which source it is built, and advisories are"
            " about sources",
            "use a tool that writes the qualifier upstream, as in libssl3?upstream=openssl",
        )
        for base, some in built.items()
        if base not in told
    ]


def _is_too_long(one: Component) -> bool:
    texts = (one.ecosystem, one.name, one.version)
    return any(len(text.encode(errors="replace")) > _LONGEST_NAME for text in texts)


def _component(one: Listed, where: str) -> Component | Unidentified:
    if one.problem:
        reason, _, suggestion = one.problem.partition("; ")
        return Unidentified(one, reason, suggestion or "correct it")
    if one.purl:
        return _of_purl(one, where)
    if one.ecosystem and one.name:
        ecosystem = spelt(one.ecosystem)
        if order_of(ecosystem) is None:
            reason = f"{one.ecosystem} is no ecosystem whose versions we can compare"
            return Unidentified(one, reason, "use the name that OSV has for it")
        return Component(
            normal_ecosystem(ecosystem),
            one.name,
            one.version,
            "",
            where,
            one.place,
            one.lacks_epoch,
        )
    return Unidentified(
        one,
        "it has no package URL, and its name may mean several packages",
        "add one, as in pkg:pypi/requests@2.32.0",
    )


def _of_purl(one: Listed, where: str) -> Component | Unidentified:
    try:
        purl = PackageURL.from_string(one.purl)
    except ValueError as error:
        return Unidentified(one, f"its package URL is malformed: {error}", "correct it")
    found = of_purl(purl)
    if found is None:
        kind = f"{purl.type}/{purl.namespace}" if purl.namespace else purl.type
        reason = f"no advisory that can be read here names packages of {kind}"
        return Unidentified(one, reason, "look at its supplier's own advisories")
    version = found.version or one.version
    epoch = purl.qualifiers.get("epoch") if purl.type in ("rpm", "deb") else None
    if epoch and ":" not in version:
        version = f"{epoch}:{version}"
    return Component(found.ecosystem, found.name, version, one.purl, where, one.place)
