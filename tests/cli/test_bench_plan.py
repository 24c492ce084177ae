"""``clearhouse bench calibrate``, ``design``, ``plan`` and ``run --plan``, as they are typed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from clearhouse.benchmark.bank import Bank
from clearhouse.benchmark.items import read_items
from clearhouse.benchmark.plan import Plan
from clearhouse.benchmark.response_files import FORMAT
from clearhouse.benchmark.seeds import Seeds
from clearhouse.benchmark.terms_file import example
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.main import main
from tests.benchmark.making import folder_of

NAMES = [f"item-{number}" for number in range(12)]


@pytest.fixture
def items(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "items", *NAMES)


@pytest.fixture
def bank(items: Path, tmp_path: Path) -> Path:
    assert main(["bench", "calibrate", "--items", str(items), "-o", str(tmp_path / "bank")]) == 0
    return tmp_path / "bank"


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    path = tmp_path / "terms.toml"
    text = example().replace("most = 40", "most = 12").replace("least = 10", "least = 3")
    path.write_text(
        text.replace("region = 0.15", "region = 0.3").replace("slots = 16", "slots = 3")
    )
    return path


@pytest.fixture
def plan(items: Path, bank: Path, terms: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    assert main(["bench", "plan", str(terms), str(bank), str(items), "-o", str(path)]) == 0
    return path


def _matrix(path: Path, systems: int) -> Path:
    """Systems of which each solves one item more than the one before."""
    lines = ["system," + ",".join(NAMES)]
    for number in range(systems):
        cells = ["1" if at <= number else "0" for at in range(len(NAMES))]
        lines.append(f"system-{number}," + ",".join(cells))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_without_responses_all_items_count_alike(
    items: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = tmp_path / "bank"
    assert main(["bench", "calibrate", "--items", str(items), "-o", str(bank)]) == 0
    known = Bank.parse(bank.read_bytes(), "bank")
    assert [one.name for one in known.items] == sorted(NAMES)
    assert len({(one.log_slope, one.difficulty, one.difficulty_sd) for one in known.items}) == 1
    told = capsys.readouterr().out
    assert "12 untried" in told
    assert "all items count alike" in told
    assert f"bank: {known.digest}" in told
    assert stat.S_IMODE(bank.stat().st_mode) == 0o600


def test_responses_of_several_files_make_a_bank_with_its_anchors(
    items: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = _matrix(tmp_path / "m.csv", 8)
    system = {"name": "able", "model": "x", "solved": NAMES[:10], "failed": NAMES[10:]}
    (tmp_path / "more.json").write_text(json.dumps({"format": FORMAT, "systems": [system]}))
    out = tmp_path / "bank"
    argv = ["bench", "calibrate", str(matrix), str(tmp_path / "more.json"), "-o", str(out)]
    assert main([*argv, "--items", str(items), "--anchor", "able", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    known = Bank.parse(out.read_bytes(), "bank")
    assert told["bank"] == known.digest
    assert [one["name"] for one in told["anchors"]] == ["able"]
    assert told["models"] == 9
    assert told["families"][0]["known_to"] < told["families"][0]["before"]
    difficulty = {one.name: one.difficulty for one in known.items}
    assert difficulty["item-0"] < difficulty["item-7"] < difficulty["item-11"]
    assert main([*argv, "--items", str(items)]) == ExitCode.DOES_NOT_HOLD  # it is there already
    out.unlink()
    assert main([*argv, "--items", str(items), "--anchor", "nobody"]) == ExitCode.BAD_INPUT
    assert main(argv) == ExitCode.BAD_INPUT
    assert "no family of the item 'item-0'" in capsys.readouterr().err
    assert main(["bench", "calibrate", "-o", str(out)]) == ExitCode.BAD_INPUT


def test_families_and_models_come_from_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = _matrix(tmp_path / "m.csv", 4)
    families = tmp_path / "families.csv"
    families.write_text("task,family\n" + "".join(f"{name},heap\n" for name in NAMES))
    models = tmp_path / "models.csv"
    models.write_text("system,model\nsystem-0,m\nsystem-1,m\n")
    argv = ["bench", "calibrate", str(matrix), "--families", str(families)]
    argv += ["--models", str(models), "-o", str(tmp_path / "bank")]
    assert main(argv) == 0
    told = capsys.readouterr().out
    assert "heap" in told
    assert "Only 3 model(s)" in told


def test_a_design_says_how_many_runs_a_new_item_takes(
    items: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["bench", "design", str(_matrix(tmp_path / "m.csv", 11)), "--items", str(items)]
    assert main([*argv, "--precision", "1.5", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["families"]
    assert found["expected"] <= 1.5 <= found["before"]
    assert found["total"] == sum(found["runs"].values()) > 0
    assert main([*argv, "--precision", "0.01", "--new", "20"]) == 0
    told = capsys.readouterr().out
    assert "which is not 0.01" in told
    assert "220 for 20 items" in told
    assert main(["bench", "design", "--items", str(items)]) == ExitCode.BAD_INPUT


def test_a_plan_is_of_these_items_and_its_seeds_are_secret(
    items: Path, bank: Path, terms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.json"
    capsys.readouterr()
    assert main(["bench", "plan", str(terms), str(bank), str(items), "-o", str(plan)]) == 0
    made = Plan.parse(plan.read_bytes(), "plan")
    assert made.contents == {one.name: one.digest for one in read_items(items)}
    assert made.bank == Bank.parse(bank.read_bytes(), "bank").digest
    assert set(made.terms.harness) == {"clearhouse", "inspect-ai", "prompts"}
    seeds = plan.with_name("plan.json.seeds")
    assert Seeds.parse(seeds.read_bytes(), "s").root.hex() == made.terms.seeds
    for path in (plan, seeds):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = capsys.readouterr().out
    assert made.digest in told
    assert "simulated systems" in told
    assert json.loads(seeds.read_text())["secret"] not in told


def test_a_plan_is_not_made_twice_nor_of_half(
    plan: Path, items: Path, bank: Path, terms: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    argv = ["bench", "plan", str(terms), str(bank), str(items), "-o"]
    before = plan.read_bytes()
    assert main([*argv, str(plan)]) == ExitCode.DOES_NOT_HOLD
    assert plan.read_bytes() == before
    assert main(["bench", "plan", str(terms)]) == ExitCode.BAD_INPUT
    other = folder_of(tmp_path / "others", "another", *NAMES)
    assert main([*argv[:4], str(other), "-o", str(tmp_path / "p")]) == ExitCode.BAD_INPUT
    assert "'another' is not in the bank" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()
    assert not (tmp_path / "p.seeds").exists()
    terms.write_text(terms.read_text().replace("threshold = 0.5", ""))
    assert main([*argv, str(tmp_path / "p")]) == ExitCode.BAD_INPUT
    assert "threshold: is missing: the share of the bank" in capsys.readouterr().err


def test_the_example_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "plan", "--example"]) == 0
    assert capsys.readouterr().out == example()


def test_a_run_by_a_plan_is_refused_before_anything_runs(
    plan: Path, items: Path, bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = plan.with_name("plan.json.seeds")
    whole = {"plan": plan, "bank": bank, "seeds": seeds, "slot": "0", "submission": "R-1",
             "evidence": tmp_path / "e.zip"}  # fmt: skip

    def ran(*more: str, **changed: object) -> int:
        options = {**whole, **changed}
        argv = ["bench", "run", "--items", str(items), "--agent", "nothing"]
        argv += ["--log-dir", str(tmp_path / "logs"), *more]
        for name, value in options.items():
            argv += [f"--{name}", str(value)] if value is not None else []
        code = main(argv)
        assert not (tmp_path / "logs").exists()
        return code

    assert ran(seeds=None) == ExitCode.BAD_INPUT
    assert "a run by a plan needs --seeds" in capsys.readouterr().err
    assert ran("--tokens", "5") == ExitCode.BAD_INPUT
    assert "--tokens is for the plan to say" in capsys.readouterr().err
    assert ran(slot=3) != 0
    others = tmp_path / "other-seeds"
    others.write_bytes(bytes(Seeds(bytes(32), 3)))
    assert ran(seeds=others) == ExitCode.BAD_INPUT
    assert "does not commit to this seed" in capsys.readouterr().err
    foreign = tmp_path / "foreign-bank"
    known = Bank.parse(bank.read_bytes(), "bank")
    foreign.write_bytes(bytes(Bank(known.items[::-1])))
    assert ran(bank=foreign) == ExitCode.BAD_INPUT
    assert "the plan's is" in capsys.readouterr().err
    document = json.loads(plan.read_bytes())
    document["items"][0]["content"] = "sha256:" + "0" * 64
    altered = tmp_path / "altered"
    altered.write_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
    assert ran(plan=altered) == ExitCode.BAD_INPUT
    assert "is not the planned one" in capsys.readouterr().err
    document = json.loads(plan.read_bytes())
    document["terms"]["harness"]["clearhouse"] = "9"
    altered.write_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
    assert ran(plan=altered) == ExitCode.DOES_NOT_HOLD
    assert "the plan is for clearhouse 9" in capsys.readouterr().err
    (tmp_path / "e.zip").write_bytes(b"")
    assert ran() == ExitCode.DOES_NOT_HOLD
    assert "is there already" in capsys.readouterr().err
