"""How a model is brought to show what it can do: what of it is the same for all submissions.

What the plan names under ``harness`` is part of the commitment: a run with another version or other
prompts is not the planned one.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Final

from clearhouse import __version__
from clearhouse.benchmark.items import Item
from clearhouse.errors import Refused

#: What this program knows of its own harness; a plan may name more.
CLEARHOUSE, INSPECT, PROMPTS = "clearhouse", "inspect-ai", "prompts"
_OWN: Final = (CLEARHOUSE, INSPECT, PROMPTS)


def prompts_digest(items: Iterable[Item], level: int) -> str:
    """``sha256:`` and the digest over what every item's model is told at a level, by name."""
    total = hashlib.sha256()
    for one in sorted(items, key=lambda one: one.name):
        total.update(f"{one.name}\n".encode())
        total.update(hashlib.sha256(one.prompt(level).encode()).digest())
    return f"sha256:{total.hexdigest()}"


def harness_of(items: Iterable[Item], level: int) -> dict[str, str]:
    """The harness here: versions, and the prompts of these items at this level."""
    found = {CLEARHOUSE: __version__, PROMPTS: prompts_digest(items, level)}
    with contextlib.suppress(metadata.PackageNotFoundError):  # a plan can be made without it
        found[INSPECT] = metadata.version("inspect-ai")
    return dict(sorted(found.items()))


def check_harness(planned: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Hold the planned harness against the one here.

    Raises :class:`Refused` for another version or other prompts than are planned.
    """
    for name in _OWN:
        if name in planned and planned[name] != here.get(name):
            raise Refused(
                f"the plan is for {name} {planned[name]}, here is {here.get(name, 'none')}:"
                " every submission is run with the planned one"
            )
