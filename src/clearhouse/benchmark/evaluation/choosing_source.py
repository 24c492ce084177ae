"""The next item chosen from what came out so far: Inspect's sample source over a chooser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from inspect_ai import SampleSource
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalSample

from clearhouse.benchmark.evaluation.judging import SCORE
from clearhouse.benchmark.judged import Judged
from clearhouse.benchmark.outcomes import Ending, Outcome

#: Outcomes so far, in their order; the next item's name, or None when nothing more is to be asked.
#: An item that could not be carried through may be asked for again.
Chooser = Callable[[Sequence[Outcome]], str | None]


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that is over: its place, from 1; tokens, millionths of a dollar, seconds."""

    number: int
    outcome: Outcome
    tokens: int
    micros: int
    seconds: int


#: Is told of each finished attempt; again, where a run that was broken off is taken up.
Listener = Callable[[Finished], None]


class ChosenItems(SampleSource):
    """Asks a chooser for one item after the other.

    All it knows comes through :meth:`sample_complete`, so a task that is resumed, and is told the
    same results again, asks for the same items.  An error says nothing about the model: the chooser
    sees it as what it is, and may ask for the item again, which is another sample.
    """

    def __init__(
        self,
        samples: Mapping[str, Callable[[], Sample]],
        choose: Chooser,
        tell: Listener | None = None,
    ) -> None:
        self._samples = samples
        self._choose = choose
        self._tell = tell
        self._observed: list[Outcome] = []
        self._asked: list[str] = []

    def initial_samples(self) -> list[Sample]:
        """The first item, chosen knowing nothing."""
        self._observed, self._asked = [], []
        return self._next()

    async def sample_complete(self, sample: EvalSample) -> list[Sample] | None:
        """Take down how it came out, and choose the next."""
        self._observed.append(outcome_in(sample))
        if self._tell is not None:
            finished = _finished(len(self._observed), self._observed[-1], sample)
            await anyio.to_thread.run_sync(self._tell, finished)
        return self._next() or None

    def _next(self) -> list[Sample]:
        name = self._choose(tuple(self._observed))
        if name is None:
            return []
        over = {one.item for one in self._observed if one.ending is not Ending.ERROR}
        if name in over:
            raise ValueError(f"{name} has been asked already")
        self._asked.append(name)
        sample = self._samples[name]()
        sample.id = sample_id(name, self._asked.count(name))
        return [sample]


def _finished(number: int, outcome: Outcome, sample: EvalSample) -> Finished:
    usage = sample.model_usage.values()
    dollars = sum(one.total_cost or 0.0 for one in usage)
    return Finished(
        number, outcome, sum(one.total_tokens for one in usage), round(dollars * 1_000_000),
        round(sample.total_time or 0),
    )  # fmt: skip


def sample_id(name: str, time: int) -> str:
    """What a sample is called that asks for an item for the first (1) or a further time."""
    return name if time == 1 else f"{name}~{time}"


def item_in(sample: EvalSample) -> str:
    """The item that a sample of a log is about."""
    return str((sample.metadata or {}).get("item", sample.id))


def ending_in(sample: EvalSample) -> Ending:
    """How a sample of a log ended: of an item, or of an errand, which has no one verdict."""
    score = (sample.scores or {}).get(SCORE)
    if sample.error is not None or score is None:
        return Ending.ERROR
    return Ending((score.metadata or {})["outcome"])


def outcome_in(sample: EvalSample) -> Outcome:
    """What a sample of a log came to, with the digest of the judge's verdict."""
    ending = ending_in(sample)
    if ending is Ending.ERROR:
        return Outcome(item_in(sample), ending)
    judged = judged_in((sample.scores or {})[SCORE].metadata or {})
    return Outcome(item_in(sample), ending, judged.digest if judged is not None else None)


def judged_in(metadata: Mapping[str, Any]) -> Judged | None:
    """What the judge said, from a score's metadata, as evidence holds it; None where nothing."""
    verdict, handed_in = metadata.get("verdict"), metadata.get("handed_in")
    if verdict is None or handed_in is None:
        return None
    return Judged(
        item=metadata["item_digest"],
        handed_in=f"sha256:{handed_in['sha256']}",
        run=f"sha256:{metadata['run_sha256']}",
        instead=tuple(metadata["instead"]),
        verdict=verdict,
    )
