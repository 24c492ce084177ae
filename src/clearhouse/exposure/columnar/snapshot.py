"""Questions to one state of a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from clearhouse.errors import Conflict, Unavailable
from clearhouse.exposure.columnar import join, layout
from clearhouse.exposure.columnar.engine import within_memory
from clearhouse.exposure.columnar.manifest import File, Folder, Manifest
from clearhouse.exposure.columnar.rows import EDITIONS, named
from clearhouse.exposure.matching import Answer, Component, Decision, Vulnerabilities
from clearhouse.exposure.vulnerabilities import Vulnerability

#: Into how many spans of dimensions a question is cut at most; one package is one span.
_MOST_SPANS: Final = 16
_BATCH: Final = 10_000
_ANSWERS: Final = {join.AFFECTED: Answer.AFFECTED, join.UNDECIDED: Answer.UNDECIDED}


@dataclass(frozen=True, slots=True)
class Row:
    """A holder, a component it has, and what is known of it."""

    holder: int
    component: Component
    decision: Decision


@dataclass(frozen=True, slots=True)
class Exposure:
    """A component of a holder, a flaw that touches it, and what is known of the two."""

    component: Component
    flaw: str
    """The most common of its names."""
    answer: Answer


@dataclass(frozen=True, slots=True)
class Touched:
    """Who has what one vulnerability is about; a row is made when it is looked at.

    A component that stands twice in an inventory is two rows.
    """

    components: Sequence[Component]
    decisions: Sequence[Decision]
    """Of each component: what is known of it, and what says so."""
    holders: npt.NDArray[np.int64]
    """Of each row."""
    which: npt.NDArray[np.int32]
    """Of each row, its place in ``components``."""

    def __len__(self) -> int:
        return len(self.holders)

    def __iter__(self) -> Iterator[Row]:
        for holder, place in zip(self.holders.tolist(), self.which.tolist(), strict=True):
            yield Row(holder, self.components[place], self.decisions[place])

    def holders_with(self, answer: Answer) -> npt.NDArray[np.int64]:
        """The holders of a component with ``answer``, each once, in order."""
        chosen = np.array([one.answer is answer for one in self.decisions], dtype=bool)
        return np.unique(self.holders[chosen[self.which]])


class Snapshot:
    """One state; what is written meanwhile does not change its answers."""

    def __init__(
        self, folder: Folder, manifest: Manifest, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._sql = connection

    def holders_of(self, *records: Vulnerability) -> Touched:
        """Who has a component that a flaw touches, or may touch; ``records`` are what it is.

        They need not be in the store, and nothing about them is written: under an embargo a file
        that names a package, or a key made for it, would tell.  Raises Conflict where they are
        about several flaws.
        """
        known = Vulnerabilities(records)
        decided: dict[int, tuple[Component, Decision]] = {}
        with within_memory():
            listed = self._sql.execute(self._dimensions_of(records)).fetchall()
        for dimension, *identity in listed:
            matches = known.matches(component := _component(*identity))
            if len(matches) > 1:
                raise Conflict("the records are about several flaws; ask for each")
            if matches:
                decided[dimension] = (component, matches[0].decision)
        return self._touched(decided)

    def of_holder(self, holder: int) -> list[Exposure]:
        """Every flaw that touches, or may touch, a component of ``holder``, by component."""
        self._check_editions()
        rows = self.source("stored_facts")
        tables = {
            "stored_facts": f"SELECT * FROM ({rows}) WHERE holder = {int(holder)}",
            **self.sources("replaced", "hits", "records", "dimensions"),
            "facts": join.FACTS,
            "had": "SELECT DISTINCT dimension FROM facts",
            "flaw_hits": join.FLAW_HITS,
            "flaws": "SELECT DISTINCT flaw, flaw_name FROM records WHERE flaw IS NOT NULL",
        }
        query = (
            "SELECT d.ecosystem, d.name, d.version, d.lacks_epoch, r.flaw_name, h.answer "
            "FROM had f JOIN flaw_hits h USING (dimension) JOIN dimensions d USING (dimension) "
            "JOIN flaws r USING (flaw) ORDER BY ALL"
        )
        with within_memory():
            found = self._sql.execute(join.with_tables(query, tables))
            return [
                Exposure(_component(*identity), flaw, _ANSWERS[answer])
                for *identity, flaw, answer in found.fetchall()
            ]

    def pairs(self) -> Iterator[tuple[int, str, Answer]]:
        """Each holder and each flaw that touches it, once; made by a full pass."""
        self._check_editions()
        tables = self.sources("stored_facts", "replaced", "hits", "records")
        query = (
            f"SELECT p.holder, r.flaw_name, p.answer FROM ({join.pairs(tables)}) p JOIN "
            f"(SELECT DISTINCT flaw, flaw_name FROM ({tables['records']})) r USING (flaw)"
        )
        with within_memory(), self._sql.cursor() as own:
            found = own.execute(query)
            while rows := found.fetchmany(_BATCH):
                for holder, flaw, answer in rows:
                    yield holder, flaw, _ANSWERS[answer]

    def source(self, table: str) -> str:
        """A query in DuckDB's words that reads ``table`` of this state."""
        return layout.source(table, self.files(table))

    def sources(self, *tables: str) -> dict[str, str]:
        """Queries that read ``tables``, by their names."""
        return {table: self.source(table) for table in tables}

    def files(self, table: str) -> list[Path]:
        """The files of ``table``, for another engine; they stay while the snapshot is open."""
        return [self._folder.path / one.name for one in self._manifest.of(table)]

    def _dimensions_of(self, records: Iterable[Vulnerability]) -> str:
        """A query for the components whose packages have the names that ``records`` name."""
        names = sorted({entry.name for one in records for entry in named(one)})
        spelt = ", ".join(map(layout.literal, names)) or "NULL"
        return (
            "SELECT dimension, ecosystem, name, version, lacks_epoch "
            f"FROM ({self.source('dimensions')}) WHERE package_name IN ({spelt}) ORDER BY dimension"
        )

    def _check_editions(self) -> None:
        check_editions(self._manifest)

    def _touched(self, decided: Mapping[int, tuple[Component, Decision]]) -> Touched:
        numbers = np.fromiter(decided, dtype=np.int32, count=len(decided))
        places = np.arange(len(numbers), dtype=np.int32)
        self._sql.register("handed", {"dimension": numbers, "place": places})
        self._sql.execute("CREATE OR REPLACE TEMP TABLE wanted AS FROM handed")
        self._sql.unregister("handed")
        with within_memory():
            rows = self._sql.execute(self._holders(numbers)).fetchnumpy()
        return Touched(
            [component for component, _ in decided.values()],
            [decision for _, decision in decided.values()],
            rows["holder"],
            rows["place"],
        )

    def _holders(self, numbers: npt.NDArray[np.int32]) -> str:
        """A query for the facts about ``wanted``; files and parts of them are left out by range."""
        parts = [
            f"SELECT holder, dimension, segment FROM ({self._source_of(file)}) "
            f"WHERE dimension BETWEEN {low} AND {high}"
            for file in self._manifest.of("stored_facts")
            for low, high in spans(numbers[(numbers >= file.low) & (numbers <= file.high)])
        ]
        tables = {"stored_facts": " UNION ALL ".join(parts) or layout.source("stored_facts", [])}
        if self._manifest.of("replaced"):
            tables |= {"replaced": self.source("replaced"), "facts": join.FACTS}
        facts = "facts" if "facts" in tables else "stored_facts"
        return join.with_tables(
            f"SELECT holder, place FROM {facts} JOIN wanted USING (dimension)", tables
        )

    def _source_of(self, file: File) -> str:
        return layout.source("stored_facts", [self._folder.path / file.name])


def check_editions(manifest: Manifest) -> None:
    """Raise Unavailable where stored keys are by other editions of the orders than ours."""
    if manifest.of("records") and dict(manifest.editions) != dict(EDITIONS):
        raise Unavailable(
            "the stored keys are by another edition of the orders of versions; "
            "load the vulnerabilities again, inventories stay"
        )


def spans(numbers: npt.NDArray[np.int32]) -> list[tuple[int, int]]:
    """Few spans that hold all of ``numbers``, which are sorted, cut where the gaps are widest."""
    if not len(numbers):
        return []
    cuts = np.sort(np.argsort(np.diff(numbers), kind="stable")[-(_MOST_SPANS - 1) :]) + 1
    gaps = [cut for cut in cuts.tolist() if numbers[cut] - numbers[cut - 1] > 1]
    edges = [0, *gaps, len(numbers)]
    return [(int(numbers[start]), int(numbers[end - 1])) for start, end in pairwise(edges)]


def _component(ecosystem: str, name: str, version: str, lacks_epoch: int) -> Component:
    return Component(ecosystem, name, version, lacks_epoch=bool(lacks_epoch))
