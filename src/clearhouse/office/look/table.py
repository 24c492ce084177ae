"""Tables as values, for ``{% table %}`` and ``{% comparison %}``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.proof.patch_verdict import Level

_SYMBOLS: Final = {Level.YES: "✓", Level.NO: "✗", Level.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; numbers stand at the right."""

    text: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell: text, or what a template tag made; ``url`` makes it a link."""

    text: object
    url: str = ""
    number: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names the row.  A cell is text, a number or a :class:`Cell`."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    empty: str = "Nothing to show."

    def __post_init__(self) -> None:
        if not self.caption.strip() or not self.columns:
            raise Invalid("a table needs a caption and a column")
        for place, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise Invalid(
                    f"{len(row)} cells for {len(self.columns)} columns", key=f"rows[{place}]"
                )

    @property
    def cells(self) -> tuple[tuple[Cell, ...], ...]:
        """Rows of cells that know their column."""
        return tuple(
            tuple(_placed(cell, column) for cell, column in zip(row, self.columns, strict=True))
            for row in self.rows
        )


def _placed(cell: object, column: Column) -> Cell:
    made = cell if isinstance(cell, Cell) else Cell("" if cell is None else cell)
    return Cell(made.text, made.url, column.number, column.text)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one level for one subject."""

    level: Level
    subject: str

    @property
    def symbol(self) -> str:
        """Tells the three apart without colour; the word stands beside it."""
        return _SYMBOLS[self.level]

    @property
    def word(self) -> str:
        """The answer as a word."""
        return self.level.value.capitalize()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Subjects side by side: for each level what is known of each."""

    caption: str
    subjects: tuple[str, ...]
    levels: tuple[tuple[str, tuple[Level, ...]], ...]

    def __post_init__(self) -> None:
        if not self.caption.strip() or not self.subjects:
            raise Invalid("a comparison needs a caption and something to compare")
        for name, answers in self.levels:
            if len(answers) != len(self.subjects):
                raise Invalid(f"{len(answers)} answers for {len(self.subjects)} subjects", key=name)

    @property
    def rows(self) -> tuple[tuple[str, tuple[Answer, ...]], ...]:
        """The level's name and the answers in the order of the subjects."""
        return tuple(
            (name, tuple(map(Answer, answers, self.subjects))) for name, answers in self.levels
        )
