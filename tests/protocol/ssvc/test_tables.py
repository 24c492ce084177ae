"""The decision tables are the published ones, row by row."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from clearhouse.protocol.ssvc.table import Point, Table, decide
from clearhouse.protocol.ssvc.tables import BOD_26_04, TABLES

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "data" / "ssvc" / "decision_tables"
by_name = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.key)


def published(table: Table) -> tuple[dict[str, Any], list[dict[str, str]]]:
    if not PUBLISHED.is_dir():
        pytest.skip("the published decision tables are not on this machine")
    for path in PUBLISHED.glob("*.json"):
        found: dict[str, Any] = json.loads(path.read_text())
        if (found["key"], found["version"]) == (table.key, table.version):
            with path.with_suffix(".csv").open(newline="") as lines:
                return found, list(csv.DictReader(lines))
    raise AssertionError(f"{table.key} {table.version} is not among the published tables")


def test_every_published_table_is_there() -> None:
    if not PUBLISHED.is_dir():
        pytest.skip("the published decision tables are not on this machine")
    assert len(list(PUBLISHED.glob("*.json"))) == len(TABLES)


@by_name
def test_every_row_of_the_published_json_is_decided_alike(table: Table) -> None:
    found, _ = published(table)
    assert (found["namespace"], found["name"]) == (table.namespace, table.name)
    assert len(found["mapping"]) == len(table.rows)
    for row in found["mapping"]:
        known = {point.key: row[point.id] for point in table.inputs}
        assert decide(table, known) == {row[table.outcome.id]}


@by_name
def test_every_row_of_the_published_csv_is_decided_alike(table: Table) -> None:
    _, rows = published(table)
    assert len(rows) == len(table.rows)
    for row in rows:
        known = {point.key: key_of(point, row) for point in table.inputs}
        assert decide(table, known) == {key_of(table.outcome, row)}


def key_of(point: Point, row: dict[str, str]) -> str:
    """The key of the value that a row of the CSV names, in a column with the point's name."""
    source = "" if point.namespace == "ssvc" else f" ({point.namespace})"
    said = row[f"{point.name} v{point.version}{source}"]
    return next(key for key, name in point.values.items() if name.lower() == said)


@by_name
def test_points_have_the_published_keys_and_names_in_order(table: Table) -> None:
    found, _ = published(table)
    for point in (*table.inputs, table.outcome):
        theirs = found["decision_points"][point.id]
        assert theirs["name"] == point.name
        assert [(one["key"], one["name"]) for one in theirs["values"]] == list(point.values.items())


@by_name
def test_a_worse_answer_never_gives_a_lesser_outcome(table: Table) -> None:
    rank = {value: number for number, value in enumerate(table.outcome.values)}
    for row, outcome in table.rows.items():
        for place, point in enumerate(table.inputs):
            values = list(point.values)
            for worse in values[values.index(row[place]) + 1 :]:
                there = table.rows[(*row[:place], worse, *row[place + 1 :])]
                assert rank[there] >= rank[outcome]


def test_the_directives_deadlines() -> None:
    """CISA BOD 26-04: listed, exposed and automatable, each with partial and total impact."""
    expected = [
        "FSU",
        "FSU",
        "60D",
        "60D",
        "60D",
        "14D",
        "14D",
        "3D",
        "14D",
        "14D",
        "14D",
        "3DF",
        "14D",
        "3DF",
        "3D",
        "3DF",
    ]
    asked = product("NY", "NY", "NY", "PT")
    for (kev, exposed, automatable, impact), outcome in zip(asked, expected, strict=True):
        known = {"KEV": kev, "PE": exposed, "A": automatable, "TI": impact}
        assert decide(BOD_26_04, known) == {outcome}
