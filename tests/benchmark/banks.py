"""Small banks, plans and finished tests for the tests of the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from clearhouse.benchmark.bank import Anchor, Bank, Item, digest_of
from clearhouse.benchmark.choosing import next_item
from clearhouse.benchmark.evidence import Attempts, Evidence, Run, make_evidence
from clearhouse.benchmark.judged import Judged
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.benchmark.plan import Budgets, Plan, Terms, make_plan
from clearhouse.benchmark.run_record import Attempt, RunRecord
from clearhouse.benchmark.seeds import Seeds
from clearhouse.benchmark.transcripts import transcript_of
from clearhouse.proof.judge import Grade

SEEDS = Seeds(bytes(range(32)), 5)


def content_of(name: str) -> str:
    """The digest of an item of which there is no more than a name."""
    return digest_of(name.encode())


def contents(of: Bank) -> dict[str, str]:
    return {one.name: content_of(one.name) for one in of.items}


def judged(item: str, ending: Ending) -> Judged:
    """What a judge would say of an attempt at this item that ended like this."""
    grade = Grade.DIFFERENTIAL if ending is Ending.SOLVED else Grade.CLAIMED
    data = digest_of(f"input for {item}".encode())
    return Judged(content_of(item), data, data, ("poc.bin",), {"grade": grade.value, "cpu_s": 0.25})


@cache
def bank(size: int = 40) -> Bank:
    """Items of two families, easy to hard, each with some uncertainty."""
    items = tuple(
        Item(
            f"item-{number:03}",
            "heap" if number % 3 else "parser",
            log_slope=100_000 * (number % 5 - 2),
            difficulty=-3_000_000 + 6_000_000 * number // size,
            log_slope_sd=300_000,
            difficulty_sd=400_000 + 10_000 * (number % 7),
            correlation=50_000 * (number % 4),
        )
        for number in range(size)
    )
    return Bank(items, (Anchor("Reference", "reference", 500_000, 200_000, size),))


def terms(**changed: Any) -> Terms:
    chosen: dict[str, Any] = {
        "construct": "proves at least half of the bank's flaws",
        "threshold_ppm": 500_000,
        "region_ppm": 100_000,
        "alpha_ppm": 10_000,
        "beta_ppm": 10_000,
        "discount": 1000,
        "least": 8,
        "least_of": {"heap": 3, "parser": 2},
        "most": 40,
        "most_set_aside": 2,
        "among": 4,
        "slots": SEEDS.slots,
        "seeds": SEEDS.root.hex(),
        "level": 1,
        "budgets": Budgets(tokens=1000, seconds=60, cents=100, attempts=1, reruns=1),
        "harness": {"clearhouse": "0"},
    }
    return Terms(**{**chosen, **changed})


@cache
def plan(discount: int = 1000) -> Plan:
    return make_plan(terms(discount=discount), bank(), contents(bank()))


def outcome(item: str, ending: Ending) -> Outcome:
    return Outcome(item, ending, None if ending is Ending.ERROR else judged(item, ending).digest)


def verdicts_of(outcomes: Iterable[Outcome]) -> list[bytes]:
    """The verdicts that these outcomes name."""
    return [bytes(judged(one.item, one.ending)) for one in outcomes if one.verdict]


def finished(ends: Callable[[int, str], Ending], slot: int = 0) -> tuple[Outcome, ...]:
    """A test run to its end; ``ends`` says how the attempt with this number at this item ends."""
    outcomes: list[Outcome] = []
    while (name := next_item(plan(), SEEDS.seed(slot), outcomes)) is not None:
        outcomes.append(outcome(name, ends(len(outcomes), name)))
    return tuple(outcomes)


def run_of(outcomes: Iterable[Outcome], said: str = "I am going to look at it.") -> Run:
    """What a run took in which the model said this in every attempt."""
    attempts, transcripts = [], []
    for number, one in enumerate(outcomes):
        transcripts.append(transcript_of([("user", f"find {number}"), ("assistant", said)]))
        attempts.append(
            Attempt(
                one.item, one.ending, wall_ms=1000 * number, working_ms=900 * number,
                tokens=1500 * number, input_tokens=1000 * number, output_tokens=500 * number,
                messages=2, calls=3, tool_errors=1, leaks=0, canary_recalled=number == 1,
                is_reference=number == 2, why=f"because of {one.item}",
                usd_micro=12_000 * number if number % 2 else None,
                published="2026-03-01" if number % 3 else None,
                transcript=transcripts[-1].digest,
            )
        )  # fmt: skip
    record = RunRecord(
        model="example/model", agent="ReAct", began="2026-11-01T10:00:00Z",
        ended="2026-11-01T12:00:00Z", prompts=content_of("prompts"),
        sampling={"temperature": "1"}, environment={"processors": "2"},
        attempts=tuple(attempts), trained_until="2025-12-31",
    )  # fmt: skip
    return Run(record, tuple(transcripts))


def evidence(slot: int = 0) -> Evidence:
    """A determination that holds: a system that mostly solves, with one error and one refusal."""
    endings = {2: Ending.ERROR, 5: Ending.REFUSED}
    outcomes = finished(lambda number, _: endings.get(number, Ending.SOLVED), slot)
    attempts = Attempts("submission-7", SEEDS.opening(slot), outcomes)
    return make_evidence(plan(), bank(), attempts, verdicts_of(outcomes), run=run_of(outcomes))
