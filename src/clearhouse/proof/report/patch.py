"""The page of ``clearhouse check-patch --report``: what a patch does, one level at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.proof.report.page import render
from clearhouse.proof.report.verdicts import environment_facts
from clearhouse.proof.report.words import counted

_VARIANTS_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Level:
    """One thing asked of a patch; ``state`` is passed, failed or unknown."""

    name: str
    meaning: str
    state: str
    evidence: str


@dataclass(frozen=True, slots=True)
class PatchView:
    """One patch against one bundle."""

    anchor: str
    headline: str
    accepted: bool
    id: str
    title: str
    target: str
    levels: tuple[Level, ...]
    reasons: tuple[str, ...]
    variants: tuple[str, ...]
    more_variants: int
    failing: tuple[str, ...]
    bundle_digest: str
    patch_digest: str
    digest: str
    facts: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def patch_page(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the HTML page for documents of ``clearhouse check-patch --json``, in their order."""
    views = [_view(f"p{number}", document) for number, document in enumerate(documents, 1)]
    accepted = sum(view.accepted for view in views)
    headline = f"{accepted} of {counted(len(views), 'patch', 'patches')} accepted"
    if len(views) == 1:
        headline = views[0].headline
    return render("patch.html", title="Patch report", headline=headline, patches=views)


def _view(anchor: str, document: Mapping[str, Any]) -> PatchView:
    bundle: Mapping[str, Any] = document.get("bundle") or {}
    environment: Mapping[str, Any] = document.get("environment") or {}
    patch: Mapping[str, Any] = document.get("patch") or {}
    triggering = [_variant(one) for one in document["variants"]["still_triggering"]]
    name = str(bundle.get("id") or "The bundle")
    verdict = "accepted" if document["accepted"] else "refused"
    return PatchView(
        anchor=anchor,
        headline=f"{name}: the patch is {verdict}",
        accepted=bool(document["accepted"]),
        id=name,
        title=str(document.get("title") or ""),
        target=str(document.get("target") or ""),
        levels=_levels(document),
        reasons=tuple(str(reason) for reason in document["reasons"]),
        variants=tuple(triggering[:_VARIANTS_SHOWN]),
        more_variants=len(triggering[_VARIANTS_SHOWN:]),
        failing=tuple(str(name) for name in document["tests"].get("newly_failing") or ()),
        bundle_digest=str(bundle.get("digest") or ""),
        patch_digest=str(patch.get("digest") or ""),
        digest=str(document.get("digest") or ""),
        facts=environment_facts(environment),
        packages=tuple((str(p["purl"]), str(p["digest"])) for p in environment.get("packages", ())),
    )


def _levels(document: Mapping[str, Any]) -> tuple[Level, ...]:
    return (
        Level(
            "applies",
            "The diff fits the source as it is distributed.",
            _state(document["applies"]),
            "",
        ),
        Level(
            "stops the proof",
            "The bundle's input no longer shows the effect.",
            _state(document["effect_gone"]),
            "",
        ),
        _variants_level(document["variants"]),
        Level(
            "keeps behaviour",
            "The controls behave as before.",
            _state(document["controls_same"]),
            "",
        ),
        _tests_level(document["tests"]),
    )


def _state(told: bool | None) -> str:  # noqa: FBT001 - a document's own value
    if told is None:
        return "unknown"
    return "passed" if told else "failed"


def _variants_level(variants: Mapping[str, Any]) -> Level:
    tried, bad = int(variants["tried"]), len(variants["still_triggering"])
    evidence = f"{bad or 'none'} of {counted(tried, 'variant')} showed it" if tried else ""
    state = "unknown" if not tried else "failed" if bad else "passed"
    return Level(
        "stops variants", "No input made from it shows the effect either.", state, evidence
    )


def _tests_level(tests: Mapping[str, Any]) -> Level:
    meaning = "The package's own tests fail no more than before."
    if not tests["ran"]:
        return Level("passes tests", meaning, "unknown", str(tests.get("reason") or "not run"))
    before, after = int(tests["failed_before"]), int(tests["failed_after"])
    worse = bool(tests.get("newly_failing")) or after > before
    evidence = (
        f"{counted(int(tests['passed']), 'test')} passed, {before} failed before, {after} after"
    )
    return Level("passes tests", meaning, "failed" if worse else "passed", evidence)


def _variant(raw: object) -> str:
    """A variant as the document names it: by a text, or by several."""
    if isinstance(raw, Mapping):
        return ", ".join(f"{key} {value}" for key, value in raw.items())
    return str(raw)
