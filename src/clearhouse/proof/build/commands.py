"""Builds by the bundle's own shell commands, with OSS-Fuzz's environment for them.

The commands run in a writable copy of the source that lives in the sandbox.  What they leave is
taken as it is: libraries to link the harness with, or an executable linked with our engine.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from clearhouse.proof.build import flags
from clearhouse.proof.build.plan import C_SUFFIXES, CXX_SUFFIXES, HEADERS, Plan, is_cxx
from clearhouse.proof.build.sources import Tree
from clearhouse.proof.build.steps import BuildFailed, defined_names, first_error, keep_file
from clearhouse.proof.build.toolchain import Toolchain
from clearhouse.proof.sandbox.build import SITE, BuildSandbox, Command, Listed

DRIVER = "/runtime/clearhouse/warden/driver.c"
_SOURCE, _OUT, _WORK, _ENGINE = "src", "out", "work", "engine"
_TREE_BYTES = 256 << 20
_LIBRARY_BYTES = 256 << 20
_MOST_LIBRARIES = 200
_OURS = frozenset({"libharness.so", "libtarget.so", "program"})
_SHARED_NAME = re.compile(r".*\.so(?:\.[0-9.]+)?")
# Steps that only configure and make what the package itself brings, with plain options.
_PLAIN_STEP = re.compile(
    r"(?:\./(?:configure|autogen\.sh|bootstrap)(?: --?[\w-]+(?:=[\w./+-]*)?)*"
    r"|autoreconf(?: -\w+)*|mkdir(?: -p)?(?: [\w./-]+)+"
    r"|cmake(?: (?:-[SB] ?[\w./-]+|-G ?\w+|-D[A-Z][A-Z0-9_]*=(?:ON|OFF|[\w.+-]*)|[\w./-]+))*"
    r"|cmake --build [\w./-]+(?: -j ?\d*)?"
    r"|make(?: (?:-j ?\d*|-C [\w./-]+|[a-z][\w.-]*))*)"
)


def run_commands(
    sandbox: BuildSandbox, tree: Tree, plan: Plan, tools: Toolchain, staged: Path
) -> dict[str, Any]:
    """Run the commands and keep what they made in ``staged``.  Raises :class:`BuildFailed`."""
    _prepare(sandbox, tools)
    environment = _environment(tools, plan)
    for number, command in enumerate(plan.build, 1):
        done = sandbox.run([Command(["/bin/sh", "-c", command], f"{SITE}/{_SOURCE}", environment)])[
            0
        ]
        if done.code != 0:
            raise BuildFailed(f"build command {number} ends with {done.code}: {first_error(done)}")
    listed = [one for one in sandbox.list() if not one.path.startswith(f"{_ENGINE}/")]
    program = _program(sandbox, listed, staged)
    _keep_tree(sandbox, listed, staged)
    libraries, defined = _keep_libraries(sandbox, tools, listed, staged)
    if program is None and not libraries:
        raise BuildFailed("the build commands left no library, object or executable")
    contract = []
    if not tree.from_bundle:
        odd = [c for c in plan.build if not _PLAIN_STEP.fullmatch(c.strip())]
        contract = [f"target.build changes how the package is built: {odd[0][:80]}"] if odd else []
    return {
        "libraries": libraries,
        "program": program,
        "own_tree": True,
        "defined": sorted(defined),
        "has_cxx": any(is_cxx(one.path) for one in listed),
        "notes": ["built by the bundle's own commands"],
        "contract": contract,
    }


def _prepare(sandbox: BuildSandbox, tools: Toolchain) -> None:
    engine = f"{_ENGINE}/driver.o"
    script = (
        f"mkdir {_SOURCE} {_OUT} {_WORK} {_ENGINE} && "
        f"cp -RT --no-preserve=mode,ownership /target {_SOURCE} && "
        # Which files may be executed is lost with the mode, and is all that is wanted of it.
        f"(cd /target && find . -type f -perm -100 -print0) | "
        f"(cd {_SOURCE} && xargs -0 -r chmod u+x)"
    )
    commands = [
        Command(["/bin/sh", "-c", script]),
        Command([tools.c, *flags.for_driver(), "-c", DRIVER, "-o", engine]),
        Command([tools.archiver, "rcsD", f"{_ENGINE}/libFuzzingEngine.a", engine]),
    ]
    for command in commands:
        done = sandbox.run([command])[0]
        if done.code != 0:
            raise BuildFailed(f"the build cannot be prepared: {first_error(done)}")


def _environment(tools: Toolchain, plan: Plan) -> dict[str, str]:
    """OSS-Fuzz's environment for build.sh (its documentation, "Setting up a new project")."""
    shared = [
        *flags.for_target(tools, plan.checks),
        # Frames name the files as if they had been compiled where they are read-only.
        f"-ffile-prefix-map={SITE}/{_SOURCE}=/target",
    ]
    return {
        "CC": tools.c,
        "CXX": tools.cxx,
        "CFLAGS": " ".join([*shared, *plan.settings(cxx=False)]),
        "CXXFLAGS": " ".join([*shared, *plan.settings(cxx=True)]),
        "LIB_FUZZING_ENGINE": f"{SITE}/{_ENGINE}/libFuzzingEngine.a",
        "SRC": f"{SITE}/{_SOURCE}",
        "OUT": f"{SITE}/{_OUT}",
        "WORK": f"{SITE}/{_WORK}",
        "SANITIZER": "address",
        "FUZZING_ENGINE": "libfuzzer",
        "FUZZING_LANGUAGE": "c++",
        "ARCHITECTURE": "x86_64",
        # Tests that configure runs must not fail for what sanitizers find in them.
        "ASAN_OPTIONS": "detect_leaks=0",
    }


