"""A run by a committed plan ends in evidence that anybody computes again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import eval as run_task
from inspect_ai.log import read_eval_log

from clearhouse.benchmark.bank import Bank
from clearhouse.benchmark.bank import Item as BankItem
from clearhouse.benchmark.building import write_files, write_item
from clearhouse.benchmark.deciding import Decision, Verdict, decide
from clearhouse.benchmark.determination import verify
from clearhouse.benchmark.evaluation.determining import by_plan, evidence_of
from clearhouse.benchmark.evaluation.judging import Bench
from clearhouse.benchmark.evaluation.recording import Recording
from clearhouse.benchmark.evaluation.running import (
    Settings,
    run_model,
    run_scripted,
    silent_model,
)
from clearhouse.benchmark.evaluation.scripted import reference
from clearhouse.benchmark.evaluation.task import flaw_task
from clearhouse.benchmark.evidence import (
    OUTCOMES,
    RUN,
    Attempts,
    Evidence,
    read_evidence,
    transcript_name,
)
from clearhouse.benchmark.item_file import ITEM_FILE
from clearhouse.benchmark.items import Item, read_items
from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.plan import Plan, make_plan
from clearhouse.benchmark.report import Reader, determination_page
from clearhouse.benchmark.run_record import RunRecord
from clearhouse.benchmark.seeds import Seeds
from clearhouse.benchmark.terms_file import example
from clearhouse.benchmark.transcripts import Transcript
from clearhouse.cli.main import main
from clearhouse.errors import Invalid, Unavailable
from clearhouse.ledger.receipt import Outcome as Result
from tests.benchmark.banks import SEEDS, terms
from tests.benchmark.evaluation.attempts import LITTLE, knowing, made

pytestmark = [pytest.mark.sandbox, pytest.mark.slow, pytest.mark.network]
NAMES = ("CVE-2014-2525", "CVE-2023-26303", "CVE-2019-14853", "CVE-2024-5569")


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> tuple[Item, ...]:
    place = tmp_path_factory.mktemp("items")
    for name in NAMES:
        write_item(made(name), place)
    return read_items(place)


@pytest.fixture(scope="module")
def bank(items: tuple[Item, ...]) -> Bank:
    return Bank(tuple(BankItem(one.name, one.family.value, 0, 0, 0, 0, 0) for one in items))


@pytest.fixture(scope="module")
def plan(bank: Bank, items: tuple[Item, ...]) -> Plan:
    chosen = terms(
        region_ppm=300_000, alpha_ppm=100_000, beta_ppm=100_000, least=2, least_of={},
        most=len(bank.items), among=2,
    )  # fmt: skip
    return make_plan(chosen, bank, {one.name: one.digest for one in items})


def settings(folder: Path) -> Settings:
    return Settings(log_dir=folder, level=1, sandbox=LITTLE, display="none", retries=0)


def determined(
    items: tuple[Item, ...], agent: Any, plan: Plan, bank: Bank, folder: Path
) -> Evidence:
    opening = SEEDS.opening(0)
    logs = run_scripted(items, agent, settings(folder), by_plan(plan, opening, items))
    return evidence_of(logs, plan, bank, opening, "R-EXAMPLE", items)


def decision_in(evidence: Evidence, plan: Plan) -> Decision:
    attempts = Attempts.parse(evidence.members[OUTCOMES], OUTCOMES)
    return decide(plan, attempts.outcomes)


def test_the_agent_with_the_answers_is_covered_and_the_idle_one_is_not(
    items: tuple[Item, ...], plan: Plan, bank: Bank, tmp_path: Path
) -> None:
    found = {}
    for agent in ("reference", "nothing"):
        evidence = determined(items, agent, plan, bank, tmp_path / agent)
        path = tmp_path / f"{agent}.zip"
        path.write_bytes(evidence.as_zip())
        again = verify(read_evidence(path), plan.digest)
        assert again.holds
        assert again.checks[8].outcome is Result.HOLDS
        found[agent] = decision_in(evidence, plan)
        assert again.verdict is found[agent].verdict
    assert found["reference"].verdict is Verdict.COVERED
    assert found["nothing"].verdict is Verdict.NOT_COVERED
    assert found["nothing"].is_lower_bound  # it gave up
    assert found["reference"].read < len(items)  # it stopped as soon as it was decided


def test_a_models_run_is_recorded_with_what_it_took_and_what_was_said(
    items: tuple[Item, ...], plan: Plan, bank: Bank, tmp_path: Path
) -> None:
    opening = SEEDS.opening(2)
    model = knowing(items, lambda item: item.name != items[0].name)
    logs = run_model(items, model, settings(tmp_path), by_plan(plan, opening, items))
    recording = Recording(settings(tmp_path), "ReAct", date(2016, 1, 1))
    evidence = evidence_of(logs, plan, bank, opening, "R-EXAMPLE", items, recording)
    found = verify(evidence, plan.digest)
    assert found.holds
    assert [one.outcome for one in found.checks] == [Result.HOLDS] * 10
    record = RunRecord.parse(evidence.members[RUN], RUN)
    assert record.model == "mockllm/model"
    assert record.trained_until == "2016-01-01"
    assert "memory_mb 512" in record.environment["sandbox"]
    for one in record.attempts:
        assert one.tokens == 1000 * one.calls > 0
        assert one.is_reference is (one.ending is Ending.SOLVED)
        assert not one.canary_recalled  # it read the file that holds one, and did not write it
        assert one.leaks == 0
        assert one.transcript is not None
        raw = evidence.members[transcript_name(one.transcript)]
        roles = [message.role for message in Transcript.parse(raw, "t").messages]
        assert roles[:2] == ["system", "user"]
        assert {"assistant", "call", "tool"} <= set(roles)
    page = determination_page(evidence, reader=Reader.DEVELOPER)
    sealed = [*(one.name for one in items), *(one.canary for one in items), "Step 0."]
    assert not [one for one in sealed if one in page]
    page = determination_page(evidence, reader=Reader.ASSESSOR)
    assert "Step 0." in page


def test_the_command_runs_by_a_plan_and_a_finished_run_is_not_run_again(
    items: tuple[Item, ...], bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "items"
    for item in items:
        write_files({ITEM_FILE: item.record, **item.files}, folder / item.name)
    (tmp_path / "bank").write_bytes(bytes(bank))
    text = example().replace("most = 40", "most = 4").replace("least = 10", "least = 2")
    (tmp_path / "terms.toml").write_text(text.replace("region = 0.15", "region = 0.4"))
    place = {
        name: str(tmp_path / name) for name in ("terms.toml", "bank", "items", "plan", "e.zip")
    }
    make = ["bench", "plan", place["terms.toml"], place["bank"], place["items"]]
    assert main([*make, "-o", place["plan"]]) == 0
    run = ["bench", "run", "--items", place["items"], "--agent", "reference"]
    run += ["--log-dir", str(tmp_path / "logs"), "--plan", place["plan"], "--bank", place["bank"]]
    run += ["--seeds", place["plan"] + ".seeds", "--slot", "1", "--submission", "R-EXAMPLE"]
    run += ["--evidence", place["e.zip"], "--json"]
    told = []
    for _ in range(2):
        capsys.readouterr()
        assert main(run) == 0
        told.append(json.loads(capsys.readouterr().out))
        assert main(["determination", "verify", place["e.zip"]]) == 0
        Path(place["e.zip"]).unlink()
    assert told[0]["verdict"] == "covered"
    assert told[0]["determination"] == told[1]["determination"]


def test_an_attempt_that_could_not_be_judged_is_run_again_and_stays_in_the_evidence(
    items: tuple[Item, ...], plan: Plan, bank: Bank, tmp_path: Path
) -> None:
    failures = [1]
    with Bench() as bench:

        def judge(item: Item, handed_in: bytes) -> dict[str, Any]:
            if failures:
                failures.pop()
                raise Unavailable("the machine was switched off")
            return bench.judge(item, handed_in)

        opening = SEEDS.opening(1)
        task = flaw_task(
            items, judge, level=1, worker=reference({one.name: one for one in items}),
            sandbox=LITTLE, choose=by_plan(plan, opening, items),
        )  # fmt: skip
        logs = run_task(
            task, model=silent_model("reference"), log_dir=str(tmp_path), display="none",
            ctl_server=False,
        )  # fmt: skip
    evidence = evidence_of([read_eval_log(logs[0].location)], plan, bank, opening, "R-EXAMPLE")
    again = verify(evidence, plan.digest)
    assert again.holds
    decision = decision_in(evidence, plan)
    assert {one.value: count for one, count in decision.endings.items() if count} == {
        "solved": len(decision.path), "error": 1,
    }  # fmt: skip


def test_another_submissions_seed_does_not_fit_the_run(
    items: tuple[Item, ...], plan: Plan, bank: Bank, tmp_path: Path
) -> None:
    opening = SEEDS.opening(0)
    logs = run_scripted(items, "nothing", settings(tmp_path), by_plan(plan, opening, items))
    orders = {slot: by_plan(plan, SEEDS.opening(slot), items)(()) for slot in range(SEEDS.slots)}
    other = next(slot for slot, first in orders.items() if first != orders[0])
    with pytest.raises(Invalid):
        evidence_of(logs, plan, bank, SEEDS.opening(other), "R-EXAMPLE")


def test_a_seed_of_nobodys_is_refused(plan: Plan, items: tuple[Item, ...]) -> None:
    with pytest.raises(Invalid, match="this seed"):
        by_plan(plan, Seeds(bytes(32), SEEDS.slots).opening(0), items)


def test_a_run_over_another_item_of_a_planned_name_is_refused(
    items: tuple[Item, ...], plan: Plan, bank: Bank, tmp_path: Path
) -> None:
    opening = SEEDS.opening(0)
    altered = [replace(items[0], digest="sha256:" + "0" * 64), *items[1:]]
    with pytest.raises(Invalid, match="is not the planned one"):
        by_plan(plan, opening, altered)
    with pytest.raises(Invalid, match="is not there"):
        by_plan(plan, opening, items[1:])
    logs = run_scripted(altered, "nothing", settings(tmp_path), by_plan(plan, opening, items))
    with pytest.raises(Invalid, match="another item"):
        evidence_of(logs, plan, bank, opening, "R-EXAMPLE")
