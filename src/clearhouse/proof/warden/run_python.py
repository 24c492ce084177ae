"""Runs a Python harness on one input, and reports what Python itself knows of it.

Everything that this module needs after the harness has begun is bound beforehand in closures, and
the report is written with a key that stands in no module, no frame and no file.  The kernel's
observations do not depend on any of this; attribution of exceptions does (docs/proof-trust.md).
"""

from __future__ import annotations

import ast
import binascii
import builtins
import contextlib
import copy
import importlib.util
import json
import linecache
import marshal
import mmap
import os
import shutil
import sys
import types
from collections.abc import Callable
from typing import Any

from . import atheris as fuzzer
from . import filter, kernel, restored_python
from .audit_python import audit_hook
from .contract_python import encoding_violations, violations
from .gifts_python import plain
from .guard_python import Guard
from .homes_python import HARNESS, Homes
from .instrument_python import instrument
from .shared_marks import Shared

_FRAMES, _TEXT = 120, 400
_MOST_KEPT = 1 << 20  # of prepared code: a report that is too long ends the run


class SecurityGuaranteeBroken(Exception):
    """Raised by a harness when what the target returned breaks a guarantee that it states."""


def main(job: dict[str, Any], report: int, marks_file: int, input_file: int) -> None:
    """Never returns."""
    memory = mmap.mmap(marks_file, 65536)
    os.close(marks_file)
    shared = Shared(memory)
    send = _sender(report, job["key"], shared)
    extra, effect = job["extra"], job["watch"]["effect"]
    name, source = extra["name"], binascii.a2b_base64(extra["source"])
    with open(input_file, "rb") as file:
        data = file.read()
    after = binascii.a2b_base64(extra["after"]) if "after" in extra else None
    answers = extra.get("answers", "real")
    path = f"/harness/{name}"
    code = _load(source, path, extra.get("prepared"), send)
    homes = Homes(tuple(extra["target"]), path)
    guard = Guard(
        shared, homes, path, send,
        effect=effect, input_bytes=max(len(data), len(after or b"")),
        version=str(extra.get("version") or ""),
    )  # fmt: skip
    builtins.SecurityGuaranteeBroken = SecurityGuaranteeBroken  # type: ignore[attr-defined]
    _stand_in("atheris", fuzzer)
    mark = _marker(job["key"])
    _prime_lines(path, source)
    reads = bool(job["reads"])
    finish = _finisher(send, guard)
    load = _loader(code, guard, path, send)
    shared.measure(effect == "memory")
    if "tempfile" in sys.modules or b"tempfile" in source:
        _name_temporary_files()
    copy.deepcopy([])  # what runs for the first time would be counted as the harness's
    del job, extra
    kernel.install_filter(filter.run_filter(reads=reads))
    sys.addaudithook(audit_hook(send, homes, guard.ours))
    mark("start")
    entry = load()
    if after is not None:
        calls = guard.calls
        calls.record_answers()
        calls.entered = True
        with contextlib.suppress(Exception):
            _result_of(guard.call(0, entry, after))
        _empty_work()
        guard.raised.clear()
        calls.entered = False
        calls.forget()
        entry = load()  # nothing that the harness kept is known to it the second time
        calls.answer_again(as_first=answers == "first")
    guard.calls.entered = True
    # What receiving and decoding the input left behind would be used again, and what the harness
    # takes of it would not show as growth.
    kernel.give_back_memory()
    mark("call")
    try:
        result = _result_of(guard.call(0, entry, data))
    except BaseException as error:
        finish(error, None)
    else:
        finish(None, result)
    os._exit(0)


def _result_of(result: Any) -> Any:
    if not isinstance(result, types.CoroutineType):
        return result
    import asyncio  # takes longer to load than most runs last

    return asyncio.run(result)


