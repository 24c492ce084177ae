"""Who opened a sealed set, when and why: a record beside the set to which lines are only added.

Each line has the digest of the line before it, the first that of the sealed file, so that a line
which is altered, removed from the middle or put elsewhere shows to anybody.  Each also has an
authentication code under a key that only an opened set gives, so that nobody else can have written
it; the next who opens the set checks them all.  Lines cut off from the end show in the ledger
alone, into which each record goes as well.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from clearhouse.benchmark.shamir import MOST_SHARES
from clearhouse.errors import Invalid, Refused, Unavailable
from clearhouse.proof.text import is_plain_line, printable

FORMAT: Final = 1
TEXT_CHARACTERS: Final = 400
_MOST_BYTES: Final = 16 << 20
_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening: the set's digest, who opened it with which keepers' keys, when, and why.

    ``previous`` is the digest of the line before, ``code`` the authentication code; hexadecimal.
    """

    set: str
    number: int
    when: datetime
    by: str
    keepers: tuple[str, ...]
    why: str
    previous: str
    code: str

    def as_json(self) -> dict[str, Any]:
        """The record, as it stands in its line and goes into the ledger."""
        return {
            "format": FORMAT, "set": self.set, "number": self.number,
            "when": self.when.astimezone(UTC).isoformat(timespec="seconds"), "by": self.by,
            "keepers": list(self.keepers), "why": self.why, "previous": self.previous,
            "code": self.code,
        }  # fmt: skip

    def line(self) -> bytes:
        """Its one text."""
        return _canonical(self.as_json()) + b"\n"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who opens a set, at what time, and why."""

    by: str
    why: str
    when: datetime

    def __post_init__(self) -> None:
        for key, text in (("by", self.by), ("why", self.why)):
            if not text.strip() or len(text) > TEXT_CHARACTERS or not is_plain_line(text):
                raise Invalid(
                    f"expected one line of at most {TEXT_CHARACTERS} characters", key=f"--{key}"
                )


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def next_opening(
    occasion: Occasion, keepers: Sequence[str], *, of: str, before: Sequence[Opening], key: bytes
) -> Opening:
    """The record of an opening that follows those ``before``; ``of`` is the set's digest.  Pure."""
    previous = hashlib.sha256(before[-1].line()).hexdigest() if before else of
    bare = Opening(
        set=of, number=len(before) + 1, when=occasion.when.replace(microsecond=0),
        by=occasion.by, keepers=tuple(sorted(keepers)), why=occasion.why, previous=previous,
        code="",
    )  # fmt: skip
    return Opening(
        bare.set, bare.number, bare.when, bare.by, bare.keepers, bare.why, bare.previous,
        _code(bare, key),
    )  # fmt: skip


def _code(opening: Opening, key: bytes) -> str:
    document = opening.as_json()
    del document["code"]
    return hmac.digest(key, _canonical(document), "sha256").hex()


def parse(raw: bytes, *, of: str, where: str) -> tuple[Opening, ...]:
    """The openings of the set with digest ``of``.

    Raises Invalid with the line that is malformed or does not follow the one before it.
    """
    if len(raw) > _MOST_BYTES:
        raise Invalid(f"is larger than {_MOST_BYTES >> 20} MiB", where=where)
    if raw and not raw.endswith(b"\n"):
        raise Invalid("its last line is cut off", where=where)
    found: list[Opening] = []
    previous = of
    for number, line in enumerate(raw.splitlines(keepends=True), 1):
        opening = _opening(line, where, number)
        if (opening.set, opening.number, opening.previous) != (of, number, previous):
            raise Invalid(
                "does not follow the line before it: a line was altered, removed or put elsewhere",
                where=where,
                key=f"line {number}",
            )
        previous = hashlib.sha256(line).hexdigest()
        found.append(opening)
    return tuple(found)


def set_in(raw: bytes, *, where: str) -> str:
    """The digest of the set that a record is about, by its first line.  Raises Invalid."""
    first = raw.splitlines(keepends=True)[:1]
    if not first or len(raw) > _MOST_BYTES:
        raise Invalid("expected a record of openings", where=where)
    return _opening(first[0], where, 1).set


def _opening(line: bytes, where: str, number: int) -> Opening:
    opening: Opening | None
    try:
        document = json.loads(line)
        opening = Opening(
            set=_hex(document["set"]), number=int(document["number"]),
            when=datetime.fromisoformat(document["when"]), by=str(document["by"]),
            keepers=tuple(map(str, document["keepers"])), why=str(document["why"]),
            previous=_hex(document["previous"]), code=_hex(document["code"]),
        )  # fmt: skip
        Occasion(opening.by, opening.why, opening.when)  # what no opening writes
        # Its one form holds every key that there is, and no other.
        is_sound = opening.line() == line and len(opening.keepers) <= MOST_SHARES
    except (Invalid, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        opening, is_sound = None, False
    if opening is None or not is_sound:
        raise Invalid(
            "is no record of an opening in its one form", where=where, key=f"line {number}"
        )
    return opening


def _hex(value: object) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError
    return value


def check_codes(openings: Sequence[Opening], key: bytes, *, where: str) -> None:
    """Raise Refused where a line was written by somebody who had not opened the set."""
    for opening in openings:
        if not hmac.compare_digest(opening.code, _code(opening, key)):
            raise Refused(
                f"{where}: line {opening.number}: was not written by an opening of this set"
            )


def record(
    path: Path, occasion: Occasion, keepers: Sequence[str], *, of: str, key: bytes
) -> Opening:
    """Check what stands at ``path``, add the line of this opening, and see it onto the disk.

    Raises Invalid and Refused where what stands there is not sound, Unavailable where it cannot be
    written: then the set stays closed.
    """
    where = printable(str(path))
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "r+b", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            before = parse(stream.read(_MOST_BYTES + 1), of=of, where=where)
            check_codes(before, key, where=where)
            opening = next_opening(occasion, keepers, of=of, before=before, key=key)
            stream.write(opening.line())
            os.fsync(stream.fileno())
    except OSError as error:
        raise Unavailable(f"{where} cannot be written: {error.strerror}") from error
    return opening
