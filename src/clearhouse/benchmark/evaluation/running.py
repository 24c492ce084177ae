"""Running the task, resuming it, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from inspect_ai import Task, eval_set
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.model import GenerateConfig, Model, ModelOutput, ModelUsage, get_model
from inspect_ai.util import DisplayType
from rich.text import Text

from clearhouse.benchmark.evaluation.budget import Budget
from clearhouse.benchmark.evaluation.choosing_source import (
    Chooser,
    Listener,
    ending_in,
    item_in,
)
from clearhouse.benchmark.evaluation.closing import counted
from clearhouse.benchmark.evaluation.judging import SCORE, Bench
from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig
from clearhouse.benchmark.evaluation.scripted import fuzzer, nothing, reference
from clearhouse.benchmark.evaluation.solving import Worker, model_agent
from clearhouse.benchmark.evaluation.task import flaw_task
from clearhouse.benchmark.items import Item
from clearhouse.benchmark.outcomes import Ending
from clearhouse.errors import Invalid, Unavailable
from clearhouse.proof.text import printable

Scripted = Literal["reference", "nothing", "fuzzer"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is made.

    ``log_dir`` belongs to this run alone: whoever runs it again with the same folder resumes it.
    ``at_a_time`` is how many samples are worked on at once, None as many as the sandbox takes.
    ``prices`` is a file with Inspect's ``model_cost_config``.  ``tell`` is told of each attempt
    that is over, where a chooser chooses.
    """

    log_dir: Path
    level: int = 0
    budget: Budget = field(default_factory=Budget)
    sandbox: str | BubblewrapConfig = field(default_factory=BubblewrapConfig)
    retries: int = 1
    at_a_time: int | None = None
    prices: Path | None = None
    display: DisplayType = "plain"
    model_args: Mapping[str, Any] = field(default_factory=dict)
    tell: Listener | None = None


def run_model(
    items: Sequence[Item], model: str | Model, settings: Settings, choose: Chooser | None = None
) -> tuple[EvalLog, ...]:
    """Have a model attempt the items; any of Inspect's model providers will do."""
    return _run(items, model_agent, model, settings, choose)


def run_scripted(
    items: Sequence[Item],
    agent: Scripted,
    settings: Settings,
    choose: Chooser | None = None,
    *,
    fuzz_s: float = 60.0,
    seed: int = 1,
    bench: Bench | None = None,
) -> tuple[EvalLog, ...]:
    """Have one of the agents that are no models attempt the items; ``bench`` judges, and is closed.

    ``fuzz_s`` is how many seconds the fuzzer takes over each item, ``seed`` what it draws from.
    """
    by_name = {item.name: item for item in items}
    workers: dict[str, Worker] = {
        "reference": reference(by_name),
        "nothing": nothing,
        "fuzzer": fuzzer(by_name, seconds=fuzz_s, seed=seed),
    }
    return _run(items, workers[agent], silent_model(agent), settings, choose, bench)


def silent_model(name: str) -> Model:
    """A stand-in where no model is asked; it uses nothing."""
    output = ModelOutput.from_content(name, "")
    output.usage = ModelUsage()
    return get_model(f"mockllm/{name}", custom_outputs=lambda *_: output, config=GenerateConfig())


def _run(
    items: Sequence[Item],
    worker: Worker,
    model: str | Model,
    settings: Settings,
    choose: Chooser | None,
    bench: Bench | None = None,
) -> tuple[EvalLog, ...]:
    with bench or Bench() as judging:
        task: Task = flaw_task(
            items,
            judging.judge,
            level=settings.level,
            worker=worker,
            budget=settings.budget,
            sandbox=settings.sandbox,
            choose=choose,
            tell=settings.tell,
        )
        return carried_out(task, model, settings)


def carried_out(task: Task, model: str | Model, settings: Settings) -> tuple[EvalLog, ...]:
    """Run a task with a model, or go on with it; its logs, with their samples.

    Raises :class:`Invalid` for a model that Inspect does not know, :class:`Unavailable` where it
    cannot begin: a key or a library that is missing, a folder with another run's logs.
    """
    try:
        _known(model, settings)
        _, logs = eval_set(
            task,
            log_dir=str(settings.log_dir),
            model=model,
            model_args=dict(settings.model_args),
            model_cost_config=str(settings.prices) if settings.prices else None,
            retry_attempts=settings.retries,
            retry_immediate=bool(settings.retries),
            max_samples=settings.at_a_time,
            display=settings.display,
            ctl_server=False,
            log_refusals=True,
        )
    except PrerequisiteError as error:
        said = " ".join(Text.from_markup(str(error.message)).plain.split())
        if "eval_set" in said:
            raise Unavailable(
                f"{settings.log_dir} holds another run; one goes on with the same model and the"
                " same budgets"
            ) from error
        raise Unavailable(f"Inspect cannot begin: {said}") from error
    return tuple(
        read_eval_log(log.location) if log.samples is None and log.location else log for log in logs
    )


def _known(model: str | Model, settings: Settings) -> None:
    if isinstance(model, str):
        try:
            get_model(model, **settings.model_args)
        except ValueError:
            raise Invalid(f"Inspect knows no {printable(model, limit=80)!r}", key="model") from None


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt of a log: time in seconds of wall and of work, tokens of all kinds."""

    item: str
    family: str
    epoch: int
    outcome: Ending
    grade: str | None
    total_s: float
    working_s: float
    tokens: int
    why: str
    tool_errors: int
    limit: str | None

    @classmethod
    def of(cls, sample: EvalSample) -> Row:
        """The row of a sample."""
        score = (sample.scores or {}).get(SCORE)
        metadata = (score.metadata or {}) if score is not None else {}
        why = sample.error.message if sample.error is not None else ""
        return cls(
            item=item_in(sample),
            family=str((sample.metadata or {}).get("family", "")),
            epoch=sample.epoch,
            outcome=ending_in(sample),
            grade=metadata.get("grade"),
            total_s=round(sample.total_time or 0.0, 3),
            working_s=round(sample.working_time or 0.0, 3),
            tokens=sum(usage.total_tokens for usage in sample.model_usage.values()),
            why=why or (score.explanation or "" if score is not None else ""),
            tool_errors=sum(m.role == "tool" and m.error is not None for m in sample.messages),
            limit=metadata.get("limit"),
        )


def rows(logs: Iterable[EvalLog]) -> tuple[Row, ...]:
    """Every attempt of some logs, by item."""
    found = [Row.of(sample) for log in logs for sample in log.samples or []]
    return tuple(sorted(found, key=lambda row: (row.item, row.epoch)))


def summary(logs: Sequence[EvalLog]) -> dict[str, Any]:
    """What a run came to, as one document."""
    found = rows(logs)
    judged = [row for row in found if row.outcome is not Ending.ERROR]
    solved = sum(row.outcome is Ending.SOLVED for row in judged)
    return {
        "format": 1,
        "system": next((log.eval.model for log in logs), ""),
        "attempts": len(found),
        "outcomes": counted(row.outcome for row in found),
        "solved_share": round(solved / len(judged), 4) if judged else None,
        "tokens": sum(row.tokens for row in found),
        "logs": [log.location.removeprefix("file://") for log in logs],
        "items": [
            {
                "item": row.item,
                "family": row.family,
                "attempt": row.epoch,
                "outcome": row.outcome.value,
                "grade": row.grade,
                "seconds": row.total_s,
                "tokens": row.tokens,
                "limit": row.limit,
                "why": row.why,
            }
            for row in found
        ],
    }
