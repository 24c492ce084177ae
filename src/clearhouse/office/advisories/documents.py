"""The documents of an advisory in every format, and why one is missing.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.formats import cve, osv_record
from clearhouse.formats.advisory import Advisory, Claim
from clearhouse.formats.csaf.mandatory import problems
from clearhouse.formats.csaf.writer import Statement, security_advisory, vex

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Documents:
    """What is served.  A format that cannot say it is None, with its reason in ``missing``."""

    csaf: Document | None
    vex: Document | None
    osv: Document | None
    cve: Document | None
    missing: Mapping[str, str]


def documents_of(advisory: Advisory, *, csaf_url: str, vex_url: str) -> Documents:
    """Write an advisory in each format.

    One format's refusal keeps none of the others: a C library has no OSV ecosystem, an advisory
    without a CVE identifier no CVE record.  A CSAF document that failed a mandatory test would
    be our own fault, and raises.
    """
    missing: dict[str, str] = {}

    def made(name: str, write: Callable[[], Document]) -> Document | None:
        try:
            return write()
        except ClearhouseError as error:
            missing[name] = str(error)
            return None

    found = Documents(
        csaf=made("csaf", lambda: security_advisory(advisory, canonical_url=csaf_url)),
        vex=made("vex", lambda: vex(advisory, statements_of(advisory), canonical_url=vex_url)),
        osv=made("osv", lambda: osv_record.record_of(advisory)),
        cve=made("cve", lambda: _cve(advisory)),
        missing=missing,
    )
    for document in (found.csaf, found.vex):
        for problem in problems(document) if document is not None else ():
            raise Invalid(f"CSAF test {problem.test}: {problem.text}", key=problem.path)
    return found


def _cve(advisory: Advisory) -> Document:
    if advisory.cve is None:
        raise Invalid("no CVE identifier is assigned", key="cve")
    org = advisory.publisher.cna_org_id
    if org is None:
        raise Invalid("this office is no CNA: CLEARHOUSE_CNA_ORG_ID names none", key="cve")
    return cve.record(advisory, cve_id=advisory.cve, assigner=org)


def statements_of(advisory: Advisory) -> list[Statement]:
    """What running showed of each version, as VEX statements."""
    found: list[Statement] = []
    for package in advisory.packages:
        ranges = package.ranges
        for claim, versions in (
            (Claim.AFFECTED, ranges.affected),
            (Claim.FIXED, package.fixed),
            (Claim.UNDER_INVESTIGATION, ranges.undecided),
        ):
            found += [
                Statement(
                    purl=package.purl._replace(version=version), claim=claim,
                    supplier=package.supplier,
                )
                for version in dict.fromkeys(versions)
            ]  # fmt: skip
    return found
