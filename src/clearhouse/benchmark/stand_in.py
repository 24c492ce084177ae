"""A model that is none and holds the answers: to rehearse a measurement with gateway and all.

It speaks as a model does, one tool call a turn: it looks at the files of its task, knows the item
by them, writes the reference input, and submits it.  What comes in is a conversation in the form of
OpenAI's chat completions; what goes out is the next message.  Pure.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.benchmark.items import ANSWER, Item, reference_input
from clearhouse.benchmark.prompts import TASK
from clearhouse.errors import Invalid

MODEL: Final = "stand-in"
#: The files of a task that are the same at every level of knowledge.
_LOOK: Final = f"cd {TASK} && sha256sum harness.* $(find controls -type f 2>/dev/null)"
#: Of base64 in one command, so that a large input takes several turns.
_PIECE: Final = 60_000
_DIGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, with its arguments."""

    tool: str
    arguments: Mapping[str, str]


class AnswerKey:
    """The reference inputs of some items, found by the files that an agent sees.

    Raises :class:`Invalid` for items that cannot be told apart by them.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._answers: dict[frozenset[str], bytes] = {}
        for item in items:
            seen = frozenset(
                hashlib.sha256(data).hexdigest()
                for name, data in item.given(0).items()
                if name.startswith(("harness.", "controls/"))
            )
            answer = reference_input(item)
            if self._answers.setdefault(seen, answer) != answer:
                raise Invalid(f"{item.name} looks like another item: leave one of them out")

    def answer(self, listing: str) -> bytes | None:
        """The input for a task whose files ``sha256sum`` listed so; None for one not known."""
        words = (line.split(maxsplit=1) for line in listing.splitlines())
        seen = frozenset(one[0] for one in words if one and len(one[0]) == _DIGEST)
        return self._answers.get(seen)

    def next_call(self, messages: Sequence[Mapping[str, Any]]) -> Call:
        """What it does next in a conversation.

        1. It looks.  2. It writes the input, piece by piece.  3. It submits, or gives up where it
        does not know the task.
        """
        results = [_text(one.get("content")) for one in messages if one.get("role") == "tool"]
        if not results:  # 1
            return Call("shell", {"command": _LOOK})
        found = self.answer(results[0])
        if found is None:
            return Call("give_up", {"reason": "I do not know this task."})
        encoded = base64.b64encode(found).decode()
        pieces = [encoded[at : at + _PIECE] for at in range(0, len(encoded), _PIECE)] or [""]
        written = len(results) - 1
        if written < len(pieces):  # 2
            mark = ">" if written == 0 else ">>"
            command = f"base64 -d {mark} {ANSWER} <<'END'\n{pieces[written]}\nEND"
            return Call("shell", {"command": command})
        return Call("submit", {"path": ANSWER})  # 3


def completion(
    key: AnswerKey, request: Mapping[str, Any], *, number: int, created: int
) -> dict[str, Any]:
    """The answer to a request for a chat completion (OpenAI API, chat/completions).

    ``number`` tells answers apart, ``created`` is a time in seconds.  Tokens are counted as four
    bytes each.  Raises :class:`Invalid` for what is no such request.
    """
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise Invalid("expected messages")
    call = key.next_call(messages)
    arguments = json.dumps(call.arguments)
    read, written = len(json.dumps(messages)) // 4, len(arguments) // 4
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": call.tool, "arguments": arguments},
            }
        ],
    }
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": created,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {
            "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written,
        },
    }  # fmt: skip


def _text(content: object) -> str:
    """A message's content as text: a string, or parts with texts in them."""
    if isinstance(content, list):
        return "\n".join(str(one.get("text", "")) for one in content if isinstance(one, dict))
    return content if isinstance(content, str) else ""
