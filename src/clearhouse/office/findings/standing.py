"""Where a finding stands, in plain words: for its page, its list, and while it waits.

The states are those of :class:`Finding.State`; a table says what each means for its finder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clearhouse.errors import NotFound
from clearhouse.office.findings import actions
from clearhouse.office.findings.queries import Finding
from clearhouse.office.look.words import Tag
from clearhouse.office.queue import queries as queue

_State = Finding.State

STATES: Final[Mapping[str, Tag]] = {
    _State.QUEUED: Tag("Waiting", "open", "It waits to be run, or is running."),
    _State.CHECKING: Tag("Being checked", "open", "What it names is being looked up."),
    _State.PROVEN: Tag("Proven", "yes", "It was run here and shows what it claims."),
    _State.NOT_SHOWN: Tag("Not shown", "no", "It was run here and did not show it."),
    _State.UNRUNNABLE: Tag(
        "Could not be run", "wait", "Whether it holds is not known: it could not be run here."
    ),
    _State.UNPROVEN: Tag(
        "Not proven", "quiet", "What it names exists; it came without a proof, so a person looks."
    ),
    _State.REFUSED: Tag("Refused", "no", "Something that it names does not exist."),
    _State.KNOWN: Tag("Public already", "quiet", "There is a public advisory about it."),
    _State.WITHDRAWN: Tag("Withdrawn", "quiet", "Its finder has taken it back."),
}
#: What its finder may do about it, or wait for.
NEXT: Final[Mapping[str, str]] = {
    _State.QUEUED: "Nothing to do: this page changes by itself once it has been run.",
    _State.CHECKING: "Nothing to do: this page changes by itself once it has been checked.",
    _State.PROVEN: "It goes to whoever can mend it, with the proof. Nobody has to believe you.",
    _State.NOT_SHOWN: (
        "Read below what was seen in each run. If a run went wrong, mend the bundle and hand it in"
        " again: its credit is its own."
    ),
    _State.UNRUNNABLE: (
        "The reason is below. If it lies with the bundle, mend it and hand it in again; if it lies"
        " with this office, a coordinator runs it again."
    ),
    _State.UNPROVEN: (
        "It waits for a person. With a proof bundle it would be run at once, and go ahead of all"
        " reports without one."
    ),
    _State.REFUSED: "Correct what is missing below and report it again.",
    _State.KNOWN: "The advisory is named below.",
    _State.WITHDRAWN: "Nothing more happens to it.",
}
_WAITS: Final = frozenset({_State.QUEUED, _State.CHECKING})
#: States from which it goes on to a case.
_GOES_ON: Final = frozenset({_State.PROVEN, _State.UNPROVEN})


@dataclass(frozen=True, slots=True)
class Stages:
    """The steps of one finding; ``current`` counts from 1, one past the last is all done."""

    names: tuple[str, ...]
    current: int


def stages_of(found: Finding) -> Stages:
    """How far it is."""
    worked = "Run" if found.kind == Finding.Kind.BUNDLE else "Looked up"
    if found.state in _WAITS:
        return Stages(("Received", worked, "Decided", "In a case"), 2)
    decided = STATES[found.state].text
    if found.state in _GOES_ON:
        return Stages(("Received", worked, decided, "In a case"), 5 if found.case else 4)
    if found.state == _State.WITHDRAWN:
        return Stages(("Received", decided), 3)
    return Stages(("Received", worked, decided), 4)


def is_waiting(found: Finding) -> bool:
    """Whether its state will change by itself."""
    return found.state in _WAITS


def job_of(found: Finding) -> queue.JobStatus | None:
    """The job that decides it; None where there is none."""
    try:
        return queue.status_of(actions.job_key(found))
    except NotFound:
        return None


def told(job: queue.JobStatus, now: datetime) -> str:
    """In a sentence or two what its job is doing, or waits for."""
    if job.state == queue.State.RUNNING:
        return f"{job.progress[:1].upper()}{job.progress[1:]}" if job.progress else "It is running."
    if job.state == queue.State.DELAYED or (job.not_before is not None and job.not_before > now):
        return f"It was put off: {job.reason}" if job.reason else "It was put off for a while."
    if job.state != queue.State.WAITING:
        return ""
    before = queue.jobs_before(job.key)
    usual = queue.durations(job.kind)
    words = "It is the next." if not before else f"About {before} before it."
    if usual is not None:
        words += f" The last {usual.jobs} took about {_seconds(usual.median)} each."
    return words


def _seconds(seconds: float) -> str:
    if seconds < 90:
        count = max(1, round(seconds))
        return f"{count} second" if count == 1 else f"{count} seconds"
    return f"{round(seconds / 60)} minutes"
