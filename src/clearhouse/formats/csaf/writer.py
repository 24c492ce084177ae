"""Advisories and VEX statements as CSAF 2.0 documents.

An advisory becomes a document with one vulnerability.  What running versions showed is its product
status; what somebody declares stands beside it in notes that say who does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from packageurl import PackageURL

from clearhouse import __version__
from clearhouse.errors import Invalid
from clearhouse.formats.advisory import (
    Advisory,
    AffectedPackage,
    Claim,
    Credit,
    CreditRole,
    Remediation,
    Remedy,
)
from clearhouse.formats.csaf import cwe, notes
from clearhouse.formats.csaf.product_tree import (
    Claims,
    Product,
    branches,
    claims_of,
    without_version,
)
from clearhouse.formats.csaf.scores import score_entries
from clearhouse.formats.csaf.vers import is_range
from clearhouse.protocol.tlp import as_csaf_2_0

#: The label's own page: CSAF 2.0 knows TLP 1.0 only.
_TLP_1: Final = "https://www.first.org/tlp/v1/"

_STATUS: Final[Mapping[Claim, str]] = {
    Claim.AFFECTED: "known_affected",
    Claim.FIXED: "fixed",
    Claim.NOT_AFFECTED: "known_not_affected",
    Claim.UNDER_INVESTIGATION: "under_investigation",
}
_THANKS: Final[Mapping[CreditRole, str]] = {
    CreditRole.FINDER: "Found the vulnerability.",
    CreditRole.REMEDIATION_DEVELOPER: "Developed the fix.",
    CreditRole.COORDINATOR: "Coordinated the disclosure.",
    CreditRole.TOOL: "Tool used in finding the vulnerability.",
}
#: Who numbers vulnerabilities, by how the number begins (OSV's list of databases).
_SYSTEMS: Final[Mapping[str, str]] = {
    "GHSA-": "GitHub Security Advisories",
    "PYSEC-": "PyPI Advisory Database",
    "GO-": "Go Vulnerability Database",
    "RUSTSEC-": "RustSec Advisory Database",
    "OSV-": "OSS-Fuzz",
    "EUVD-": "European Vulnerability Database",
    "CVE-": "CVE",
}
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_FILE_NAME: Final = re.compile(r"[^+\-a-z0-9]+")


class Justification(StrEnum):
    """Why a product is not affected; the value is the flag's label (section 3.2.3.5)."""

    NO_COMPONENT = "component_not_present"
    MITIGATED = "inline_mitigations_already_exist"
    NOT_CONTROLLED = "vulnerable_code_cannot_be_controlled_by_adversary"
    NOT_EXECUTED = "vulnerable_code_not_in_execute_path"
    NO_CODE = "vulnerable_code_not_present"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody states of one product: a version in the purl, or a range in vers notation.

    Not affected needs a justification or a text on the impact.  Affected says what to do:
    ``remedy``, else the advisory's own remediations.  ``supplier`` may be empty where the advisory
    names the package.
    """

    purl: PackageURL
    claim: Claim
    span: str = ""
    justification: Justification | None = None
    impact: str = ""
    remedy: Remediation | None = None
    supplier: str = ""

    def __post_init__(self) -> None:
        if bool(self.purl.version) is bool(self.span):
            raise Invalid("a statement is on one version or one range", key=str(self.purl))
        if self.span and not is_range(self.span):
            raise Invalid("expected a range in vers notation", key=str(self.purl))
        reasoned = self.justification is not None or bool(self.impact)
        if reasoned is not (self.claim is Claim.NOT_AFFECTED):
            raise Invalid(
                "a justification is given where, and only where, a product is not affected",
                key=str(self.purl),
            )
        if self.remedy is not None and self.claim is not Claim.AFFECTED:
            raise Invalid("a remedy is for what is affected", key=str(self.purl))


def file_name(tracking_id: str) -> str:
    """The name of a document's file (section 5.1)."""
    return _FILE_NAME.sub("_", tracking_id.lower()) + ".json"


