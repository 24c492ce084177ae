"""Where the importable files of a source distribution are, told without building it.

Old and odd layouts are many. The steps, each only where the one before gave nothing:

1. what setup.py, setup.cfg and pyproject.toml say, read and never run, and the names in the
   egg-info's ``top_level.txt``, each looked for where it is said to be or packages usually lie;
2. every package and module that lies there, apart from tests, documentation and the like.
"""

from __future__ import annotations

import configparser
import fnmatch
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from clearhouse.proof.target.literals import FindPackages
from clearhouse.proof.target.setup_script import SetupScript, read_setup_script
from clearhouse.proof.target.store import read_small

_ROOTS = ("src", "lib3", "python3", "py3", "lib", "python", "Lib", ".")
_NOT_PACKAGES = frozenset(
    {
        "benchmark",
        "benchmarks",
        "bin",
        "build",
        "ci",
        "conf",
        "conftest",
        "contrib",
        "demo",
        "demos",
        "dist",
        "distribute_setup",
        "doc",
        "docs",
        "ez_setup",
        "example",
        "examples",
        "fabfile",
        "noxfile",
        "runtests",
        "scripts",
        "setup",
        "setuptools_version",
        "tasks",
        "test",
        "testing",
        "tests",
        "tools",
        "tox",
        "utils",
        "versioneer",
    }
)


@dataclass(slots=True)
class Layout:
    """What a source tree says of itself."""

    names: list[str] = field(default_factory=list)
    """Packages and modules to install, dotted or top-level."""
    finds: list[FindPackages] = field(default_factory=list)
    package_dir: dict[str, str] = field(default_factory=dict)
    requires: list[str] | None = None
    """Dependencies it states statically; None where it does not."""
    extensions: list[str] = field(default_factory=list)
    compiles: bool = False
    uses_2to3: bool = False


def read_layout(tree: Path, version: tuple[int, int, int]) -> Layout:
    """Read everything static that the source ``tree`` says about its packages."""
    layout = Layout()
    _from_pyproject(tree, layout)
    _from_setup_cfg(tree, layout)
    script = read_setup_script(read_small(tree / "setup.py"), version)
    if script is not None:
        _from_setup_script(script, layout)
    return layout


def placements(tree: Path, layout: Layout, project: str) -> dict[str, str]:
    """Return which file or folder of ``tree`` becomes which top-level name, or dotted path.

    Keys are paths in the tree, values paths below ``site``; empty when nothing is found.
    """
    placed: dict[str, str] = {}
    for name in _wanted(tree, layout):
        found = _locate(tree, name, layout.package_dir)
        if found is not None and not _covered(found, name, placed):
            placed[found] = f"{name.replace('.', '/')}{'.py' if found.endswith('.py') else ''}"
    return placed or _guessed(tree, layout, project)


def _wanted(tree: Path, layout: Layout) -> Iterator[str]:
    # Shorter names first: a package's folder brings its subpackages along.
    yield from sorted(dict.fromkeys(layout.names), key=lambda name: name.count("."))
    for find in layout.finds:
        root = _inside(tree, find.where)
        if root is not None:
            for name in _packages_in(root):
                if not any(fnmatch.fnmatchcase(name, pattern) for pattern in find.exclude):
                    layout.package_dir.setdefault(name, str(PurePosixPath(find.where) / name))
                    yield name
    yield from _egg_info_names(tree)


def _locate(tree: Path, name: str, package_dir: Mapping[str, str]) -> str | None:
    """Return the path of package or module ``name`` in the tree."""
    parts = name.split(".")
    starts: list[PurePosixPath] = []
    for length in range(len(parts), -1, -1):
        folder = package_dir.get(".".join(parts[:length]))
        if folder is not None:
            starts.append(PurePosixPath(folder).joinpath(*parts[length:]))
    starts.extend(PurePosixPath(root).joinpath(*parts) for root in _ROOTS)
    for start in starts:
        whole = _inside(tree, str(start))
        if whole is not None and whole.is_dir() and _holds_python(whole):
            return str(start)
        module = _inside(tree, f"{start}.py")
        if module is not None and module.is_file():
            return f"{start}.py"
    return None


def _covered(found: str, name: str, placed: Mapping[str, str]) -> bool:
    """Whether an enclosing package that was already placed brings this one to the same place."""
    path = PurePosixPath(found)
    target = PurePosixPath(name.replace(".", "/"))
    return any(
        PurePosixPath(source) in path.parents
        and target.is_relative_to(into)
        and path.relative_to(source) == target.relative_to(into)
        for source, into in placed.items()
    )


def _guessed(tree: Path, layout: Layout, project: str) -> dict[str, str]:
    """Take whatever looks importable in the first root that has any."""
    base = re.sub(r"[-_.]+", "_", project).lower()
    roots = [folder for name, folder in layout.package_dir.items() if not name]
    for root in (*roots, *_ROOTS):
        folder = _inside(tree, root)
        if folder is None or not folder.is_dir():
            continue
        found = {
            str(PurePosixPath(root) / path.name): path.name
            for path in sorted(folder.iterdir())
            if (path.stem.isidentifier() and path.stem not in _NOT_PACKAGES)
            or path.stem.lower() == base
            if (path.is_dir() and (path / "__init__.py").is_file())
            or (path.is_file() and path.suffix == ".py")
        }
        if found:
            return found
    return {}


