"""The judgement of a patch: what was seen in, whether it mends the flaw out.  Pure.

Four levels, reported apart, each *yes*, *no* or *unknown*:

1. **applies**: every hunk for a distributed file fits, and code changes;
2. **stops the proof**: the poc runs the same way and the effect is gone, mended, not silenced;
3. **stops variants**: no input that shows the effect without the patch shows it with it;
4. **keeps behaviour**: controls and harmless inputs behave as before, nothing bad is new, and the
   package's own tests fail no more than before.

A patch is accepted when no level says no and the first two say yes. What is unknown is said.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from clearhouse.proof.bundle import Bundle
from clearhouse.proof.new_effects import NewEffect
from clearhouse.proof.own_tests import OwnTests
from clearhouse.proof.placing import Fate, PatchResult, summary
from clearhouse.proof.variants import Variant
from clearhouse.proof.verdict import digest_of

FORMAT: Final = 1
#: Of harmless inputs, this share may get another answer. Of 17 releases that fixed a sample's flaw
#: 15 changed none of them; the one beyond this share had another grammar (docs/patches.md).
ALTERED_SHARE: Final = 0.1
#: A right patch may be stricter about inputs that are malformed, as most mutated ones are; one
#: that turns down more than this share turns down what is well formed.
TURNED_DOWN_SHARE: Final = 0.75
_DATA_SHOWN: Final = 4096
_SHOWN: Final = 8


class Level(StrEnum):
    """What is known of one level."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StillTriggering:
    """An input that shows the effect in spite of the patch."""

    name: str
    variant: Variant
    what: str

    def as_json(self) -> dict[str, Any]:
        """The input itself where it is small enough to stand in a document."""
        data = self.variant.data
        entry: dict[str, Any] = {
            "input": self.name,
            "how": self.variant.how,
            "what": self.what,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        if len(data) <= _DATA_SHOWN:
            entry["base64"] = base64.b64encode(data).decode()
        return entry


@dataclass(frozen=True, slots=True)
class Variants:
    """Inputs that show the effect without the patch, and which of them still do with it."""

    tried: int = 0
    still: tuple[StillTriggering, ...] = ()
    made: int = 0  # how many were made to find those
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Harmless inputs run without and with the patch.

    ``altered`` says of each input that gets another answer how, ``turned_down`` of each that was
    taken before and is not any more.
    """

    tried: int = 0
    altered: tuple[str, ...] = ()
    turned_down: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share that behaves otherwise, in whatever way."""
        return self._share(len(self.altered) + len(self.turned_down))

    @property
    def kept(self) -> bool:
        """Whether the differences are few enough."""
        few = self._share(len(self.altered)) <= ALTERED_SHARE
        return few and self.share <= TURNED_DOWN_SHARE

    def _share(self, count: int) -> float:
        return count / self.tried if self.tried else 0.0


@dataclass(frozen=True, slots=True)
class AsFixed:
    """How far the patched version agrees with the release that fixed the flaw."""

    version: str
    compared: int
    same: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a judgement of a patch needs; what was not looked at is None."""

    applied: PatchResult
    code_changed: bool = True
    baseline: str | None = None  # why the proof does not hold without the patch
    not_loaded: str | None = None  # why the patched target does not load
    effect: str | None = None  # why the proof is not stopped
    effect_looked_at: bool = False
    silenced: str | None = None  # where the fault is only kept quiet about
    controls: str | None = None  # the first control that behaves otherwise
    variants: Variants | None = None
    behaviour: Behaviour | None = None
    new_effects: tuple[NewEffect, ...] = ()
    tests: OwnTests | None = None
    as_fixed: AsFixed | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The levels, and the sentences that say why."""

    levels: Mapping[str, Level]
    reasons: tuple[str, ...]
    caveats: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """No level says no, and the first two say yes."""
        first = (self.levels["applies"], self.levels["stops_proof"])
        return all(x is Level.YES for x in first) and Level.NO not in self.levels.values()


def decide(seen: Seen) -> Decision:
    """Judge a patch; the steps are those of the module's text."""
    reasons: list[str] = []
    caveats: list[str] = list(seen.notes)
    levels = {
        "applies": _applies(seen, reasons),  # 1
        "stops_proof": _stops_proof(seen, reasons),  # 2
        "stops_variants": _stops_variants(seen, reasons, caveats),  # 3
        "keeps_behaviour": _keeps_behaviour(seen, reasons, caveats),  # 4
    }
    if not reasons:
        reasons.append(_praise(seen))
    fixed = seen.as_fixed
    if fixed is not None and fixed.same < fixed.compared:
        caveats.append(
            f"on {fixed.compared - fixed.same} of {fixed.compared} inputs that showed the effect it"
            f" answers otherwise than {fixed.version}"
        )
    if seen.applied.applies:
        skipped = [r for r in seen.applied.files if r.fate is Fate.SKIPPED]
        # A file that stays as it was is nothing that a verdict leaves out.
        outside = [r.patch.shown for r in skipped if r.patch.changes]
        if outside:
            caveats.append(f"not in the distribution and left out: {_listed(outside)}")
    return Decision(levels, tuple(reasons), tuple(caveats))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))


def _praise(seen: Seen) -> str:
    """What speaks for a patch that nothing speaks against."""
    tried = seen.variants.tried if seen.variants else 0
    behaviour = seen.behaviour or Behaviour()
    alike = behaviour.tried - len(behaviour.altered) - len(behaviour.turned_down)
    gone = f"the effect is gone from the proof and from {tried} variants"
    return f"{gone}; controls and {alike} of {behaviour.tried} harmless inputs behave as before"


