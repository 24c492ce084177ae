"""What happens when a target is imported, with nothing of a harness in between.

Proofs run against an interpreter that has the target imported already; code that a patch puts at
the top of a module would run unseen.
"""

from __future__ import annotations

from clearhouse.proof.bundle import Language
from clearhouse.proof.new_effects import NewEffect, new_effects
from clearhouse.proof.observation import Run
from clearhouse.proof.reading import read_run
from clearhouse.proof.runners.base import classifier, new_token
from clearhouse.proof.sandbox import bubblewrap
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import Cell, Job, Limits, Watch
from clearhouse.proof.target import Installed

_CPU_S = 10.0
_IMPORT = """
import sys
sys.path.insert(0, "/target/site")
sys.dont_write_bytecode = True
for name in sys.argv[1:]:
    try:
        __import__(name)
    except BaseException:
        pass
"""


def import_effects(language: Language, before: Installed, after: Installed) -> list[NewEffect]:
    """Effects of importing a patched target that importing the target does not have."""
    if language is not Language.PYTHON:
        return []
    return new_effects(_import(before), _import(after), known_faults=(), line_of=lambda _: None)


def _import(installed: Installed) -> Run:
    token = new_token()
    job = Job(
        runtime="program",
        input=b"",
        token=token,
        limits=Limits(cpu_s=_CPU_S, wall_s=3 * _CPU_S),
        watch=Watch("none", 1e9, 1 << 62, reads=True, stack="none", unwind=False, runtime_execs=1),
        extra={},
        argv=[bubblewrap.interpreter(), "-I", "-S", "-c", _IMPORT, *installed.importable],
    )
    with Cell([Bind(installed.root, "/target")]) as cell:
        raw = cell.run(job)
    classify = classifier(installed)
    return read_run(raw, version="", name="import", token=token, classify=classify)
