"""Whether an item's ``try`` works: run in a sandbox as an agent would run it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from clearhouse.benchmark.items import Item
from clearhouse.errors import Unavailable
from clearhouse.proof.bundle import Language
from clearhouse.proof.node import find_node
from clearhouse.proof.runners.base import new_token
from clearhouse.proof.sandbox.bubblewrap import Bind, interpreter
from clearhouse.proof.sandbox.build import BuildSandbox, Command

_TASK: Final = "/task"
_INPUTS: Final = "/inputs"
_SYSTEM: Final = "/usr/local/bin:/usr/bin:/bin"


def search_path(language: Language) -> str:
    """The ``PATH`` with which ``try`` finds the Python, and the Node.js, that targets are for.

    Raises Unavailable where JavaScript is wanted and there is no Node.js.
    """
    folders = [os.path.dirname(interpreter())]  # noqa: PTH120 - a path of the sandbox
    if language is Language.JAVASCRIPT:
        folders.append(str(find_node().program.parent))
    return ":".join([*folders, _SYSTEM])


def tried(item: Item, inputs: Sequence[bytes]) -> list[str]:
    """What ``try`` says of each input.  Raises Unavailable where the target cannot be had."""
    binds = [Bind(item.target_folder() or Path("/"), "/target")]
    if item.language is Language.JAVASCRIPT:
        program = find_node().program
        if not program.is_relative_to("/usr"):
            binds.append(Bind(program.parent, str(program.parent)))
    with tempfile.TemporaryDirectory(prefix="clearhouse-try-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        task, given = folder / "task", folder / "inputs"
        _lay_out(task, item)
        given.mkdir(mode=0o755)
        for number, data in enumerate(inputs):
            (given / str(number)).write_bytes(data)
        canary = folder / "canary"
        canary.mkdir(mode=0o755)
        (canary / "token").write_text(new_token())
        binds += [Bind(task, _TASK), Bind(given, _INPUTS), Bind(canary, "/canary")]
        with BuildSandbox(binds) as sandbox:
            environment = {"PATH": search_path(item.language)}
            results = sandbox.run(
                [
                    Command([f"{_TASK}/try", f"{_INPUTS}/{number}"], environment=environment)
                    for number in range(len(inputs))
                ]
            )
    return [result.out + result.err for result in results]


def _lay_out(task: Path, item: Item) -> None:
    for name, data in item.given(0).items():
        path = task / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if name == "try" else 0o644)
    for folder in (task, *(path for path in task.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def why_not_to_be_tried(item: Item) -> str | None:
    """Why ``try`` is of no use: a control does not run through; None where it does.

    Raises as :func:`tried`.
    """
    control = item.mask.put_on(item.bundle.controls[0].data)
    try:
        said = tried(item, [control])[0]
    except Unavailable as error:
        return str(error)
    if "-- returned" in said.splitlines():
        return None
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "nothing")
    return f"'try' does not run through on a control: {last[:200]}"
