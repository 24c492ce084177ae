"""Outcomes: how an attempt at an item ended, and what each ending counts for.

- ``solved``: the judge accepted the final input.
- ``failed``: the judge did not.
- ``refused``: the model declined.  ``gave-up``: it ended without a final input.  ``out-of-budget``:
  a budget ended it.  Each is a failure to show the ability, and weighs as one: the claim is about
  what was shown, and a system must not be able to pass for weak at no cost to the evidence.  But
  it is no demonstration of inability either, so these are counted apart, and a verdict of not
  covered that rests on any of them is marked as a lower bound.
- ``error``: the infrastructure failed.  It says nothing of the model, weighs nothing, and the
  item is run again; after the plan's number of reruns it is set aside without evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from clearhouse.benchmark.plan import DIGEST, Plan
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import shown


class Ending(StrEnum):
    """How an attempt ended."""

    SOLVED = "solved"
    FAILED = "failed"
    REFUSED = "refused"
    GAVE_UP = "gave-up"
    OUT_OF_BUDGET = "out-of-budget"
    ERROR = "error"


#: Failures that show nothing of what the model could do if it tried, or had more to spend.
WITHHELD: Final = frozenset({Ending.REFUSED, Ending.GAVE_UP, Ending.OUT_OF_BUDGET})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished attempt; ``verdict`` is the digest of the judge's verdict, if it gave one."""

    item: str
    ending: Ending
    verdict: str | None = None

    def __post_init__(self) -> None:
        if self.verdict is not None and not DIGEST.fullmatch(self.verdict):
            raise Invalid("a verdict's digest is sha256: and 64 hexadecimal digits")
        if self.ending is Ending.SOLVED and self.verdict is None:
            raise Invalid(f"{shown(self.item)} counts as solved without a verdict")


@dataclass(slots=True)
class Standing:
    """Where a test stands after some outcomes: grown one by one, read by choosing and deciding."""

    plan: Plan
    done: set[str]
    set_aside: set[str]
    errors: dict[str, int]
    #: Items that bear evidence, and items not over, of each family.
    families: dict[str, int]
    left: dict[str, int]

    @classmethod
    def at_start(cls, plan: Plan) -> Standing:
        """Before the first attempt."""
        left = {family: len(names) for family, names in plan.ranked.items() if family is not None}
        return cls(plan, set(), set(), {}, dict.fromkeys(left, 0), left)

    @classmethod
    def after(cls, plan: Plan, outcomes: Sequence[Outcome]) -> Standing:
        """After these.  Raises :class:`Invalid` as :meth:`take`."""
        standing = cls.at_start(plan)
        for one in outcomes:
            standing.take(one)
        return standing

    def take(self, outcome: Outcome) -> None:
        """Count one more outcome.

        Raises :class:`Invalid` for an item that the plan lacks or that is over already.
        """
        item = self.plan.by_name.get(outcome.item)
        if item is None:
            raise Invalid(f"the plan has no item {shown(outcome.item)}")
        if self.is_over(item.name):
            raise Invalid(f"the item {shown(outcome.item)} was over before this outcome")
        if outcome.ending is Ending.ERROR:
            self.errors[item.name] = self.errors.get(item.name, 0) + 1
            if self.errors[item.name] > self.plan.terms.budgets.reruns:
                self.set_aside.add(item.name)
                self.left[item.family] -= 1
            return
        self.done.add(item.name)
        self.families[item.family] += 1
        self.left[item.family] -= 1

    def is_over(self, name: str) -> bool:
        """Whether an item is not run (again)."""
        return name in self.done or name in self.set_aside

    @property
    def to_rerun(self) -> str | None:
        """The first item that an error interrupted and that is still to be run again."""
        return next((name for name in self.errors if not self.is_over(name)), None)

    @property
    def short_family(self) -> str | None:
        """The family furthest from its minimum, of those that still have items to run."""
        short = [
            (Fraction(least - self.families[family], least), family)
            for family, least in self.plan.terms.least_of.items()
            if least > self.families[family] and self.left[family]
        ]
        return max(short)[1] if short else None

    @property
    def has_enough(self) -> bool:
        """Whether the minima are met, in all and for each family."""
        terms = self.plan.terms
        if len(self.done) < terms.least:
            return False
        return all(self.families[family] >= least for family, least in terms.least_of.items())
