"""All mandatory tests of CSAF 2.0 (section 6.1), and the check against its schema.

A document is valid when both find nothing (conformance clause 1).  The tests take any JSON object:
what has the wrong type is the schema's to report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from clearhouse.formats.csaf import (
    cvss_tests,
    document_tests,
    product_tests,
    profile_tests,
    tracking_tests,
    vulnerability_tests,
)
from clearhouse.formats.csaf.document import Object, Problem, member, text
from clearhouse.formats.instants import instant

Test = Callable[[Object], Iterator[tuple[str, str]]]

TESTS: Final[Mapping[str, Test]] = {
    "6.1.1": product_tests.undefined_products,
    "6.1.2": product_tests.repeated_products,
    "6.1.3": product_tests.circular_products,
    "6.1.4": product_tests.undefined_groups,
    "6.1.5": product_tests.repeated_groups,
    "6.1.6": product_tests.contradicting_statuses,
    "6.1.7": cvss_tests.repeated_scores,
    "6.1.8": cvss_tests.invalid_scores,
    "6.1.9": cvss_tests.miscomputed_scores,
    "6.1.10": cvss_tests.inconsistent_scores,
    "6.1.11": vulnerability_tests.wrong_weaknesses,
    "6.1.12": document_tests.unknown_languages,
    "6.1.13": product_tests.invalid_purls,
    "6.1.14": tracking_tests.unsorted_history,
    "6.1.15": document_tests.translator_without_source,
    "6.1.16": tracking_tests.wrong_latest_version,
    "6.1.17": tracking_tests.early_version_not_draft,
    "6.1.18": tracking_tests.early_revisions_when_released,
    "6.1.19": tracking_tests.prerelease_revisions,
    "6.1.20": tracking_tests.prerelease_when_released,
    "6.1.21": tracking_tests.missing_revisions,
    "6.1.22": tracking_tests.repeated_revisions,
    "6.1.23": vulnerability_tests.repeated_cves,
    "6.1.24": vulnerability_tests.repeated_involvements,
    "6.1.25": product_tests.repeated_hash_algorithms,
    "6.1.26": document_tests.prohibited_category,
    "6.1.27.1": profile_tests.no_document_note,
    "6.1.27.2": profile_tests.no_external_reference,
    "6.1.27.3": profile_tests.vulnerabilities_present,
    "6.1.27.4": profile_tests.no_product_tree,
    "6.1.27.5": profile_tests.no_vulnerability_notes,
    "6.1.27.6": profile_tests.no_product_status,
    "6.1.27.7": profile_tests.no_vex_status,
    "6.1.27.8": profile_tests.no_vulnerability_id,
    "6.1.27.9": profile_tests.no_impact_statement,
    "6.1.27.10": profile_tests.no_action_statement,
    "6.1.27.11": profile_tests.no_vulnerabilities,
    "6.1.28": document_tests.translated_into_itself,
    "6.1.29": vulnerability_tests.remediations_without_product,
    "6.1.30": tracking_tests.mixed_versioning,
    "6.1.31": product_tests.ranges_as_versions,
    "6.1.32": vulnerability_tests.flags_without_product,
    "6.1.33": vulnerability_tests.repeated_justifications,
}

_ADVISORY_AND_VEX: Final = frozenset({"csaf_security_advisory", "csaf_vex"})
_WITHOUT_ADVISORY: Final = frozenset(
    {"csaf_informational_advisory", "csaf_security_incident_response"}
)
#: The document categories that a test is for; one that is not here is for all.
CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "6.1.27.1": _WITHOUT_ADVISORY,
    "6.1.27.2": _WITHOUT_ADVISORY,
    "6.1.27.3": frozenset({"csaf_informational_advisory"}),
    "6.1.27.4": _ADVISORY_AND_VEX,
    "6.1.27.5": _ADVISORY_AND_VEX,
    "6.1.27.6": frozenset({"csaf_security_advisory"}),
    "6.1.27.7": frozenset({"csaf_vex"}),
    "6.1.27.8": frozenset({"csaf_vex"}),
    "6.1.27.9": frozenset({"csaf_vex"}),
    "6.1.27.10": frozenset({"csaf_vex"}),
    "6.1.27.11": _ADVISORY_AND_VEX,
}


def problems(document: Object, tests: Iterable[str] = tuple(TESTS)) -> list[Problem]:
    """What the mandatory tests find, in the order of the standard."""
    category = text(member(document, "document"), "category") or ""
    return [
        Problem(test, path, found)
        for test in tests
        if test not in CATEGORIES or category in CATEGORIES[test]
        for path, found in TESTS[test](document)
    ]


_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]+")
_FORMATS: Final = FormatChecker(formats=())
_FORMATS.checks("date-time")(lambda raw: not isinstance(raw, str) or instant(raw) is not None)
_FORMATS.checks("uri")(lambda raw: not isinstance(raw, str) or bool(_URI.fullmatch(raw)))


def schema_problems(
    document: object, schema: Object, *, referenced: Mapping[str, Object]
) -> list[Problem]:
    """What the schema finds; formats of times and URIs count (sections 2.1 and 2.2).

    OASIS and FIRST publish the schemas; they come from the caller.  ``referenced`` holds those
    that ``schema`` refers to, by the address it names them with.  Raises
    ``referencing.exceptions.Unresolvable`` where one is left out.
    """
    registry: Registry[Any] = Registry().with_resources(
        (address, Resource.from_contents(dict(one))) for address, one in referenced.items()
    )
    validator = Draft202012Validator(dict(schema), registry=registry, format_checker=_FORMATS)
    found = (
        Problem("schema", "".join(f"/{part}" for part in error.absolute_path), error.message[:300])
        for error in validator.iter_errors(document)
    )
    return sorted(found)
