"""What a report tells of a run: what it took, how it was made, what speaks for and against it.

For the developer nothing here names an item, quotes a transcript, or says what an input was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from clearhouse.benchmark.evidence import ITEMS, RUN, Evidence, transcript_name
from clearhouse.benchmark.item_file import Masked, parse
from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.plan import Plan
from clearhouse.benchmark.run_record import MICRO_USD, Attempt, RunRecord
from clearhouse.benchmark.transcripts import Message, Transcript

#: Of a long transcript the page shows the beginning and the end; the evidence has it all.
_SHOWN: Final = 60
_MASKED: Final = {
    Masked.NO: "under their own names",
    Masked.VERSION: "under another version",
    Masked.NAME: "under another name",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A transcript as a page shows it: messages by their lines."""

    title: str
    why: str
    messages: tuple[tuple[str, tuple[str, ...]], ...]
    left_out: int


def record_in(evidence: Evidence) -> RunRecord | None:
    """The run's record, None where the evidence has none."""
    raw = evidence.members.get(RUN)
    return None if raw is None else RunRecord.parse(raw, RUN)


def took(record: RunRecord) -> list[tuple[str, str]]:
    """Cost, tokens, time: in all, and the median of an attempt."""
    attempts = record.attempts
    costs = [one.usd_micro for one in attempts if one.usd_micro is not None]
    tokens = [one.tokens for one in attempts]
    seconds = [one.wall_ms / 1000 for one in attempts]
    working = sum(one.working_ms for one in attempts) / 1000
    return [
        ("Run", f"{record.began} to {record.ended}"),
        ("Attempts", f"{len(attempts)}, errors included"),
        ("Tokens", (f"{sum(tokens)}: {sum(one.input_tokens for one in attempts)} read,"
         f" {sum(one.output_tokens for one in attempts)} written;"
         f" median of an attempt {median(tokens or [0]):g}")),
        ("Time", (f"{sum(seconds):.0f} s, {working:.0f} s of them at work;"
         f" median of an attempt {median(seconds or [0]):.1f} s")),
        ("Money", (f"${sum(costs) / MICRO_USD:.2f} for {len(costs)} attempt(s)" if costs
         else "no prices were given, or nothing was paid for")),
        ("Tool calls", (f"{sum(one.calls for one in attempts)}, of which"
         f" {sum(one.tool_errors for one in attempts)} failed")),
    ]  # fmt: skip


def elicitation(record: RunRecord, plan: Plan) -> list[tuple[str, str]]:
    """How the model was brought to show what it can do."""
    sampling = ", ".join(f"{name} {value}" for name, value in sorted(record.sampling.items()))
    return [
        ("Model", record.model),
        ("Agent", record.agent),
        ("Sampling", sampling or "the provider's defaults"),
        ("Prompts", record.prompts),
        ("As planned", "yes" if plan.terms.harness.get("prompts") == record.prompts
         else "the plan does not say which prompts"),
        ("Trained until", record.trained_until or "its developer gave no date"),
    ]  # fmt: skip


def contamination(record: RunRecord, evidence: Evidence) -> list[str]:
    """What was checked against answers that were known before; counts only, nothing by name."""
    attempts = [one for one in record.attempts if one.ending is not Ending.ERROR]
    recalled = sum(one.canary_recalled for one in record.attempts)
    verbatim = sum(one.is_reference for one in attempts)
    leaks = sum(one.leaks > 0 for one in attempts)
    shown = f"in {recalled} attempt(s) the model wrote one" if recalled else "no attempt wrote one"
    held = f"{leaks} of the tried items" if leaks else "none of the tried items"
    found = [
        f"Canaries: {shown} that it had not been shown.",
        f"Known answers: {verbatim} of {len(attempts)} attempts handed in the reference input.",
        f"Given away: {held} held a part of the input in what the model was given.",
        _by_date(attempts, record.trained_until),
    ]
    masked = _masked(evidence)
    return [*found, masked] if masked else found


def _by_date(attempts: Sequence[Attempt], trained_until: str | None) -> str:
    if trained_until is None:
        return "Dates: without the end of the model's training nothing is told from the fixes' own."
    rows: dict[str, list[Attempt]] = {"after it": [], "before it": [], "on no known day": []}
    for one in attempts:
        if one.published is None:
            rows["on no known day"].append(one)
        else:
            rows["after it" if one.published > trained_until else "before it"].append(one)
    told = ", ".join(
        f"{sum(one.ending is Ending.SOLVED for one in some)} of {len(some)} fixed {when} solved"
        for when, some in rows.items()
        if some
    )
    return f"Dates, the training having ended on {trained_until}: {told or 'no items'}."


def _masked(evidence: Evidence) -> str:
    counts: dict[Masked, int] = {}
    for name, raw in evidence.members.items():
        if name.startswith(ITEMS):
            kind = parse(raw, where=name).masked
            counts[kind] = counts.get(kind, 0) + 1
    if not counts:
        return ""
    told = ", ".join(f"{counts[kind]} {_MASKED[kind]}" for kind in Masked if kind in counts)
    return f"Names: of the tried items {told}."


def environment(record: RunRecord) -> list[tuple[str, str]]:
    """Versions, machine and sandbox."""
    return sorted(record.environment.items())


def columns(one: Attempt) -> Mapping[str, str]:
    """An attempt's figures for the table of attempts."""
    return {
        "tokens": str(one.tokens),
        "seconds": f"{one.wall_ms / 1000:.1f}",
        "calls": str(one.calls),
        "money": "" if one.usd_micro is None else f"${one.usd_micro / MICRO_USD:.2f}",
    }


def transcripts(evidence: Evidence, record: RunRecord) -> list[Shown]:
    """For the assessor: successes first, then failures, then whatever ended in an error."""
    order = {Ending.SOLVED: 0, Ending.ERROR: 2}
    numbered = list(enumerate(record.attempts, 1))
    numbered.sort(key=lambda one: (order.get(one[1].ending, 1), one[0]))
    found = []
    for number, one in numbered:
        raw = evidence.members.get(transcript_name(one.transcript)) if one.transcript else None
        if raw is not None:
            transcript = Transcript.parse(raw, one.item)
            found.append(_shown(f"{number}. {one.item}: {one.ending.value}", one.why, transcript))
    return found


def _shown(title: str, why: str, transcript: Transcript) -> Shown:
    messages = transcript.messages
    left_out = transcript.left_out + max(len(messages) - _SHOWN, 0)
    if len(messages) > _SHOWN:
        messages = (*messages[: _SHOWN // 2], *messages[-(_SHOWN // 2) :])
    return Shown(title, why, tuple((one.role, _lines(one)) for one in messages), left_out)


def _lines(message: Message) -> tuple[str, ...]:
    return tuple(message.text.split("\n"))


def not_tested(plan: Plan, tried: int, record: RunRecord | None, *, quoted: bool) -> list[str]:
    """What the run says nothing about."""
    rest = len(plan.items) - tried
    found = [
        "Other scaffolds, sampling, prompts and budgets: each was one, as planned.",
        "A second attempt at any item: each counts once.",
        f"Other knowledge than level {plan.terms.level}.",
        f"{rest} of the bank's {len(plan.items)} items, which the decision did not need.",
        "Other kinds of flaws than the bank's families, and flaws that nobody knows yet.",
    ]
    if record is None:
        found.append("Cost, time, elicitation and contamination: the evidence holds no record.")
    elif record.trained_until is None:
        found.append("Whether items are older than the model's training data: no date was given.")
    if not quoted:
        found.append("Transcripts are not on this page.")
    return found
