"""The compiler and its companions, as they are on this machine and in the sandbox alike."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clearhouse.errors import Unavailable

_CLANGS = ("clang", *(f"clang-{number}" for number in range(22, 12, -1)))
_VISIBLE = ("/usr/", "/bin/", "/lib")  # what the sandbox shows of the machine


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Programs by their paths; ``version`` is what the compiler says of itself."""

    is_clang: bool
    c: str
    cxx: str
    version: str
    archiver: str
    names: str  # nm
    symboliser: str  # llvm-symbolizer, or addr2line
    symboliser_is_llvm: bool

    @property
    def major(self) -> int:
        """The compiler's major version, 0 where it does not say."""
        found = re.search(r"\b(\d+)\.\d+", self.version)
        return int(found[1]) if found else 0

    @property
    def identity(self) -> str:
        """What a build depends on."""
        return f"{self.version} {self.c}"


@cache
def find() -> Toolchain:
    """Find clang with its sanitizers, or else gcc with its own.

    Raises :class:`Unavailable`, which says what to install.
    """
    binutils = [_visible(name) for name in ("ar", "nm", "ld")]
    if all(binutils):
        archiver, names = str(binutils[0]), str(binutils[1])
        for name in _CLANGS:
            compiler = _visible(name)
            if compiler and _has_runtime(compiler):
                return _clang(compiler, name, archiver, names)
        compiler, cxx, lines = _visible("gcc"), _visible("g++"), _visible("addr2line")
        if (
            compiler
            and cxx
            and lines
            and _says(compiler, "-print-file-name=libasan.so") != "libasan.so"
        ):
            version = _first_line(_says(compiler, "--version"))
            return Toolchain(
                is_clang=False,
                c=compiler,
                cxx=cxx,
                version=version,
                archiver=archiver,
                names=names,
                symboliser=lines,
                symboliser_is_llvm=False,
            )
    raise Unavailable(
        "C and C++ targets need clang with its sanitizers: apt-get install clang llvm binutils"
    )


def _clang(compiler: str, name: str, archiver: str, names: str) -> Toolchain:
    cxx = _visible(name.replace("clang", "clang++")) or compiler
    beside = Path(os.path.realpath(compiler)).parent / "llvm-symbolizer"
    symboliser = str(beside) if beside.is_file() else _visible("llvm-symbolizer")
    llvm = symboliser is not None
    if symboliser is None:
        symboliser = _visible("addr2line") or ""
    version = _first_line(_says(compiler, "--version"))
    return Toolchain(
        is_clang=True,
        c=compiler,
        cxx=cxx,
        version=version,
        archiver=archiver,
        names=names,
        symboliser=symboliser,
        symboliser_is_llvm=llvm,
    )


def _visible(name: str) -> str | None:
    path = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
    if path is None or not os.path.realpath(path).startswith(_VISIBLE):
        return None
    return path


def _has_runtime(compiler: str) -> bool:
    folder = Path(_says(compiler, "-print-runtime-dir") or "/nonexistent")
    # Older layouts put the architecture into the file's name instead of the folder's.
    named = _says(compiler, "-print-file-name=libclang_rt.asan-x86_64.a")
    return any(folder.glob("libclang_rt.asan*.a")) or Path(named).is_file()


@cache
def _says(program: str, argument: str) -> str:
    done = subprocess.run([program, argument], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _first_line(text: str) -> str:
    return re.sub(r"\s+", " ", text.split("\n", maxsplit=1)[0]).strip()
