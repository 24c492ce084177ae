"""Python targets: a warm interpreter for each installed target, forked for each run."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from clearhouse.errors import Unavailable
from clearhouse.proof.attribution import Counterfactual
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.observation import Outcome, Run
from clearhouse.proof.reading import read_run
from clearhouse.proof.runners.base import Cells, classifier, limits_for, new_token, watch_for
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import Cell, Job
from clearhouse.proof.target import Installed
from clearhouse.proof.warden.allowed_python import is_standard, module_allowed

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\w+)?|import[ \t]+([\w., \t]+))", re.MULTILINE
)
_MOST_AHEAD = 64


def imports_of(source: bytes) -> tuple[str, ...]:
    """Modules that a harness's import lines name, to be imported before it is there.

    A guess that is wrong costs time, never correctness: the harness imports for itself anyway.
    """
    names: dict[str, None] = {}
    for match in _IMPORT.finditer(source):
        module, member, modules = (part.decode() if part else "" for part in match.groups())
        listed = modules.split(",") if modules else [module, f"{module}.{member}" if member else ""]
        for part in listed:
            name = part.split(" as ")[0].strip()
            top = name.partition(".")[0]
            needed = module_allowed(name) if is_standard(top) else top != "__main__"
            if name and needed and len(names) < _MOST_AHEAD:
                names[name] = None
    return tuple(names)


@lru_cache(maxsize=1024)
def _has_extensions(root: Path) -> bool:
    """Whether there is compiled code in an install; those are named by content and never change."""
    return any(name.endswith(".so") for _, _, files in os.walk(root) for name in files)


def _prepared_by(raw: dict[str, Any]) -> dict[str, Any]:
    """What later runs are spared: the first message of a run, sent before its harness began."""
    first: dict[str, Any] = next(iter(raw["report"]), {})
    return {"prepared": first} if "code" in first else {}


class PythonRunner:
    """A Python harness against one installed version."""

    def __init__(self, bundle: Bundle, installed: Installed, version: str, cells: Cells) -> None:
        self._bundle, self._installed, self._cells = bundle, installed, cells
        self.version = version
        self.packages = tuple((p.purl, f"sha256:{p.sha256}") for p in installed.packages)
        self._restored: dict[str, None] = {}
        self._preload = (*installed.importable, *imports_of(bundle.harness_code))
        self._key = (str(installed.root), self._preload)
        self._classify = classifier(installed)
        self._compiled = _has_extensions(Path(installed.root))
        self._prepared: dict[str, Any] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the verdict should know about the installation."""
        if not self._restored:
            return self._installed.notes
        names = ", ".join(sorted(self._restored))
        return (*self._installed.notes, f"put back for it, since Python has it no more: {names}")

    def run(self, name: str, data: bytes) -> Run:
        """Run the harness on one input."""
        return self._run(name, data, {})

    def counterfactual(self, control: bytes, poc: bytes) -> Counterfactual | None:
        """The poc after a control, in one process: for real, then answered as the control was."""
        before = {"after": base64.b64encode(control).decode()}
        return Counterfactual(
            real=self._run("poc", poc, {**before, "answers": "real"}),
            answered_as_control=self._run("poc", poc, {**before, "answers": "first"}),
            answered_as_poc=self._run(
                "control", control, {"after": base64.b64encode(poc).decode(), "answers": "first"}
            ),
        )

    def _start(self) -> Cell:
        return Cell(
            [Bind(self._installed.root, "/target")],
            preload=self._preload,
            search=["/target/site"],
        )

    def _run(self, name: str, data: bytes, more: dict[str, Any]) -> Run:
        bundle, token = self._bundle, new_token()
        job = Job(
            runtime="python",
            input=data,
            token=token,
            limits=limits_for(bundle, self._cells.most_cpu_s),
            watch=watch_for(bundle, stack="python", unwind=self._compiled, runtime_execs=0),
            extra={
                "name": Path(bundle.harness.file).name,
                "source": base64.b64encode(bundle.harness_code).decode(),
                "target": list(self._installed.importable),
                "version": self.version,
                **self._prepared,
                **more,
            },
        )
        cell = self._cells.get(self._key, self._start)
        try:
            raw = cell.run(job)
        except Unavailable:
            self._cells.drop(self._key)
            raise
        self._prepared = self._prepared or _prepared_by(raw)
        for told in (cell.hello, *raw["report"]):
            self._restored.update(dict.fromkeys(map(str, told.get("restored", ()))))
        run = read_run(raw, version=self.version, name=name, token=token, classify=self._classify)
        if run.outcome is Outcome.BROKEN or raw["init"] != "ended":
            self._cells.drop(self._key)
        problem = next(iter(cell.problems.items()), None)
        if run.outcome is Outcome.NOT_LOADED and problem and problem[0] in run.why:
            run = replace(run, why=f"{problem[0]}: {problem[1]}")
        return run
