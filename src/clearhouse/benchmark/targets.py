"""An item's vulnerable target on this machine: brought here, masked, and for C and C++ built.

What comes out is a folder of read-only files, kept in the cache under its content.  Nothing of it
is run outside of the sandbox.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from clearhouse.benchmark.masks import Mask
from clearhouse.errors import Unavailable
from clearhouse.proof.build import flags
from clearhouse.proof.build.harness import harness_files
from clearhouse.proof.build.plan import Plan
from clearhouse.proof.build.sources import Tree
from clearhouse.proof.build.steps import keep_file
from clearhouse.proof.build.target import BuiltTarget
from clearhouse.proof.build.toolchain import Toolchain, find
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.patched import distribution_of, files_of
from clearhouse.proof.runners.base import Cells
from clearhouse.proof.runners.native import native_runner
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.build import BuildSandbox, Command, CommandsKilled
from clearhouse.proof.target import Installed, default_targets
from clearhouse.proof.target.store import key_of, link_tree, tree_digest

#: Where a built harness lies below ``/target``, and what it is called there.
BUILT: Final = "built-harness"
PROGRAM: Final = "harness"

_MASKED, _FOLDER = "masked-targets", "bench-targets"
_FORMAT: Final = "1"
_MAIN: Final = Path(__file__).parent / "given" / "main.c"
#: Files that are larger are data, and no text that tells a name.
_TEXT_BYTES: Final = 4 << 20


def target_folder(bundle: Bundle, mask: Mask, digest: str) -> Path:
    """The folder to bind at ``/target`` for an item's bundle.

    Raises what bringing the target here raises, and Unavailable where its files are not those
    with ``digest``.
    """
    tree = target_tree(bundle, mask)
    if tree.digest != digest:
        raise Unavailable(
            f"{bundle.target} is here with other files than the item was made with: another"
            " version of Python or of its dependencies; 'clearhouse bench build' makes the item"
            " for this machine"
        )
    return tree.root if isinstance(tree, Installed) else _with_harness(bundle, tree)


def target_tree(bundle: Bundle, mask: Mask) -> Installed | Tree:
    """The target's files as the item shows them.  Raises as installing does."""
    tree = distribution_of(bundle).tree
    return tree if not (mask.words or mask.versions) else _masked(tree, mask)


def file_with(folder: Path, data: bytes) -> str | None:
    """The name of a file of a target that holds ``data`` as it is; None where there is none."""
    for name in files_of(folder):
        path = folder / name
        if path.stat().st_size >= len(data) and data in path.read_bytes():
            return name
    return None


# -- masked ------------------------------------------------------------------------------------


def _masked(tree: Installed | Tree, mask: Mask) -> Installed | Tree:
    """A copy of a tree in which texts and names of files have the mask's words."""
    store = default_targets().store
    words = (
        part
        for pair in [*sorted(mask.words.items()), *sorted(mask.versions.items())]
        for part in pair
    )
    key = key_of(_FORMAT, tree.digest, *words)
    root = store.path(_MASKED, key)
    digest: str | None = store.read_json(_MASKED, f"{key}.json")
    if digest is None or not root.is_dir():
        with store.staging() as folder:
            staged = folder / "tree"
            staged.mkdir(mode=0o755)
            _write_masked(tree.root, staged, mask)
            digest = tree_digest(staged)
            store.publish(staged, root)
            store.write_json(digest, _MASKED, f"{key}.json")
    if isinstance(tree, Tree):
        return replace(tree, root=root, digest=digest, files=tuple(files_of(root)))
    return replace(
        tree,
        root=root,
        digest=digest,
        importable=tuple(mask.put_on_name(name) for name in tree.importable),
        packages=tuple(
            replace(one, prefixes=tuple(mask.put_on_name(prefix) for prefix in one.prefixes))
            for one in tree.packages
        ),
    )


def _write_masked(source: Path, staged: Path, mask: Mask) -> None:
    linked: dict[str, str] = {}
    for name in files_of(source):
        path = source / name
        data = path.read_bytes() if path.stat().st_size <= _TEXT_BYTES else b"\0"
        changed = data if b"\0" in data else mask.put_on(data)
        if changed == data:
            linked[mask.put_on_name(name)] = name
            continue
        to = staged / mask.put_on_name(name)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(changed)
        shutil.copymode(path, to)
    link_tree(source, staged, linked)


