"""A flaw's history over the releases of a package, as one value to show in any form.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from clearhouse.formats.osv import affected_entry
from clearhouse.proof.comparison import Comparison
from clearhouse.proof.entries import (
    NOT_RUN,
    Entry,
    Interval,
    Listed,
    Ran,
    Stretch,
    Unknown,
    entries_of,
    intervals_of,
    stretches_of,
    unknown_of,
)
from clearhouse.proof.search import Lines, Seen, Standing, Unseen, unseen
from clearhouse.proof.standing import Status
from clearhouse.proof.verdict import digest_of

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Subject:
    """What is dated: the bundle, and the package without its version."""

    id: str
    title: str
    digest: str
    effect: str
    kind: str
    package: str
    name: str
    attacked: str
    fixed: str | None


@dataclass(frozen=True, slots=True)
class History:
    """Everything that is known of a flaw over a package's releases."""

    subject: Subject
    entries: tuple[Entry, ...]
    intervals: tuple[Interval, ...]
    every: int
    unseen: tuple[Unseen, ...]
    executions: int
    verdict: Mapping[str, Any]
    """On the version attacked: grade, reason, what was observed, frames, signature."""
    environment: Mapping[str, Any]
    problem: str | None = None
    """Why nothing could be dated: the proof does not hold on the version attacked."""
    comparison: Comparison | None = None

    @property
    def affected(self) -> tuple[Entry, ...]:
        """Releases shown affected, or between two that were."""
        return tuple(entry for entry in self.entries if entry.status is Status.AFFECTED)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """Releases that are undecided, or outside the grammar, which no range covers."""
        return tuple(unknown_of(self.entries, self.intervals))

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The releases in order, neighbours of one status together."""
        return stretches_of(self.entries)

    @property
    def risk(self) -> str:
        """What could have been missed between the releases that were run, in a sentence."""
        if not self.unseen or self.unseen[0].unseen == 0:
            return "Every release was run."
        first, last = self.unseen[0], self.unseen[-1]
        told = [f"a single release at {first.unseen} of {first.of} places"]
        told += [f"2 neighbours at {one.unseen} of {one.of}" for one in self.unseen[1:-1][:1]]
        told.append(f"{last.length} neighbours or more nowhere")
        return f"Releases that differ from those around them would be missed: {', '.join(told)}."

    @property
    def meaning(self) -> str:
        """What "not affected" means here."""
        return (
            "Not affected means: by this bundle's inputs, with its harness, on"
            f" {self.environment['runtime']}, with the dependencies that were chosen for each"
            " release. It is no statement about other inputs or other ways in."
        )

    @property
    def osv(self) -> dict[str, Any]:
        """One entry of an OSV record's ``affected``."""
        shown = self.subject
        unknown = [one.version for one in self.unknown if one.status.standing is Standing.UNDECIDED]
        return affected_entry(
            kind=shown.kind,
            name=shown.name,
            purl=shown.package,
            intervals=[interval.events for interval in self.intervals],
            versions=[entry.version for entry in self.affected],
            notes={"shown_by": shown.digest, "undecided": unknown},
        )

    def compared_with(self, comparison: Comparison) -> History:
        """The history with an advisory beside it."""
        return replace(self, comparison=comparison)

    def as_json(self) -> dict[str, Any]:
        """The document; its ``digest`` covers all of it but the digest itself."""
        subject = self.subject
        document: dict[str, Any] = {
            "format": FORMAT,
            "bundle": {"id": subject.id, "digest": subject.digest},
            "title": subject.title,
            "package": subject.package,
            "attacked": subject.attacked,
            "fixed": subject.fixed,
            "effect": subject.effect,
            "problem": self.problem,
            "versions": [entry.as_json() for entry in self.entries],
            "ranges": [interval.as_json() for interval in self.intervals],
            "unknown": [
                {"version": one.version, "status": one.status.value, "inside_a_range": one.inside}
                for one in self.unknown
            ],
            "runs": self.executions,
            "versions_run": sum(entry.run for entry in self.entries),
            "not_affected_means": self.meaning,
            "sampling": {
                "risk": self.risk,
                "every": self.every,
                "unseen": [
                    {"releases": one.length, "places_unseen": one.unseen, "places": one.of}
                    for one in self.unseen
                ],
            },
            "osv": self.osv if self.intervals else None,
            "comparison": self.comparison.as_json() if self.comparison else None,
            "verdict": dict(self.verdict),
            "environment": dict(self.environment),
        }
        document["digest"] = digest_of(document)
        return document


def history_of(
    subject: Subject,
    releases: Sequence[Listed],
    lines: Lines,
    ran: Mapping[int, Ran],
    *,
    every: int,
    verdict: Mapping[str, Any],
    environment: Mapping[str, Any],
    problem: str | None = None,
) -> History:
    """Put a history together from what was run."""
    seen = {place: Seen(one.finding.status.standing, one.runs) for place, one in ran.items()}
    otherwise = NOT_RUN if problem is None else f"{NOT_RUN}: the proof does not hold"
    entries = entries_of(releases, lines, ran, otherwise=otherwise)
    return History(
        subject=subject,
        entries=entries,
        intervals=() if problem else intervals_of(entries),
        every=every,
        unseen=unseen(lines, seen),
        executions=sum(one.executions for one in ran.values()),
        verdict=verdict,
        environment=environment,
        problem=problem,
    )
