"""Whether a run shows an effect, and where: the effects of docs/bundle-format.md.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clearhouse.proof.attribution import Moment, event_moment, moment_of
from clearhouse.proof.effects import CONTROL_SHARE, Effect, Expectation
from clearhouse.proof.observation import MEGABYTE, Fatal, Outcome, Owner, Run, Sample, Stack
from clearhouse.proof.warden.paths import temporary


@dataclass(frozen=True, slots=True)
class Showing:
    """The effect as one run shows it: the moments it appears in, and the figures for people."""

    moments: tuple[Moment, ...]
    observed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotShown:
    """The run does not show the effect, and what happened instead."""

    why: str


def showing(effect: Effect, run: Run, expect: Expectation) -> Showing | NotShown:
    """Look for the effect in one run."""
    if not run.ran:
        return NotShown(run.why)
    return _TABLE[effect](run, expect)


def disturbs(effect: Effect, run: Run, expect: Expectation) -> str | None:
    """Why a control fails as a control, or None: it shows the effect, or comes too near to it."""
    if isinstance(showing(effect, run, expect), Showing):
        return "shows the effect itself"
    if effect is Effect.HANG and run.cpu_s >= CONTROL_SHARE * expect.cpu_seconds:
        limit = f"not under a tenth of {expect.cpu_seconds:g} s"
        return f"takes {run.cpu_s:.2f} s of processor time, {limit}"
    if effect is Effect.MEMORY and run.growth_bytes >= CONTROL_SHARE * expect.rss_mb * MEGABYTE:
        return (
            f"takes {run.growth_bytes / MEGABYTE:.0f} MiB, not under a tenth of {expect.rss_mb} MiB"
        )
    if run.outcome is Outcome.KILLED:
        return run.why
    if run.outcome is Outcome.SIGNAL:
        return run.why
    return None


def _crash(run: Run, _: Expectation) -> Showing | NotShown:
    if run.sanitizer is not None:
        moments = (moment_of(run.fatal.stack, run.fatal.call),) if run.fatal else ()
        return Showing(moments, {"sanitizer": run.sanitizer.tool, "kind": run.sanitizer.kind})
    if run.fatal is None or run.outcome is not Outcome.SIGNAL:
        return NotShown(run.why)
    fatal = run.fatal
    observed: dict[str, Any] = {"signal": fatal.signal}
    if fatal.address is not None:
        observed["address"] = "near zero" if fatal.address < 1 << 16 else "elsewhere"
    if fatal.sent and not _aborts(fatal):
        observed["sent"] = True
        return Showing((), observed)
    return Showing((moment_of(fatal.stack, fatal.call),), observed)


def _aborts(fatal: Fatal) -> bool:
    """Whether the signal is one that the process sent itself by ``abort(3)``, as assertions do."""
    native = [frame for frame in fatal.stack[:8] if frame.kind == "native"]
    return fatal.signal == "SIGABRT" and (
        not native or any("abort" in frame.name for frame in native)
    )


def _exception(run: Run, expect: Expectation) -> Showing | NotShown:
    raised = run.raised
    if raised is None:
        if run.fatal is not None and run.outcome is Outcome.SIGNAL and not run.fatal.sent:
            return _crash(run, expect)
        return NotShown(run.why)
    if raised.guarantee:
        return NotShown("the harness reports a broken guarantee, which is another effect")
    if raised.by_harness:
        return NotShown(f"the harness itself raises {raised.type}")
    if expect.exception is not None and not _is_type(raised.names, raised.text, expect.exception):
        return NotShown(f"raises {raised.type}, not {expect.exception}")
    escape = run.escape
    moment = Moment(
        raised.stack,
        escape.marks if escape else run.marks,
        escape.site if escape else 0,
        native_call=escape.callee if escape and escape.native and not _own_python(run) else None,
    )
    return Showing((moment,), {"type": raised.type, "message": raised.text[:200]})


def _own_python(run: Run) -> bool:
    """Whether anything but the harness stands on the exception's stack."""
    assert run.raised is not None
    return any(frame.owner.value != "harness" for frame in run.raised.stack)


def _is_type(names: Sequence[str], text: str, wanted: str) -> bool:
    return wanted in names or wanted.rpartition(".")[2] in names or wanted in text


