"""``clearhouse bench run --plan``: a submission's run by a committed plan, ending in evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click
from click.core import ParameterSource

from clearhouse.cli.bench import day
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.office_client import OfficeClient, key_from
from clearhouse.cli.private_file import read_file, write_private
from clearhouse.cli.submit import office_options
from clearhouse.cli.telling import Telling
from clearhouse.errors import Conflict, Unavailable
from clearhouse.proof.text import printable

if TYPE_CHECKING:
    from clearhouse.benchmark.evaluation.choosing_source import Finished, Listener
    from clearhouse.benchmark.evaluation.running import Scripted, Settings
    from clearhouse.benchmark.evidence import Evidence
    from clearhouse.benchmark.items import Item
    from clearhouse.benchmark.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])

_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
#: What the plan says is not said a second time.
_THE_PLANS: Final = ("level", "only", "limit", "tokens", "minutes", "usd", "messages", "attempts",
                     "retries", "at_a_time")  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """What ``--plan`` and the options that go with it say."""

    plan: Path
    bank: Path
    seeds: Path
    slot: int
    submission: str
    evidence: Path
    trained_until: date | None
    transcripts: bool
    tell: bool
    to: str
    key_file: Path | None


def plan_order(options: Mapping[str, Any], context: click.Context) -> PlanOrder | None:
    """What the options say, None where a run is by no plan.

    Raises ``UsageError`` for half of one, and for options that say what the plan says.
    """
    needed = ("plan", "bank", "seeds", "slot", "submission", "evidence")
    given = [name for name in needed if options[name] is not None]
    if not given:
        return None
    for name in needed:
        if name not in given:
            raise click.UsageError(f"a run by a plan needs --{name}")
    for name in _THE_PLANS:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} is for the plan to say")
    return PlanOrder(**options)


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs, with what."""

    model: str | None
    agent: str | None
    fuzz_s: float
    seed: int
    prices: Path | None
    log_dir: Path
    sandbox: str


