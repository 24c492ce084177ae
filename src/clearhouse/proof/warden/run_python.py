"""Runs a Python harness on one input, and reports what Python itself knows of it.

Everything that this module needs after the harness has begun is bound beforehand in closures, and
the report is written with a key that stands in no module, no frame and no file.  The kernel's
observations do not depend on any of this; attribution of exceptions does (docs/proof-trust.md).
"""

from __future__ import annotations

import ast
import base64
import builtins
import contextlib
import hashlib
import json
import linecache
import mmap
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from . import filter, kernel
from .contract_python import CALL, MARK, RAISE, TRUTH, instrument, violations

_HEAD = 16  # target calls made so far (8 bytes), line of the last one (8 bytes), then the marks
_FRAMES, _TEXT = 120, 400
_PROBES = frozenset(
    {
        "ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function",
        "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.string_at", "ctypes.addressof",
        "gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys._getframe",
        "sys._current_frames", "sys._current_exceptions", "sys.settrace", "sys.setprofile",
        "sys.addaudithook", "sys.excepthook", "sys.unraisablehook", "code.__new__",
        "function.__new__", "compile", "exec", "object.__getattr__", "object.__setattr__",
        "object.__delattr__", "marshal.loads", "marshal.load", "builtins.input",
        "cpython.run_command", "cpython.run_file", "cpython.run_string", "signal.pthread_kill",
        "os.kill", "os.killpg", "resource.setrlimit", "resource.prlimit", "setrecursionlimit",
    }
)  # fmt: skip


class SecurityGuaranteeBroken(Exception):
    """Raised by a harness when what the target returned breaks a guarantee that it states."""


def main(job: dict[str, Any], report: int, marks_file: int) -> None:
    """Never returns."""
    marks = mmap.mmap(marks_file, 65536)
    os.close(marks_file)
    send = _sender(report, job["key"])
    name, source = job["extra"]["name"], base64.b64decode(job["extra"]["source"])
    target = tuple(job["extra"]["target"])
    data = base64.b64decode(job["input"])
    path = f"/harness/{name}"
    code, lines = _load(source, path, send)
    space = types.ModuleType("harness")
    space.__file__ = path
    observer = _Observer(marks, lines, target, path, send)
    space.__dict__.update(observer.names())
    builtins.SecurityGuaranteeBroken = SecurityGuaranteeBroken  # type: ignore[attr-defined]
    mark = _marker(job["key"])
    _prime_lines(path, source)
    sys.path.insert(0, "/work") if job["extra"].get("import_work") else None
    base64.b64decode("")
    reads = bool(job["reads"])
    after = base64.b64decode(job["extra"]["after"]) if "after" in job["extra"] else None
    answers = job["extra"].get("answers", "real")
    del job
    kernel.install_filter(filter.run_filter(reads=reads))
    sys.addaudithook(_audit_hook(send, path))
    mark("start")
    _phase_import(code, space, send, path)
    entry = space.__dict__.get("TestOneInput")
    if not callable(entry):
        send({"outcome": "not-loaded", "why": f"{name} defines no TestOneInput(data)"})
        os._exit(0)
    finish = _finisher(send, observer, path)
    if after is not None:
        observer.first_time()
        with contextlib.suppress(Exception):
            entry(after)
        observer.second_time(answers_as_first=answers == "control")
    mark("call")
    try:
        result = entry(data)
        if isinstance(result, types.CoroutineType):
            import asyncio  # takes longer to load than most runs last

            result = asyncio.run(result)
    except BaseException as error:
        finish(error, None)
    else:
        finish(None, result)
    os._exit(0)


def _sender(report: int, key: str) -> Callable[[dict[str, Any]], None]:
    write, dumps, prefix = os.write, json.dumps, key.encode()

    def send(message: dict[str, Any]) -> None:
        raw = prefix + dumps(message).encode("utf-8", "backslashreplace") + b"\n"
        while raw:
            raw = raw[write(report, raw) :]

    return send


def _marker(key: str) -> Callable[[str], None]:
    unlink, prefix = os.unlink, f"/.mark/{key}/"

    def mark(phase: str) -> None:
        with contextlib.suppress(OSError):
            unlink(prefix + phase)

    return mark


def _prime_lines(path: str, source: bytes) -> None:
    text = source.decode("utf-8", "replace")
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)


