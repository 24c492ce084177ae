"""What was handed in and judged, kept from the moment in which it is judged.

A file of lines to which lines are only added: a run that is ended in the middle keeps what it has
proven, and a run that goes on judges nothing twice.  Its first line says what the run is about.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from clearhouse.errors import Invalid, Unavailable
from clearhouse.proof.closing import Closing
from clearhouse.proof.judge import Grade
from clearhouse.proof.text import printable

#: The file's name in the folder of a run.
JUDGED: Final = "judged.ndjson"
_FORMAT: Final = 1
_GRADES: Final = [grade.value for grade in Grade]


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that was handed in, and what the judge said.

    ``errand`` is what it was handed in for, ``key`` the digest of what was handed in, as far as it
    could be read.  ``good`` is proven for a finding and accepted for a patch; ``verdict`` is the
    judge's document, None where there was nothing to be judged.  ``data`` is what is kept of what
    is good: a bundle packed, or a patch.
    """

    errand: str
    key: str
    good: bool
    reason: str
    verdict: Mapping[str, Any] | None = None
    data: bytes = b""

    @property
    def grade(self) -> str | None:
        """The grade of a finding; None where it was not judged."""
        return str(self.verdict["grade"]) if self.verdict and "grade" in self.verdict else None

    @property
    def signature(self) -> str | None:
        """What duplicates of one flaw have in common."""
        found = self.verdict.get("signature") if self.verdict else None
        return str(found) if found else None


@dataclass(frozen=True, slots=True)
class Flaw:
    """One flaw: the best that was handed in of it, and how many others show it too."""

    best: Judged
    others: int


def flaws(found: Iterable[Judged]) -> tuple[Flaw, ...]:
    """What is proven, joined by signature, in the order in which it was found.

    Of several the one with the highest grade stands for the flaw, then the smallest, then the
    first.
    """
    groups: dict[str, list[Judged]] = {}
    for one in found:
        if one.good and one.signature is not None:
            groups.setdefault(one.signature, []).append(one)

    def worth(one: Judged) -> tuple[int, int]:
        return _GRADES.index(one.grade or _GRADES[0]), -len(one.data)

    return tuple(Flaw(max(group, key=worth), len(group) - 1) for group in groups.values())


def unproven(found: Iterable[Judged]) -> dict[str, int]:
    """How often each reason was given for what is not proven, the most frequent first."""
    return dict(Counter(one.reason for one in found if not one.good).most_common())


class Record(Closing):
    """The file of a run.  Safe to be used by several threads; use it as a context manager.

    ``about`` says what the run is about.  Raises :class:`Invalid` where the file is of another run
    or is no such file, :class:`Unavailable` where it cannot be written.
    """

    def __init__(self, folder: Path, about: Mapping[str, str]) -> None:
        self._path = folder / JUDGED
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], Judged] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what is found is nobody else's
            kept = self._path.read_bytes() if self._path.exists() else b""
            whole = kept[: kept.rfind(b"\n") + 1]  # the last line of a run that was ended
            self._stream: IO[bytes] = self._path.open("r+b" if kept else "w+b")
            self._stream.truncate(len(whole))
            self._stream.seek(len(whole))
        except OSError as error:
            raise Unavailable(
                f"{printable(str(self._path))} cannot be written: {error.strerror}"
            ) from None
        try:
            self._read(whole, about)
        except BaseException:
            self._stream.close()
            raise

    def _read(self, whole: bytes, about: Mapping[str, str]) -> None:
        head = {"format": _FORMAT, **about}
        lines = whole.splitlines()
        if not lines:
            self._write(head)
            return
        where = printable(str(self._path))
        try:
            first = json.loads(lines[0])
            found = [_judged(json.loads(line)) for line in lines[1:]]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Invalid("is no record of what was judged", where=where) from None
        if first != head:
            raise Invalid(
                "is of another run, of another target or by another finder: give another folder",
                where=where,
            )
        self._found = {(one.errand, one.key): one for one in found}

    def find(self, errand: str, key: str) -> Judged | None:
        """What was said of it before."""
        with self._lock:
            return self._found.get((errand, key))

    def add(self, one: Judged) -> None:
        """Keep what was judged; it is on the disk when this returns.

        A later answer takes the place of one that had no verdict.
        """
        document = asdict(one) | {"data": base64.b64encode(one.data).decode("ascii")}
        with self._lock:
            before = self._found.get((one.errand, one.key))
            if before is None or (before.verdict is None and one != before):
                self._found[one.errand, one.key] = one
                self._write(document)

    def _write(self, document: Mapping[str, Any]) -> None:
        # Not ensure_ascii=False: a lone surrogate of a hostile text has no bytes.
        try:
            self._stream.write(json.dumps(document, separators=(",", ":")).encode() + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise Unavailable(
                f"{printable(str(self._path))} cannot be written: {error.strerror}"
            ) from None

    @property
    def found(self) -> Sequence[Judged]:
        """Everything that was judged, in its order."""
        with self._lock:
            return tuple(self._found.values())

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()


def _judged(raw: Mapping[str, Any]) -> Judged:
    verdict = raw["verdict"]
    if not isinstance(raw["good"], bool) or not (verdict is None or isinstance(verdict, dict)):
        raise TypeError
    return Judged(
        str(raw["errand"]), str(raw["key"]), raw["good"], str(raw["reason"]), verdict,
        base64.b64decode(raw["data"], validate=True),
    )  # fmt: skip
