"""The page of ``clearhouse check-patch --report``: what a patch does, one level at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.proof.report.page import render
from clearhouse.proof.report.verdicts import environment_facts, environment_packages
from clearhouse.proof.report.words import counted

_SHOWN: Final = 40
_STATES: Final = {"yes": "passed", "no": "failed", "unknown": "unknown"}
#: The levels of a patch's verdict, in their order.
LEVELS: Final[dict[str, tuple[str, str]]] = {
    "applies": ("applies", "The diff fits the source as it is distributed, and code changes."),
    "stops_proof": ("stops the proof", "The bundle's input no longer shows the effect."),
    "stops_variants": ("stops variants", "No input made from it shows the effect either."),
    "keeps_behaviour": (
        "keeps behaviour",
        "Benign inputs behave as before, and the package's own tests fail no more.",
    ),
}


@dataclass(frozen=True, slots=True)
class LevelView:
    """One thing asked of a patch; ``state`` is passed, failed or unknown."""

    name: str
    meaning: str
    state: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatchView:
    """One patch against one bundle; lists are pairs of a name and what is said of it."""

    anchor: str
    headline: str
    accepted: bool
    id: str
    title: str
    target: str
    levels: tuple[LevelView, ...]
    reasons: tuple[str, ...]
    caveats: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    variants: tuple[tuple[str, str], ...]
    more_variants: int
    new_effects: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]
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
    name = str(document["bundle"]["id"])
    still = document["variants"]["still_triggering"]
    evidence = _evidence(document)
    return PatchView(
        anchor=anchor,
        headline=f"{name}: the patch is {'accepted' if document['accepted'] else 'refused'}",
        accepted=bool(document["accepted"]),
        id=name,
        title=str(document["title"]),
        target=str(document["target"]),
        levels=tuple(
            LevelView(*LEVELS[level], _STATES[str(document["levels"][level])], evidence[level])
            for level in LEVELS
        ),
        reasons=tuple(str(reason) for reason in document["reasons"]),
        caveats=tuple(str(caveat) for caveat in document["caveats"]),
        files=tuple((str(f["file"]), _file(f)) for f in document["patch"]["files"]),
        variants=tuple((str(v["how"]), str(v["what"])) for v in still[:_SHOWN]),
        more_variants=len(still[_SHOWN:]),
        new_effects=tuple(
            (str(one["kind"]), f"{one['what']}, on {one['input']}")
            for one in document["new_effects"]
        ),
        examples=tuple(str(example) for example in document["behaviour"]["examples"]),
        failing=tuple(str(test) for test in document["tests"]["newly_failing"]),
        bundle_digest=str(document["bundle"]["digest"]),
        patch_digest=f"sha256:{document['patch']['sha256']}",
        digest=str(document["digest"]),
        facts=environment_facts(document["environment"]),
        packages=environment_packages(document["environment"]),
    )


def _evidence(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What each level rests on, in numbers."""
    touched = [f for f in document["patch"]["files"] if f.get("distributed_as")]
    changed = [] if document["changes_code"] else ["no code is different"]
    controls = document["controls_same"]
    behaves = (
        [] if controls is None else [f"controls behave {'as before' if controls else 'otherwise'}"]
    )
    return {
        "applies": (f"{counted(len(touched), 'file')} of the distribution", *changed),
        "stops_proof": ("the fault is only kept quiet about",) if document["silenced"] else (),
        "stops_variants": _variants(document["variants"]),
        "keeps_behaviour": (
            *behaves,
            *_behaviour(document["behaviour"], document["as_fixed"]),
            *_tests(document["tests"]),
        ),
    }


def _variants(variants: Mapping[str, Any]) -> tuple[str, ...]:
    tried, still = int(variants["tried"]), len(variants["still_triggering"])
    return (f"{still or 'none'} of {counted(tried, 'variant')} showed it",) if tried else ()


def _behaviour(behaviour: Mapping[str, Any], fixed: Mapping[str, Any] | None) -> list[str]:
    told = []
    tried = int(behaviour["tried"])
    if tried:
        otherwise = int(behaviour["altered"]) + int(behaviour["turned_down"])
        told.append(
            f"{otherwise or 'none'} of {counted(tried, 'harmless input')} answered otherwise"
        )
    if fixed:
        told.append(
            f"answers as {fixed['version']} does on {fixed['same']} of {fixed['compared']} inputs"
            " that showed the effect"
        )
    return told


def _tests(tests: Mapping[str, Any]) -> list[str]:
    if not tests["ran"]:
        return [f"own tests: {tests['reason'] or 'not run'}"]
    passed = counted(int(tests["passed"]), "own test")
    return [
        f"{passed} passed, {tests['failed_before']} failed before, {tests['failed_after']} after"
    ]


def _file(file: Mapping[str, Any]) -> str:
    """What became of one file of the diff."""
    placed = str(file.get("distributed_as") or "")
    said = str(file["fate"])
    if placed and placed != file["file"]:
        said += f" as {placed}"
    moved = [hunk for hunk in file.get("hunks", ()) if hunk.get("offset") or hunk.get("fuzz")]
    if moved:
        said += f", {counted(len(moved), 'hunk')} at another line or not exactly"
    return f"{said}: {file['why']}" if file.get("why") else said