def _hang(run: Run, expect: Expectation) -> Showing | NotShown:
    if run.cpu_s <= expect.cpu_seconds:
        return NotShown(f"{run.cpu_s:.2f} s of processor time, limit {expect.cpu_seconds:g} s")
    return Showing(_samples(run), {"cpu_s": round(run.cpu_s, 2), "limit_s": expect.cpu_seconds})


def _memory(run: Run, expect: Expectation) -> Showing | NotShown:
    grown = run.growth_bytes / MEGABYTE
    if grown <= expect.rss_mb:
        return NotShown(f"{grown:.0f} MiB of memory, limit {expect.rss_mb} MiB")
    return Showing(_samples(run), {"rss_mb": round(grown), "limit_mb": expect.rss_mb})


def _is_called_back(stack: Stack) -> bool:
    """Whether a JavaScript harness is at work for the target that called it.

    Our work for it then takes as long as the harness has itself called: it is the harness's.
    """
    owners = [frame.owner for frame in stack if frame.kind == "javascript"]
    if Owner.HARNESS not in owners:
        return False
    return Owner.TARGET in owners[owners.index(Owner.HARNESS) :]


def _samples(run: Run) -> tuple[Moment, ...]:
    """Where it was, as sampled; our own work for the harness counts only where there is no other.

    A harness that does nothing but what we do for it (``b"x" * n``) is seen by that work alone.
    """
    theirs = [s for s in run.samples if not s.ours or _is_native(s) or _is_called_back(s.stack)]
    return tuple(_moment(run, sample) for sample in theirs or run.samples)


def _is_native(sample: Sample) -> bool:
    """Whether what runs is a call of the target, and not a callback of the harness's in it."""
    return sample.call.native and sample.answering


def _moment(run: Run, sample: Sample) -> Moment:
    """A sample's moment; it may be in a call of the target that shows on no stack."""
    moment = moment_of(sample.stack, sample.call)
    if not _is_native(sample):
        return moment
    called = (c.callee for c in run.calls if c.native and c.line == sample.call.site)
    return replace(moment, native_call=next(called, None))


def _write_outside(run: Run, _: Expectation) -> Showing | NotShown:
    found = [
        e for e in run.events if e.kind == "write-outside" and not temporary(e.details["path"])
    ]
    if not found:
        return NotShown(run.why)
    paths = sorted({e.details["path"] for e in found})
    observed: dict[str, Any] = {"paths": paths[:8]}
    if all(e.details.get("blocked") for e in found):
        observed["blocked"] = "by the sandbox's read-only file system"
    return Showing(tuple(event_moment(e) for e in found), observed)


def _read_outside(run: Run, _: Expectation) -> Showing | NotShown:
    found = [e for e in run.events if e.kind == "read-outside"]
    if not found and not run.leaked:
        return NotShown(run.why)
    observed: dict[str, Any] = {"canary": "opened" if found else "came out"}
    if found and run.leaked:
        observed["canary"] = "opened, and its content came out"
    return Showing(tuple(event_moment(e) for e in found), observed)


def _by_kind(kind: str, key: str, detail: str) -> Callable[[Run, Expectation], Showing | NotShown]:
    def look(run: Run, _: Expectation) -> Showing | NotShown:
        found = [e for e in run.events if e.kind == kind and e.phase == "call"]
        if not found:
            return NotShown(run.why)
        seen = list(dict.fromkeys(e.details.get(detail) for e in found))
        return Showing(tuple(event_moment(e) for e in found), {key: seen[:8]})

    return look


def _bypass(run: Run, _: Expectation) -> Showing | NotShown:
    if run.raised is None or not run.raised.guarantee:
        return NotShown(run.why)
    return Showing((), {"guarantee": run.raised.text[:300]})


_TABLE: dict[Effect, Callable[[Run, Expectation], Showing | NotShown]] = {
    Effect.CRASH: _crash,
    Effect.EXCEPTION: _exception,
    Effect.HANG: _hang,
    Effect.MEMORY: _memory,
    Effect.WRITE_OUTSIDE: _write_outside,
    Effect.READ_OUTSIDE: _read_outside,
    Effect.EXECUTE: _by_kind("execute", "programs", "program"),
    Effect.CONNECT: _by_kind("connect", "addresses", "address"),
    Effect.BYPASS: _bypass,
}