def _packages_in(root: Path) -> list[str]:
    return sorted(
        path.name
        for path in root.iterdir()
        if path.is_dir() and path.name.isidentifier() and _is_package(path)
    )


def _is_package(folder: Path) -> bool:
    """Whether a folder is a package, or a namespace around one."""
    if (folder / "__init__.py").is_file():
        return True
    return any((inner / "__init__.py").is_file() for inner in folder.iterdir() if inner.is_dir())


def _holds_python(folder: Path) -> bool:
    return next(folder.rglob("*.py"), None) is not None


def _egg_info_names(tree: Path) -> list[str]:
    names: list[str] = []
    for listed in egg_info_files(tree, "top_level.txt"):
        names.extend(read_small(listed).decode(errors="replace").split())
    return [name for name in names if name.isidentifier()]


def egg_info_files(tree: Path, name: str) -> list[Path]:
    """Return the files ``name`` in the egg-info folders of a source tree, nearest first."""
    return [
        path
        for pattern in ("*.egg-info", "*/*.egg-info")
        for folder in sorted(tree.glob(pattern))
        if (path := folder / name).is_file()
    ]


def _inside(tree: Path, relative: str) -> Path | None:
    """Return a path of the tree; None for one that would leave it."""
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts or "\0" in relative:
        return None
    return tree / pure


def _from_setup_script(script: SetupScript, layout: Layout) -> None:
    layout.names.extend((*script.packages, *script.py_modules))
    layout.finds.extend(script.found_in)
    layout.package_dir.update(script.package_dir)
    layout.extensions.extend(script.extensions)
    layout.compiles = script.compiles
    layout.uses_2to3 = script.uses_2to3
    if layout.requires is None and script.install_requires is not None:
        layout.requires = list(script.install_requires)


def _from_setup_cfg(tree: Path, layout: Layout) -> None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(read_small(tree / "setup.cfg").decode(errors="replace"))
    except configparser.Error:
        return
    if parser.has_section("options"):
        options = parser["options"]
        for line in _lines(options.get("package_dir") or options.get("package-dir")):
            name, _, folder = line.partition("=")
            layout.package_dir[name.strip()] = folder.strip()
        for word in _lines(options.get("packages")):
            if word.startswith("find"):
                where = parser.get("options.packages.find", "where", fallback=".").strip()
                exclude = tuple(_lines(parser.get("options.packages.find", "exclude", fallback="")))
                layout.finds.append(FindPackages(where or ".", exclude))
            else:
                layout.names.append(word)
        layout.names.extend(_lines(options.get("py_modules")))
        if (requires := options.get("install_requires")) is not None:
            layout.requires = [line.strip() for line in requires.splitlines() if line.strip()]
    # The d2to1 and pbr way of saying it.
    if parser.has_section("files"):
        root = parser.get("files", "packages_root", fallback="").strip()
        if root:
            layout.package_dir[""] = root
        layout.names.extend(_lines(parser.get("files", "packages", fallback="")))
        layout.names.extend(_lines(parser.get("files", "modules", fallback="")))


def _from_pyproject(tree: Path, layout: Layout) -> None:
    try:
        document = tomllib.loads(read_small(tree / "pyproject.toml").decode(errors="replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    project = _table(document, "project")
    if isinstance(project.get("dependencies"), list):
        layout.requires = _texts(project["dependencies"])
    tool = _table(document, "tool")
    setuptools = _table(tool, "setuptools")
    for name, folder in _table(setuptools, "package-dir").items():
        if isinstance(folder, str):
            layout.package_dir[name] = folder
    layout.names.extend(_texts(setuptools.get("packages")))
    layout.names.extend(_texts(setuptools.get("py-modules")))
    find = _table(_table(setuptools, "packages"), "find")
    if find or "find" in _table(setuptools, "packages"):
        exclude = tuple(_texts(find.get("exclude")))
        for where in _texts(find.get("where")) or ["."]:
            layout.finds.append(FindPackages(where, exclude))
    _from_other_tools(tool, layout)


def _from_other_tools(tool: Mapping[str, Any], layout: Layout) -> None:
    """Read where poetry, hatch, flit and maturin are told that the packages are."""
    for entry in _entries(_table(tool, "poetry").get("packages")):
        name = str(entry.get("include", "")).partition("/")[0].removesuffix(".py")
        if name.isidentifier():
            layout.names.append(name)
            if isinstance(entry.get("from"), str):
                layout.package_dir[name] = f"{entry['from']}/{name}"
    wheel = _table(_table(_table(_table(tool, "hatch"), "build"), "targets"), "wheel")
    for path in _texts(wheel.get("packages")):
        name = PurePosixPath(path).name
        layout.names.append(name)
        layout.package_dir[name] = path
    module = _table(_table(tool, "flit"), "module").get("name")
    if isinstance(module, str):
        layout.names.append(module)
    source = _table(tool, "maturin").get("python-source")
    if isinstance(source, str):
        layout.package_dir[""] = source


def _table(holder: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _entries(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _lines(text: str | None) -> list[str]:
    pieces = re.split(r"[\n,]", text or "")
    return [
        piece.strip() for piece in pieces if piece.strip() and not piece.strip().startswith("#")
    ]
