"""Steps that builds have in common: linking, listing names, saying what went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from clearhouse.errors import Unavailable
from clearhouse.proof.build import flags
from clearhouse.proof.build.toolchain import Toolchain
from clearhouse.proof.sandbox.build import SITE, BuildSandbox, Command, Result

SHARED, ARCHIVE = "libtarget.so", "libtarget.a"
_NAME_BYTES = 16 << 20
_WORST_SHOWN = 300


class BuildFailed(Unavailable):
    """The target cannot be built here; the message says what the compiler says first."""


def link_shared(
    tools: Toolchain,
    output: str,
    inputs: Sequence[str],
    *,
    cxx: bool,
    checks: flags.Checks,
    more: Sequence[str] = (),
) -> Command:
    """Link a shared object whose own calls cannot be led elsewhere (``-Bsymbolic``).

    Variables of C++ stay open: the standard wants one of each inline variable in a program.
    """
    bound = "-Wl,-Bsymbolic-functions" if cxx else "-Wl,-Bsymbolic"
    return Command(
        [
            tools.cxx if cxx else tools.c, "-shared", bound, f"-Wl,-soname,{output}",
            *checks.flags(),
            "-o", output, *more, *inputs, *flags.LIBRARIES,
        ]
    )  # fmt: skip


def defined_names(
    sandbox: BuildSandbox, tools: Toolchain, files: Sequence[str]
) -> dict[str, set[str]]:
    """The global names that each object or archive defines."""
    results = sandbox.run(
        [Command([tools.names, "-g", "--defined-only", "-P", file]) for file in files],
        parallel=4,
        keep=_NAME_BYTES,
    )
    return {
        file: {line.split(" ", 1)[0] for line in result.out.splitlines() if " " in line}
        for file, result in zip(files, results, strict=True)
    }


def first_error(result: Result) -> str:
    """What a compiler or linker says first, as one line without the sandbox's paths."""
    lines = [line for line in result.err.splitlines() if line.strip()]
    worst = next((x for x in lines if re.search(r"\berror\b|undefined reference", x)), "")
    text = worst or (lines[-1] if lines else f"exit code {result.code}")
    text = text.replace("/target/", "").replace(f"{SITE}/", "").replace("/harness/", "")
    return text.strip()[:_WORST_SHOWN]


def keep_file(path: Path, data: bytes, *, executable: bool = True) -> None:
    """Write what came out of the sandbox."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o555 if executable else 0o444)
