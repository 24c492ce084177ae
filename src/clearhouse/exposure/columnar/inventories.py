"""Inventories into a draft: what is new gets a number, all of it becomes facts."""

from __future__ import annotations

from clearhouse.exposure.columnar.engine import make, row
from clearhouse.exposure.columnar.layout import NAMES
from clearhouse.exposure.columnar.rows import packages_of
from clearhouse.exposure.columnar.writing import Draft, hits, make_candidates

INCOMING = {
    "holder": "BIGINT", "ecosystem": "VARCHAR", "name": "VARCHAR", "version": "VARCHAR",
    "lacks_epoch": "TINYINT",
}  # fmt: skip
_IDENTITY = "ecosystem, name, version, lacks_epoch"
#: Dimensions in order: packages that a vulnerability names first, and each package together.
ORDER = "ORDER BY named DESC, base, package_name, whole, version, lacks_epoch, ecosystem, name"


def add(draft: Draft, incoming: str, holders: str) -> None:
    """Put the rows of ``incoming`` in place of what ``holders`` had; both are queries.

    1. Which components are new; those of packages that a vulnerability names come first, and those
    of one package together, so that a question about one reads few rows.  2. The facts, in the
    order of their dimensions.  3. What they replace.  4. What touches the new components.
    """
    segment = draft.use("segment", 1)
    # 1
    _make_new_dimensions(draft, incoming)
    draft.add("dimensions", "SELECT * FROM new_dimensions ORDER BY dimension")
    # 2
    before = bool(draft.files("stored_facts"))
    draft.add(
        "stored_facts",
        f"SELECT i.holder, d.dimension, CAST({segment} AS INTEGER) AS segment "
        f"FROM ({incoming}) i JOIN ({draft.source('dimensions')}) d USING ({_IDENTITY}) "
        "ORDER BY d.dimension",
    )
    # 3
    if before:
        draft.add(
            "replaced",
            f"SELECT DISTINCT holder, CAST({segment} AS INTEGER) AS segment FROM ({holders})",
        )
    # 4
    if draft.is_stale:
        return  # nothing is asked before the vulnerabilities were loaded again
    make_candidates(draft.sql, "SELECT * FROM new_dimensions", draft.source("packages"))
    draft.add("candidates", "SELECT * FROM new_candidates ORDER BY dimension")
    said = draft.sources("entries", "intervals", "listed", "spellings")
    draft.add("hits", hits({"candidates": "SELECT * FROM new_candidates", **said}))


def _make_new_dimensions(draft: Draft, incoming: str) -> None:
    """Make the temporary table ``new_dimensions``, numbered."""
    draft.sql.execute(
        f"CREATE OR REPLACE TEMP TABLE unknown AS SELECT DISTINCT {_IDENTITY} FROM ({incoming}) i "
        f"ANTI JOIN ({draft.source('dimensions')}) d USING ({_IDENTITY})"
    )
    make_normal_names(draft, "unknown")
    first = draft.use("dimension", row(draft.sql, "SELECT count(*) FROM unknown")[0])
    draft.sql.execute(
        "CREATE OR REPLACE TEMP TABLE new_dimensions AS "
        f"SELECT CAST({first} - 1 + row_number() OVER ({ORDER}) AS INTEGER) AS dimension, "
        f"{_IDENTITY}, whole, base, package_name "
        "FROM unknown JOIN normal_names USING (ecosystem, name)"
    )


def make_normal_names(draft: Draft, components: str) -> None:
    """Make the temporary table ``normal_names`` of the packages in the table ``components``."""
    spelt = draft.sql.execute(f"SELECT DISTINCT ecosystem, name FROM {components}").fetchall()
    rows = [(ecosystem, name, *packages_of(ecosystem, name)) for ecosystem, name in spelt]
    make(draft.sql, "spelt_names", NAMES, rows)
    draft.sql.execute(
        "CREATE OR REPLACE TEMP TABLE normal_names AS "
        f"WITH p AS ({draft.source('packages')}) SELECT n.*, "
        "(EXISTS (FROM p WHERE p.package_name = n.package_name AND p.ecosystem = n.whole) OR "
        "EXISTS (FROM p WHERE p.package_name = n.package_name AND p.ecosystem = n.base)) AS named "
        "FROM spelt_names n"
    )
