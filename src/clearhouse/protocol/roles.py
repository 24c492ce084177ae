"""Who takes part: the roles of organisations, and what a key for machines may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What an organisation is to the office.  One can be several."""

    FINDER = "finder"
    SUPPLIER = "supplier"
    COORDINATOR = "coordinator"
    DEPLOYER = "deployer"
    AUTHORITY = "authority"
    ASSESSOR = "assessor"
    DEVELOPER = "developer"
    TRUSTED_PARTNER = "trusted-partner"
    OBSERVER = "observer"

    @property
    def meaning(self) -> str:
        """The role in plain words."""
        return _MEANING[self]


_MEANING = {
    Role.FINDER: "reports vulnerabilities, by people or AI systems",
    Role.SUPPLIER: "maintains software and mends it",
    Role.COORDINATOR: "runs this office",
    Role.DEPLOYER: "uses software and installs its fixes",
    Role.AUTHORITY: "issues directives with deadlines",
    Role.ASSESSOR: "measures models under review",
    Role.DEVELOPER: "develops AI models",
    Role.TRUSTED_PARTNER: "gets access to a model before its release",
    Role.OBSERVER: "looks on, for oversight",
}


class Scope(StrEnum):
    """What the holder of an API key may do; a signed-in person has all of them."""

    FINDINGS_READ = "findings:read"
    FINDINGS_WRITE = "findings:write"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    ADVISORIES_WRITE = "advisories:write"
    ORGANISATION_READ = "organisation:read"
    REVIEWS_READ = "reviews:read"
    REVIEWS_WRITE = "reviews:write"
    INVENTORIES_READ = "inventories:read"
    INVENTORIES_WRITE = "inventories:write"
    DIRECTIVES_READ = "directives:read"
    DIRECTIVES_WRITE = "directives:write"
    NOTICES_READ = "notices:read"
    NOTICES_WRITE = "notices:write"