def _program(sandbox: BuildSandbox, listed: list[Listed], staged: Path) -> str | None:
    """Keep the first executable in $OUT, if there is one."""
    for one in listed:
        if one.path.startswith(f"{_OUT}/") and one.executable and one.size <= _LIBRARY_BYTES:
            if _SHARED_NAME.fullmatch(one.path):
                continue
            data = sandbox.get(one.path)
            if data.startswith(b"\x7fELF"):
                keep_file(staged / "program", data)
                return "program"
    return None


def _keep_tree(sandbox: BuildSandbox, listed: list[Listed], staged: Path) -> None:
    """Keep sources and headers, those that the build made included."""
    total = 0
    (staged / "tree").mkdir()
    for one in listed:
        suffix = PurePosixPath(one.path).suffix
        if one.path.startswith(f"{_SOURCE}/") and suffix in HEADERS | C_SUFFIXES | CXX_SUFFIXES:
            total += one.size
            if total > _TREE_BYTES:
                raise BuildFailed(f"the build leaves more than {_TREE_BYTES} bytes of source")
            path = staged / "tree" / one.path.removeprefix(f"{_SOURCE}/")
            keep_file(path, sandbox.get(one.path), executable=False)


def _keep_libraries(
    sandbox: BuildSandbox, tools: Toolchain, listed: list[Listed], staged: Path
) -> tuple[list[str], set[str]]:
    """Keep archives; without any, shared objects; without these, plain objects."""
    wanted = [x for x in listed if x.path.endswith(".a")]
    wanted = wanted or [x for x in listed if _SHARED_NAME.fullmatch(x.path)]
    wanted = wanted or [x for x in listed if x.path.endswith(".o")]
    if len(wanted) > _MOST_LIBRARIES:
        raise BuildFailed(f"the build leaves more than {_MOST_LIBRARIES} objects to link with")
    names = defined_names(sandbox, tools, [x.path for x in wanted])
    kept: dict[str, str] = {}
    defined: set[str] = set()
    for one in wanted:
        if one.path.endswith(".o") and names[one.path] & {"main", "LLVMFuzzerTestOneInput"}:
            continue
        name = PurePosixPath(one.path).name
        if name in _OURS:
            raise BuildFailed(f"the build makes {name}, a name that clearhouse uses itself")
        if name in kept:
            name = f"{len(kept)}-{name}"
        kept[name] = one.path
        defined |= names[one.path]
        keep_file(staged / name, sandbox.get(one.path, limit=_LIBRARY_BYTES))
    return list(kept), defined - {"main", "LLVMFuzzerTestOneInput"}
