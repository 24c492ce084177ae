"""The stand-in for a model: it looks, writes the answer piece by piece, and submits it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.benchmark import stand_in
from clearhouse.benchmark.stand_in import AnswerKey, Call, completion
from clearhouse.errors import Invalid


class Known(AnswerKey):
    """Answers by the digests of files, without items."""

    def __init__(self, answers: Mapping[frozenset[str], bytes]) -> None:
        self._answers = dict(answers)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


FILES = {"harness.py": b"import target", "controls/benign": b"ok"}
LISTING = "\n".join(f"{digest(data)}  {name}" for name, data in FILES.items())


def key(answer: bytes) -> Known:
    return Known({frozenset(digest(data) for data in FILES.values()): answer})


def talk(holder: AnswerKey, listing: str = LISTING) -> Iterator[Call]:
    """A conversation to its end: each call is answered, the first with the listing."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Find one input."}]
    while True:
        call = holder.next_call(messages)
        yield call
        if call.tool in ("submit", "give_up"):
            return
        messages.append({"role": "assistant", "tool_calls": []})
        messages.append({"role": "tool", "content": listing if len(messages) == 2 else ""})


def written(calls: list[Call]) -> bytes:
    """What the commands in the middle leave at the answer's place."""
    found = b""
    for call in calls[1:-1]:
        command = call.arguments["command"]
        piece = base64.b64decode(command.splitlines()[1])
        found = found + piece if ">>" in command.splitlines()[0] else piece
    return found


@given(st.binary(max_size=2000) | st.integers(40_000, 200_000).map(lambda n: bytes(n)))
def test_what_it_writes_is_the_answer_byte_for_byte(answer: bytes) -> None:
    calls = list(talk(key(answer)))
    assert calls[0].tool == "shell"
    assert calls[-1] == Call("submit", {"path": "/work/answer"})
    assert written(calls) == answer


def test_a_task_that_it_does_not_know_it_gives_up() -> None:
    assert list(talk(key(b"x"), "no such file"))[-1].tool == "give_up"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_no_conversation_breaks_it(messages: Any) -> None:
    try:
        found = completion(key(b"x"), {"messages": messages}, number=1, created=0)
    except Invalid:
        return
    json.dumps(found)


def test_an_answer_is_a_completion_with_one_call_and_its_tokens() -> None:
    found = completion(
        key(b"x"), {"messages": [{"role": "user", "content": "a"}]}, number=7, created=5
    )
    [choice] = found["choices"]
    [call] = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"])["command"].startswith("cd /work/task")
    usage = found["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert found["model"] == stand_in.MODEL


@pytest.mark.parametrize("request_", [{}, {"messages": None}, {"messages": [1]}])
def test_what_is_no_conversation_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        completion(key(b"x"), request_, number=1, created=0)
