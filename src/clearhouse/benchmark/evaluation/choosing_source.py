"""The next item chosen from what came out so far: Inspect's sample source over a chooser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inspect_ai import SampleSource
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalSample

from clearhouse.benchmark.evaluation.judging import SCORE
from clearhouse.benchmark.evaluation.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Observed:
    """What one attempt on an item came to."""

    item: str
    outcome: Outcome

    @property
    def solved(self) -> bool:
        """Whether the judge found the input to show the flaw."""
        return self.outcome is Outcome.SOLVED


#: Outcomes so far, in their order; the next item's name, or None when nothing more is to be asked.
Chooser = Callable[[Sequence[Observed]], str | None]


class ChosenItems(SampleSource):
    """Asks a chooser for one item after the other.

    All it knows comes through :meth:`sample_complete`, so a task that is resumed, and is told the
    same results again, asks for the same items.  An error counts as asked, once, and says nothing
    about the model: the chooser sees it as what it is.
    """

    def __init__(self, samples: Mapping[str, Callable[[], Sample]], choose: Chooser) -> None:
        self._samples = samples
        self._choose = choose
        self._observed: list[Observed] = []
        self._asked: list[str] = []

    @property
    def observed(self) -> tuple[Observed, ...]:
        """What has come out so far."""
        return tuple(self._observed)

    def initial_samples(self) -> list[Sample]:
        """The first item, chosen knowing nothing."""
        self._observed, self._asked = [], []
        return self._next()

    async def sample_complete(self, sample: EvalSample) -> list[Sample] | None:
        """Take down how it came out, and choose the next."""
        self._observed.append(Observed(str(sample.id), outcome_in(sample)))
        return self._next() or None

    def _next(self) -> list[Sample]:
        name = self._choose(tuple(self._observed))
        if name is None:
            return []
        if name in self._asked:
            raise ValueError(f"{name} has been asked already")
        self._asked.append(name)
        return [self._samples[name]()]


def outcome_in(sample: EvalSample) -> Outcome:
    """The outcome of a sample of a log."""
    score = (sample.scores or {}).get(SCORE)
    if sample.error is not None or score is None:
        return Outcome.ERROR
    return Outcome((score.metadata or {})["outcome"])
