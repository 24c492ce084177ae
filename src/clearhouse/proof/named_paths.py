"""Files of a release by the paths that reports name them by.

Reports name files as they stand in a repository, a checkout, an installed package or an archive,
on any system; a release has them under one of these.  Paths are compared from their ends.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
#: Folders that installers and repositories put around what a release has at its top.
_WRAPPERS: Final = frozenset({"package", "site-packages", "dist-packages", "node_modules"})
#: Folders of a source tree that wheels leave away (``target.layout`` looks for packages there).
_SOURCE_ROOTS: Final = frozenset({"src", "lib", "lib3", "python", "python3", "py3"})
#: Folders that many releases leave out although the repository has them.
_LEFT_OUT: Final = frozenset(
    [
        "test",
        "tests",
        "testing",
        "__tests__",
        "spec",
        "specs",
        "t",
        "doc",
        "docs",
        "example",
        "examples",
        "demo",
        "demos",
        "bench",
        "benchmark",
        "benchmarks",
        "fuzz",
        "fuzzing",
        "tools",
        "scripts",
        "script",
        "ci",
        ".github",
        ".ci",
        ".circleci",
        "contrib",
        "website",
        "samples",
        "fixtures",
        "third_party",
        "vendor",
    ]
)
#: Folders that hold what a build made of sources (npm's releases often have nothing else).
_BUILT: Final = frozenset({"dist", "build", "umd", "esm", "cjs", "es", "out", "bundle", "bundles"})
_SCRIPT: Final = frozenset({".js", ".cjs", ".mjs"})
#: Sources from which released files are made, and what is made of them.
_MADE_OF: Final = {
    ".ts": _SCRIPT, ".tsx": _SCRIPT, ".jsx": _SCRIPT, ".coffee": _SCRIPT, ".vue": _SCRIPT,
    ".pyx": frozenset({".c", ".cpp", ".so", ".pyd"}), ".pxd": frozenset({".c", ".cpp", ".so"}),
    ".y": frozenset({".c", ".js", ".py"}), ".l": frozenset({".c"}), ".rl": frozenset({".c"}),
}  # fmt: skip
_COMPILED: Final = frozenset(
    [
        ".c",
        ".cc",
        ".cpp",
        ".cxx",
        ".h",
        ".hh",
        ".hpp",
        ".hxx",
        ".rs",
        ".go",
        ".pyx",
        ".pxd",
        ".f",
        ".f90",
        ".s",
        ".asm",
        ".cu",
        ".zig",
        ".m",
        ".mm",
    ]
)
_NEAREST: Final = 3
_COMPARED: Final = 200
"""Files of like names whose whole paths are compared; Django 3.1.5 has 585 ``__init__.py``."""


def parts_of(named: str) -> tuple[str, ...]:
    """The components of a path as a report writes it; a dotted module is a Python file."""
    path = _DRIVE.sub("", named.strip().removeprefix("file://").replace("\\", "/"))
    if _MODULE.fullmatch(path) and PurePosixPath(path).suffix not in KNOWN:
        path = f"{path.replace('.', '/')}.py"
    return tuple(part for part in path.split("/") if part not in {"", ".", ".."})


class ReleasedFiles:
    """The files of one archive, told by name; ``package`` is the release's own name.

    ``is_source`` says that the archive is what the release is built from (an sdist), not what was
    built (a wheel) or may have been (an npm package).
    """

    def __init__(self, files: Iterable[str], *, package: str, is_source: bool) -> None:
        self.files = tuple(sorted(files))
        self._is_source = is_source
        self._own = {_plain(package), _plain(package.rpartition("/")[2])}
        self._by_last: dict[str, list[str]] = {}
        self._folders: set[str] = set()
        self._suffixes: set[str] = set()
        for file in self.files:
            path = PurePosixPath(file)
            self._by_last.setdefault(path.name, []).append(file)
            self._folders.update(path.parts[:-1])
            self._suffixes.add(path.suffix.lower())

    def matching(self, parts: Sequence[str]) -> tuple[str, ...]:
        """The files that ``parts`` may mean: equal if there is one, else alike from the end."""
        if not parts:
            return ()
        named = "/".join(parts)
        candidates = self._by_last.get(parts[-1], [])
        if named in candidates:
            return (named,)
        shorter = [file for file in candidates if file.endswith(f"/{named}")]
        if shorter:
            return tuple(shorter)
        # The report's path is the longer one: the file with the most of it is meant.
        longer = [file for file in candidates if self._wraps(parts, file)]
        most = max((file.count("/") for file in longer), default=0)
        return tuple(file for file in longer if file.count("/") == most)

    def _wraps(self, parts: Sequence[str], file: str) -> bool:
        """Whether ``parts`` end with ``file`` and lead to it by folders that are not its own."""
        own = tuple(file.split("/"))
        if tuple(parts[-len(own) :]) != own or len(parts) == len(own):
            return False
        if len(own) > 1:
            return True
        # One name alone says little: what stands before it has to be the package itself.
        before = parts[-2]
        return (
            before in _WRAPPERS
            or _plain(re.sub(r"-v?[0-9][\w.]*$", "", before)) in self._own
            or (not self._is_source and before in _SOURCE_ROOTS and before not in self._folders)
        )

    def why_undecided(self, parts: Sequence[str]) -> str | None:
        """Why a file that is not in this archive may be in the release's source all the same."""
        suffix = PurePosixPath(parts[-1]).suffix.lower()
        folders = parts[:-1]
        left_out = [one for one in folders if one.lower() in _LEFT_OUT and one not in self._folders]
        if left_out:
            return f"releases often leave the folder {left_out[0]}/ out, and this one has none"
        made = _MADE_OF.get(suffix)
        if made and suffix not in self._suffixes and made & self._suffixes:
            return f"this release has no {suffix} files, only what is made of them"
        if self._is_source:
            return None
        if suffix in _COMPILED and suffix not in self._suffixes:
            return f"what was read of this release has no {suffix} files: they may be built into it"
        built = sorted(_BUILT & self._folders)
        minified = any(name.endswith((".min.js", ".min.mjs")) for name in self._by_last)
        if (built or minified) and not (folders and folders[-1] in self._folders):
            what = f"{built[0]}/" if built else "minified files"
            return f"this release holds built files ({what}), and its sources may be elsewhere"
        return None

    def nearest(self, parts: Sequence[str]) -> tuple[str, ...]:
        """The files that may have been meant, the likeliest first."""
        last = parts[-1] if parts else ""
        same = [f for name, files in self._by_last.items() if name.lower() == last.lower()
                for f in files]  # fmt: skip
        alike = difflib.get_close_matches(last, self._by_last, n=_NEAREST, cutoff=0.6)
        near = [*same, *(file for name in alike for file in self._by_last[name])]
        named = "/".join(parts)
        near = near[:_COMPARED]
        near.sort(key=lambda file: -difflib.SequenceMatcher(None, file, named).ratio())
        return tuple(dict.fromkeys(near))[:_NEAREST]


def _plain(name: str) -> str:
    return re.sub(r"[-_.@/]+", "-", name).strip("-").lower()


#: Suffixes by which a dotted name is a file rather than a module.
KNOWN: Final = frozenset(
    {".py", ".pyi", ".js", ".json", ".md", ".txt", ".toml", ".cfg", ".html", ".css", ".sh", ".java"}
    | _SCRIPT
    | _MADE_OF.keys()
    | _COMPILED
)
