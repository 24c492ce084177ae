"""A store of inventories and vulnerabilities in a folder, for any number of processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.exposure.columnar import advisories, inventories, join, layout
from clearhouse.exposure.columnar.compaction import compact, merge
from clearhouse.exposure.columnar.engine import MEMORY, check_rows, connect, copy, make
from clearhouse.exposure.columnar.manifest import SPILL, Folder
from clearhouse.exposure.columnar.rows import is_unicode
from clearhouse.exposure.columnar.snapshot import Snapshot, check_editions
from clearhouse.exposure.columnar.writing import Draft
from clearhouse.exposure.matching import Component
from clearhouse.exposure.vulnerabilities import Vulnerability

_LONGEST: Final = 4096
_LEAST, _GREATEST = -(2**63), 2**63 - 1


class Store:
    """A store; made in ``folder`` when something is first written.

    Any number of threads and processes may read while one writes; a second writer waits.  A write
    counts whole or not at all, whatever ends its process.
    """

    def __init__(self, folder: Path, memory: str = MEMORY) -> None:
        self._folder = Folder(folder)
        self._memory = memory
        self._reader = connect(memory)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The state that counts, for questions; it does not change until the block ends."""
        with self._folder.reading() as manifest, self._reader.cursor() as cursor:
            yield Snapshot(self._folder, manifest, cursor)

    def put(self, holder: int, components: Iterable[Component]) -> None:
        """Put ``components`` in place of what ``holder`` had.

        Raises Invalid where one of them is no valid Unicode or longer than 4,096 characters.
        """
        self.put_all([(holder, components)])

    def put_all(self, held: Iterable[tuple[int, Iterable[Component]]]) -> None:
        """The same for several holders, in one write."""
        holders = []
        rows = []
        for holder, components in held:
            if not _LEAST <= holder <= _GREATEST:
                raise Invalid("expected a holder's number that fits into 64 bits")
            holders.append((holder,))
            rows += [(holder, *_identity(one)) for one in components]
        with self._writing() as draft:
            make(draft.sql, "incoming", inventories.INCOMING, rows)
            make(draft.sql, "holders", {"holder": "BIGINT"}, holders)
            inventories.add(draft, "SELECT * FROM incoming", "SELECT * FROM holders")

    def put_rows(self, files: Iterable[Path]) -> None:
        """Put the rows of Parquet files in place of what their holders had.

        Columns: ``holder`` (an integer), ``ecosystem``, ``name``, ``version`` (texts).  Raises
        Invalid where a column is missing or a row has no holder.
        """
        rows = list(files)
        incoming = layout.incoming(rows)
        with self._writing() as draft:
            check_rows(draft.sql, rows)
            inventories.add(draft, incoming, f"SELECT holder FROM ({incoming})")

    def remove(self, holder: int) -> None:
        """Forget what ``holder`` had."""
        self.put(holder, ())

    def load(self, vulnerabilities: Iterable[Vulnerability]) -> None:
        """Put ``vulnerabilities`` in place of all that were there.

        Of several of one identifier the one that was modified last counts.
        """
        with self._writing() as draft:
            advisories.replace(draft, vulnerabilities)

    def update(self, vulnerability: Vulnerability) -> None:
        """Take in one vulnerability that was added, changed or withdrawn."""
        with self._writing() as draft:
            check_editions(draft.manifest())
            advisories.update(draft, vulnerability)

    def rematch(self, into: Path) -> int:
        """Match everything anew; write and count each holder and each flaw that touches it, once.

        ``into`` is a folder: ``pairs.parquet`` (holder, flaw, answer: 2 affected, 1 undecided) and
        ``flaws.parquet`` (flaw, flaw_name).
        """
        into.mkdir(parents=True, exist_ok=True)
        with self._writing() as draft:
            check_editions(draft.manifest())
            advisories.rematch(draft)
            tables = draft.sources("stored_facts", "replaced", "hits", "records")
            flaws = "SELECT DISTINCT flaw, flaw_name FROM records WHERE flaw IS NOT NULL"
            copy(draft.sql, join.with_tables(flaws, tables), into / "flaws.parquet")
            return copy(draft.sql, join.pairs(tables), into / "pairs.parquet")

    def compact(self) -> None:
        """Write everything as if it had come at once."""
        with self._writing() as draft:
            compact(draft)

    @contextmanager
    def _writing(self) -> Iterator[Draft]:
        with self._folder.writing() as manifest:
            spill = self._folder.path / SPILL
            with connect(self._memory, spill) as connection:
                draft = Draft(self._folder, manifest, connection)
                yield draft
                merge(draft)
                self._folder.swap(draft.manifest())


def _identity(one: Component) -> tuple[str, str, str, int]:
    texts = (one.ecosystem, one.name, one.version)
    if not all(len(text) <= _LONGEST and is_unicode(text) for text in texts):
        raise Invalid(
            f"expected valid Unicode of at most {_LONGEST} characters in a component's ecosystem, "
            "name and version",
            where=one.file or None,
            key=one.place or None,
        )
    return *texts, int(one.lacks_epoch)
