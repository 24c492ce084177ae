"""Having a target's sources compiled, once for each version, compiler and set of flags.

The result is a shared object of all chosen sources, or an archive from which a harness takes what
it needs; or whatever the bundle's own build commands make.  All in the sandbox, cached by content.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clearhouse.errors import Unavailable
from clearhouse.proof.build import flags
from clearhouse.proof.build.commands import run_commands
from clearhouse.proof.build.directives import is_setting, macros_tested
from clearhouse.proof.build.plan import C_SUFFIXES, CXX_SUFFIXES, HEADERS, Plan, is_cxx
from clearhouse.proof.build.sources import Tree
from clearhouse.proof.build.steps import (
    ARCHIVE,
    SHARED,
    BuildFailed,
    defined_names,
    first_error,
    keep_file,
    link_shared,
)
from clearhouse.proof.build.toolchain import Toolchain
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.build import SITE, BuildSandbox, Command, CommandsKilled, Result
from clearhouse.proof.target.store import Store, key_of

FOLDER = "native-targets"
_FORMAT = "3"
_FAILED_KEPT = 100
_FAILURES_LAST = timedelta(days=30)
_LIMITS_LAST = timedelta(hours=1)  # the machine may have been busy


@dataclass(frozen=True, slots=True)
class BuiltTarget:
    """What came out: files in ``folder``, and what is known of them."""

    folder: Path
    key: str
    libraries: tuple[str, ...]  # of the folder: to link with, in order
    program: str | None  # of the folder: an executable that the build commands linked themselves
    tree: Path  # with headers, the build commands' included
    defined: frozenset[str]  # names that the target defines for others
    has_cxx: bool
    notes: tuple[str, ...]
    contract: tuple[str, ...]  # why nothing can be attributed to this build
    failed: tuple[tuple[str, str], ...] = ()  # sources that do not compile here, and why


def build_target(tree: Tree, plan: Plan, tools: Toolchain, store: Store) -> BuiltTarget:
    """Have the target built, or find it built.  Raises :class:`BuildFailed`."""
    how = flags.for_target(tools, plan.checks)
    key = key_of(_FORMAT, tree.digest, plan.key(), tools.identity, *how)
    kept = store.read_json(FOLDER, f"{key}.json")
    if kept is None or not _is_there(store, key, kept):
        kept = _build(tree, plan, tools, store, key)
    if "why" in kept:
        raise BuildFailed(str(kept["why"]))
    folder = store.path(FOLDER, key)
    return BuiltTarget(
        folder=folder,
        key=key,
        libraries=tuple(kept["libraries"]),
        program=kept["program"],
        tree=folder / "tree" if kept["own_tree"] else tree.root,
        defined=frozenset(kept["defined"]),
        has_cxx=kept["has_cxx"],
        notes=tuple(kept["notes"]),
        contract=tuple(kept["contract"]),
        failed=tuple((name, why) for name, why in kept.get("failed", ())),
    )


def _is_there(store: Store, key: str, kept: dict[str, Any]) -> bool:
    if "why" in kept:
        return datetime.now(UTC) < datetime.fromisoformat(kept["until"])
    return store.path(FOLDER, key).is_dir()


def _build(tree: Tree, plan: Plan, tools: Toolchain, store: Store, key: str) -> dict[str, Any]:
    with store.staging() as folder:
        staged = folder / "built"
        staged.mkdir()
        try:
            with BuildSandbox([Bind(tree.root, "/target")]) as sandbox:
                if plan.build:
                    kept = run_commands(sandbox, tree, plan, tools, staged)
                else:
                    kept = _compile(sandbox, plan, tools, staged)
            kept["contract"] += _settings(tree, plan)
            store.publish(staged, store.path(FOLDER, key))
        except BuildFailed as error:
            kept = _failure(error, _FAILURES_LAST)
        except CommandsKilled as error:
            kept = _failure(error, _LIMITS_LAST)
        store.write_json(kept, FOLDER, f"{key}.json")
    return kept


def _failure(error: Unavailable, lasts: timedelta) -> dict[str, Any]:
    return {"why": error.message, "until": (datetime.now(UTC) + lasts).isoformat()}


def _compile(sandbox: BuildSandbox, plan: Plan, tools: Toolchain, staged: Path) -> dict[str, Any]:
    common = [
        *flags.for_target(tools, plan.checks),
        # Generated sources name the grammar they come from without a folder.
        f"-fdebug-prefix-map={SITE}=/target",
    ]
    commands, objects = [], []
    for number, source in enumerate(plan.sources):
        cxx = is_cxx(source)
        objects.append(f"{number:04}.o")
        commands.append(
            Command(
                [
                    tools.cxx if cxx else tools.c,
                    *common,
                    *plan.flags(cxx=cxx),
                    "-c",
                    f"/target/{source}",
                    "-o",
                    objects[-1],
                ]
            )
        )
    results = sandbox.run(commands, parallel=os.cpu_count() or 1)
    extended = _with_extensions(sandbox, plan, commands, results)
    failed = [n for n, result in enumerate(results) if result.code != 0]
    if failed and plan.chosen:
        raise BuildFailed(
            f"{plan.sources[failed[0]]} does not compile: {first_error(results[failed[0]])}"
        )
    good = [objects[n] for n in range(len(objects)) if n not in failed]
    names = defined_names(sandbox, tools, good)
    if not plan.chosen:
        good = [o for o in good if "main" not in names[o]]
    notes = [f"{len(failed)} of {len(results)} source files do not compile here"] if failed else []
    if extended:
        some = "1 source file" if extended == 1 else f"{extended} source files"
        notes.append(f"{some} compiled with _GNU_SOURCE")
    libraries: list[str] = []
    if good:
        output = SHARED if plan.chosen else ARCHIVE
        has_cxx = any(map(is_cxx, plan.sources))
        linked = sandbox.run(
            [
                link_shared(tools, SHARED, good, cxx=has_cxx, checks=plan.checks)
                if plan.chosen
                else Command([tools.archiver, "rcsD", ARCHIVE, *good])
            ]
        )[0]
        if linked.code != 0:
            raise BuildFailed(f"the target's objects do not link: {first_error(linked)}")
        keep_file(staged / output, sandbox.get(output))
        libraries = [output]
    return {
        "libraries": libraries,
        "program": None,
        "own_tree": False,
        "defined": sorted({name for o in good for name in names[o]}),
        "has_cxx": any(map(is_cxx, plan.sources)),
        "notes": notes,
        "contract": [],
        "failed": [(plan.sources[n], first_error(results[n])) for n in failed[:_FAILED_KEPT]],
    }


def _with_extensions(
    sandbox: BuildSandbox, plan: Plan, commands: list[Command], results: list[Result]
) -> int:
    """Try what failed once more as makefiles of its kind have it; how many files that helps.

    Much C code needs the C library's extensions (feature_test_macros(7)) and has its build scripts
    ask for them. C++ compilers do so by themselves.
    """
    again = [n for n, one in enumerate(results) if one.code != 0 and not is_cxx(plan.sources[n])]
    if not again or any(define.startswith("_GNU_SOURCE") for define in plan.defines):
        return 0
    changed = [replace(commands[n], argv=[*commands[n].argv, "-D_GNU_SOURCE"]) for n in again]
    helped = 0
    for n, result in zip(again, sandbox.run(changed, parallel=os.cpu_count() or 1), strict=True):
        if result.code == 0:
            results[n] = result
            helped += 1
    return helped


def _settings(tree: Tree, plan: Plan) -> list[str]:
    """Macros of ``target.defines`` that the target does not offer to be set."""
    wanted = {define.partition("=")[0] for define in plan.defines}
    if not wanted:
        return []
    tested: set[str] = set()
    suffixes = C_SUFFIXES | CXX_SUFFIXES | HEADERS
    for name in tree.files:
        if Path(name).suffix in suffixes and not wanted <= tested:
            text = tree.text(name)
            if any(define in text for define in wanted):
                tested |= macros_tested(text) & wanted
    return [
        f"target.defines sets {name}, which the target does not ask for"
        for name, _, value in (define.partition("=") for define in plan.defines)
        if not is_setting(name, value, tested) and not _is_text(value)
    ]


def _is_text(value: str) -> bool:
    """Whether a macro stands for a string literal, such as a path or a package's name."""
    try:
        return isinstance(json.loads(value), str)
    except ValueError:
        return False
