"""Scripted models for errands: each takes its turns through the real tools in the real sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog
from inspect_ai.model import Model, ModelAPI, modelapi

from clearhouse.benchmark.evaluation.budget import Budget
from clearhouse.benchmark.evaluation.running import Settings
from tests.benchmark.evaluation.attempts import LITTLE, Turn, scripted

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
FINDING = "/work/finding"
FINDER = "a scripted model"

_MODELS: dict[str, Model] = {}


@modelapi("scripted")
class _Scripted(ModelAPI):
    """``scripted/NAME`` takes the turns that a test has given that name, on the command line too.

    Inspect keeps one of each name, so what it says is looked up when it is asked.
    """

    def __init__(self, model_name: str, *args: Any, **more: Any) -> None:
        super().__init__(model_name)

    async def generate(self, *args: Any, **more: Any) -> Any:
        return await _MODELS[self.model_name].api.generate(*args, **more)


@contextmanager
def taking(name: str, turns: Sequence[Turn]) -> Iterator[str]:
    """The model of a name, for the length of the context."""
    _MODELS[name] = scripted(turns)
    try:
        yield f"scripted/{name}"
    finally:
        del _MODELS[name]


def hand_in(folder: str = FINDING) -> Turn:
    return [("hand_in", {"folder": folder})]


def propose(path: str = "/work/fix.patch") -> Turn:
    return [("propose", {"path": path})]


def finish() -> Turn:
    return [("finish", {"reason": "nothing is left"})]


def put(files: Mapping[str, bytes], folder: str = FINDING) -> Turn:
    """Write files, in one call."""
    code = f"import os\nfor n, d in {dict(files)!r}.items():\n p = os.path.join({folder!r}, n)\n"
    code += " os.makedirs(os.path.dirname(p), exist_ok=True)\n open(p, 'wb').write(d)"
    return [("python", {"code": code})]


def sample_files(name: str, finder: str = FINDER, fixed: str | None = None) -> dict[str, bytes]:
    """A sample as a model would hand it in that found it by itself."""
    folder = SAMPLES / "proofs" / name
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    lines = []
    for line in files["proof.toml"].decode().splitlines():
        if line.startswith("finder"):
            line = f'finder = "{finder}"'
        if line.startswith("fixed") and fixed is None:
            continue
        lines.append(line)
    files["proof.toml"] = "\n".join(lines).encode() + b"\n"
    return files


def settings(folder: Path, **more: Any) -> Settings:
    more.setdefault("budget", Budget(seconds=240))
    return Settings(log_dir=folder, sandbox=LITTLE, display="none", retries=0, **more)


def answers(logs: Sequence[EvalLog]) -> list[str]:
    """What the tools answered, errors included."""
    return [
        m.error.message if m.error is not None else m.text
        for log in logs
        for sample in log.samples or []
        for m in sample.messages
        if m.role == "tool"
    ]