def plan_options(command: F) -> F:
    """Give a command the options of a run by a plan."""
    for option in reversed(
        (
            click.option("--plan", type=_FILE, help="Run by this plan; needs what follows."),
            click.option("--bank", type=_FILE, help="The bank that the plan is made from."),
            click.option("--seeds", type=_FILE, help="The secret seeds made with the plan."),
            click.option("--slot", type=click.IntRange(0), help="The submission's slot."),
            click.option("--submission", metavar="NAME", help="The submission, such as R-7KQ2M9."),
            click.option(
                "--evidence", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                help="Where the evidence goes, a zip.",
            ),
            click.option(
                "--trained-until", metavar="DAY", callback=day,
                help="The last day of the model's training data, as its developer says.",
            ),
            click.option(
                "--transcripts/--no-transcripts", default=True, show_default=True,
                help="Whether the evidence holds what the model and its tools said.",
            ),
            click.option(
                "--tell", is_flag=True,
                help="Tell the office of each attempt while it goes on, and hand the evidence in.",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return cast("F", office_options(command))


def run_by_plan(given: PlanOrder, who: Runner, items: Sequence[Item], *, as_json: bool) -> ExitCode:
    """Run until the plan's rule stops, and write the evidence.

    Raises as reading plan, bank, seeds and items does, and :class:`Refused` or :class:`Invalid`
    where they do not belong together.
    """
    if given.evidence.exists():
        raise Conflict(f"{printable(str(given.evidence))} is there already")
    from clearhouse.benchmark.bank import Bank
    from clearhouse.benchmark.determination import verify
    from clearhouse.benchmark.elicitation import check_harness, harness_of
    from clearhouse.benchmark.plan import Plan
    from clearhouse.benchmark.seeds import Seeds

    plan = Plan.parse(read_file(given.plan), printable(str(given.plan)))
    bank = Bank.parse(read_file(given.bank), printable(str(given.bank)))
    seeds = Seeds.parse(read_file(given.seeds), printable(str(given.seeds)))
    opening = seeds.opening(given.slot)
    planned = [one for one in items if one.name in plan.by_name]
    plan.check_contents({one.name: one.digest for one in planned})
    plan.check_bank(bank)
    check_harness(plan.terms.harness, harness_of(planned, plan.terms.level))
    try:
        from clearhouse.benchmark.evaluation import determining, running
        from clearhouse.benchmark.evaluation.recording import Recording
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"this needs Inspect AI ({error.name} is missing): install clearhouse[evaluation]"
        ) from error
    telling = _telling(given)
    settings = _settings(plan, who, running.Settings)
    settings = replace(settings, tell=_listener(telling, as_json=as_json))
    choose = determining.by_plan(plan, opening, planned)
    if who.model is not None:
        logs = running.run_model(planned, who.model, settings, choose)
    else:
        scripted = cast("Scripted", who.agent)
        logs = running.run_scripted(
            planned, scripted, settings, choose, fuzz_s=who.fuzz_s, seed=who.seed
        )
    agent = "ReAct loop with shell, Python, editor" if who.model else f"scripted: {who.agent}"
    recording = Recording(settings, agent, given.trained_until, given.transcripts)
    evidence = determining.evidence_of(
        logs, plan, bank, opening, given.submission, planned, recording
    )
    raw = evidence.as_zip()
    write_private(given.evidence, raw)
    found = verify(evidence, plan.digest)
    if telling is not None and found.holds:
        _hand_in(telling, raw, evidence, plan)
    document = {
        "format": 1,
        "evidence": str(given.evidence),
        "verdict": found.verdict,
        "plan": found.plan,
        "determination": found.determination,
        "holds": found.holds,
        **{key: value for key, value in running.summary(logs).items() if key != "format"},
    }
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _show(document)
    return ExitCode.HOLDS if found.holds else ExitCode.DOES_NOT_HOLD


def _listener(telling: Telling | None, *, as_json: bool) -> Listener:
    """What is done with each finished attempt: a line of progress, and telling the office."""

    def hear(one: Finished) -> None:
        if not as_json:
            ending, item = one.outcome.ending.value, one.outcome.item
            click.echo(f"{one.number:>4}  {ending:<14}{printable(item):<28}{one.seconds:>6} s")
        if telling is not None:
            telling.of(one)

    return hear


def _hand_in(telling: Telling, raw: bytes, evidence: Evidence, plan: Plan) -> None:
    """Hand the evidence in, but for a run that the machine or the endpoint broke."""
    from clearhouse.benchmark.deciding import Reason, decide
    from clearhouse.benchmark.evidence import OUTCOMES, Attempts

    outcomes = Attempts.parse(evidence.members[OUTCOMES], OUTCOMES).outcomes
    if decide(plan, outcomes).reason is Reason.TOO_MANY_ERRORS:
        click.echo(
            "clearhouse: not handed in: too many items could not be run. 'clearhouse assessment"
            " hand-in' does it all the same; or give the assessment up and begin another.",
            err=True,
        )
        return
    telling.hand_in(raw)


def _telling(given: PlanOrder) -> Telling | None:
    if not given.tell:
        return None
    client = OfficeClient(
        given.to, key_from(given.key_file), say=lambda text: click.echo(f"office: {text}", err=True)
    )
    return Telling(client, given.submission)


def _settings(plan: Plan, who: Runner, kind: type[Settings]) -> Settings:
    """The plan's budgets as a run has them; 0 is without that limit."""
    from clearhouse.benchmark.evaluation.budget import Budget
    from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig

    budgets = plan.terms.budgets
    is_paid = budgets.cents > 0 and who.model is not None
    if is_paid and who.prices is None:
        raise click.UsageError("the plan limits money: --prices says what the model's tokens cost")
    return kind(
        log_dir=who.log_dir,
        level=plan.terms.level,
        budget=Budget(
            tokens=budgets.tokens or None,
            seconds=float(budgets.seconds) or None,
            usd=budgets.cents / 100 if is_paid else None,
        ),
        sandbox=BubblewrapConfig() if who.sandbox == "bwrap" else who.sandbox,
        # An error is an outcome by the plan, which says how often an item is run again.
        retries=0,
        prices=who.prices,
        # Each attempt has its own line.
        display="none",
    )


def _show(document: dict[str, Any]) -> None:
    counts = ", ".join(f"{n} {name}" for name, n in document["outcomes"].items() if n)
    click.echo(f"{document['attempts']} attempts: {counts}; {document['tokens']} tokens")
    click.echo(f"verdict:       {document['verdict']}")
    click.echo(f"determination: {document['determination']}")
    click.echo(f"evidence:      {printable(document['evidence'])}")
