"""Which folders of the runtime hold installed packages: a room does not show them.

An agent examines a vulnerable version of a package; the fixed one may be installed on the machine.
What a runtime itself cannot do without stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache

_NAMES = frozenset({"dist-packages", "site-packages", "node_modules", "_bundled"})
_DEEPEST = 8
_TOPS = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/local", "/usr/share")
#: Debian's Node.js loads these, which others compile into it, from a folder of all its packages.
_DEBIANS = "/usr/share/nodejs"
_NODES_OWN = ("acorn", "acorn-walk", "amaro", "busboy", "cjs-module-lexer", "minimatch", "undici")


@cache
def installed_packages(further: Sequence[str] = ()) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The folders, each with those in it that are to stay; ``further`` are the interpreter's.

    Takes about a second, once for each process.
    """
    found = [(path, ()) for top in (*_TOPS, *further) for path in _below(top, _DEEPEST)]
    kept: list[tuple[str, tuple[str, ...]]] = [*found]
    if os.path.isdir(_DEBIANS):  # noqa: PTH112 - as plain names, here as below
        stay = tuple(f"{_DEBIANS}/{name}" for name in _NODES_OWN)
        kept.append((_DEBIANS, tuple(path for path in stay if os.path.isdir(path))))  # noqa: PTH112
    return tuple(kept)


def _below(folder: str, levels: int) -> Iterator[str]:
    try:
        entries = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.name in _NAMES:
            yield entry.path
        elif levels and entry.path != _DEBIANS:
            yield from _below(entry.path, levels - 1)
