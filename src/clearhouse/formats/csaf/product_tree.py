"""Products for a product tree, and what an advisory says of each (CSAF 2.0, section 3.2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.formats.advisory import AffectedPackage, Claim
from clearhouse.formats.csaf.product_tests import looks_like_range
from clearhouse.formats.csaf.vers import ORDERS, in_words, range_of
from clearhouse.formats.osv import Affected, Bound, Event


@dataclass(frozen=True, slots=True)
class Product:
    """Versions of a package: one, or a range in vers notation; ``purl`` is without version."""

    purl: PackageURL
    supplier: str
    version: str = ""
    span: str = ""

    def __post_init__(self) -> None:
        if bool(self.version) is bool(self.span):
            raise Invalid("a product is one version or one range", key=str(self.purl))
        if self.version and looks_like_range(self.version):
            raise Invalid(f"{self.version!r} is a range, not a version", key=str(self.purl))

    @property
    def package_name(self) -> str:
        """The package's name with its namespace, and its ecosystem where it has one."""
        name = "/".join(part for part in (self.purl.namespace, self.purl.name) if part)
        return name if self.purl.type == "generic" else f"{name} ({self.purl.type})"

    @property
    def vendor(self) -> str:
        """Who supplies it; the package's name where that is not known."""
        return self.supplier or self.purl.namespace or self.purl.name

    @property
    def full_purl(self) -> str:
        """The package URL, with the version where it is one."""
        if not self.version:
            return self.purl.to_string()
        return PackageURL(
            self.purl.type,
            self.purl.namespace,
            self.purl.name,
            self.version,
            self.purl.qualifiers,
            self.purl.subpath,
        ).to_string()

    @property
    def id(self) -> str:
        """Its product_id: the same in every document, and no other product's."""
        return self.full_purl if self.version else f"{self.full_purl} {self.span}"

    def branch(self) -> dict[str, Any]:
        """Its leaf in the tree."""
        words = self.version or in_words(self.span)
        return {
            "category": "product_version" if self.version else "product_version_range",
            "name": self.version or self.span,
            "product": {
                "name": f"{self.vendor} {self.package_name} {words}",
                "product_id": self.id,
                "product_identification_helper": {"purl": self.full_purl},
            },
        }


def without_version(purl: PackageURL) -> PackageURL:
    """The package that a package URL is a version of."""
    return PackageURL(purl.type, purl.namespace, purl.name, None, purl.qualifiers, purl.subpath)


def branches(products: Iterable[Product]) -> list[dict[str, Any]]:
    """The tree: vendor, then product name, then version or range."""
    tree: dict[str, dict[PackageURL, list[Product]]] = {}
    for product in products:
        tree.setdefault(product.vendor, {}).setdefault(product.purl, []).append(product)
    return [
        {
            "category": "vendor",
            "name": vendor,
            "branches": [
                {
                    "category": "product_name",
                    "name": versions[0].package_name,
                    "branches": [product.branch() for product in versions],
                }
                for versions in packages.values()
            ],
        }
        for vendor, packages in tree.items()
    ]


@dataclass(frozen=True, slots=True)
class Claims:
    """What is claimed of each product; ``first_fixed`` are among those that are fixed."""

    of: tuple[tuple[Product, Claim], ...]
    first_fixed: tuple[Product, ...] = ()

    def products(self, claim: Claim) -> list[Product]:
        """The products of which that is claimed."""
        return [product for product, claimed in self.of if claimed is claim]


def claims_of(package: AffectedPackage) -> Claims:
    """What the published ranges of a package and its fixed versions say.

    A version has one claim: affected before under investigation, before fixed, before not
    affected.  Versions inside an affected range that are not affected are taken out of it, as far
    as the order of versions is known.
    """
    published = package.ranges
    named = _named(package)
    ranges: list[Product] = []
    for interval in published.intervals:
        if _is_one_version(interval):
            named[_key(package, interval[0].version)] = (interval[0].version, _AFFECTED)
    for interval in published.intervals:
        if _is_one_version(interval):
            continue
        inside = [
            version
            for version, claim in named.values()
            if claim in _TAKEN_OUT and _spans(package, interval, version)
        ]
        span = range_of(package.purl.type, interval, without=inside)
        ranges.append(Product(package.purl, package.supplier, span=span))
    versions = [
        (Product(package.purl, package.supplier, version), claim)
        for _, (version, claim) in sorted(named.items(), key=lambda one: one[0])
        if not (claim is Claim.FIXED and _is_affected(package, version))
    ]
    fixed = [product for product, claim in versions if claim is Claim.FIXED]
    return Claims(
        (*((one, _AFFECTED) for one in dict.fromkeys(ranges)), *versions),
        tuple(_first(package, fixed)),
    )


_AFFECTED: Final = Claim.AFFECTED
#: Fixed versions inside an affected range are no reason to narrow it: what was run counts.
_TAKEN_OUT: Final = frozenset({Claim.UNDER_INVESTIGATION, Claim.NOT_AFFECTED})


def _key(package: AffectedPackage, version: str) -> Any:  # noqa: ANN401  (each ecosystem's own)
    return ORDERS.get(package.purl.type, str)(version)


def _named(package: AffectedPackage) -> dict[Any, tuple[str, Claim]]:
    """Versions named one by one, by key; later claims weigh more and replace earlier ones."""
    ranges = package.ranges
    said: Mapping[Claim, Sequence[str]] = {
        Claim.NOT_AFFECTED: ranges.unaffected,
        Claim.FIXED: (*_fixed_ends(package), *package.fixed),
        Claim.UNDER_INVESTIGATION: ranges.undecided,
        Claim.AFFECTED: ranges.affected,
    }
    found: dict[Any, tuple[str, Claim]] = {}
    for claim, versions in said.items():
        for version in versions:
            found[_key(package, version)] = (version, claim)
    return found


def _fixed_ends(package: AffectedPackage) -> Iterator[str]:
    for interval in package.ranges.intervals:
        if interval[-1].bound is Bound.FIXED:
            yield interval[-1].version


def _is_one_version(interval: Sequence[Event]) -> bool:
    bounds = [event.bound for event in interval]
    first, last = interval[0].version, interval[-1].version
    return bounds == [Bound.INTRODUCED, Bound.LAST_AFFECTED] and first == last != "0"


def _spans(package: AffectedPackage, interval: Sequence[Event], version: str) -> bool:
    """Whether the version is in the interval; nobody can tell where the order is not known."""
    key = ORDERS.get(package.purl.type)
    return key is not None and Affected((tuple(interval),), ()).spans(version, key)


def _is_affected(package: AffectedPackage, version: str) -> bool:
    return any(_spans(package, interval, version) for interval in package.ranges.intervals)


def _first(package: AffectedPackage, fixed: Sequence[Product]) -> list[Product]:
    """The first with the fix: where a range ends, else the lowest that is named."""
    ends = {_key(package, version) for version in _fixed_ends(package)}
    at_ends = [product for product in fixed if _key(package, product.version) in ends]
    if at_ends or (len(fixed) > 1 and package.purl.type not in ORDERS):
        return at_ends
    return list(fixed[:1])
