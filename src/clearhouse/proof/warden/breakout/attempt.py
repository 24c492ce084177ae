"""What an attempt is, and how one is made and timed."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

FACTS = "/target/facts.json"
PLACES = ("run", "import", "build", "room")
#: Where an attempt may write.
OWN_FOLDER = {"run": "/work", "import": "/tmp", "build": "/build", "room": "/work"}


class GotThrough(Exception):
    """The sandbox did not stop an attempt."""


class NotHere(Exception):
    """This machine has nothing on which the attempt could be made."""


@dataclass(frozen=True)
class Facts:
    """What the check prepared on the host, for attempts to aim at."""

    place: str  # where the attempts are made: see PLACES
    token: str  # stands in the marker's text, the decoy's arguments and the host's environment
    tcp4: int
    tcp6: int
    udp4: int
    abstract: str
    local: str
    addresses: tuple[str, ...]
    marker: str
    folders: dict[str, list[str]]  # folders of the host, and names in them that must not be seen
    passwd: str
    variable: str
    engine: int
    decoy: int
    oom: int

    @classmethod
    def read(cls, place: str, path: str = FACTS) -> Facts:
        """The facts for attempts made in ``place``."""
        with open(path, encoding="utf-8") as file:
            raw: dict[str, Any] = json.load(file)
        raw["addresses"] = tuple(raw["addresses"])
        return cls(place=place, **raw)


Try = Callable[[Facts], str]


@dataclass(frozen=True)
class Attempt:
    """A way out that is tried: ``made`` returns what stood in it, or raises."""

    group: str
    name: str
    made: Try
    places: tuple[str, ...]


class Attempts:
    """The attempts of one group, in the order in which they are written down."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._all: list[Attempt] = []

    def __call__(self, name: str, *places: str) -> Callable[[Try], Try]:
        """Write down the function below as an attempt, for some places only if they are named."""

        def add(made: Try) -> Try:
            self._all.append(Attempt(self._group, name, made, places or PLACES))
            return made

        return add

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._all)


def name_of(error: OSError | int) -> str:
    """An error's name (``EPERM``)."""
    number = error if isinstance(error, int) else error.errno or 0
    return errno.errorcode.get(number, str(number))


def refused(*calls: Callable[[], object]) -> str:
    """Make each call; what refused them.  Raises :class:`GotThrough` where one is not refused."""
    seen: dict[str, None] = {}
    for call in calls:
        try:
            result = call()
        except OSError as error:
            seen[name_of(error)] = None
        else:
            raise GotThrough(f"it was done: {result!r}"[:200])
    return ", ".join(seen)


def make(attempt: Attempt, facts: Facts) -> dict[str, Any]:
    """Make one attempt and say how it went."""
    began = time.perf_counter()
    stopped: bool | None = True
    try:
        by = attempt.made(facts)
    except GotThrough as error:
        stopped, by = False, str(error)
    except NotHere as error:
        stopped, by = None, str(error)
    except OSError as error:
        by = name_of(error)
    except Exception as error:  # an attempt that breaks says nothing about the sandbox
        stopped, by = False, f"could not be tried: {type(error).__name__}: {error}"[:200]
    return {
        "place": facts.place,
        "group": attempt.group,
        "name": attempt.name,
        "stopped": stopped,
        "by": by,
        "seconds": round(time.perf_counter() - began, 4),
    }


def every() -> list[Attempt]:
    """All attempts that need no run of their own."""
    from . import calls, files, network, processes

    return [*network.ATTEMPTS, *files.ATTEMPTS, *processes.ATTEMPTS, *calls.ATTEMPTS]


def main() -> None:
    """Make every attempt of the place named as the first argument; one line of JSON for each."""
    facts = Facts.read(sys.argv[1])
    for attempt in every():
        if facts.place in attempt.places:
            # Said beforehand: an attempt may end this process, and that has to show.
            _say({"trying": attempt.name})
            _say(make(attempt, facts))
    _say({"done": True})


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")
