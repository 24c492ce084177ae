"""The same text of the join gives the same rows on DuckDB and on two workers of Spark."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from clearhouse.exposure.columnar import join, layout
from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.matching import Component
from clearhouse.exposure.vulnerabilities import read
from tests.exposure.advisories import records
from tests.exposure.columnar.test_join import TAILS, beside

ROOT = Path(__file__).parents[3]
STORED = (*join.COLUMNS, "stored_facts", "replaced", "records")


def python_with_spark() -> str:
    """A Python that has Spark; the test is skipped where it or Java is missing."""
    named = os.environ.get("CLEARHOUSE_SPARK")
    python = ROOT / (named or "build/spark/bin/python")
    if not python.is_file():
        assert named is None, f"CLEARHOUSE_SPARK names {named}, which is not there"
        pytest.skip("no Spark: make test-spark gets it")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no Java, which Spark needs: install openjdk-17-jre-headless")
    return str(python)


@pytest.mark.slow
def test_the_join_gives_identical_rows_on_spark(tmp_path: Path) -> None:
    python = python_with_spark()
    store = Store(tmp_path / "store")
    known = [read(one, "pypi") for name in ("pypi", "almalinux") for one in records(name)]
    known = known[::25]
    held = beside(known, ("", *TAILS["pypi"][1:3], "~1"))
    store.load(known)
    store.put_all(held.items())
    store.put(2, held[2][::2])
    store.put(3, [Component("PyPI", "invented", "1"), *held[1][::7]])
    store.remove(4)
    with store.snapshot() as now:
        tables = {name: (now.files(name), dict(layout.TABLES[name])) for name in STORED}
        as_text = {name: join.hexed(name, f"SELECT * FROM {name}") for name in join.COLUMNS}
        # Keys as text under the names of the tables, so that the text of the join stays as it is.
        queries = [join.HITS, join.pairs({"hits": join.HITS}), join.with_tables(join.HITS, as_text)]
        plan = {
            "tables": {
                name: (list(map(str, files)), kinds) for name, (files, kinds) in tables.items()
            },
            "queries": queries,
        }
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        job = Path(__file__).with_name("spark_rows.py")
        done = subprocess.run(
            [python, str(job), str(tmp_path / "plan.json"), str(tmp_path / "rows.json")],
            capture_output=True,
            text=True,
            timeout=600,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        with duckdb.connect() as sql:
            for name in STORED:
                sql.execute(f"CREATE VIEW {name} AS {now.source(name)}")
            ours = [sorted(map(list, sql.execute(query).fetchall())) for query in queries]
    theirs = json.loads((tmp_path / "rows.json").read_text())
    assert theirs["workers"] == 2
    for one, other in zip(ours, theirs["rows"], strict=True):
        assert len(one) > 100
        assert one == other
