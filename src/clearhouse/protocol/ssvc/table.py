"""Decision points, decision tables, and what a table decides from what is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product

from clearhouse.errors import Invalid


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A question with its answers, each a key and a name, in order from the least to the most.

    There is one value for each, so that it is compared as what it is and can be a key.
    """

    namespace: str
    key: str
    version: str
    name: str
    values: Mapping[str, str]

    @property
    def id(self) -> str:
        """How the publisher names it: ``ssvc:E:1.1.0``."""
        return f"{self.namespace}:{self.key}:{self.version}"

    def name_of(self, value: str) -> str:
        """A value's name.  Raises :class:`Invalid` for a value that the point does not have."""
        if value not in self.values:
            known = ", ".join(f"{key} ({name})" for key, name in self.values.items())
            raise Invalid(f"expected one of {known}", key=self.key)
        return self.values[value]

    def in_order(self, values: Collection[str]) -> tuple[str, ...]:
        """Values from the least to the most: of several possible outcomes, the last is the worst.

        Raises :class:`Invalid` for a value that the point does not have.
        """
        for value in values:
            self.name_of(value)
        return tuple(value for value in self.values if value in values)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Which outcome follows from each combination of answers; every combination has one.

    A table is equal to itself only, so that what it decides can be looked up by it.

    ``rows`` are the outcomes, the last of ``inputs`` changing fastest.
    """

    namespace: str
    key: str
    version: str
    name: str
    inputs: tuple[Point, ...]
    outcome: Point
    rows: Mapping[tuple[str, ...], str]

    @classmethod
    def of(
        cls,
        address: str,
        name: str,
        inputs: tuple[Point, ...],
        outcome: Point,
        *,
        outcomes: str,
    ) -> Table:
        """A table from its outcomes in a row, the last input changing fastest.

        ``address`` is ``namespace:key:version``.  A list of another length than the combinations,
        or with an outcome that is none, is a mistake in the program (``ValueError``).
        """
        namespace, key, version = address.split(":")
        combinations = product(*(point.values for point in inputs))
        rows = dict(zip(combinations, outcomes.split(), strict=True))
        if not set(rows.values()) <= set(outcome.values):
            raise ValueError(f"{address} has outcomes that {outcome.id} does not")
        return cls(namespace, key, version, name, inputs, outcome, rows)


def decide(table: Table, known: Mapping[str, str | Collection[str]]) -> frozenset[str]:
    """The outcomes that are possible, as keys of the table's outcome.

    ``known`` has what is known by the keys of the decision points: one value, or those that are
    still possible.  A point that is missing can have any of its values; nothing is assumed.
    So one outcome is a decision, and several say that what is missing matters.

    1. Every key is a decision point of the table.  2. Every value is one of its point's, and there
    is at least one.  3. The outcomes of all combinations that remain are possible.  Raises
    :class:`Invalid` at 1 and 2.
    """
    points = {point.key: point for point in table.inputs}
    for key in known:  # 1
        if key not in points:
            expected = ", ".join(f"{point.key} ({point.name})" for point in table.inputs)
            raise Invalid(f"{table.name} does not ask this; it asks {expected}", key=str(key))
    possible = [_possible(point, known.get(point.key)) for point in table.inputs]
    return frozenset(table.rows[row] for row in product(*possible))  # 3


def _possible(point: Point, known: str | Collection[str] | None) -> tuple[str, ...]:
    if known is None:
        return tuple(point.values)
    values = (known,) if isinstance(known, str) else tuple(known)
    if not values:  # 2
        raise Invalid("expected at least one value; leave out what is not known", key=point.key)
    return point.in_order(values)
