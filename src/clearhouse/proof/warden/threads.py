"""A thread that is followed, and how its stack is read while it is stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

from . import frames_native, frames_v8
from .frames_python import Layout, PythonStacks

_NAME = 500
_EVAL = "_PyEval_EvalFrame"
_BUILTINS = "Builtins_"  # code that V8 made when it was built, called from what it makes now
_OUTER, _INNER = 40, 120  # frames that are kept of a deep stack


class Exec(NamedTuple):
    """What a thread asked the kernel to execute, and from where."""

    program: str
    arguments: list[str]
    stack: list[dict[str, Any]] | None


class Task:
    """A thread that is followed."""

    def __init__(self, tid: int, tgid: int) -> None:
        self.tid, self.tgid = tid, tgid
        self.python_thread: int | None = None
        # The stack at the exec that this program comes from, and at the moment that made it.
        self.origin: list[dict[str, Any]] | None = None
        self.birth: list[dict[str, Any]] | None = None
        self.pending: Callable[[int], None] | None = None
        self.executing: Exec | None = None  # between asking for it and its success or failure

    def forget_exec(self) -> None:
        """What was asked for has failed."""
        self.executing = None


def stack_of(task: Task, kind: str, layout: Layout | None, *, native: bool) -> list[dict[str, Any]]:
    """The frames of a stopped thread, innermost first; ``kind`` is as in a watch.

    Native ones come down to where the interpreter begins, then the interpreter's.  A program
    started by the run has the stack of the moment that started it.
    """
    if task.origin is not None:
        return task.origin
    frames: list[dict[str, Any]] = []
    if kind == "native" or (native and kind != "none"):
        frames = _native_frames(task, kind)
    if kind == "native" and task.birth and (not frames or frames[-1] != task.birth[-1]):
        frames += task.birth  # posix_spawn and threads begin on a stack of their own
    if kind == "python" and layout is not None:
        frames += _python_frames(task, layout)
    if kind == "javascript" and task.tid == task.tgid:  # the only thread that runs it
        frames += _javascript_frames(task) or task.birth or []
    kept = frames if len(frames) <= _INNER + _OUTER else frames[:_INNER] + frames[-_OUTER:]
    return [{key: _short(value) for key, value in frame.items()} for frame in kept]


def _short(value: Any) -> Any:
    """A name of a frame at a length that a name has; the run chooses it, and the record has many."""
    return value[:_NAME] if isinstance(value, str) else value


def frames_at_birth(parent: Task) -> list[dict[str, Any]]:
    """The stack of a thread that is just making another one."""
    with contextlib.suppress(OSError):
        frames = frames_native.read(parent.tgid, parent.tid)
        if frames and frames[0].name in ("__clone", "clone"):
            frames = frames_native.read_caller(parent.tgid, parent.tid)
        return [_as_dict(frame) for frame in frames]
    return []


def _as_dict(frame: frames_native.NativeFrame) -> dict[str, Any]:
    return {"kind": "native", "file": frame.file, "offset": frame.offset, "name": frame.name}


def _native_frames(task: Task, kind: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    with contextlib.suppress(OSError):
        for frame in frames_native.read(task.tgid, task.tid):
            if kind == "python" and frame.name.startswith(_EVAL):
                break
            if kind == "javascript" and (not frame.file or frame.name.startswith(_BUILTINS)):
                break
            frames.append(_as_dict(frame))
    return frames


def _python_frames(task: Task, layout: Layout) -> list[dict[str, Any]]:
    with contextlib.suppress(OSError, OverflowError):
        reader = PythonStacks(task.tgid, layout)
        try:
            found = reader.read(task.python_thread)
        finally:
            reader.close()
        return [{"kind": "python", "file": f.file, "name": f.name, "line": f.line} for f in found]
    return []


def _javascript_frames(task: Task) -> list[dict[str, Any]]:
    return [
        {"kind": "javascript", "file": f.file, "name": f.name, "position": f.position}
        for f in frames_v8.read(task.tgid, task.tid)
    ]