def security_advisory(advisory: Advisory, *, canonical_url: str | None = None) -> dict[str, Any]:
    """The advisory as a document of category csaf_security_advisory.

    ``canonical_url`` is where it will be found.  Raises Invalid for what CSAF cannot say, Refused
    for a TLP label that CSAF 2.0 does not have.
    """
    claims = _all_claims(advisory.packages)
    vulnerability = _vulnerability(advisory, claims, notes.of(advisory, advisory.packages))
    return _document(advisory, advisory.id, "csaf_security_advisory", canonical_url) | {
        "product_tree": {"branches": branches(product for product, _ in claims.of)},
        "vulnerabilities": [vulnerability],
    }


def vex(
    advisory: Advisory, statements: Sequence[Statement], *, canonical_url: str | None = None
) -> dict[str, Any]:
    """Statements on products as a document of category csaf_vex, numbered after the advisory.

    Raises Invalid where there is no statement, or two on one product.
    """
    if not statements:
        raise Invalid("a VEX document has at least one statement", key="statements")
    said = [(_product(advisory, statement), statement) for statement in statements]
    ids = [product.id for product, _ in said]
    if len(set(ids)) != len(ids):
        raise Invalid("there are two statements on one product", key="statements")
    claims = Claims(tuple((product, statement.claim) for product, statement in said))
    vulnerability = _vulnerability(advisory, claims, notes.of(advisory, ()))
    own = {one.id: stated.remedy for one, stated in said if stated.remedy is not None}
    others = [one for one in claims.products(Claim.AFFECTED) if one.id not in own]
    remediations = [_remediation(remedy, [product]) for product, remedy in own.items()]
    remediations += _remediations(advisory, others)
    flags = [
        {"label": stated.justification.value, "product_ids": [product.id]}
        for product, stated in said
        if stated.justification is not None
    ]
    threats = [
        {"category": "impact", "details": stated.impact, "product_ids": [product.id]}
        for product, stated in said
        if stated.impact
    ]
    given = {"flags": flags, "remediations": remediations, "threats": threats}
    vulnerability = {**vulnerability, **given}
    return _document(advisory, f"{advisory.id}-VEX", "csaf_vex", canonical_url) | {
        "product_tree": {"branches": branches(product for product, _ in said)},
        "vulnerabilities": [_present(vulnerability)],
    }


def _product(advisory: Advisory, statement: Statement) -> Product:
    package = without_version(statement.purl)
    known = [one.supplier for one in advisory.packages if one.purl == package]
    supplier = statement.supplier or next(iter(known), "")
    return Product(package, supplier, statement.purl.version or "", statement.span)


def _all_claims(packages: Iterable[AffectedPackage]) -> Claims:
    found = [claims_of(package) for package in packages]
    of = tuple(claim for claims in found for claim in claims.of)
    if not of:
        raise Invalid("nothing is said of any version", key="packages")
    ids = [product.id for product, _ in of]
    if len(set(ids)) != len(ids):
        raise Invalid("a package is named once", key="packages")
    return Claims(of, tuple(one for claims in found for one in claims.first_fixed))


def _document(
    advisory: Advisory, number: str, category: str, canonical_url: str | None
) -> dict[str, Any]:
    references = [
        {"category": "external", "summary": one.summary or one.url, "url": one.url}
        for one in advisory.references
    ]
    if canonical_url is not None:
        self_reference = {"category": "self", "summary": "This document.", "url": canonical_url}
        references.insert(0, self_reference)
    publisher = {
        "category": "coordinator",
        "contact_details": advisory.publisher.contact,
        "name": _said(advisory.publisher.name, "publisher"),
        "namespace": _said(advisory.publisher.namespace, "publisher"),
    }
    label = {"label": as_csaf_2_0(advisory.tlp), "url": _TLP_1}
    document = {
        "category": category,
        "csaf_version": "2.0",
        "distribution": {"tlp": label},
        "lang": "en",
        "notes": notes.of_document(advisory),
        "publisher": _present(publisher),
        "references": references,
        "title": _said(advisory.title, "title"),
        "tracking": _tracking(advisory, number),
    }
    return {"document": _present(document)}


def _tracking(advisory: Advisory, number: str) -> dict[str, Any]:
    """Revisions are numbered by integers; a final document begins with 1 (section 3.1.11.1)."""
    revisions = advisory.revisions
    if any(after.at < before.at for before, after in pairwise(revisions)):
        raise Invalid("a later revision has an earlier time", key="revisions")
    return {
        "current_release_date": _time(advisory.current.at),
        "generator": {"engine": {"name": "clearhouse", "version": __version__}},
        "id": _said(number, "id"),
        "initial_release_date": _time(advisory.released),
        "revision_history": [
            {
                "date": _time(one.at),
                "number": str(one.number),
                "summary": _said(one.summary, "revisions"),
            }
            for one in revisions
        ],
        "status": advisory.status.value,
        "version": str(advisory.current.number),
    }


