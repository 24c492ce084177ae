"""From a run by a plan to the evidence of a determination."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from inspect_ai.log import EvalLog, EvalSample

from clearhouse.benchmark.bank import Bank
from clearhouse.benchmark.choosing import next_item
from clearhouse.benchmark.evaluation.choosing_source import (
    Chooser,
    judged_in,
    outcome_in,
    sample_id,
)
from clearhouse.benchmark.evaluation.judging import SCORE
from clearhouse.benchmark.evaluation.recording import Recording, record_of
from clearhouse.benchmark.evidence import Attempts, Evidence, make_evidence
from clearhouse.benchmark.items import Item
from clearhouse.benchmark.outcomes import Outcome
from clearhouse.benchmark.plan import Plan
from clearhouse.benchmark.seeds import Opening
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import shown


def by_plan(plan: Plan, opening: Opening, items: Iterable[Item]) -> Chooser:
    """The chooser of a plan for one submission: its items in its order, until the rule stops.

    ``items`` are those that the run is over.  Raises :class:`Invalid` for a seed that the plan does
    not commit to, and where an item is not the planned one, by its digest, or is not there.
    """
    plan.check_contents({one.name: one.digest for one in items})
    return _chooser(plan, opening)


def _chooser(plan: Plan, opening: Opening) -> Chooser:
    if not opening.is_of(bytes.fromhex(plan.terms.seeds), plan.terms.slots):
        raise Invalid("the plan does not commit to this seed")
    return partial(next_item, plan, opening.seed)


def evidence_of(
    logs: Iterable[EvalLog],
    plan: Plan,
    bank: Bank,
    opening: Opening,
    submission: str,
    items: Iterable[Item] = (),
    recording: Recording | None = None,
) -> Evidence:
    """The evidence of a submission's run, with every verdict, and with what ``items`` say they are.

    With ``recording`` it holds what the run took as well, which needs the ``items``.

    The order of attempts is the chooser's own, asked again: a log has its samples in any order.
    Raises :class:`Invalid` where the logs lack an attempt that the plan asks for, hold others, or
    hold one at an item that is not the planned one.
    """
    samples: dict[str, EvalSample] = {}
    logs = tuple(logs)
    for log in logs:
        samples.update((str(one.id), one) for one in log.samples or [])
    outcomes: list[Outcome] = []
    read: list[EvalSample] = []
    verdicts: list[bytes] = []
    asked: dict[str, int] = {}
    choose = _chooser(plan, opening)
    while (name := choose(outcomes)) is not None:
        asked[name] = asked.get(name, 0) + 1
        sample = samples.pop(sample_id(name, asked[name]), None)
        if sample is None:
            raise Invalid("an attempt that the plan asks for is not in the logs: run it first")
        if (sample.metadata or {}).get("item_digest") != plan.by_name[name].content:
            raise Invalid(f"the logs hold an attempt at another item {shown(name)} than is planned")
        outcomes.append(outcome_in(sample))
        read.append(sample)
        score = (sample.scores or {}).get(SCORE)
        judged = judged_in(score.metadata or {}) if score is not None else None
        if judged is not None and outcomes[-1].verdict is not None:
            verdicts.append(bytes(judged))
    if samples:
        raise Invalid("the logs hold attempts that the plan did not ask for")
    tried = {one.item for one in outcomes}
    found = tuple(items)
    records = [one.record for one in found if one.name in tried]
    attempts = Attempts(submission, opening, tuple(outcomes))
    if recording is not None and not tried <= {one.name for one in found}:
        raise Invalid("a run is recorded with the items that it was over")
    run = None if recording is None else record_of(read, logs, found, recording)
    return make_evidence(plan, bank, attempts, verdicts, records, run)
