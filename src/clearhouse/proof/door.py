"""Bundles at the door: a folder or an archive from a stranger, read wholly into memory.

Nothing is ever written, no link is followed, and nothing beyond the limits is read. What comes in
is a frozen, checked :class:`Bundle` or an :class:`Invalid` that names the file and the key.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.manifest import MANIFEST, parse_bundle
from clearhouse.proof.members import (
    BUNDLE_LIMITS,
    MIB,
    Collector,
    Limits,
    checked_name,
    shown,
    size_text,
)
from clearhouse.proof.tables import nearest
from clearhouse.proof.tars import looks_like_tar, read_tar
from clearhouse.proof.text import printable
from clearhouse.proof.zips import looks_like_zip, read_zip

#: Archives that hold nothing compressible are larger than their content, by their headers.
_OVERHEAD_BYTES: Final = 4 * MIB
#: Never follow a link, never wait for the other end of a pipe, never take over a terminal.
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_bundle(path: Path) -> Bundle:
    """Read and check the bundle at ``path``: a folder, a zip, or a tar, compressed or not.

    What an archive is shows in its content, not its name. Raises Invalid.
    """
    where = printable(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return parse_bundle(_in_folder(read_folder(path, where=where), where), where=where)
        if not stat.S_ISREG(mode):
            raise Invalid("expected a folder or an archive, found a special file", where=where)
        if path.name == MANIFEST:
            raise Invalid("expected the folder that holds this file", where=where)
        # The path itself is the user's: a link there is followed.
        data = _read(os.open(path, _OPEN & ~os.O_NOFOLLOW), _archive_bytes(BUNDLE_LIMITS))
    except (OSError, ValueError) as error:
        # ValueError: the path has a NUL character.
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise Invalid(f"cannot be read: {reason}", where=where) from None
    return parse_archive(data, where=where)


def parse_archive(data: bytes, *, where: str) -> Bundle:
    """Check the bundle in an archive's bytes; ``where`` names it in messages. Raises Invalid."""
    return parse_bundle(_in_archive(read_archive(data, where=where), where), where=where)


def read_archive(data: bytes, *, where: str, limits: Limits = BUNDLE_LIMITS) -> dict[str, bytes]:
    """Return the files of a zip or tar archive by their clean names. Raises Invalid."""
    if len(data) > _archive_bytes(limits):
        raise Invalid(f"larger than {size_text(_archive_bytes(limits))}", where=where)
    collector = Collector(where, limits)
    if looks_like_zip(data):
        read_zip(data, collector)
    elif looks_like_tar(data):
        read_tar(data, collector)
    else:
        found = "an empty file" if not data else "something else"
        raise Invalid(
            f"expected a folder, .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz, found {found}",
            where=where,
        )
    return collector.result()


def read_folder(path: Path, *, where: str, limits: Limits = BUNDLE_LIMITS) -> dict[str, bytes]:
    """Return the files below ``path`` by their clean names. Raises Invalid and OSError."""
    collector = Collector(where, limits)
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _walk(top, "", collector)
    finally:
        os.close(top)
    return collector.result()


def _walk(folder: int, prefix: str, collector: Collector) -> None:
    # The depth of names is limited, and with it that of this recursion.
    with os.scandir(folder) as entries:
        for entry in entries:
            name = collector.admit(prefix + entry.name)
            if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
                raise _special(
                    "a symbolic link" if entry.is_symlink() else "a special file",
                    name,
                    collector.where,
                )
            # What was listed may have been replaced since: the opened file itself is asked.
            opened = os.open(entry.name, _OPEN, dir_fd=folder)
            mode = os.fstat(opened).st_mode
            if stat.S_ISDIR(mode):
                collector.add_folder(name)
                try:
                    _walk(opened, f"{name}/", collector)
                finally:
                    os.close(opened)
            elif stat.S_ISREG(mode):
                collector.add_file(name, _read(opened, collector.room(name)))
            else:
                os.close(opened)
                raise _special("a special file", name, collector.where)


def _special(what: str, name: str, where: str) -> Invalid:
    return Invalid(f"{shown(name)} is {what}; a bundle holds files and folders only", where=where)


def _read(descriptor: int, most: int) -> bytes:
    """Read an opened file and close it; at most one byte more than ``most``."""
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(most + 1)


def _archive_bytes(limits: Limits) -> int:
    return limits.total_bytes + _OVERHEAD_BYTES


def _in_folder(files: Mapping[str, bytes], where: str) -> Mapping[str, bytes]:
    if MANIFEST not in files:
        raise Invalid(f"has no {MANIFEST}{_hint(files)}", where=where)
    return files


def _in_archive(files: Mapping[str, bytes], where: str) -> Mapping[str, bytes]:
    """Return the files relative to the folder of ``proof.toml``: the root, or one top folder."""
    if MANIFEST in files:
        return files
    tops = {name.partition("/")[0] for name in files}
    if len(tops) == 1:
        top = tops.pop()
        if f"{top}/{MANIFEST}" in files:
            return {checked_name(name[len(top) + 1 :], where): files[name] for name in files}
    raise Invalid(
        f"has no {MANIFEST} at its root or in its only top folder{_hint(files)}", where=where
    )


def _hint(files: Mapping[str, bytes]) -> str:
    if not files:
        return "; it holds no files"
    elsewhere = sorted(name for name in files if PurePosixPath(name).name == MANIFEST)
    if elsewhere:
        return f", only {shown(elsewhere[0])}"
    similar = sorted(
        name for name in files if nearest(PurePosixPath(name).name, (MANIFEST,), cutoff=0.8)
    )
    return f"; did you mean {shown(similar[0])}?" if similar else ""
