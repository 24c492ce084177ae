"""What of a source tree is compiled, and with which flags.  Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from clearhouse.errors import Unavailable
from clearhouse.proof.build.flags import Checks
from clearhouse.proof.build.patterns import is_plain, matching
from clearhouse.proof.bundle import Target
from clearhouse.proof.effects import Effect

C_SUFFIXES = frozenset({".c"})
CXX_SUFFIXES = frozenset({".cc", ".cpp", ".cxx", ".c++", ".C", ".CPP"})
HEADERS = frozenset({".h", ".hh", ".hpp", ".hxx", ".h++", ".H", ".inc", ".ipp", ".tcc"})
_ASIDE = re.compile(
    r"tests?|testing|testsuite|unittests?|examples?|samples?|demos?|docs?|documentation|fuzz\w*|"
    r"oss-fuzz|bench\w*|perf|tools?|contrib|tutorials?|cmake|win32|windows|vms|msdos|amiga|mac|os2",
    re.IGNORECASE,
)
MOST_SOURCES = 800
_PATHS = "/target"


@dataclass(frozen=True, slots=True)
class Plan:
    """Sources, in the order they are linked, and the flags they are compiled with."""

    sources: tuple[str, ...]
    chosen: bool  # by the finder: then all of them must compile, and all are linked
    include: tuple[str, ...]
    defines: tuple[str, ...]
    standard: str | None
    checks: Checks
    build: tuple[str, ...] = ()

    def flags(self, *, cxx: bool) -> list[str]:
        """Include folders, macros and standard."""
        folders = [f"-I{_PATHS}/{folder}".removesuffix("/.") for folder in self.include]
        return folders + self.settings(cxx=cxx)

    def settings(self, *, cxx: bool) -> list[str]:
        """Macros and standard."""
        found = [f"-D{define}" for define in self.defines]
        if self.standard is not None and ("++" in self.standard) is cxx:
            found.append(f"-std={self.standard}")
        return found

    def key(self) -> str:
        """Everything that the result depends on beside the tree and the compiler."""
        return repr(
            (
                self.sources, self.chosen, self.include, self.defines, self.standard,
                self.checks, self.build,
            )
        )  # fmt: skip


def _folders(files: Iterable[str]) -> list[str]:
    """All folders above the files, the top one as ``.``."""
    found = {"."}
    for file in files:
        folder = file.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(found)


def make_plan(target: Target, effect: Effect, files: Collection[str]) -> Plan:
    """Decide what is compiled.

    ``files`` are the names in the tree.  UBSan watches for crashes only: elsewhere it would end a
    run that goes on outside.  Raises :class:`Unavailable` where the patterns match nothing.
    """
    folders = _folders(files)
    if target.sources:
        sources = tuple(matching(target.sources, sorted(files)))
        if not sources:
            raise Unavailable(
                "no file of this version matches target.sources: " + ", ".join(target.sources[:4])
            )
    elif target.build:
        sources = ()
    else:
        sources = tuple(default_sources(files))
        if len(sources) > MOST_SOURCES:
            raise Unavailable(
                f"{len(sources)} source files: say in target.sources which of them are the target"
            )
    if target.include:
        include = list(matching(target.include, folders))
        if target.build:  # which may make folders
            include += [name for name in target.include if is_plain(name) and name not in include]
    elif target.sources:
        include = []
    else:
        include = sorted({str(PurePosixPath(f).parent) for f in files if _is_header(f)})
        include.sort(key=lambda folder: (_is_aside(f"{folder}/x"), folder.count("/"), folder))
    if "." not in include:
        include.append(".")
    return Plan(
        sources=tuple(s for s in sources if PurePosixPath(s).suffix in C_SUFFIXES | CXX_SUFFIXES),
        chosen=bool(target.sources),
        include=tuple(include),
        defines=target.defines,
        standard=target.standard,
        checks=Checks(undefined_behaviour=effect is Effect.CRASH),
        build=target.build,
    )


def default_sources(files: Iterable[str]) -> list[str]:
    """Every C and C++ file outside of folders for tests, examples, documentation and the like."""
    return sorted(
        f
        for f in files
        if PurePosixPath(f).suffix in C_SUFFIXES | CXX_SUFFIXES and not _is_aside(f)
    )


def is_cxx(source: str) -> bool:
    """Whether a source file is C++."""
    return PurePosixPath(source).suffix in CXX_SUFFIXES


def _is_header(file: str) -> bool:
    return PurePosixPath(file).suffix in HEADERS


def _is_aside(file: str) -> bool:
    return any(_ASIDE.fullmatch(part) for part in PurePosixPath(file).parts[:-1])
