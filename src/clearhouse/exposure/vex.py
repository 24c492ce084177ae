"""Which VEX statement counts for a match.

A statement counts where it names the flaw by one of its names, and exactly what is installed:

1. the package, in the ecosystem's spelling of names; each qualifier and the subpath that the
   statement has;
2. the version as it is spelt, or a range that it is in; without version every one;
3. or the product that the inventory is of, as a whole, or for this component of it.

Of those that count the latest does; of one time the most specific, then the most cautious.  A match
that is suppressed stays, with its statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final, TypeAlias

from packageurl import PackageURL

from clearhouse.exposure.matching import Component, Match
from clearhouse.exposure.names import normal_ecosystem, normal_name, of_purl
from clearhouse.exposure.spans import contains
from clearhouse.formats.advisory import Claim
from clearhouse.formats.vex import Product, Statement, purl_of
from clearhouse.versions.ecosystems import base_name

SUPPRESSING: Final = frozenset({Claim.NOT_AFFECTED, Claim.FIXED})
_CAUTION: Final = (
    Claim.NOT_AFFECTED, Claim.FIXED, Claim.UNDER_INVESTIGATION, Claim.AFFECTED,
)  # fmt: skip
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
#: Qualifiers of a package URL that a list of packages tells in other ways.
_TOLD: Final = frozenset({"distro", "epoch"})
#: Of these a list has the names of source packages, and a package URL with ``arch=source`` alone.
_BY_SOURCE: Final = frozenset({"deb", "apk"})

Specific: TypeAlias = tuple[int, int, int]
"""What is named, how exactly its version is, and by how many qualifiers."""


class _Named(IntEnum):
    """What of an installed package a product names, the most specific last."""

    WHOLE = 0
    COMPONENT = 1
    COMPONENT_OF_WHOLE = 2


@dataclass(frozen=True, slots=True)
class Stated:
    """A match, and the statement that counts for it, if any does."""

    match: Match
    statement: Statement | None = None
    product: Product | None = None
    """The statement's product that names what is installed."""

    @property
    def is_suppressed(self) -> bool:
        """Whether the statement says that nothing is to be done."""
        return self.statement is not None and self.statement.claim in SUPPRESSING


class Statements:
    """Statements by the flaw they are about."""

    def __init__(
        self, statements: Iterable[Statement], bom_links: Mapping[str, PackageURL]
    ) -> None:
        """``bom_links`` are the package URLs of components in inventories, by BOM-Link."""
        self._by_flaw: dict[str, list[Statement]] = defaultdict(list)
        for one in statements:
            linked = replace(one, products=tuple(_linked(each, bom_links) for each in one.products))
            for name in {name.casefold() for name in one.ids}:
                self._by_flaw[name].append(linked)

    def on(self, match: Match, subject: PackageURL | None) -> Stated:
        """What is stated of a match; ``subject`` is what the inventory is of, where it says so.

        A record that has several CVEs is taken back where each of them is: of its statements the
        one counts that leaves most open.
        """
        cves = [name for name in match.ids if name.startswith("CVE-")]
        others = [name for name in match.ids if name not in cves]
        if len(cves) < 2:
            return self._newest(match, match.ids, subject)
        said = [self._newest(match, (one, *others), subject) for one in cves]
        return next((one for one in said if not one.is_suppressed), said[0])

    def _newest(self, match: Match, names: Iterable[str], subject: PackageURL | None) -> Stated:
        found = [
            ((one.at or _NEVER, specific, _CAUTION.index(one.claim)), one, product)
            for name in names
            for one in self._by_flaw.get(name.casefold(), ())
            for product in one.products
            for specific in _naming(product, match.component, subject)
        ]
        if not found:
            return Stated(match)
        _, statement, product = max(found, key=lambda one: one[0])
        return Stated(match, statement, product)


def _linked(product: Product, bom_links: Mapping[str, PackageURL]) -> Product:
    if product.purl is not None:
        return product
    return replace(product, purl=bom_links.get(product.name))


def _naming(
    product: Product, component: Component, subject: PackageURL | None
) -> Iterator[Specific]:
    """How specifically a product names a component; nothing where it does not."""
    if not product.parts:
        if _names(product, component):
            yield (_Named.COMPONENT, *_exactness(product))
        if subject is not None and _is(product, subject):
            yield (_Named.WHOLE, *_exactness(product))
    elif subject is not None and _is(product, subject):
        for part in product.parts:
            if not part.parts and _names(part, component):
                yield (_Named.COMPONENT_OF_WHOLE, *_exactness(part))


def _exactness(product: Product) -> tuple[int, int]:
    purl = product.purl
    if purl is None:
        return 0, 0
    return (2 if purl.version else 1 if product.span else 0), len(purl.qualifiers)


def _is(product: Product, subject: PackageURL) -> bool:
    """Whether a product is what an inventory is of."""
    found = of_purl(subject)
    ecosystem = found.ecosystem if found else ""
    return _names(product, Component(ecosystem, "", "", subject.to_string()))


def _names(product: Product, component: Component) -> bool:
    stated = product.purl
    if stated is None:
        return False
    if not component.purl:
        return _names_listed(stated, product.span, component)
    installed = purl_of(component.purl)
    if installed is None or _package(stated) != _package(installed):
        return False
    given = installed.qualifiers
    if any(given.get(key) != value for key, value in stated.qualifiers.items()):
        return False
    if stated.subpath and stated.subpath != installed.subpath:
        return False
    version = installed.version or component.version
    epochs = {one.qualifiers.get("epoch", "0") for one in (stated, installed)}
    if stated.version and (stated.version != version or len(epochs) > 1):
        return False
    return _spans(stated, product.span, component, component.version or version)


def _names_listed(stated: PackageURL, span: str, component: Component) -> bool:
    """Whether a package URL names a package of a list, which has no package URL."""
    extra = stated.qualifiers.keys() - _TOLD
    if stated.type in _BY_SOURCE:
        if stated.qualifiers.get("arch") != "source":
            return False
        extra -= {"arch"}
    found = of_purl(stated)
    if extra or stated.subpath or found is None:
        return False
    ecosystem = normal_ecosystem(component.ecosystem)
    if normal_ecosystem(found.ecosystem) not in (ecosystem, base_name(ecosystem)):
        return False
    if normal_name(ecosystem, component.name) != normal_name(ecosystem, found.name):
        return False
    epoch = stated.qualifiers.get("epoch")
    version = f"{epoch}:{stated.version}" if epoch else stated.version
    if stated.version and version != component.version:
        return False
    return _spans(stated, span, component, component.version)


def _spans(stated: PackageURL, span: str, component: Component, version: str) -> bool:
    return not span or contains(
        span, kind=stated.type, ecosystem=component.ecosystem, version=version
    )


def _package(purl: PackageURL) -> tuple[str, ...]:
    """The package that a package URL names, whatever the version, in one spelling."""
    found = of_purl(PackageURL(purl.type, purl.namespace, purl.name))
    if found is None:
        return purl.type, purl.namespace or "", purl.name
    return found.ecosystem, found.name
