"""A store says what ``decide`` says, whatever was written in which order."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.errors import Conflict, Invalid, Unavailable
from clearhouse.exposure.columnar import compaction
from clearhouse.exposure.columnar import snapshot as snapshots
from clearhouse.exposure.columnar.engine import copy
from clearhouse.exposure.columnar.once import match_rows
from clearhouse.exposure.columnar.rows import EDITIONS
from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.matching import Answer, Component
from clearhouse.exposure.vulnerabilities import Vulnerability
from tests.exposure.columnar import fleets
from tests.exposure.columnar.fleets import expected, pairs_of, record, told, touched

HOLDERS = (1, 2, 2**40)


def python(version: str, name: str = "a") -> Component:
    return Component("PyPI", name, version)


def write(query: str, path: Path) -> None:
    with duckdb.connect() as sql:
        copy(sql, query, path)


_operations = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(HOLDERS), st.lists(fleets.components, max_size=4)),
    st.tuples(st.just("remove"), st.sampled_from(HOLDERS)),
    st.tuples(st.just("load"), st.lists(fleets.records, max_size=4)),
    st.tuples(st.just("update"), fleets.records),
    st.tuples(st.just("compact")),
)


def check(operations: list[tuple], folder: Path) -> None:  # type: ignore[type-arg] # of each kind
    """Do them to a store and to plain lists, and compare."""
    store = Store(folder / "store")
    held: dict[int, list[Component]] = {}
    known: dict[str, Vulnerability] = {}
    for operation, *rest in operations:
        if operation == "put":
            store.put(*rest)
            held[rest[0]] = rest[1]
        elif operation == "remove":
            store.remove(*rest)
            held.pop(rest[0], None)
        elif operation == "compact":
            store.compact()
        else:
            new = rest[0] if operation == "load" else rest
            if operation == "load":
                known = {}
                store.load(new)
            else:
                store.update(*new)
            for one in new:
                if one.id not in known or known[one.id].modified <= one.modified:
                    known[one.id] = one
    rows = expected(known.values(), held)
    assert told(store, HOLDERS) == rows
    with store.snapshot() as now:
        assert set(now.pairs()) == pairs_of(rows)
    many = store.rematch(folder / "pairs")
    assert told(store, HOLDERS) == rows
    assert many == len(pairs_of(rows))
    for one in known.values():
        alone = {row[:2] + row[3:] for row in expected([one], held)}
        assert touched(store, one) == alone


@pytest.mark.slow
@settings(max_examples=8)
@given(st.lists(_operations, max_size=6))
def test_after_any_writes_the_rows_are_those_of_a_store_built_anew(
    operations: list[tuple],  # type: ignore[type-arg]
) -> None:
    with TemporaryDirectory() as folder:
        check(operations, Path(folder))


@pytest.mark.exhaustive
@settings(max_examples=80)
@given(st.lists(_operations, min_size=2, max_size=10))
def test_after_many_writes_too(operations: list[tuple]) -> None:  # type: ignore[type-arg]
    with TemporaryDirectory() as folder:
        check(operations, Path(folder))


def test_many_increments_are_put_together(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.load([record("X-1")])
    held = {}
    for number in range(2 * compaction.MOST_FILES):
        held[number % 20] = [python(f"1.{number}"), python("1.0"), python("2", "b")]
        store.put(number % 20, held[number % 20])
    assert told(store, held) == expected([record("X-1")], held)
    with store.snapshot() as now:
        assert len(now.files("stored_facts")) <= compaction.MOST_FILES + 1
    store.compact()
    assert told(store, held) == expected([record("X-1")], held)
    with store.snapshot() as now:
        assert len(now.files("stored_facts")) == 1


def test_rows_of_a_file_are_taken_as_if_they_were_put(tmp_path: Path) -> None:
    rows = tmp_path / "rows.parquet"
    write(
        "SELECT * FROM (VALUES (1, 'PyPI', 'A', '1.0'), (1, 'PyPI', 'a', NULL), "
        "(2, 'npm', 'a', '1.0'), (2, 'PyPI', 'b', '3')) AS t(holder, ecosystem, name, version)",
        rows,
    )
    known = [record("X-1"), record("X-2", "b", events=[{"introduced": "3"}])]
    held = {
        1: [python("1.0", "A"), python("")],
        2: [Component("npm", "a", "1.0"), python("3", "b")],
    }
    store = Store(tmp_path / "store")
    store.put(1, [python("1.9")])
    store.load(known)
    store.put_rows([rows])
    wanted = expected(known, held)
    assert told(store, held) == wanted
    assert match_rows([rows], known, tmp_path / "once") == len(pairs_of(wanted)) == 2
    written = duckdb.execute(
        f"SELECT holder, flaw_name, answer FROM '{tmp_path}/once/pairs.parquet' "
        f"JOIN '{tmp_path}/once/flaws.parquet' USING (flaw)"
    ).fetchall()
    assert set(written) == {(1, "X-1", 2), (2, "X-2", 2)}


def test_rows_without_holder_or_column_are_refused_and_change_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for number, columns in enumerate(
        (
            "1 AS holder, 'x' AS name",
            "NULL AS holder, 'PyPI' AS ecosystem, 'a' AS name, '1' AS version",
        )
    ):
        rows = tmp_path / f"{number}.parquet"
        write(f"SELECT {columns}", rows)
        with pytest.raises(Invalid):
            store.put_rows([rows])
    (tmp_path / "no.parquet").write_bytes(b"PAR1")
    with pytest.raises(Invalid):
        store.put_rows([tmp_path / "no.parquet"])
    with store.snapshot() as now:
        assert not now.files("stored_facts")


def test_an_embargoed_vulnerability_leaves_no_trace_on_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.load([record("X-1")])
    store.put(1, [python("1.0", "secret-package"), python("1.0")])

    def everything() -> dict[str, tuple[bytes, int]]:
        return {
            str(one): (one.read_bytes(), one.stat().st_mtime_ns)
            for one in tmp_path.rglob("*")
            if one.is_file()
        }

    before = everything()
    embargoed = record("X-9", "secret-package")
    assert touched(store, embargoed) == {(1, python("1.0", "secret-package"), Answer.AFFECTED)}
    assert everything() == before
    with store.snapshot() as now:
        (row,) = now.holders_of(embargoed)
        assert row.decision.because == "any version, before 2.0"
        assert row.decision.fixed == "2.0"
        assert list(now.holders_of(embargoed).holders_with(Answer.AFFECTED)) == [1]
        assert list(now.holders_of(embargoed).holders_with(Answer.UNDECIDED)) == []


@pytest.mark.exhaustive
def test_what_does_not_fit_into_memory_is_said_and_never_spilled(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.put(1, [python(f"1.{number}") for number in range(200_000)])
    small = Store(tmp_path / "store", memory="2MB")
    with small.snapshot() as now, pytest.raises(Unavailable, match="memory"):
        now.holders_of(record("X-9"))


def test_records_of_one_flaw_are_asked_together_and_of_two_apart(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.put(1, [python("1.0")])
    one, other = record("X-1", aliases=["CVE-1"]), record("X-2", aliases=["CVE-1"])
    assert len(touched(store, one, other)) == 1
    with store.snapshot() as now, pytest.raises(Conflict):
        now.holders_of(one, record("X-3"))


def test_a_snapshot_stays_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.load([record("X-1")])
    store.put(1, [python("1.0")])
    with store.snapshot() as then:
        Store(tmp_path / "store").put(1, [])
        Store(tmp_path / "store").compact()
        assert len(then.of_holder(1)) == 1
    with store.snapshot() as now:
        assert now.of_holder(1) == []
    store.put(2, [])
    assert len(list((tmp_path / "store").glob("state-*.json"))) == 1


def test_keys_of_another_edition_of_the_orders_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    store.load([record("X-1")])
    store.put(1, [python("1.0")])
    newer = {**EDITIONS, "PyPI": "pep440/2"}
    for module in ("snapshot", "writing"):
        monkeypatch.setattr(f"clearhouse.exposure.columnar.{module}.EDITIONS", newer)
    with store.snapshot() as now, pytest.raises(Unavailable, match="load the vulnerabilities"):
        now.of_holder(1)
    with pytest.raises(Unavailable):
        store.update(record("X-2"))
    assert len(touched(store, record("X-1"))) == 1
    store.put(2, [python("1.1")])
    store.load([record("X-1")])
    assert {row[0] for row in told(store, (1, 2))} == {1, 2}


@pytest.mark.parametrize("name", ["\ud800", "x" * 5000])
def test_a_component_that_cannot_be_stored_is_refused_with_its_place(
    tmp_path: Path, name: str
) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(Invalid) as caught:
        store.put(1, [Component("PyPI", name, "1", file="sbom.json", place="components[3]")])
    assert (caught.value.where, caught.value.key) == ("sbom.json", "components[3]")
    with pytest.raises(Invalid):
        store.put(2**63, [])


def test_spans_hold_every_number_and_few_others() -> None:
    numbers = np.array([3, 4, 5, 90, 91, 1000], dtype=np.int32)
    assert snapshots.spans(numbers) == [(3, 5), (90, 91), (1000, 1000)]
    assert snapshots.spans(numbers[:0]) == []
    scattered = np.arange(0, 1000, 10, dtype=np.int32)
    found = snapshots.spans(scattered)
    assert len(found) <= 16
    assert all(any(low <= one <= high for low, high in found) for one in scattered.tolist())
