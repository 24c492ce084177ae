"""The join, as SQL text that says the same on every engine: DuckDB, Spark, or another.

What it means is ``decide`` of ``exposure.matching``, clause by clause, over tables of ``layout``.
It needs of an engine: equal joins, ``<=`` and ``<`` over keys, ``UNION ALL``, ``GROUP BY``.  Keys
compare as unsigned bytes.  On an engine whose binary type does not, hand it ``hexed`` tables: lower
case hexadecimal text compares as its bytes do wherever text is compared by code point.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

UNDECIDED: Final = 1
AFFECTED: Final = 2

#: What each vulnerability says of each component: of several answers the greater one counts.
HITS: Final = f"""
SELECT dimension, record, max(answer) AS answer FROM (
    -- 1: every version is affected
    SELECT c.dimension, e.record, {AFFECTED} AS answer
    FROM candidates c JOIN entries e ON e.package = c.package
    WHERE e.every = 1
  UNION ALL
    -- 2: inside an interval
    SELECT c.dimension, i.record, {AFFECTED}
    FROM candidates c JOIN intervals i
      ON i.package = c.package AND i.low <= c.version_key AND c.version_key < i.high
    WHERE c.lacks_epoch = 0 OR i.epochs = 0
  UNION ALL
    -- 3: listed, as it is spelt
    SELECT c.dimension, s.record, {AFFECTED}
    FROM candidates c JOIN spellings s ON s.package = c.package AND s.version = c.version
    WHERE c.version_key IS NULL OR c.lacks_epoch = 0 OR s.epochs = 0
  UNION ALL
    -- 3: listed, by its key
    SELECT c.dimension, l.record, {AFFECTED}
    FROM candidates c JOIN listed l ON l.package = c.package AND l.version_key = c.version_key
    WHERE c.lacks_epoch = 0 OR l.epochs = 0
  UNION ALL
    -- 2: no epoch beside bounds with one; 4: no version; 5: no key beside bounds
    SELECT c.dimension, e.record, {UNDECIDED}
    FROM candidates c JOIN entries e ON e.package = c.package
    WHERE (c.version = '' OR c.version_key IS NULL OR c.lacks_epoch = 1)
      AND (c.version = ''
        OR (c.version_key IS NULL AND e.bounded = 1)
        OR (c.version_key IS NOT NULL AND c.lacks_epoch = 1 AND e.epochs = 1))
  UNION ALL
    -- 6: part of what the record says cannot be drawn
    SELECT c.dimension, e.record, {UNDECIDED}
    FROM candidates c JOIN entries e ON e.package = c.package
    WHERE e.partial = 1
) AS said
GROUP BY dimension, record"""

#: The same by flaw, records of one joined; a withdrawn or superseded record has no flaw.
FLAW_HITS: Final = """
SELECT h.dimension, r.flaw, max(h.answer) AS answer
FROM hits h JOIN records r ON r.record = h.record
WHERE r.flaw IS NOT NULL
GROUP BY h.dimension, r.flaw"""

#: Rows of inventories that count: those of no inventory that a later segment replaced.
FACTS: Final = """
SELECT f.holder, f.dimension
FROM stored_facts f
LEFT JOIN (SELECT holder, max(segment) AS segment FROM replaced GROUP BY holder) r
  ON r.holder = f.holder AND r.segment > f.segment
WHERE r.holder IS NULL"""

#: Each holder and each flaw that touches it, once.
PAIRS: Final = """
SELECT f.holder, h.flaw, max(h.answer) AS answer
FROM facts f JOIN flaw_hits h ON h.dimension = f.dimension
GROUP BY f.holder, h.flaw"""

#: The tables that ``HITS`` reads, and their columns.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "candidates": ("dimension", "package", "version", "version_key", "lacks_epoch"),
    "entries": ("record", "package", "every", "bounded", "epochs", "partial"),
    "intervals": ("record", "package", "low", "high", "epochs"),
    "listed": ("record", "package", "version_key", "epochs"),
    "spellings": ("record", "package", "version", "epochs"),
}
#: Columns that are compared as bytes.
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "candidates": ("version_key",),
    "intervals": ("low", "high"),
    "listed": ("version_key",),
}


def pairs(tables: Mapping[str, str]) -> str:
    """``PAIRS`` over queries for ``stored_facts``, ``replaced``, ``hits`` and ``records``."""
    return with_tables(PAIRS, {**tables, "facts": FACTS, "flaw_hits": FLAW_HITS})


def with_tables(query: str, tables: Mapping[str, str]) -> str:
    """``query`` with each table that it names defined by a query of its own.

    Definitions are in order: a later one may name an earlier one.
    """
    defined = ", ".join(f"{name} AS ({text})" for name, text in tables.items())
    return f"WITH {defined} {query}" if defined else query


def hexed(table: str, source: str) -> str:
    """A query that gives ``source`` with the keys of ``table`` as lower case hexadecimal text."""
    columns = ", ".join(
        f"lower(hex({one})) AS {one}" if one in KEYS.get(table, ()) else one
        for one in COLUMNS[table]
    )
    return f"SELECT {columns} FROM ({source}) AS bytes"