def _sender(report: int, key: str, shared: Shared) -> Callable[[dict[str, Any]], None]:
    write, dumps, prefix = os.write, json.dumps, key.encode()

    def send(message: dict[str, Any]) -> None:
        raw = prefix + dumps(message).encode("utf-8", "backslashreplace") + b"\n"
        try:
            while raw:
                raw = raw[write(report, raw) :]
            shared.sent()
        except OSError:
            shared.lost()  # the harness has done away with the pipe

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


def _stand_in(name: str, module: types.ModuleType) -> None:
    """Harnesses of OSS-Fuzz import their fuzzer; where it is not installed, ours stands in."""
    with contextlib.suppress(ImportError, ValueError):
        if name in sys.modules or importlib.util.find_spec(name) is not None:
            return
    sys.modules[name] = module


def _load(
    source: bytes,
    path: str,
    prepared: dict[str, Any] | None,
    send: Callable[[dict[str, Any]], None],
) -> types.CodeType:
    """The instrumented harness: made here, or by an earlier run before anything of it had run."""
    if prepared is not None:
        send({"contract": prepared["contract"], "lines": prepared["lines"]})
        kept: types.CodeType = marshal.loads(binascii.a2b_base64(prepared["code"]))  # noqa: S302 - ours
        return kept
    try:
        tree = ast.parse(source, path)
        found = [*encoding_violations(source), *violations(tree)]
        marked = instrument(tree)
        code = compile(marked.tree, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        send({"outcome": "not-loaded", "why": f"{type(error).__name__}: {error}"[:_TEXT]})
        os._exit(0)
    found += marked.violations
    contract = [str(v) for v in found][:20]
    message: dict[str, Any] = {"contract": contract, "lines": marked.lines}
    ready = marshal.dumps(code)
    if len(ready) <= _MOST_KEPT:
        message["code"] = binascii.b2a_base64(ready, newline=False).decode()
    send(message)
    return code


def _loader(
    code: types.CodeType, guard: Guard, path: str, send: Callable[[dict[str, Any]], None]
) -> Callable[[], Any]:
    """A function that loads the harness into a module of its own and returns its entry."""
    name = path.removeprefix("/harness/")

    def load() -> Any:
        space = types.ModuleType(HARNESS)
        space.__file__ = path
        space.__dict__.update(guard.names())
        sys.modules[HARNESS] = space
        try:
            exec(code, space.__dict__)
        except BaseException as error:
            missing = getattr(error, "name", None) if isinstance(error, ImportError) else None
            why = f"{type(error).__name__}: {error}"[:_TEXT]
            send(
                {
                    "outcome": "not-loaded", "why": why, "missing": missing,
                    "frames": _frames(error)[-8:],
                }
            )  # fmt: skip
            os._exit(0)
        entry = space.__dict__.get("TestOneInput")
        if not callable(entry):
            send({"outcome": "not-loaded", "why": f"{name} defines no TestOneInput(data)"})
            os._exit(0)
        return entry

    return load


def _name_temporary_files() -> None:
    """Temporary files have the same names in every run: versions are compared by what they get."""
    import random
    import tempfile

    tempfile.tempdir = "/tmp"  # or it would try folders out by writing to them
    names = tempfile._RandomNameSequence()  # type: ignore[attr-defined]
    names._rng, names._rng_pid = random.Random(0), os.getpid()  # noqa: S311 - no secret
    tempfile._name_sequence = names  # type: ignore[attr-defined]


def _empty_work() -> None:
    for entry in list(os.scandir("/work")):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def _finisher(
    send: Callable[[dict[str, Any]], None], guard: Guard
) -> Callable[[BaseException | None, Any], None]:
    frames, plain_value, guarantee = _frames, plain, SecurityGuaranteeBroken
    exception_of = _exception

    def finish(error: BaseException | None, result: Any) -> None:
        calls = [
            {"line": line, "callee": callee, **entry}
            for (line, callee), entry in guard.calls.made.items()
        ]
        message: dict[str, Any] = {"calls": calls, "restored": restored_python.used}
        if error is None:
            message |= {"outcome": "returned", "value": plain_value(result)}
        else:
            raised = any(error is one for one in guard.raised)
            escaped = guard.calls.escaped
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
