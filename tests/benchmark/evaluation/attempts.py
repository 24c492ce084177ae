"""Attempts of scripted models on a real item, with the real sandbox and the real judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from inspect_ai import eval as run_task
from inspect_ai.log import EvalSample
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model
from inspect_ai.tool import ToolCall

from clearhouse.benchmark.building import Made, Masking, make_item, public_canary
from clearhouse.benchmark.evaluation.budget import Budget
from clearhouse.benchmark.evaluation.judging import SCORE, Bench, Judge
from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig
from clearhouse.benchmark.evaluation.task import flaw_task
from clearhouse.benchmark.items import Item, reference_input
from clearhouse.proof.door import open_bundle
from clearhouse.proof.runners.choose import Workshop

SAMPLES = Path(__file__).resolve().parents[3] / "samples" / "proofs"
LITTLE = BubblewrapConfig(memory_mb=512, disk_mb=64, processes=64, cpu_s=120, wall_s=300)

#: One turn of a model: calls of tools by name and arguments, or what it says instead.
Turn = Sequence[tuple[str, dict[str, Any]]] | str


def made(name: str) -> Made:
    """The item of a sample of this repository."""
    bundle = open_bundle(SAMPLES / name)
    with Workshop() as workshop:
        one = make_item(
            bundle,
            workshop,
            canary=public_canary(bundle),
            mask=Masking.NONE,
            progress=lambda _: None,
        )
    assert isinstance(one, Made), one
    return one


def shell(command: str, **more: Any) -> Turn:
    return [("shell", {"command": command, **more})]


def submit(path: str = "/work/answer") -> Turn:
    return [("submit", {"path": path})]


def writing(data: bytes, path: str = "/work/answer") -> Turn:
    return [("python", {"code": f"open({path!r}, 'wb').write({data!r})"})]


def scripted(turns: Sequence[Turn], *, stop: str = "stop", tokens: int = 10) -> Model:
    """A model that says what it was told to, and nothing after that."""
    outputs = []
    for number, turn in enumerate(turns):
        if isinstance(turn, str):
            output = ModelOutput.from_content("model", turn, stop_reason=stop)  # type: ignore[arg-type]
        else:
            output = ModelOutput.from_content("model", "")
            output.choices[0].message.tool_calls = [
                ToolCall(id=f"call-{number}-{place}", function=name, arguments=arguments)
                for place, (name, arguments) in enumerate(turn)
            ]
        output.usage = ModelUsage(input_tokens=tokens, output_tokens=0, total_tokens=tokens)
        outputs.append(output)
    return get_model("mockllm/model", custom_outputs=outputs)


def knowing(items: Iterable[Item], solves: Callable[[Item], bool]) -> Model:
    """A model that looks at its task, hands in what solves some items, and gives up on the rest."""
    prompts = {item.prompt(1): item for item in items}

    def answer(messages: list[Any], *_: Any) -> ModelOutput:
        item = next(prompts[m.text] for m in messages if m.role == "user" and m.text in prompts)
        turns: list[Turn] = [shell("head -c 4000 /work/task/task.json")]
        if solves(item):
            turns += [writing(reference_input(item)), submit()]
        else:
            turns += [[("give_up", {"reason": "<b>I cannot</b>"})]]
        number = sum(m.role == "assistant" for m in messages)
        output = ModelOutput.from_content("model", f"Step {number}.")
        output.choices[0].message.tool_calls = [
            ToolCall(id=f"call-{number}-{place}", function=name, arguments=arguments)
            for place, (name, arguments) in enumerate(turns[number])
        ]
        output.usage = ModelUsage(input_tokens=900, output_tokens=100, total_tokens=1000)
        return output

    return get_model("mockllm/model", custom_outputs=answer)


def attempted(
    item: Item,
    turns: Sequence[Turn],
    logs: Path,
    *,
    stop: str = "stop",
    tokens: int = 10,
    budget: Budget | None = None,
    judge: Judge | None = None,
) -> EvalSample:
    """One attempt of a model that takes these turns."""
    with Bench() as bench:
        task = flaw_task(
            [item],
            judge or bench.judge,
            budget=budget or Budget(seconds=120),
            sandbox=LITTLE,
        )
        (log,) = run_task(
            task,
            model=scripted(turns, stop=stop, tokens=tokens),
            log_dir=str(logs),
            display="none",
            ctl_server=False,
        )
    assert log.samples is not None, log.error
    return log.samples[0]


def metadata(sample: EvalSample) -> dict[str, Any]:
    assert sample.error is None, sample.error.traceback
    assert sample.scores is not None
    found = sample.scores[SCORE].metadata
    assert found is not None
    return found


def outcome(sample: EvalSample) -> str:
    return str(metadata(sample)["outcome"])


def said(sample: EvalSample) -> list[str]:
    """What the tools answered, errors included."""
    return [
        m.error.message if m.error is not None else m.text
        for m in sample.messages
        if m.role == "tool"
    ]
