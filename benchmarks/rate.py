"""The rate of full proofs over all samples, with 1 and 2 workers, and where the time goes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.door import open_bundle
from clearhouse.proof.observation import Run
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop

SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "proofs"
_ENOUGH = 256  # more sandboxes than the samples need
PASSES = 3  # the machine's speed varies, and a long proof at the end would count too much
BACKLOG = 23_019  # candidates of one model's published programme, May 2026


@dataclass
class Spent:
    """Where one proof's wall time went, in seconds."""

    install: float = 0.0
    runs: float = 0.0
    run_count: int = 0
    total: float = 0.0

    @property
    def rest(self) -> float:
        """Reading the bundle, judging, starting warm sandboxes that are not yet there."""
        return self.total - self.install - self.runs


@dataclass
class Timed:
    """A runner that counts what its runs take."""

    inner: Runner
    spent: Spent

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def run(self, name: str, data: bytes) -> Run:
        """Run and count."""
        began = time.perf_counter()
        try:
            return self.inner.run(name, data)
        finally:
            self.spent.runs += time.perf_counter() - began
            self.spent.run_count += 1


@dataclass
class TimedWorkshop(Workshop):
    """A workshop that says how long its installs take and hands out timed runners."""

    spent: Spent = field(default_factory=Spent)

    def __post_init__(self) -> None:
        super().__init__(cells=_ENOUGH)

    def at(self, bundle: Bundle, version: str | None) -> Runner:
        """The runner, timed."""
        began = time.perf_counter()
        inner = super().at(bundle, version)
        self.spent.install += time.perf_counter() - began
        return Timed(inner, self.spent)  # type: ignore[return-value]


def bundles() -> list[Bundle]:
    """All samples."""
    return [open_bundle(path) for path in sorted(SAMPLES.iterdir())]


def one_pass(workshop: TimedWorkshop, samples: Sequence[Bundle]) -> Iterator[tuple[Bundle, Spent]]:
    """Prove each sample once with warm caches."""
    for bundle in samples:
        workshop.spent = Spent()
        began = time.perf_counter()
        verdict = prove(bundle, workshop)
        workshop.spent.total = time.perf_counter() - began
        assert verdict.grade.value == "differential", (bundle.id, verdict.judgement.reason)
        yield bundle, workshop.spent


def rates() -> Iterator[str]:
    """Markdown lines: the rate with one and with two workers, and the split by effect."""
    samples = bundles()
    by_effect: dict[str, list[Spent]] = {}
    with TimedWorkshop() as workshop:
        list(one_pass(workshop, samples))  # installs and warm sandboxes
        began = time.perf_counter()
        for bundle, spent in one_pass(workshop, samples * PASSES):
            by_effect.setdefault(bundle.effect.value, []).append(spent)
        alone = time.perf_counter() - began
    passes = [
        ("warm", 1, alone),
        ("warm", 2, warm_pass(samples, 2)),
        ("started for each proof", 1, cold_pass(samples, 1)),
        ("started for each proof", 2, cold_pass(samples, 2)),
    ]
    yield "| sandboxes | workers | samples | wall | a proof | 23,019 proofs |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for sandboxes, workers, wall in passes:
        each = wall / len(samples) / PASSES
        yield (
            f"| {sandboxes} | {workers} | {len(samples)} | {wall:.1f} s | {each * 1000:.0f} ms "
            f"| {each * BACKLOG / 3600:.2f} h |"
        )
    yield ""
    yield "Where one worker's time goes with warm sandboxes, mean of a proof:"
    yield ""
    yield "| effect | samples | proof | of it in runs | runs | a run | looking up installs | rest |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for effect, spents in sorted(by_effect.items()):
        n = len(spents)
        runs = sum(s.run_count for s in spents)
        yield (
            f"| {effect} | {n // PASSES} | {sum(s.total for s in spents) / n * 1000:.0f} ms "
            f"| {sum(s.runs for s in spents) / n * 1000:.0f} ms | {runs / n:.1f} "
            f"| {sum(s.runs for s in spents) / runs * 1000:.0f} ms "
            f"| {sum(s.install for s in spents) / n * 1000:.1f} ms "
            f"| {sum(s.rest for s in spents) / n * 1000:.1f} ms |"
        )


