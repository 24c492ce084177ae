"""What runs of a release gave, kept on disk: a second history is nearly free, a killed one resumes.

Kept under everything that the outcome depends on: the bundle, every file installed for the release
and for the version attacked, the interpreter and the sandbox, and the engine's own code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clearhouse.proof.entries import Ran
from clearhouse.proof.standing import Finding, Status
from clearhouse.proof.target.store import Store, key_of

_ENGINE = Path(__file__).resolve().parent
Packages = Sequence[tuple[str, str]]
"""Purl and digest of everything installed."""


@cache
def engine_digest() -> str:
    """SHA-256 over the engine's own source files."""
    total = hashlib.sha256()
    for path in sorted(_ENGINE.rglob("*.py")):
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Memory:
    """The outcomes of one bundle's runs."""

    store: Store
    bundle: str
    environment: dict[str, Any]
    reference: Packages
    afresh: bool = False  # recall nothing, but keep what is run

    def recall(self, packages: Packages, runs: int) -> Ran | None:
        """What at least ``runs`` runs of each poc on these packages gave."""
        kept = None if self.afresh else self.store.read_json(*self._place(packages))
        if kept is None or kept["runs"] < runs:
            return None
        finding = Finding(Status(kept["status"]), kept["why"], kept["hits"])
        return Ran(finding, kept["runs"], kept["executions"], remembered=True)

    def keep(self, packages: Packages, ran: Ran) -> None:
        """Remember an outcome, unless it may have been the machine's doing."""
        if ran.finding.passing:
            return
        value = {
            "status": ran.finding.status.value,
            "why": ran.finding.why,
            "hits": ran.finding.hits,
            "runs": ran.runs,
            "executions": ran.executions,
        }
        self.store.write_json(value, *self._place(packages))

    def recall_verdict(self) -> dict[str, Any] | None:
        """The judgement on the version attacked."""
        kept: dict[str, Any] | None = self.store.read_json(*self._place(()))
        return None if self.afresh else kept

    def keep_verdict(self, verdict: Mapping[str, Any]) -> None:
        """Remember the judgement on the version attacked."""
        self.store.write_json(dict(verdict), *self._place(()))

    def _place(self, packages: Packages) -> tuple[str, str]:
        key = key_of(
            self.bundle,
            engine_digest(),
            json.dumps(self.environment, sort_keys=True),
            json.dumps([list(self.reference), list(packages)]),
        )
        return "histories", f"{key}.json"
