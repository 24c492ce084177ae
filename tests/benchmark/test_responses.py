"""Response matrices: what is read, and what is refused with its place."""

from __future__ import annotations

import pytest

from clearhouse.benchmark.responses import read_responses
from clearhouse.errors import Invalid

RAW = b'alias,one,"two, quoted"\r\nA (2025),1,0\r\nB,,1\r\n'


def test_a_matrix_is_read_with_what_was_not_run() -> None:
    found = read_responses(RAW, "m.csv", models={"A (2025)": "a"})
    assert found.items == ("one", "two, quoted")
    assert found.models == ("a", "B")
    assert found.cells == ((True, False), (None, True))
    assert found.of("B") == {"two, quoted": True}


def test_a_model_is_held_out_with_all_its_rows() -> None:
    found = read_responses(RAW, "m.csv", models={"A (2025)": "b", "B": "b"})
    assert found.without_models(["b"]).systems == ()
    assert found.only_items(["one"]).cells == ((True,), (None,))


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "line 1"),
        (b"alias,one\nA,2\n", "m.csv: line 2, item 'one': expected 1, 0 or nothing, found '2'"),
        (b"alias,one\nA,1,1\n", "line 2: expected 2 cells, found 3"),
        (b"alias,one,one\nA,1,1\n", "the item 'one' stands 2 times"),
        (b"alias,one\nA,1\nA,1\n", "the system 'A' stands 2 times"),
        (b"alias,one\n", "names no system"),
        (b"alias, \nA,1\n", "without a name"),
        (b"alias,\xff\nA,1\n", "UTF-8"),
        (b'alias,"one\nA,1\n', "is not CSV"),
    ],
)
def test_what_is_no_matrix_is_refused_with_its_place(raw: bytes, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_responses(raw, "m.csv")
    assert place in str(refused.value)


def test_unknown_names_are_refused() -> None:
    found = read_responses(RAW, "m.csv")
    with pytest.raises(Invalid, match="no responses to the item 'x'"):
        found.only_items(["x"])
    with pytest.raises(Invalid, match="no responses of the system 'x'"):
        found.of("x")