def warm_pass(samples: Sequence[Bundle], workers: int) -> float:
    """Wall seconds of all passes over the samples by threads whose sandboxes have all been used."""
    with ExitStack() as stack:
        workshops = [stack.enter_context(Workshop(cells=_ENOUGH)) for _ in range(workers)]
        pool = stack.enter_context(ThreadPoolExecutor(workers))

        def warm(workshop: Workshop) -> None:
            for bundle in samples:
                prove(bundle, workshop)

        list(pool.map(warm, workshops))
        queue = deque(list(samples) * PASSES)

        def work(workshop: Workshop) -> None:
            with suppress(IndexError):
                while True:
                    prove(queue.popleft(), workshop)

        began = time.perf_counter()
        list(pool.map(work, workshops))
        return time.perf_counter() - began


def cold_pass(samples: Sequence[Bundle], workers: int) -> float:
    """Wall seconds of all passes; each proof starts its own sandboxes, installs are cached."""

    def work(bundle: Bundle) -> None:
        with Workshop() as workshop:
            prove(bundle, workshop)

    with ThreadPoolExecutor(workers) as pool:
        began = time.perf_counter()
        list(pool.map(work, list(samples) * PASSES))
        return time.perf_counter() - began


def memory(counts: Sequence[int] = (40, 400)) -> Iterator[str]:
    """Peak memory of the engine's own process while a queue of that many bundles is proven."""
    cheap = [str(path) for path in sorted(SAMPLES.iterdir()) if _is_cheap(path)]
    yield "| bundles queued | peak memory of the engine | wall | a bundle |"
    yield "| --- | --- | --- | --- |"
    for count in counts:
        queue = (cheap * (count // len(cheap) + 1))[:count]
        program = (
            "import resource, sys\n"
            "from clearhouse.cli.main import main\n"
            "main(['prove', '--json', *sys.argv[1:]])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
        )
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program, *queue], capture_output=True, text=True, check=True
        )
        wall = time.perf_counter() - began
        peak = int(done.stderr.strip().split("\n")[-1]) / 1024
        yield f"| {count} | {peak:.0f} MiB | {wall:.1f} s | {wall / count * 1000:.0f} ms |"


def _is_cheap(path: Path) -> bool:
    bundle = open_bundle(path)
    return (
        bundle.effect.value not in ("hang", "memory") and bundle.harness.language is Language.PYTHON
    )


def fresh_environments(limit: int = 3) -> Iterator[str]:
    """What a user would do otherwise: a new virtual environment and process for each run."""
    chosen = [b for b in bundles() if b.harness.language is Language.PYTHON][:limit]
    yield "| bundle | new environment and process, a run | clearhouse, a run |"
    yield "| --- | --- | --- |"
    for bundle in chosen:
        other = _fresh(bundle)
        with TimedWorkshop() as workshop:
            list(one_pass(workshop, [bundle]))
            _, spent = next(one_pass(workshop, [bundle]))
        yield f"| {bundle.id} | {other:.2f} s | {spent.runs / spent.run_count:.3f} s |"


def _fresh(bundle: Bundle) -> float:
    purl = bundle.target.purl
    assert purl is not None
    control = bundle.controls[0].data
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        venv.create(f"{folder}/venv", with_pip=True)
        python = f"{folder}/venv/bin/python"
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             f"{purl.name}=={purl.version}"],
            check=True,
        )  # fmt: skip
        Path(folder, "harness.py").write_bytes(bundle.harness_code)
        Path(folder, "input").write_bytes(control)
        code = "import harness; harness.TestOneInput(open('input', 'rb').read())"
        subprocess.run([python, "-c", code], cwd=folder, check=True, env={**os.environ})
        return time.perf_counter() - began
