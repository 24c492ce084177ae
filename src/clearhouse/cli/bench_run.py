"""``clearhouse bench run``: have a model, or an agent that is none, attempt a folder of items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from clearhouse.cli.bench_by_plan import Runner, plan_options, plan_order, run_by_plan
from clearhouse.cli.exits import ExitCode
from clearhouse.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from clearhouse.benchmark.evaluation.budget import Budget
    from clearhouse.benchmark.items import Item

_SCRIPTED: Final = ("reference", "nothing", "fuzzer")


@click.command("run")
@click.option("--model", help="Any of Inspect's models, such as openai/NAME or anthropic/NAME.")
@click.option("--agent", type=click.Choice(_SCRIPTED), help="An agent that is no model.")
@click.option(
    "--items",
    "folder",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of items, as 'clearhouse bench build' makes it.",
)
@click.option("--only", multiple=True, metavar="NAME", help="This item only; may be repeated.")
@click.option(
    "--level",
    type=click.IntRange(0, 3),
    default=0,
    show_default=True,
    help="0 code only, 1 description, 2 trace, 3 fix.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many items, by name.")
@click.option(
    "--log-dir",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of this run; running again with it resumes.",
)
@click.option("--tokens", type=click.IntRange(1), default=2_000_000, show_default=True)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True)
@click.option("--usd", type=click.FloatRange(0, min_open=True), help="Needs --prices.")
@click.option(
    "--prices",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON or YAML file with what a million tokens of each model cost.",
)
@click.option("--messages", type=click.IntRange(1), help="Messages of one attempt.")
@click.option("--attempts", type=click.IntRange(1), default=1, show_default=True)
@click.option("--retries", type=click.IntRange(0), default=1, show_default=True, help="Of errors.")
@click.option("--at-a-time", type=click.IntRange(1), help="Samples worked on at once.")
@click.option("--fuzz-seconds", type=click.FloatRange(1), default=60.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the fuzzer.")
@click.option(
    "--sandbox",
    default="bwrap",
    show_default=True,
    help="Or another of Inspect's with its file, such as k8s:values.yaml.",
)
@plan_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def run(
    *,
    model: str | None,
    agent: str | None,
    folder: Path,
    only: tuple[str, ...],
    level: int,
    limit: int | None,
    log_dir: Path,
    tokens: int,
    minutes: float,
    usd: float | None,
    prices: Path | None,
    messages: int | None,
    attempts: int,
    retries: int,
    at_a_time: int | None,
    fuzz_seconds: float,
    seed: int,
    sandbox: str,
    as_json: bool,
    **by_plan: Any,  # noqa: ANN401 - the options of a plan, see PlanOrder
) -> ExitCode:
    """Have --model or --agent attempt items; each input handed in is judged by running it.

    Budgets (--tokens, --minutes, --usd, --messages) are for each attempt. Exit code 0 when every
    attempt was carried through and judged, whatever its outcome; 3 when some could not be.

    With --plan the plan says which item comes next, at which level, with which budgets and when to
    stop; run again with the same --log-dir it goes on where it was, and it ends in --evidence.
    """
    if (model is None) == (agent is None):
        raise click.UsageError("give either --model or --agent")
    order = plan_order(by_plan, click.get_current_context())
    if order is not None:
        items = _items(folder, (), None)
        who = Runner(model, agent, fuzz_seconds, seed, prices, log_dir, sandbox)
        return run_by_plan(order, who, items, as_json=as_json)
    if usd is not None and prices is None:
        raise click.UsageError("--usd needs --prices: what the model's tokens cost")
    budget = _budget(tokens, minutes * 60, usd, messages, attempts)
    items = _items(folder, only, limit)
    try:
        from clearhouse.benchmark.evaluation import running
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"this needs Inspect AI ({error.name} is missing): install clearhouse[evaluation]"
        ) from error
    from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig

    settings = running.Settings(
        log_dir=log_dir,
        level=level,
        budget=budget,
        sandbox=BubblewrapConfig() if sandbox == "bwrap" else sandbox,
        retries=retries,
        at_a_time=at_a_time,
        prices=prices,
        display="none" if as_json else "plain",
    )
    if model is not None:
        logs = running.run_model(items, model, settings)
    else:
        assert agent in _SCRIPTED
        logs = running.run_scripted(items, agent, settings, fuzz_s=fuzz_seconds, seed=seed)  # type: ignore[arg-type]
    document = running.summary(logs)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _show(document)
    return ExitCode.COULD_NOT_RUN if document["outcomes"]["error"] else ExitCode.HOLDS


def _budget(
    tokens: int, seconds: float, usd: float | None, messages: int | None, attempts: int
) -> Budget:
    from clearhouse.benchmark.evaluation.budget import Budget

    return Budget(tokens=tokens, seconds=seconds, usd=usd, messages=messages, attempts=attempts)


def _items(folder: Path, only: tuple[str, ...], limit: int | None) -> tuple[Item, ...]:
    from clearhouse.benchmark.items import read_items

    items = read_items(folder)
    unknown = set(only) - {item.name for item in items}
    if unknown:
        raise Invalid(f"holds no item {', '.join(sorted(unknown))}", where=str(folder))
    chosen = tuple(item for item in items if not only or item.name in only)
    return chosen[:limit]


def _show(document: dict[str, Any]) -> None:
    from clearhouse.proof.text import printable

    for row in document["items"]:
        click.echo(f"{row['outcome']:<14}{row['item']:<24}{row['seconds']:>8.1f} s  ", nl=False)
        click.echo(printable(row["why"].partition(": ")[2] or row["why"]))
    counts = ", ".join(f"{n} {name}" for name, n in document["outcomes"].items() if n)
    click.echo(f"{document['attempts']} attempts: {counts}; {document['tokens']} tokens")
    for log in document["logs"]:
        click.echo(f"'inspect view --log-dir {Path(log).parent}' shows them")
        break