def _applies(seen: Seen, reasons: list[str]) -> Level:
    result = seen.applied
    reasons += [
        f"line {one.line} of the patch does not fit {(one.path or '').removeprefix(result.base)}:"
        f" {one.why}"
        for one in result.failed
    ]
    if result.failed:
        return Level.NO
    if not result.touched:
        names = _listed([one.patch.shown for one in result.files])
        reasons.append(f"none of the files that it changes is in the distribution ({names})")
        return Level.NO
    if not seen.code_changed:
        reasons.append("it changes only comments, docstrings or layout: no code is different")
        return Level.NO
    return Level.YES


def _stops_proof(seen: Seen, reasons: list[str]) -> Level:
    if seen.baseline is not None:
        reasons.append(
            f"the proof does not hold without the patch ({seen.baseline}), so nothing can be said"
        )
        return Level.UNKNOWN
    if seen.not_loaded is not None:
        reasons.append(f"the patched version does not load: {seen.not_loaded}")
        return Level.NO
    if not seen.effect_looked_at:
        return Level.UNKNOWN
    if seen.effect is not None:
        reasons.append(seen.effect)
        return Level.NO
    if seen.silenced is not None:
        reasons.append(seen.silenced)
        return Level.NO
    return Level.YES


def _stops_variants(seen: Seen, reasons: list[str], caveats: list[str]) -> Level:
    variants = seen.variants
    if variants is None:
        return Level.UNKNOWN
    caveats += variants.notes
    if variants.still:
        how = "; ".join(dict.fromkeys(s.variant.how for s in variants.still[:3]))
        reasons.append(
            f"{len(variants.still)} of {variants.tried} variants of the proof still show the"
            f" effect (such as: {how})"
        )
        return Level.NO
    if not variants.tried:
        caveats.append("no variant of the proof shows the effect, so only the proof itself was run")
        return Level.UNKNOWN
    return Level.YES


def _keeps_behaviour(seen: Seen, reasons: list[str], caveats: list[str]) -> Level:
    if not seen.effect_looked_at:
        return Level.UNKNOWN
    bad = len(reasons)
    if seen.controls is not None:
        reasons.append(seen.controls)
    for kind in dict.fromkeys(e.kind for e in seen.new_effects):
        one = next(e for e in seen.new_effects if e.kind == kind)
        reasons.append(f"it adds another effect ({kind}): {one.what}, on {one.input}")
    behaviour = seen.behaviour
    if behaviour is not None:
        told = reasons if not behaviour.kept else caveats
        for how, which in (
            ("get another answer", behaviour.altered),
            ("are turned down", behaviour.turned_down),
        ):
            if which:
                told.append(
                    f"{len(which)} of {behaviour.tried} harmless inputs {how} (such as: {which[0]})"
                )
    tests = seen.tests
    if tests is not None and tests.worse:
        names = ", ".join(tests.newly_failing[:3])
        count = len(tests.newly_failing)
        reasons.append(f"{count} of the package's own tests fail that passed before ({names})")
    elif tests is not None and not tests.ran:
        caveats.append(f"the package's own tests say nothing: {tests.reason}")
    elif tests is not None and tests.reason:
        caveats.append(f"own tests: {tests.reason}")
    if len(reasons) > bad:
        return Level.NO
    return Level.YES if behaviour is not None else Level.UNKNOWN


@dataclass(frozen=True, slots=True)
class PatchVerdict:
    """A decision together with what it rests on."""

    bundle: Bundle
    patch_sha256: str
    seen: Seen
    decision: Decision
    environment: Mapping[str, Any]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The document of ``clearhouse check-patch --json``."""
        seen, decision = self.seen, self.decision
        variants = seen.variants or Variants()
        behaviour = seen.behaviour or Behaviour()
        looked = seen.effect_looked_at
        document: dict[str, Any] = {
            "format": FORMAT,
            "bundle": {"id": self.bundle.id, "digest": self.bundle.digest},
            "title": self.bundle.title,
            "target": str(self.bundle.target),
            "patch": {
                "sha256": self.patch_sha256,
                "files": summary(seen.applied),
            },
            "applies": seen.applied.applies,
            "changes_code": seen.code_changed,
            "effect_gone": (seen.effect is None and not seen.not_loaded) if looked else None,
            "silenced": seen.silenced is not None if looked else None,
            "controls_same": seen.controls is None if looked else None,
            "variants": {
                "tried": variants.tried,
                "made": variants.made,
                "still_triggering": [one.as_json() for one in variants.still],
            },
            "behaviour": {
                "tried": behaviour.tried,
                "altered": len(behaviour.altered),
                "turned_down": len(behaviour.turned_down),
                "share": round(behaviour.share, 3),
                "examples": [*behaviour.altered, *behaviour.turned_down][:_SHOWN],
            },
            "new_effects": [
                {"kind": e.kind, "input": e.input, "what": e.what}
                for e in seen.new_effects[:_SHOWN]
            ],
            "tests": (seen.tests or OwnTests(ran=False, reason="not asked for")).as_json(),
            "as_fixed": None
            if seen.as_fixed is None
            else {
                "version": seen.as_fixed.version,
                "compared": seen.as_fixed.compared,
                "same": seen.as_fixed.same,
            },
            "levels": {name: level.value for name, level in decision.levels.items()},
            "accepted": decision.accepted,
            "reasons": list(decision.reasons),
            "caveats": list(decision.caveats),
            "environment": dict(self.environment),
            "seconds": round(self.seconds, 1),
        }
        document["digest"] = digest_of(document)
        return document
