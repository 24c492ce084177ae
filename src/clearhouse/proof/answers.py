"""What a target answers to the harness, and when an answer turns the input down.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from clearhouse.proof.observation import Run

#: For each call of the target: its name, and a constant it returned, or that it raised.
Answer = tuple[tuple[str, str], ...]
_CONTENT = "="  # begins an answer of content, which says something of the input itself


def answer_of(run: Run) -> Answer:
    """A value or an exception for each of the harness's calls of the target."""
    given = [
        (call.callee, repr(value) if _is_constant(value) else f"{_CONTENT}{value!r}")
        for call in run.calls
        for value in call.returned
    ]
    given += [(call.callee, "raises") for call in run.calls if _raised(call.count, call.returned)]
    if run.raised is not None:
        given.append(("", f"raises {run.raised.type}"))
    return tuple(given)


def _raised(count: int, returned: tuple[object, ...]) -> bool:
    return count > len(returned) and len(returned) < 8  # eight values are kept of each call


def _is_constant(value: object) -> bool:
    """None, a truth value or an object: an answer in kind, not content."""
    if value is None or isinstance(value, bool):
        return True
    return isinstance(value, str) and value.startswith("<") and value.endswith(">")


def is_constant(answer: Answer) -> bool:
    """Whether nothing in an answer depends on the input's content."""
    return not any(text.startswith(_CONTENT) for _, text in answer)


def usual_rejections(malformed: Iterable[Run], controls: Iterable[Run]) -> frozenset[Answer]:
    """Constant answers that malformed inputs get and no control does."""
    to_controls = {answer_of(run) for run in controls}
    return frozenset(
        answer
        for run in malformed
        if is_constant(answer := answer_of(run)) and answer not in to_controls
    )


def turns_down(before: Run, after: Run, usual: frozenset[Answer]) -> bool:
    """Whether an input that was taken before is turned down: by an exception, or as usual."""
    if after.raised is not None and before.raised is None:
        return not (after.raised.by_harness or after.raised.guarantee)
    mine, theirs = answer_of(before), answer_of(after)
    newly = {call for call, text in theirs if text == "raises"}
    if newly - {call for call, text in mine if text == "raises"}:
        return True
    return theirs in usual and mine not in usual
