"""From a run's logs to the record of what it took, and to its transcripts."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ChatMessage, ContentReasoning

from clearhouse import __version__
from clearhouse.benchmark.elicitation import prompts_digest
from clearhouse.benchmark.evaluation.choosing_source import item_in, outcome_in
from clearhouse.benchmark.evaluation.judging import SCORE
from clearhouse.benchmark.evaluation.running import Settings
from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig
from clearhouse.benchmark.evidence import Run
from clearhouse.benchmark.items import Item, reference_input
from clearhouse.benchmark.leaks import LEVELS, leaks_of
from clearhouse.benchmark.run_record import MICRO_USD, Attempt, RunRecord
from clearhouse.benchmark.transcripts import (
    MOST,
    MOST_OF_ALL,
    Transcript,
    recalled,
    transcript_of,
)
from clearhouse.proof.text import printable

_WHY: Final = 300
_GIB: Final = 1 << 30
#: Parts of a sampling that say how requests are made and not what comes of them.
_PLUMBING: Final = frozenset(
    {
        "max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections",
        "adaptive_connections", "extra_headers", "batch", "cache",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recording:
    """What a record says beyond the logs.

    ``agent`` is what worked on the items: the scaffold of a model, or an agent that is none.
    ``trained_until`` is the last day of the model's training data, as its developer says.
    ``transcripts`` says whether they are handed over.
    """

    settings: Settings
    agent: str
    trained_until: date | None = None
    transcripts: bool = True


def record_of(
    samples: Sequence[EvalSample],
    logs: Sequence[EvalLog],
    items: Iterable[Item],
    recording: Recording,
) -> Run:
    """The record of attempts in their order; ``items`` are those that the run was over."""
    settings = recording.settings
    planned = {one.name: one for one in items}
    canaries = [one.canary for one in planned.values()]
    attempts, transcripts = [], []
    for sample in samples:
        said = list(_said(sample.messages))
        transcript = transcript_of(said, most=min(MOST, MOST_OF_ALL // len(samples)))
        transcripts.append(transcript)
        is_recalled = recalled(said, canaries)
        item = planned[item_in(sample)]
        attempts.append(_attempt(sample, item, settings.level, transcript, is_recalled=is_recalled))
    starts = [one.started_at for one in samples if one.started_at]
    ends = [one.completed_at for one in samples if one.completed_at]
    record = RunRecord(
        model=logs[0].eval.model if logs else "",
        agent=recording.agent,
        began=_moment(min(starts, default=None)),
        ended=_moment(max(ends, default=None)),
        prompts=prompts_digest(planned.values(), settings.level),
        sampling=_sampling(logs),
        environment=_environment(logs, settings),
        attempts=tuple(attempts),
        trained_until=(recording.trained_until.isoformat() if recording.trained_until else None),
    )
    return Run(record, tuple(transcripts) if recording.transcripts else ())


def _attempt(
    sample: EvalSample, item: Item, level: int, transcript: Transcript, *, is_recalled: bool
) -> Attempt:
    score = (sample.scores or {}).get(SCORE)
    metadata: Mapping[str, Any] = (score.metadata or {}) if score is not None else {}
    handed_in = metadata.get("handed_in") or {}
    usage = sample.model_usage.values()
    costs = [one.total_cost for one in usage if one.total_cost is not None]
    if sample.error is not None:
        why = sample.error.message.partition("\n")[0]
    else:
        why = (score.explanation or "") if score is not None else ""
    calls = [call for one in sample.messages if one.role == "assistant"
             for call in one.tool_calls or []]  # fmt: skip
    return Attempt(
        item=item.name,
        ending=outcome_in(sample).ending,
        wall_ms=round(1000 * (sample.total_time or 0)),
        working_ms=round(1000 * (sample.working_time or 0)),
        tokens=sum(one.total_tokens for one in usage),
        input_tokens=sum(one.input_tokens for one in usage),
        output_tokens=sum(one.output_tokens for one in usage),
        messages=len(sample.messages),
        calls=len(calls),
        tool_errors=sum(one.role == "tool" and one.error is not None for one in sample.messages),
        leaks=len(leaks_of(item, [one for one in LEVELS if one <= level])),
        canary_recalled=is_recalled,
        is_reference=handed_in.get("sha256") == _reference(item),
        why=printable(why.partition(": ")[2] or why, limit=_WHY),
        usd_micro=round(sum(costs) * MICRO_USD) if costs else None,
        limit=metadata.get("limit"),
        published=item.published.isoformat() if item.published else None,
        transcript=transcript.digest,
    )


def _reference(item: Item) -> str:
    return hashlib.sha256(reference_input(item)).hexdigest()


def _said(messages: Iterable[ChatMessage]) -> Iterable[tuple[str, str]]:
    """Who said what, in order; what a model thinks and calls stands for itself."""
    for one in messages:
        if one.role == "assistant":
            if not isinstance(one.content, str):
                for part in one.content:
                    if isinstance(part, ContentReasoning):
                        yield "thinking", part.reasoning or part.summary or "(not shown)"
            if one.text:
                yield "assistant", one.text
            for call in one.tool_calls or []:
                yield "call", f"{call.function}\n{_readable(call.arguments)}"
        elif one.role == "tool" and one.error is not None:
            yield "tool", f"(error) {one.error.message}"
        else:
            yield one.role, one.text


def _readable(arguments: Mapping[str, Any]) -> str:
    """Arguments of a call, a line each; texts of several lines stay as they are."""
    return "\n".join(f"{name}: {value}" for name, value in arguments.items())


def _sampling(logs: Sequence[EvalLog]) -> dict[str, str]:
    if not logs:
        return {}
    config = logs[0].eval.model_generate_config.model_dump(exclude_none=True)
    return {key: printable(str(value), limit=200) for key, value in sorted(config.items())
            if key not in _PLUMBING}  # fmt: skip


def _environment(logs: Sequence[EvalLog], settings: Settings) -> dict[str, str]:
    """The machine that ran it, the sandbox, the versions; no path and no name of the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = {
        "clearhouse": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": str(os.cpu_count() or "unknown"),
        "memory": f"{memory / _GIB:.1f} GiB",
    }
    for name, version in sorted((logs[0].eval.packages if logs else {}).items()):
        found[name.replace("_", "-")] = version
    sandbox = settings.sandbox
    if isinstance(sandbox, BubblewrapConfig):
        limits = sandbox.model_dump(exclude={"binds"})
        found["sandbox"] = "bwrap, without network; " + ", ".join(
            f"{name} {value:g}" for name, value in limits.items()
        )
    else:
        found["sandbox"] = sandbox.partition(":")[0]
    return found


def _moment(text: str | datetime | None) -> str:
    if text is None:
        return "1970-01-01T00:00:00Z"
    found = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
