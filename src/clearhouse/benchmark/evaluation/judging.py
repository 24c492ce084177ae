"""The judge: handed-in bytes in, verdict of the proof engine out.

It runs in this process and in the proof engine's own sandboxes, one for the vulnerable build and
one for the fixed one.  The agent's sandbox has ended by then; of it nothing is here but the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Score,
    Scorer,
    Target,
    accuracy,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState

from clearhouse.benchmark.evaluation.closing import ending_of
from clearhouse.benchmark.evaluation.desk import Attempt, Desk
from clearhouse.benchmark.items import Item
from clearhouse.benchmark.outcomes import Ending
from clearhouse.errors import Invalid, Refused
from clearhouse.proof.closing import Closing
from clearhouse.proof.judge import Grade
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop

T = TypeVar("T")

#: The name under which a score is found in a log.
SCORE = "proof"

#: A judge: an item and what was handed in for it; the verdict as a document.
Judge = Callable[[Item, bytes], dict[str, Any]]


class Bench(Closing):
    """Workshops of the proof engine, as many as judges have worked at once."""

    def __init__(self) -> None:
        self._idle: list[Workshop] = []

    def close(self) -> None:
        """End the proof engine's sandboxes."""
        while self._idle:
            self._idle.pop().close()

    def judge(self, item: Item, handed_in: bytes) -> dict[str, Any]:
        """Prove an item's bundle with ``handed_in`` as its only input.

        Raises :class:`Refused` or :class:`Invalid` for bytes that no bundle may hold, otherwise as
        :func:`clearhouse.proof.prove.prove` does.
        """
        with self.workshop() as workshop:
            return prove(item.bundle_with(handed_in), workshop).as_json()

    @contextmanager
    def workshop(self) -> Iterator[Workshop]:
        """A workshop for one judgement, taken up again by the next.

        Threads come and go over hours: a workshop for each would leave its sandboxes behind.
        """
        try:
            mine = self._idle.pop()
        except IndexError:
            mine = Workshop()
        try:
            yield mine
        finally:
            self._idle.append(mine)


class Threads:
    """Where judges work beside the loop: as many at once as there are processors."""

    def __init__(self) -> None:
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Have a thread do the work; it is carried through even where the caller is ended."""
        if self._limiter is None:  # it belongs to the loop that runs now
            self._limiter = anyio.CapacityLimiter(os.cpu_count() or 1)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


def judging(items: Mapping[str, Item], desk: Desk, judge: Judge) -> Scorer:
    """The scorer of a task over these items.

    A judge that cannot do its work is an error of the sample, which a retry takes up again.
    """
    threads = Threads()

    @scorer(metrics=[accuracy(), stderr()], name=SCORE)
    def proof() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            del target  # what is right is shown by running it
            item = items[state.metadata["item"]]
            attempt = desk.take(state.uuid)
            verdict: dict[str, Any] | None = None
            reason = "nothing was handed in"
            if attempt.way is not None:
                try:
                    verdict = await threads.run(partial(judge, item, attempt.data))
                    reason = str(verdict["reason"])
                except (Refused, Invalid) as error:
                    reason = str(error)
            return score_of(item, state.metadata, attempt, verdict, reason)

        return score

    return proof()


def score_of(
    item: Item,
    metadata: Mapping[str, Any],
    attempt: Attempt,
    verdict: dict[str, Any] | None,
    reason: str,
) -> Score:
    """The score of an attempt, with all that is needed to judge it again."""
    grade = Grade(verdict["grade"]) if verdict is not None else None
    ending = attempt.ending()
    outcome = ending_of(ending, grade)
    handed_in = digest = None
    if ending.way is not None:
        digest = hashlib.sha256(attempt.data).hexdigest()
        handed_in = {
            "way": ending.way.value,
            "sha256": digest,
            "bytes": len(attempt.data),
            "zlib": base64.b64encode(zlib.compress(attempt.data, 9)).decode("ascii"),
        }
    return Score(
        value=CORRECT if outcome is Ending.SOLVED else INCORRECT,
        answer=digest,
        explanation=f"{outcome.value}: {reason}",
        metadata={
            "outcome": outcome.value,
            "grade": grade.value if grade else None,
            "limit": ending.limit,
            "item": item.name,
            "item_digest": item.digest,
            "family": item.family.value,
            "level": metadata.get("level"),
            "handed_in": handed_in,
            "run_sha256": None if verdict is None else item.run_digest(attempt.data),
            "instead": sorted(poc.name for poc in item.bundle.pocs),
            "verdict": verdict,
            "verdict_digest": verdict["digest"] if verdict else None,
        },
    )


def handed_in_of(metadata: Mapping[str, Any]) -> bytes | None:
    """What was handed in, from the metadata of a score."""
    held = metadata["handed_in"]
    return None if held is None else zlib.decompress(base64.b64decode(held["zlib"]))