def _vulnerability(
    advisory: Advisory, claims: Claims, said: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    affected = claims.products(Claim.AFFECTED)
    status = {name: [one.id for one in claims.products(claim)] for claim, name in _STATUS.items()}
    status["first_fixed"] = [one.id for one in claims.first_fixed]
    if advisory.cve is not None and not _CVE.fullmatch(advisory.cve):
        raise Invalid("expected CVE, a year and a number", key="cve")
    cves = [one for one in (advisory.cve or "", *advisory.aliases) if _CVE.fullmatch(one)]
    cve = next(iter(cves), None)
    found = {
        "acknowledgments": [_acknowledgment(one) for one in advisory.credits],
        "cve": cve,
        "cwe": _weakness(advisory),
        "discovery_date": advisory.discovered and _time(advisory.discovered),
        "ids": _ids(advisory, cve),
        "notes": list(said),
        "product_status": _present(status),
        "remediations": _remediations(advisory, affected),
        "scores": score_entries(advisory, [one.id for one in affected]),
        "title": advisory.title,
    }
    return _present(found)


def _ids(advisory: Advisory, cve: str | None) -> list[dict[str, str]]:
    own = {"system_name": advisory.publisher.name, "text": advisory.id}
    others = [alias for alias in dict.fromkeys(advisory.aliases) if alias != cve]
    return [own] + [{"system_name": _system(alias), "text": alias} for alias in others]


def _system(alias: str) -> str:
    named = (system for start, system in _SYSTEMS.items() if alias.startswith(start))
    return next(named, "alias")


def _weakness(advisory: Advisory) -> dict[str, str] | None:
    """The first weakness; CSAF 2.0 has room for one, the others are in a note."""
    for number in advisory.weaknesses:
        if number not in cwe.NAMES or cwe.is_deprecated(number):
            raise Invalid(f"CWE-{number} is no weakness of CWE 4.17", key="weaknesses")
    return next(({"id": f"CWE-{one}", "name": cwe.NAMES[one]} for one in advisory.weaknesses), None)


def _acknowledgment(credit: Credit) -> dict[str, Any]:
    thanks = {
        "names": [credit.name] if credit.name else [],
        "organization": credit.organisation,
        "summary": _THANKS[credit.role],
    }
    return _present(thanks)


def _remediations(advisory: Advisory, affected: Sequence[Product]) -> list[dict[str, Any]]:
    """What to do about the affected products: as the advisory says, else what its facts say."""
    if not affected:
        return []
    if advisory.remediations:
        return [
            _remediation(one, [product.id for product in affected]) for one in advisory.remediations
        ]
    found = []
    for package in dict.fromkeys(product.purl for product in affected):
        ids = [product.id for product in affected if product.purl == package]
        known = [one for one in advisory.packages if one.purl == package]
        fixed = [version for each in known for version in _fixed_versions(each)]
        remedy = Remediation(Remedy.NONE_YET, "No fixed version is known yet.")
        if fixed:
            remedy = Remediation(Remedy.FIX, f"Fixed in {', '.join(fixed)}.")
        found.append(_remediation(remedy, ids))
    return found


def _fixed_versions(package: AffectedPackage) -> Sequence[str]:
    if package.executed is None and not package.declared:
        return package.fixed
    return [product.version for product in claims_of(package).products(Claim.FIXED)]


def _remediation(remedy: Remediation, ids: Sequence[str]) -> dict[str, Any]:
    found = {
        "category": remedy.kind.value,
        "details": _said(remedy.text, "remediations"),
        "product_ids": list(ids),
        "url": remedy.url,
    }
    return _present(found)


def _time(at: datetime) -> str:
    if at.utcoffset() is None:
        raise Invalid("a time has a zone")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _said(words: str, key: str) -> str:
    """A text that has to be there, without space around it."""
    if not words.strip():
        raise Invalid("is empty, and has to say something", key=key)
    return words.strip()


def _present(found: Mapping[str, Any]) -> dict[str, Any]:
    """What is there: CSAF has no empty texts, lists or objects."""
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}
