"""Increments put together, so that a question reads few files."""

from __future__ import annotations

from typing import Final

from clearhouse.exposure.columnar import join
from clearhouse.exposure.columnar.advisories import SAID
from clearhouse.exposure.columnar.engine import row
from clearhouse.exposure.columnar.inventories import ORDER, make_normal_names
from clearhouse.exposure.columnar.layout import TABLES
from clearhouse.exposure.columnar.writing import Draft

#: Files of a table before those behind the first are put together.
MOST_FILES: Final = 16
#: Rows behind the first file before all are put together: a quarter of it, and this many.
_MANY_ROWS: Final = 1_000_000


def merge(draft: Draft) -> None:
    """Put increments together where they have become many; all of it where they are large."""
    sizes = [one.rows for one in draft.files("stored_facts")]
    if sum(sizes[1:]) > sum(sizes[:1]) // 4 + _MANY_ROWS:
        compact(draft)
        return
    for table in TABLES:
        if len(draft.files(table)) > MOST_FILES:
            query = f"SELECT * FROM ({draft.source_of(table, draft.files(table)[1:])})"
            if table == "stored_facts":
                # What a later increment replaced goes; that something was replaced stays.
                tables = {table: query, "replaced": draft.source("replaced")}
                live = join.FACTS.replace("f.dimension", "f.dimension, f.segment", 1)
                query = join.with_tables(live, tables)
            elif table == "replaced":
                query = f"SELECT holder, max(segment) AS segment FROM ({query}) GROUP BY holder"
            ordered = " ORDER BY dimension" if "dimension" in TABLES[table] else ""
            draft.replace_since(table, 1, query + ordered)


def compact(draft: Draft) -> None:
    """Write all tables as if everything had come at once.

    1. Dimensions that a holder has, numbered anew in their order.  2. The facts that count.
    3. Candidates and hits under the new numbers.  4. Of records those that count.
    """
    facts = join.with_tables(join.FACTS, draft.sources("stored_facts", "replaced"))
    # 1
    draft.sql.execute(
        f"CREATE OR REPLACE TEMP TABLE held AS SELECT * FROM ({draft.source('dimensions')}) "
        f"SEMI JOIN (SELECT DISTINCT dimension FROM ({facts})) USING (dimension)"
    )
    make_normal_names(draft, "held")
    draft.sql.execute(
        "CREATE OR REPLACE TEMP TABLE renumbered AS SELECT h.dimension, "
        f"CAST(row_number() OVER ({ORDER}) - 1 AS INTEGER) AS number FROM held h JOIN "
        "(SELECT ecosystem, name, named FROM normal_names) USING (ecosystem, name)"
    )
    anew = "(SELECT * REPLACE (number AS dimension) FROM ({}) JOIN renumbered USING (dimension))"
    draft.start_over("dimension", "segment")
    draft.use("dimension", row(draft.sql, "SELECT count(*) FROM renumbered")[0])
    segment = draft.use("segment", 1)
    # 2
    draft.replace(
        "stored_facts",
        f"SELECT holder, dimension, CAST({segment} AS INTEGER) AS segment "
        f"FROM {anew.format(facts)} ORDER BY dimension",
    )
    draft.clear("replaced")
    # 3
    live = f"SELECT record FROM ({draft.source('records')}) WHERE withdrawn = 0"
    for table in ("dimensions", "candidates", "hits"):
        counts = f" WHERE record IN ({live})" if table == "hits" else ""
        columns = ", ".join(TABLES[table])
        draft.replace(
            table,
            f"SELECT {columns} FROM {anew.format(draft.source(table))}{counts} ORDER BY dimension",
        )
    # 4
    for table in SAID:
        draft.replace(table, f"SELECT * FROM ({draft.source(table)}) WHERE record IN ({live})")
    draft.replace("packages", draft.source("packages"))
