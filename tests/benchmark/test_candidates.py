"""Candidates: what a reader without any skill would try."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark.candidates import candidates
from clearhouse.proof.effects import Effect

INPUT = b"[__proto__]\npolluted=1"


def test_what_stands_in_quotes_or_in_a_block_or_on_a_line_is_tried() -> None:
    text = (
        b'Use "a quoted \\"one\\"" or `in ticks`.\n\n```ini\n[__proto__]\npolluted=1\n```\n'
        b"    indented\n    twice\nFor example: after a colon\n"
    )
    found = candidates({"description.txt": text}, Effect.BYPASS)
    for wanted in (
        b'a quoted "one"', b"in ticks", INPUT, INPUT + b"\n", b"indented\ntwice",
        b"after a colon", b"For example: after a colon",
    ):  # fmt: skip
        assert wanted in found


def test_a_quoted_text_is_tried_as_it_reads_when_decoded() -> None:
    for quoted in (repr(INPUT.decode()).encode(), b"'" + base64.b64encode(INPUT) + b"'"):
        assert INPUT in candidates({"harness.py": b"example = " + quoted}, Effect.BYPASS)


def test_lines_of_code_and_benign_inputs_are_not_tried() -> None:
    given = {"harness.py": b"import os\n", "controls/1.txt": b"benign\n", "try": b"'x'"}
    assert candidates(given, Effect.CRASH) == []


def test_a_short_text_is_also_tried_over_and_over_where_something_is_exhausted() -> None:
    given = {"description.txt": b'Many "[" nest.\n'}
    assert any(one.startswith(b"[[[[") for one in candidates(given, Effect.EXCEPTION))
    assert not any(one.startswith(b"[[[[") for one in candidates(given, Effect.EXECUTE))


@given(st.binary(max_size=400), st.integers(1, 40), st.sampled_from(Effect))
def test_there_are_never_more_than_asked_for_and_none_twice(
    text: bytes, most: int, effect: Effect
) -> None:
    found = candidates({"description.txt": text}, effect, most=most)
    assert len(found) <= most
    assert len(set(found)) == len(found)
    assert b"" not in found
