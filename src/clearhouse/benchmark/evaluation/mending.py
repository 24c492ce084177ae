"""Having a model mend what a bundle proves; what it proposes is judged as any patch is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from inspect_ai.log import EvalLog
from inspect_ai.model import Model
from inspect_ai.tool import Tool

from clearhouse.benchmark.evaluation.judging import Bench
from clearhouse.benchmark.evaluation.pursuing import (
    Errand,
    Pursuits,
    errand_task,
    proposing,
)
from clearhouse.benchmark.evaluation.running import Settings, carried_out
from clearhouse.benchmark.hunt import words
from clearhouse.benchmark.hunt.mending import admit
from clearhouse.benchmark.hunt.record import Judged, Record
from clearhouse.benchmark.masks import NO_MASK
from clearhouse.benchmark.prompts import TASK
from clearhouse.benchmark.targets import target_folder, target_tree
from clearhouse.benchmark.trying import task_files
from clearhouse.errors import Invalid, NotFound, Refused, Unavailable
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.diff import read_patch
from clearhouse.proof.explain import explain
from clearhouse.proof.patched import Distribution, distribution_of
from clearhouse.proof.patching import Options, check_patch
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop

Say = Callable[[Judged], None]
_KIND = "patch"


@dataclass(frozen=True, slots=True)
class Flawed:
    """A proven bundle, its target as it is distributed, and how patches of it are checked."""

    bundle: Bundle
    distribution: Distribution
    shown: bytes
    options: Options = field(default_factory=Options)


def flawed(bundle: Bundle, options: Options) -> Flawed:
    """What is to be mended.

    Raises :class:`Refused` for a bundle that does not prove here, otherwise as
    :func:`clearhouse.proof.prove.prove` does.
    """
    with Workshop() as workshop:
        verdict = prove(bundle, workshop)
    if not verdict.grade.proven:
        raise Refused(f"{bundle.id} is not proven, so nothing can be mended: "
                      f"{verdict.judgement.reason}")  # fmt: skip
    text = "\n".join(explain(verdict.as_json())) + "\n"
    return Flawed(bundle, distribution_of(bundle), text.encode(), options)


def mend(
    what: Flawed, model: str | Model, settings: Settings, *, most: int, say: Say
) -> tuple[tuple[EvalLog, ...], tuple[Judged, ...]]:
    """Have a model propose patches until one is accepted; the logs, and all that it proposed."""
    bundle = what.bundle
    given = _given(what)
    errand = Errand(
        _KIND,
        words.mending(bundle, given, most),
        {f"{TASK}/{name}": data for name, data in given.items()},
        target_folder(bundle, NO_MASK, target_tree(bundle, NO_MASK).digest),
        most,
        enough=1,
    )
    about = {"about": _KIND, "target": str(bundle.target), "digest": bundle.digest}
    with Record(settings.log_dir, about) as record, Bench() as bench:
        court = partial(judged, what, bench, record, say)
        logs = carried_out(errand_task(_KIND, [errand], court, _tools, settings), model, settings)
        return logs, tuple(record.found)


def _tools(pursuits: Pursuits) -> Sequence[Tool]:
    return [proposing(pursuits)]


def _given(what: Flawed) -> dict[str, bytes]:
    bundle = what.bundle
    given = task_files(bundle, None)
    for number, poc in enumerate(bundle.pocs, 1):
        given["poc" if len(bundle.pocs) == 1 else f"poc-{number}"] = poc.data
    for number, control in enumerate(bundle.controls, 1):
        given[f"controls/{number}"] = control.data
    given["proof.txt"] = what.shown
    return given


def judged(what: Flawed, bench: Bench, record: Record, say: Say, errand: str, raw: bytes) -> Judged:
    """Judge a patch that a model proposes, and keep the answer; steps as for a finding."""
    key = hashlib.sha256(raw).hexdigest()
    before = record.find(errand, key)
    if before is not None and before.verdict is not None:
        return before
    try:
        plain = admit(raw, what.distribution)
        files = read_patch(plain, where="the patch")
        with bench.workshop() as workshop:
            checked = check_patch(what.bundle, files, plain, workshop, options=what.options)
        verdict = checked.as_json()
    except (Invalid, Refused, NotFound, Unavailable) as error:
        one = Judged(errand, key, good=False, reason=str(error))
    else:
        reasons = "; ".join([*verdict["reasons"], *verdict["caveats"]])
        one = Judged(
            errand, key, good=bool(verdict["accepted"]), reason=reasons, verdict=verdict, data=plain
        )
    record.add(one)
    say(one)
    return one
