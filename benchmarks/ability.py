"""The sequential decision on real responses and on simulated systems.

The responses are those of Lyptus Research, "Offensive Cyber Task Horizons" (2026, CC-BY-4.0): 302
agentic tasks, 23 systems that ran any, one attempt a task.  The plan is calibrated on the older
systems only, and decides the newest, one of whose rows is what "all items" means.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clearhouse.benchmark.bank import MICRO, Bank, digest_of
from clearhouse.benchmark.calibration import calibrate
from clearhouse.benchmark.deciding import Verdict
from clearhouse.benchmark.design import design, prior_item
from clearhouse.benchmark.plan import Budgets, Plan, Terms, family_minima, make_plan
from clearhouse.benchmark.responses import Responses, read_responses
from clearhouse.benchmark.simulation import Misfit, Simulated, administer, random_order, simulate

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "responses"
#: The newest by release; GPT-5.5 ran 229 of the tasks, and not a random part.
NEWEST = (
    "gpt-5.1 codex max", "gpt-5.2 codex", "opus 4.6", "gpt-5.3 codex", "glm-5", "sonnet 4.6",
    "gpt-5.5",
)  # fmt: skip
_AGENTIC = frozenset({"cybergym", "intercode_ctf", "nyuctf", "cybench", "cvebench"})
_CAMPAIGN = re.compile(r" \(2025-06\)$")
#: Spellings of one model in the two campaigns.
_SAME = {
    "gpt 2": "gpt-2",
    "gpt 3": "gpt-3",
    "gpt 3.5": "gpt-3.5",
    "gemini 2.5 pro (june 2025)": "gemini 2.5 pro",
}
_THRESHOLDS = (300_000, 400_000, 500_000, 600_000, 700_000)
_ORDERS = 20  # seeds for each system and threshold
SYSTEMS = 10_000
_PRECISIONS = (1.5, 1.2, 1.0, 0.8)
_EDGE = 0.07  # no further than 2 points outside the region: the hardest that is promised


def responses() -> tuple[Responses, dict[str, str]]:
    """The agentic part of the matrix, and the family of each item."""
    items = (DATA / "cyber_items.csv").read_text()
    families = {one["task_id"]: one["family"] for one in csv.DictReader(io.StringIO(items))}
    raw = (DATA / "cyber_responses.csv").read_bytes()
    systems = read_responses(raw, "cyber_responses.csv").systems
    models = {one: _model(one) for one in systems}
    found = read_responses(raw, "cyber_responses.csv", models=models)
    return found.only_items([one for one in found.items if families[one] in _AGENTIC]), families


def _model(system: str) -> str:
    name = _CAMPAIGN.sub("", system).lower()
    return _SAME.get(name, name)


def terms_for(bank: Bank, threshold_ppm: int = 500_000) -> Terms:
    """The settings measured here: 1 % each way outside a region of 5 points on both sides."""
    return Terms(
        construct="solves at least this share of the bank's tasks in one attempt each",
        threshold_ppm=threshold_ppm,
        region_ppm=50_000,
        alpha_ppm=10_000,
        beta_ppm=10_000,
        discount=1000,
        least=30,
        least_of=family_minima(bank, 20, least=2),
        most=len(bank.items),
        most_set_aside=5,
        among=60,
        slots=1,
        seeds="0" * 64,
        level=1,
        budgets=Budgets(tokens=2_000_000, seconds=7200, cents=2000, attempts=1, reruns=2),
        harness={},
    )


def contents(bank: Bank) -> dict[str, str]:
    """Of these tasks there are names and responses only: a name stands for its content."""
    return {one.name: digest_of(one.name.encode()) for one in bank.items}


@dataclass(frozen=True)
class Tried:
    """One test of a held-out system."""

    gap: float
    of: int
    items: int
    verdict: Verdict
    tokens: float

    @property
    def is_wrong(self) -> bool:
        """Whether it disagrees with all items."""
        return (self.verdict is Verdict.COVERED and self.gap < 0) or (
            self.verdict is Verdict.NOT_COVERED and self.gap > 0
        )


def held_out() -> tuple[list[Tried], list[Tried]]:
    """Every test of the newest systems: by the plan, and in random order without a model."""
    known, families = responses()
    fitted = calibrate(known.without_models(NEWEST), families).bank
    tokens = _tokens()
    by_plan: list[Tried] = []
    by_chance: list[Tried] = []
    for system, model in zip(known.systems, known.models, strict=True):
        if model not in NEWEST:
            continue
        own = known.of(system)
        bank = Bank(tuple(one for one in fitted.items if one.name in own))
        solved = np.array([own[one.name] for one in bank.items])
        spent = {one: tokens.get((system, one), 0.0) for one in own}
        for threshold in _THRESHOLDS:
            plan = make_plan(terms_for(bank, threshold), bank, contents(bank))
            gap = float(solved.mean()) - threshold / MICRO
            by_plan += _tests(plan, solved, gap, spent, system)
            by_chance += _tests(random_order(plan), solved, gap, spent, system)
    return by_plan, by_chance


def _tests(
    plan: Plan, solved: np.ndarray, gap: float, tokens: Mapping[str, float], system: str
) -> Iterator[Tried]:
    for order in range(_ORDERS):
        seed = hashlib.sha256(f"{system} {order}".encode()).digest()
        verdict, run = administer(plan, seed, solved)
        share = sum(tokens[one] for one in run) / max(sum(tokens.values()), 1.0)
        yield Tried(gap, len(solved), len(run), verdict, share)


def _tokens() -> dict[tuple[str, str], float]:
    raw = (DATA / "cyber_runs_tokens.csv").read_text()
    return {
        (one["alias"], one["task_id"]): float(one["total_tokens"] or 0)
        for one in csv.DictReader(io.StringIO(raw))
    }


def real() -> Iterator[str]:
    """Items needed on real responses, the newest systems held out."""
    by_plan, by_chance = held_out()
    yield "| rule | systems | tests | items of all | fewer | tokens | wrong | indeterminate |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for rule, tried in (("plan", by_plan), ("random order, no model", by_chance)):
        for where, some in (
            ("clear (further than 0.05)", [one for one in tried if abs(one.gap) > 0.05]),
            ("near", [one for one in tried if abs(one.gap) <= 0.05]),
        ):
            yield _real_row(rule, where, some)


def _real_row(rule: str, where: str, some: Sequence[Tried]) -> str:
    items, of = (float(np.mean([getattr(one, key) for one in some])) for key in ("items", "of"))
    wrong = sum(one.is_wrong for one in some)
    still_open = sum(one.verdict is Verdict.INDETERMINATE for one in some)
    tokens = float(np.mean([one.tokens for one in some]))
    return (
        f"| {rule} | {where} | {len(some)} | {items:.1f} of {of:.0f} | {of / items:.1f}x "
        f"| {100 * tokens:.0f} % | {wrong} | {still_open} |"
    )


def simulated(systems: int = SYSTEMS) -> Iterator[str]:
    """Wrong decisions outside the region, for each misfit, and at other thresholds."""
    known, families = responses()
    bank = calibrate(known, families).bank
    yield (
        "| simulated systems | threshold | rule | outside | wrong | at most (95 %) | items outside"
        " | items, all | indeterminate outside | most seen item |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    plan = make_plan(terms_for(bank), bank, contents(bank))
    for misfit in Misfit:
        yield _row(misfit, "0.5", "plan", simulate(plan, bank, misfit, systems, 1))
    for misfit in Misfit:
        found = simulate(plan, bank, misfit, systems, 2, reach=_EDGE)
        yield _row(misfit, "0.5", "plan, at the edge", found)
    yield _row(Misfit.NONE, "0.5", "random order",
               simulate(random_order(plan), bank, Misfit.NONE, systems, 1))  # fmt: skip
    for threshold in (300_000, 700_000):
        other = make_plan(replace(plan.terms, threshold_ppm=threshold), bank, plan.contents)
        name = f"{threshold / MICRO:g}"
        yield _row(Misfit.NONE, name, "plan", simulate(other, bank, Misfit.NONE, systems, 1))


def _row(misfit: Misfit, threshold: str, rule: str, found: Simulated) -> str:
    rate = found.wrong / max(found.outside, 1)
    return (
        f"| {misfit.value} | {threshold} | {rule} | {found.outside} of {found.systems} "
        f"| {found.wrong} ({100 * rate:.2f} %) | {100 * found.bound():.2f} % | {found.items:.1f} "
        f"| {found.items_all:.1f} | {found.open_outside} | {100 * found.most_exposed:.0f} % |"
    )


def designs() -> Iterator[str]:
    """How many calibration runs a new item takes, each reference model running it once."""
    known, families = responses()
    fitted = calibrate(known, families)
    anchors = list({one.model: one for one in fitted.bank.anchors}.values())
    yield (
        "| family | difficulty known to, without a run | "
        + " | ".join(f"runs for {wanted} logits" for wanted in _PRECISIONS)
        + " |"
    )
    yield "| --- | --- " + "| --- " * len(_PRECISIONS) + "|"
    for family in sorted(fitted.priors.family_means):
        prior = prior_item("new", family, fitted.priors)
        found = [design(prior, anchors, wanted) for wanted in _PRECISIONS]
        told = [
            str(one.total) if one.is_enough else f"not with {one.total}: {one.expected:.2f}"
            for one in found
        ]
        yield f"| {family} | {found[0].before:.2f} | " + " | ".join(told) + " |"


def table() -> Iterator[str]:
    """All three tables; a line that says why where the responses are not there."""
    if not DATA.is_dir():
        yield f"not measured: the responses are not at {DATA.name}"
        return
    yield from real()
    yield ""
    yield from simulated()
    yield ""
    yield from designs()


if __name__ == "__main__":
    for line in table():
        print(line, flush=True)
