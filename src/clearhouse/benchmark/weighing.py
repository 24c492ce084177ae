"""What an outcome weighs: exact, from the bank's integers, the same on any machine.

Two abilities are compared, the edges of the indifference region.  An item's weight is the log of
how much likelier its outcome is at the upper edge than at the lower one; the item's own parameters
are integrated out over their calibration's uncertainty, so that a badly known item weighs little.
The integral is Gauss-Hermite's with 5 x 5 nodes (Abramowitz and Stegun 1964, section 25.4.46): in
z1, z2 standard normal, log slope = m1 + s1 z1, difficulty = m2 + s2 (r z1 + sqrt(1 - r^2) z2).

Computed in decimal arithmetic with 28 digits, in which sums, products, quotients, square roots,
exponentials and logarithms are each correctly rounded, half to even (General Decimal Arithmetic
Specification 1.70), in the order in which this module writes them.  The results are rounded half to
even to whole nano-nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Final

from clearhouse.benchmark.bank import MICRO, Bank, Item
from clearhouse.errors import Invalid

NANO: Final = 1_000_000_000
_CONTEXT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
_ONE: Final = Decimal(1)
#: Logits beyond which an outcome is as good as certain (1 in 10^86).
_FAR: Final = Decimal(200)
#: Abilities, in millionths, between which a threshold is looked for.
_WIDEST: Final = 60 * MICRO


def _rule() -> tuple[tuple[Decimal, Decimal], ...]:
    """The nodes and weights of five-point Gauss-Hermite under the standard normal distribution."""
    with localcontext(_CONTEXT):
        ten = Decimal(10).sqrt()
        near, far = (5 - ten).sqrt(), (5 + ten).sqrt()
        heavy, light = (7 + 2 * ten) / 60, (7 - 2 * ten) / 60
        return (
            (-far, light),
            (-near, heavy),
            (Decimal(0), Decimal(8) / 15),
            (near, heavy),
            (far, light),
        )


RULE: Final = _rule()
ROUGH_RULE: Final = tuple((float(node), float(weight)) for node, weight in RULE)


@dataclass(frozen=True, slots=True)
class Weights:
    """An item's weights in nano-nats.

    ``solved`` is at least 0 and ``failed`` at most 0: the log-likelihood ratio, upper edge against
    lower edge, of each outcome.  ``information`` is the symmetric Kullback-Leibler divergence
    between the edges (Eggen 1999): how much one outcome tells the edges apart on average.
    """

    solved: int
    failed: int
    information: int


def chance(item: Item, ability: int) -> Decimal:
    """The probability that a system of ``ability`` (millionths) solves ``item``."""
    with localcontext(_CONTEXT):
        return _chances(item, ability)[0]


def _chances(item: Item, ability: int) -> tuple[Decimal, Decimal]:
    """Solving and failing, each by its own sum: neither is ever 0, however far the item is."""
    correlation = Decimal(item.correlation) / MICRO
    rest = (_ONE - correlation * correlation).sqrt()
    slope_sd, difficulty_sd = Decimal(item.log_slope_sd) / MICRO, Decimal(item.difficulty_sd)
    solving = failing = Decimal(0)
    for first, first_weight in RULE:
        slope = (Decimal(item.log_slope) / MICRO + slope_sd * first).exp()
        for second, second_weight in RULE:
            difficulty = item.difficulty + difficulty_sd * (correlation * first + rest * second)
            gap = slope * (ability - difficulty) / MICRO
            small = (-min(abs(gap), _FAR)).exp()
            weight = first_weight * second_weight
            likely, unlikely = weight / (_ONE + small), weight * small / (_ONE + small)
            solving += likely if gap >= 0 else unlikely
            failing += unlikely if gap >= 0 else likely
    return solving, failing


def weigh(item: Item, low: int, high: int) -> Weights:
    """The item's weights for the edges ``low`` and ``high`` (abilities in millionths).

    Raises :class:`Invalid` for edges that are none.
    """
    if low >= high:
        raise Invalid("the lower edge of the region lies below the upper one")
    with localcontext(_CONTEXT):
        (below, fails_below), (above, fails_above) = (_chances(item, at) for at in (low, high))
        solved = (above / below).ln()
        failed = (fails_above / fails_below).ln()
        information = (above - below) * (solved - failed)
        return Weights(_nano(solved), _nano(failed), _nano(information))


def bound(error_ppm: int) -> int:
    """The evidence in nano-nats that an error rate (millionths) asks for: ln(1 / rate), upwards.

    The likelihood ratio is a non-negative supermartingale under every ability at or below the lower
    edge, whatever items are chosen from past outcomes and whenever one stops, as an item's success
    grows likelier with ability.  So it ever exceeds 1 / alpha with probability alpha at most (Ville
    1939), and likewise for the other edge; Wald's approximate bounds (1945) lie a little closer.
    """
    if not 0 < error_ppm < MICRO // 2:
        raise Invalid("an error rate lies between 0 and a half")
    with localcontext(_CONTEXT):
        return int(((Decimal(MICRO) / error_ppm).ln() * NANO).to_integral_value("ROUND_CEILING"))


def accuracy_at(bank: Bank, ability: int) -> Decimal:
    """The share of the bank that a system of ``ability`` is expected to solve."""
    with localcontext(_CONTEXT):
        return sum((_chances(item, ability)[0] for item in bank.items), Decimal(0)) / len(
            bank.items
        )


def ability_at(bank: Bank, accuracy_ppm: int) -> int:
    """The largest whole ability (millionths) whose expected share is at most ``accuracy_ppm``.

    Found by floating point and then settled exactly, so that it is the same everywhere.
    Raises :class:`Invalid` where no system reaches such a share on this bank.
    """
    wanted = Decimal(accuracy_ppm) / MICRO
    found = _near(bank, accuracy_ppm / MICRO)
    step = 1
    low = found
    while accuracy_at(bank, low) > wanted:
        low -= step
        step *= 2
        _check_reach(low, accuracy_ppm)
    step = 1
    high = low + 1
    while accuracy_at(bank, high) <= wanted:
        low, high = high, high + step
        step *= 2
        _check_reach(high, accuracy_ppm)
    while high - low > 1:
        middle = (low + high) // 2
        if accuracy_at(bank, middle) <= wanted:
            low = middle
        else:
            high = middle
    return low


def _check_reach(ability: int, accuracy_ppm: int) -> None:
    if abs(ability) > _WIDEST:
        raise Invalid(f"no ability solves {accuracy_ppm / 10_000:g} % of this bank")


def _near(bank: Bank, accuracy: float) -> int:
    low, high = -float(_WIDEST), float(_WIDEST)
    for _ in range(32):
        middle = (low + high) / 2
        if rough_accuracy(bank, middle / MICRO) <= accuracy:
            low = middle
        else:
            high = middle
    return math.floor(low)


def rough_accuracy(bank: Bank, ability: float) -> float:
    """:func:`accuracy_at` in floating point, for pictures; ``ability`` in logits."""
    return math.fsum(rough_chance(item, ability) for item in bank.items) / len(bank.items)


def rough_chance(item: Item, ability: float) -> float:
    """:func:`chance` in floating point, for pictures; ``ability`` in logits."""
    correlation = item.correlation / MICRO
    rest = math.sqrt(1 - correlation * correlation)
    total = 0.0
    for first, first_weight in ROUGH_RULE:
        slope = math.exp((item.log_slope + item.log_slope_sd * first) / MICRO)
        for second, second_weight in ROUGH_RULE:
            apart = correlation * first + rest * second
            gap = slope * (ability - (item.difficulty + item.difficulty_sd * apart) / MICRO)
            total += first_weight * second_weight * 0.5 * (1 + math.tanh(gap / 2))
    return total


def _nano(value: Decimal) -> int:
    return int((value * NANO).to_integral_value(ROUND_HALF_EVEN))
