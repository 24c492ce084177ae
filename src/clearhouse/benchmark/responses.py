"""The response matrix: which system solved which item.

One row a system, one column an item; a cell is 1 (solved), 0 (not solved) or empty (not run).  A
system is a model with its scaffold and budget; two systems can be one model, and then they are not
two independent witnesses of an item's difficulty.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import shown

_CELLS: Final[Mapping[str, bool | None]] = {"1": True, "0": False, "": None}
_MOST_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Responses:
    """A frozen response matrix.

    ``cells[system][item]`` is True for solved, False for not solved, None for not run.
    ``models`` names, for each system, the model that it is.
    """

    systems: tuple[str, ...]
    models: tuple[str, ...]
    items: tuple[str, ...]
    cells: tuple[tuple[bool | None, ...], ...]

    def only_items(self, names: Sequence[str]) -> Responses:
        """The same systems on these items, in this order.  Raises :class:`Invalid`."""
        at = {name: index for index, name in enumerate(self.items)}
        missing = [name for name in names if name not in at]
        if missing:
            raise Invalid(f"no responses to the item {shown(missing[0])}")
        columns = [at[name] for name in names]
        cells = tuple(tuple(row[column] for column in columns) for row in self.cells)
        return Responses(self.systems, self.models, tuple(names), cells)

    def without_models(self, models: Sequence[str]) -> Responses:
        """The matrix without every row of these models: what a hold-out is calibrated on."""
        kept = [index for index, model in enumerate(self.models) if model not in set(models)]
        return Responses(
            tuple(self.systems[index] for index in kept),
            tuple(self.models[index] for index in kept),
            self.items,
            tuple(self.cells[index] for index in kept),
        )

    def of(self, system: str) -> Mapping[str, bool]:
        """What this system has run, and whether it solved it.  Raises :class:`Invalid`."""
        if system not in self.systems:
            raise Invalid(f"no responses of the system {shown(system)}")
        row = self.cells[self.systems.index(system)]
        return {name: cell for name, cell in zip(self.items, row, strict=True) if cell is not None}


def read_responses(raw: bytes, where: str, *, models: Mapping[str, str] | None = None) -> Responses:
    """Read a matrix from CSV (RFC 4180): a header with the items, then a line for each system.

    ``models`` says which model a system is; a system that it does not name is one of its own.
    Raises :class:`Invalid` with the line and the column of the first cell that is none of 1, 0 and
    empty, and for names that are missing or stand twice.
    """
    if len(raw) > _MOST_BYTES:
        raise Invalid(f"has more than {_MOST_BYTES} bytes", where=where)
    try:
        lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError:
        raise Invalid("is not CSV in UTF-8", where=where) from None
    except csv.Error as error:
        raise Invalid(f"is not CSV: {error}", where=where) from None
    if not lines or len(lines[0]) < 2:
        raise Invalid("has no header that names items", where=where, key="line 1")
    items = tuple(lines[0][1:])
    _check_names(items, "item", where)
    systems = []
    cells = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        if len(line) != len(items) + 1:
            raise Invalid(
                f"expected {len(items) + 1} cells, found {len(line)}",
                where=where,
                key=f"line {number}",
            )
        systems.append(line[0])
        cells.append(_row(line[1:], items, where, number))
    _check_names(systems, "system", where)
    named = models or {}
    return Responses(
        tuple(systems), tuple(named.get(one, one) for one in systems), items, tuple(cells)
    )


def _row(
    raw: Sequence[str], items: Sequence[str], where: str, number: int
) -> tuple[bool | None, ...]:
    found = []
    for name, cell in zip(items, raw, strict=True):
        if cell not in _CELLS:
            raise Invalid(
                f"expected 1, 0 or nothing, found {shown(cell)}",
                where=where,
                key=f"line {number}, item {shown(name)}",
            )
        found.append(_CELLS[cell])
    return tuple(found)


def _check_names(names: Sequence[str], what: str, where: str) -> None:
    if not names:
        raise Invalid(f"names no {what}", where=where)
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise Invalid(f"the {what} {shown(name)} stands {count} times", where=where)
    if any(not name.strip() for name in names):
        raise Invalid(f"has a {what} without a name", where=where)
