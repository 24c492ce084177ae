"""The proofs of a case, to be run: for jobs of this room and of those above it."""

from __future__ import annotations

from clearhouse.office.findings import queries as findings
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import parse_archive


def bundles_of(case: str) -> list[Bundle]:
    """The proofs of a case, the first finder's first."""
    return [
        parse_archive(findings.content_of(one), where=one.name) for one in findings.proofs_in(case)
    ]


def contents_of(case: str) -> list[str]:
    """What tells the proofs of a case from others, without reading them: each one once."""
    return sorted({one.content for one in findings.proofs_in(case)})
