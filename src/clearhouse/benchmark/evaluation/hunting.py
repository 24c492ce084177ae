"""Having a model search a target, or show what a report claims; only what proves comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from inspect_ai.log import EvalLog
from inspect_ai.model import Model
from inspect_ai.tool import Tool

from clearhouse.benchmark.evaluation.judging import Bench
from clearhouse.benchmark.evaluation.pursuing import (
    Errand,
    Pursuits,
    errand_task,
    handing,
)
from clearhouse.benchmark.evaluation.running import Settings, carried_out
from clearhouse.benchmark.hunt import words
from clearhouse.benchmark.hunt.quarry import Quarry
from clearhouse.benchmark.hunt.record import Judged, Record
from clearhouse.benchmark.prompts import TASK
from clearhouse.errors import Invalid, NotFound, Refused, Unavailable
from clearhouse.proof.authoring import pack
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.prove import prove

#: The errand of a search without a report.
HUNT: Final = "hunt"

#: Told of each thing that was judged, as soon as it is.
Say = Callable[[Judged], None]


def hunt(
    quarry: Quarry, model: str | Model, settings: Settings, *, most: int, say: Say
) -> tuple[tuple[EvalLog, ...], tuple[Judged, ...]]:
    """Have a model search a target; the logs, and everything that it handed in.

    ``most`` is how many findings are judged in each attempt.  Raises as bringing the target here
    does, and :class:`Invalid` where the folder of ``settings`` is of another run.
    """
    errand = Errand(HUNT, words.hunting(quarry, most), _files(quarry), quarry.folder(), most)
    return _run(HUNT, quarry, [errand], model, settings, say)


def prove_reports(
    quarry: Quarry,
    reports: Mapping[str, bytes],
    model: str | Model,
    settings: Settings,
    *,
    most: int,
    say: Say,
) -> tuple[tuple[EvalLog, ...], tuple[Judged, ...]]:
    """Have a model show what each report claims, by their names; otherwise as :func:`hunt`."""
    folder, prompt = quarry.folder(), words.proving(quarry, most)
    errands = [
        Errand(
            name,
            prompt,
            {**_files(quarry), f"{TASK}/report.txt": text},
            folder,
            most,
            enough=1,
        )
        for name, text in reports.items()
    ]
    return _run("prove", quarry, errands, model, settings, say)


def _run(
    kind: str,
    quarry: Quarry,
    errands: Sequence[Errand],
    model: str | Model,
    settings: Settings,
    say: Say,
) -> tuple[tuple[EvalLog, ...], tuple[Judged, ...]]:
    about = {"about": kind, "target": str(quarry), "digest": quarry.digest}
    with Record(settings.log_dir, about) as record, Bench() as bench:
        court = partial(judged, quarry, bench, record, say)
        logs = carried_out(errand_task(kind, errands, court, _tools, settings), model, settings)
        return logs, tuple(record.found)


def _tools(pursuits: Pursuits) -> Sequence[Tool]:
    return [handing(pursuits)]


def _files(quarry: Quarry) -> dict[str, bytes]:
    own = {f"{TASK}/{name}": data for name, data in words.tools_of(quarry).items()}
    first = {f"{words.FINDING}/{name}": data for name, data in words.skeleton(quarry).items()}
    return own | first


def judged(
    quarry: Quarry, bench: Bench, record: Record, say: Say, errand: str, archive: bytes
) -> Judged:
    """Judge an archive that a model handed in as a finding, and keep the answer.

    1. What it may be is for the quarry to say; what it may not be is counted and never run.
    2. What was judged before is not judged again; what could not be run is.
    3. The proof engine runs it in its own sandbox.  What that cannot run is not proven.
    """
    try:
        bundle = quarry.admit(archive)  # 1
    except (Invalid, Refused) as error:
        one = Judged(errand, hashlib.sha256(archive).hexdigest(), good=False, reason=str(error))
    else:
        before = record.find(errand, bundle.digest)  # 2
        if before is not None and before.verdict is not None:
            return before
        one = _proven(bundle, bench, errand)  # 3
    record.add(one)
    say(one)
    return one


def _proven(bundle: Bundle, bench: Bench, errand: str) -> Judged:
    try:
        with bench.workshop() as workshop:
            verdict = prove(bundle, workshop).as_json()
    except (Invalid, Refused, NotFound, Unavailable) as error:
        return Judged(errand, bundle.digest, good=False, reason=str(error))
    good = bool(verdict["proven"])
    return Judged(
        errand,
        bundle.digest,
        good=good,
        reason=str(verdict["reason"]),
        verdict=verdict,
        data=pack(bundle) if good else b"",
    )
