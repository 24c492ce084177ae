"""Whole runs: agents whose result is known, resuming, choosing, another sandbox, the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("inspect_ai")

from inspect_ai.log import read_eval_log

from clearhouse.benchmark.building import write_item
from clearhouse.benchmark.evaluation.budget import Budget
from clearhouse.benchmark.evaluation.judging import Bench, handed_in_of
from clearhouse.benchmark.evaluation.running import (
    Settings,
    rows,
    run_model,
    run_scripted,
    summary,
)
from clearhouse.benchmark.items import Item, read_items
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.cli.bench_run import run
from clearhouse.errors import Invalid
from tests.benchmark.evaluation.attempts import LITTLE, made, scripted, shell, submit

pytestmark = [pytest.mark.sandbox, pytest.mark.slow, pytest.mark.network]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("items")
    for name in ("CVE-2023-26303", "CVE-2014-2525"):
        write_item(made(name), place)
    return place


@pytest.fixture(scope="module")
def items(folder: Path) -> tuple[Item, ...]:
    return read_items(folder)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as opened:
        yield opened


def settings(folder: Path, **more: object) -> Settings:
    return Settings(log_dir=folder, sandbox=LITTLE, display="none", retries=0, **more)  # type: ignore[arg-type]


def test_the_reference_agent_solves_and_the_one_that_does_nothing_does_not(
    items: tuple[Item, ...], bench: Bench, tmp_path: Path
) -> None:
    solved = run_scripted(items, "reference", settings(tmp_path / "reference"))
    assert {row.outcome for row in rows(solved)} == {Ending.SOLVED}
    document = summary(solved)
    assert (document["attempts"], document["solved_share"], document["tokens"]) == (2, 1.0, 0)
    for sample in solved[0].samples or []:
        facts = (sample.scores or {})["proof"].metadata or {}
        again = bench.judge(
            next(i for i in items if i.name == sample.id), handed_in_of(facts) or b""
        )
        assert again["grade"] == facts["grade"]
        assert again["signature"] == facts["verdict"]["signature"]
    gone = run_scripted(items, "nothing", settings(tmp_path / "nothing"))
    assert {row.outcome for row in rows(gone)} == {Ending.GAVE_UP}


def test_a_run_that_is_started_again_goes_on_and_repeats_nothing(
    items: tuple[Item, ...], tmp_path: Path
) -> None:
    first = run_scripted(items, "reference", settings(tmp_path))
    second = run_scripted(items, "reference", settings(tmp_path))
    assert summary(first)["logs"] == summary(second)["logs"]
    uuids = [[sample.uuid for sample in log.samples or []] for log in (*first, *second)]
    assert uuids[0] == uuids[1]


def test_what_was_finished_before_the_run_was_killed_is_not_repeated(
    folder: Path, items: tuple[Item, ...], tmp_path: Path
) -> None:
    script = Path(__file__).with_name("interrupted.py")
    command = [sys.executable, str(script), str(folder), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [*command, "5"], stdout=subprocess.PIPE, text=True, env=environment
    ) as killed:
        assert killed.stdout is not None
        first, second = (killed.stdout.readline().strip() for _ in range(2))
        killed.kill()
    assert {first, second} == {item.name for item in items}
    again = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert again.stdout.split() == [second], again.stderr[-2000:]


def test_the_next_item_is_chosen_from_what_came_out(
    items: tuple[Item, ...], tmp_path: Path
) -> None:
    heard: list[Sequence[Outcome]] = []

    def choose(observed: Sequence[Outcome]) -> str | None:
        heard.append(tuple(observed))
        names = sorted((item.name for item in items), reverse=True)
        return names[len(observed)] if len(observed) < len(names) else None

    logs = run_scripted(items, "reference", settings(tmp_path), choose)
    assert [len(observed) for observed in heard[-3:]] == [0, 1, 2]
    assert [one.ending for one in heard[-1]] == [Ending.SOLVED] * 2
    assert len(rows(logs)) == 2


def test_a_chooser_may_stop_at_once(items: tuple[Item, ...], tmp_path: Path) -> None:
    one = items[0].name
    logs = run_scripted(items, "nothing", settings(tmp_path), lambda seen: None if seen else one)
    assert [row.item for row in rows(logs)] == [one]


def test_another_sandbox_gets_the_target_copied(items: tuple[Item, ...], tmp_path: Path) -> None:
    """As on Kubernetes: ``bwrap`` by its configuration file, without a bind."""
    (tmp_path / "sandbox.toml").write_text("memory_mb = 512\n")
    model = scripted(
        [shell("/work/task/try $(ls task/controls/* | head -1)"), shell("ls /target"), submit("x")]
    )
    logs = run_model(
        items[-1:],
        model,
        Settings(
            log_dir=tmp_path / "logs",
            sandbox=f"bwrap:{tmp_path / 'sandbox.toml'}",
            display="none",
            retries=0,
            budget=Budget(messages=8),
        ),
    )
    (sample,) = logs[0].samples or []
    answers = [m.text for m in sample.messages if m.role == "tool"]
    assert "-- returned" in answers[0]
    assert "site" in answers[1]


def test_each_attempt_of_an_item_has_a_sandbox_of_its_own(
    items: tuple[Item, ...], tmp_path: Path
) -> None:
    model = scripted([shell("ls /work; touch /work/left"), [("give_up", {"reason": ""})]] * 2)
    made_of = settings(tmp_path, budget=Budget(attempts=2), at_a_time=1)
    logs = run_model(items[:1], model, made_of)
    samples = logs[0].samples or []
    assert [sample.epoch for sample in samples] == [1, 2]
    for sample in samples:
        answers = [m.text for m in sample.messages if m.role == "tool"]
        assert "left" not in answers[0]


def test_the_command_runs_an_agent_and_says_what_came_out(folder: Path, tmp_path: Path) -> None:
    arguments = ["--items", str(folder), "--agent", "reference", "--log-dir", str(tmp_path / "a")]
    done = CliRunner().invoke(run, [*arguments, "--json", "--limit", "1"], standalone_mode=False)
    assert done.return_value == 0, done.output
    document = json.loads(done.stdout)
    assert document["outcomes"]["solved"] == 1
    assert read_eval_log(document["logs"][0]).status == "success"
    done = CliRunner().invoke(run, [*arguments, "--only", "nope"], standalone_mode=False)
    assert isinstance(done.exception, Invalid)
