"""The verdict: one document that a holder of the bundle can have made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clearhouse.proof.bundle import Bundle
from clearhouse.proof.judge import Case, Grade, Judgement, frames_json, shows
from clearhouse.proof.observation import MEGABYTE, Run

FORMAT = 1
_FRAMES_SHOWN, _STACK_SHOWN = 12, 40


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement together with what it rests on."""

    bundle: Bundle
    judgement: Judgement
    case: Case
    environment: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def grade(self) -> Grade:
        """The grade reached."""
        return self.judgement.grade

    def as_json(self) -> dict[str, Any]:
        """The document; its ``digest`` covers all of it but the digest itself."""
        judgement = self.judgement
        document: dict[str, Any] = {
            "format": FORMAT,
            "bundle": {"id": self.bundle.id, "digest": self.bundle.digest},
            "title": self.bundle.title,
            "target": str(self.bundle.target),
            "fixed": self.bundle.target.fixed,
            "grade": judgement.grade.value,
            "proven": judgement.grade.proven,
            "reason": judgement.reason,
            "effect": {
                "kind": self.bundle.effect.value,
                "observed": dict(judgement.observed),
                "attributed_to": frames_json(judgement.frames[:_FRAMES_SHOWN]),
                "stack": [
                    f.as_json() | {"owner": f.owner.value} for f in judgement.stack[:_STACK_SHOWN]
                ],
            },
            "hit_rate": judgement.hit_rate.as_json() if judgement.hit_rate else None,
            "runs": [self._run(run) for run in self.runs],
            "signature": judgement.signature,
            "environment": dict(self.environment),
            "notes": list(self.notes),
        }
        document["digest"] = digest_of(document)
        return document

    @property
    def runs(self) -> Sequence[Run]:
        """Every run that the judgement rests on."""
        case = self.case
        return [*case.pocs, *case.controls, *case.fixed_pocs, *case.fixed_controls]

    def _run(self, run: Run) -> dict[str, Any]:
        return {
            "version": run.version,
            "input": run.input,
            "effect": shows(self.case, run),
            "outcome": run.outcome.value,
            "why": run.why,
            "cpu_s": round(run.cpu_s, 4),
            "wall_s": round(run.wall_s, 4),
            "rss_mb": round(run.rss_bytes / MEGABYTE, 1),
        }


def digest_of(document: Mapping[str, Any]) -> str:
    """``sha256:`` over the canonical JSON of a document (sorted keys, no spaces, UTF-8)."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "backslashreplace")).hexdigest()