def _load(
    source: bytes, path: str, send: Callable[[dict[str, Any]], None]
) -> tuple[types.CodeType, tuple[int, ...]]:
    try:
        tree = ast.parse(source, path)
        found = violations(tree)
        marked = instrument(tree)
        code = compile(marked.tree, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        send({"outcome": "not-loaded", "why": f"{type(error).__name__}: {error}"[:_TEXT]})
        os._exit(0)
    send({"contract": [str(v) for v in found][:20], "lines": marked.lines})
    return code, marked.lines


def _phase_import(
    code: types.CodeType, space: types.ModuleType, send: Callable[[dict[str, Any]], None], path: str
) -> None:
    try:
        exec(code, space.__dict__)
    except BaseException as error:
        send(
            {
                "outcome": "not-loaded",
                "why": f"{type(error).__name__}: {error}"[:_TEXT],
                "missing": getattr(error, "name", None) if isinstance(error, ImportError) else None,
                "frames": _frames(error)[-8:],
            }
        )
        os._exit(0)


def _audit_hook(
    send: Callable[[dict[str, Any]], None], path: str
) -> Callable[[str, tuple[Any, ...]], None]:
    """Report the first time that the harness itself does what only a cheat needs.

    The first report is written before the deed is done; what is forged after it comes too late.
    """
    getframe, probes, seen = sys._getframe, _PROBES, set[str]()
    own = "/warden/"
    written = ("/work/", "/tmp/", "/home/", "/var/", "/dev/shm/")  # code that the run itself wrote
    busy = False  # looking at a frame is itself such an event

    def look(event: str) -> None:
        frame: types.FrameType | None = getframe(2)
        depth = 0
        while frame is not None and depth < 12:
            file = frame.f_code.co_filename
            if file == path or file.startswith(written):
                seen.add(event)
                send({"tamper": event, "line": frame.f_lineno})
                return
            if file.startswith(("/target/", "<frozen importlib")) or own in file:
                return  # the target's doing, or Python's own way of importing
            frame = frame.f_back
            depth += 1

    def hook(event: str, _args: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy or event not in probes or event in seen:
            return
        busy = True
        try:
            look(event)
        finally:
            busy = False

    return hook


class _Observer:
    """The functions that the instrumented harness calls, and what they noted."""

    def __init__(
        self, marks: mmap.mmap, lines: tuple[int, ...], target: tuple[str, ...], path: str,
        send: Callable[[dict[str, Any]], None],
    ) -> None:  # fmt: skip
        self.calls: dict[tuple[int, str], dict[str, Any]] = {}
        self.raised: list[BaseException | type[BaseException]] = []
        self.escaped: tuple[BaseException, dict[str, Any]] | None = None
        self._marks, self._target, self._path = marks, target, path
        self._answers: dict[str, list[Any]] = {}
        self._given: dict[str, list[Any]] = {}

    def first_time(self) -> None:
        """Forget what the harness called while it was imported."""
        self._answers.clear()

    def second_time(self, *, answers_as_first: bool) -> None:
        """Forget the way of the input before; answer as it was answered, or for real."""
        self._marks[_HEAD:4096] = bytes(4096 - _HEAD)
        self.calls.clear()
        self.raised.clear()
        self.escaped = None
        self._given = self._answers if answers_as_first else {}
        self._answers = {}

    def answer(self, callee: str, function: Any, args: Any, named: Any) -> Any:
        """What a call of the target returns: its own result, or the one it gave the first time."""
        given = self._given.get(callee)
        if given:
            return given.pop(0)
        result = function(*args, **named)
        kept = self._answers.setdefault(callee, [])
        if len(kept) < 256:
            kept.append(result)
        return result

    def names(self) -> dict[str, Any]:
        """What the instrumented code looks up."""
        return {MARK: self._mark(), TRUTH: self._truth(), CALL: self._call(), RAISE: self._raise()}

    def _mark(self) -> Callable[[int], None]:
        marks = self._marks

        def mark(number: int) -> None:
            marks[_HEAD + number] = 1

        return mark

    def _truth(self) -> Callable[[int, Any], Any]:
        marks = self._marks

        def truth(number: int, value: Any) -> Any:
            marks[_HEAD + number + (0 if value else 1)] = 1
            return value

        return truth

    def _raise(self) -> Callable[[Any], Any]:
        raised = self.raised

        def note(value: Any) -> Any:
            raised.append(value)
            return value

        return note

    def _call(self) -> Callable[..., Any]:
        marks, target, calls = self._marks, self._target, self.calls
        modules, observer = sys.modules, self
        count = 0

        def call(site: int, function: Any, /, *args: Any, **named: Any) -> Any:
            nonlocal count
            owner = _owner(function, modules, target)
            if owner is None:
                return function(*args, **named)
            count += 1
            marks[0:_HEAD] = count.to_bytes(8, "little") + site.to_bytes(8, "little")
            key = (site, owner[0])
            entry = calls.get(key)
            if entry is None:
                if len(calls) > 256:
                    return function(*args, **named)
                entry = calls[key] = {
                    "count": 0, "native": owner[1], "types": [], "first": count, "returned": [],
                    "before": marks[_HEAD:4096].rstrip(b"\0").hex(),
                }  # fmt: skip
            entry["count"] += 1
            kinds = [type(a).__name__ for a in args]
            kinds += [f"{k}={type(v).__name__}" for k, v in sorted(named.items())]
            if kinds not in entry["types"] and len(entry["types"]) < 8:
                entry["types"].append(kinds)
            try:
                result = observer.answer(owner[0], function, args, named)
            except BaseException as error:
                if observer.escaped is None or observer.escaped[0] is not error:
                    observer.escaped = (
                        error,
                        {
                            "site": site, "callee": owner[0], "native": owner[1],
                            "marks": marks[_HEAD:4096].rstrip(b"\0").hex(),
                        },
                    )  # fmt: skip
                raise
            if len(entry["returned"]) < 8:
                entry["returned"].append(_plain(result))
            return result

        return call


def _owner(
    function: Any, modules: dict[str, Any], target: tuple[str, ...]
) -> tuple[str, bool] | None:
    """Name of a callable that belongs to the target, and whether it is compiled; else None."""
    try:
        subject = getattr(function, "__func__", function)
        module = getattr(subject, "__module__", None)
        if not isinstance(module, str):
            instance = getattr(subject, "__self__", None)
            module = getattr(type(instance), "__module__", None)
            if not isinstance(module, str):
                return None
        if module.partition(".")[0] not in target:
            return None
        name = getattr(subject, "__qualname__", None) or type(subject).__qualname__
        native = not isinstance(subject, types.FunctionType | type)
        if isinstance(subject, type):
            native = not isinstance(getattr(subject, "__init__", None), types.FunctionType)
    except Exception:
        return None
    return f"{module}.{name}", native


def _plain(value: Any, depth: int = 0) -> Any:
    """A value as far as it can be compared between versions: simple ones whole, others by type."""
    if value is None or (
        isinstance(value, bool | int | float) and type(value) in (bool, int, float)
    ):
        return value if not isinstance(value, int) or abs(value) < 1 << 53 else str(value)[:64]
    if type(value) is str:
        return (
            value
            if len(value) < 200
            else "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        )
    if type(value) is bytes:
        return "bytes:" + hashlib.sha256(value).hexdigest()
    if depth < 4 and type(value) in (list, tuple):
        return [_plain(v, depth + 1) for v in value[:64]] + (
            [len(value)] if len(value) > 64 else []
        )
    if depth < 4 and type(value) is dict:
        pairs = list(value.items())[:64]
        return {"dict": [[_plain(k, depth + 1), _plain(v, depth + 1)] for k, v in pairs]}
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _finisher(
    send: Callable[[dict[str, Any]], None], observer: _Observer, path: str
) -> Callable[[BaseException | None, Any], None]:
    frames, plain, guarantee = _frames, _plain, SecurityGuaranteeBroken
    exception_of = _exception

    def finish(error: BaseException | None, result: Any) -> None:
        calls = [
            {"line": line, "callee": callee, **entry}
            for (line, callee), entry in observer.calls.items()
        ]
        message: dict[str, Any] = {"calls": calls}
        if error is None:
            message |= {"outcome": "returned", "value": plain(result)}
        else:
            raised = any(
                error is r or (isinstance(r, type) and type(error) is r) for r in observer.raised
            )
            escaped = observer.escaped
            message |= {
                "outcome": "exception",
                "exception": exception_of(error, frames(error), raised, guarantee),
                "escaped": escaped[1] if escaped is not None and escaped[0] is error else None,
            }
        send(message)

    return finish


def _exception(
    error: BaseException, frames: list[dict[str, Any]], raised: bool, guarantee: type
) -> dict[str, Any]:
    names = [c.__name__ for c in type(error).__mro__]
    modules = [f"{c.__module__}.{c.__qualname__}" for c in type(error).__mro__]
    try:
        several = len(error.args) > 1 and all(type(a) is str for a in error.args)
        text = (": ".join(error.args) if several else str(error))[:_TEXT]
    except BaseException:
        text = ""
    return {
        "type": names[0],
        "names": names,
        "qualified": modules,
        "text": text,
        "frames": frames,
        "by_harness": raised,
        "guarantee": isinstance(error, guarantee) or names[0] == "SecurityGuaranteeBroken",
    }


def _frames(error: BaseException) -> list[dict[str, Any]]:
    """Frames of an exception's way, innermost first, as the stacks of the kernel's events are."""
    found = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(
            {
                "kind": "python",
                "file": code.co_filename,
                "name": code.co_qualname,
                "line": trace.tb_lineno,
            }
        )
        trace = trace.tb_next
    found.reverse()
    return found if len(found) <= 2 * _FRAMES else found[:_FRAMES] + found[-_FRAMES:]