# -- C and C++ ---------------------------------------------------------------------------------


def _with_harness(bundle: Bundle, tree: Tree) -> Path:
    """The source tree with the harness built beside it, ready to be run on a file."""
    tools, store = find(), default_targets().store
    with Cells() as cells:
        runner = native_runner(bundle, "source", tree, cells)
        plan, built = runner.plan, runner.target
    harness = (part for name, data in harness_files(bundle).items() for part in (name, data.hex()))
    key = key_of(_FORMAT, built.key, plan.key(), *harness, _MAIN.read_text(encoding="utf-8"))
    root = store.path(_FOLDER, key)
    if not root.is_dir():
        with store.staging() as folder:
            staged = folder / "tree"
            staged.mkdir(mode=0o755)
            link_tree(built.tree, staged, {name: name for name in files_of(built.tree)})
            shown = folder / "harness"
            shown.mkdir(mode=0o755)
            for name, data in harness_files(bundle).items():
                keep_file(shown / name, data, executable=False)
            _build(bundle, plan, built, tools, shown, staged / BUILT)
            store.publish(staged, root)
    return root


def _build(
    bundle: Bundle, plan: Plan, built: BuiltTarget, tools: Toolchain, shown: Path, to: Path
) -> None:
    """Compile and link the harness with a plain ``main`` around it.  Raises Unavailable."""
    if not built.libraries and built.program is not None:
        raise Unavailable(
            f"{bundle.id}: its build commands link the harness themselves, so it cannot be built"
            " with a program that reads a file"
        )
    binds = [Bind(built.tree, "/target"), Bind(shown, "/harness"), Bind(built.folder, "/built")]
    try:
        with BuildSandbox(binds) as sandbox:
            sandbox.put("main.c", _MAIN.read_bytes())
            for command in _commands(bundle, plan, built, tools):
                result = sandbox.run([command])[0]
                if result.code != 0 and command.argv[-1] == PROGRAM:
                    # Parts of the target that are not built here fail if they are ever called.
                    lenient = "-Wl,--unresolved-symbols=ignore-in-shared-libs"
                    result = sandbox.run([Command([*command.argv, lenient])])[0]
                if result.code != 0:
                    raise Unavailable(f"{bundle.id}: the harness does not build to be tried")
            keep_file(to / PROGRAM, sandbox.get(PROGRAM))
        for name in _shared(built):
            keep_file(to / name, (built.folder / name).read_bytes())
    except CommandsKilled as error:
        raise Unavailable(f"{bundle.id}: the harness is not built: {error.message}") from error


def _shared(built: BuiltTarget) -> list[str]:
    return [name for name in built.libraries if ".so" in name]


def _commands(bundle: Bundle, plan: Plan, built: BuiltTarget, tools: Toolchain) -> list[Command]:
    cxx = bundle.harness.language is Language.CPP
    compiler = tools.cxx if cxx else tools.c
    include = ["-I/harness"] if plan.include else ["-I/target", "-I/harness"]
    file = f"/harness/{Path(bundle.harness.file).name}"
    libraries = _shared(built)
    linked = [f"/built/{name}" for name in libraries or built.libraries]
    if not libraries:
        linked = ["-Wl,--start-group", *linked, "-Wl,--end-group"]
    return [
        Command(
            [
                compiler, *flags.for_harness(tools, plan.checks), *include, *plan.flags(cxx=cxx),
                "-x", "c++" if cxx else "c", file, "-c", "-o", "harness.o",
            ]
        ),
        Command([tools.c, *flags.for_driver(), "-c", "main.c", "-o", "main.o"]),
        Command(
            [
                tools.cxx if cxx or built.has_cxx else tools.c, "-pie", *plan.checks.flags(),
                "main.o", "harness.o", *linked, "-Wl,-rpath,$ORIGIN", *flags.LIBRARIES,
                "-o", PROGRAM,
            ]
        ),
    ]  # fmt: skip
