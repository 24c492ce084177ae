"""What is wrong after a run of :mod:`tests.office.kills`: lost, there twice, or never ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.office.kills import Run

_ENDED: Final = {"done", "failed", "cancelled"}
_DECIDED: Final = {"unproven", "proven", "not-shown", "unrunnable", "refused"}


def problems(run: Run, kept: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing that is wrong; none when all is as it was promised."""
    return [
        *run.wrong,
        *_named(run, kept),
        *_findings(kept),
        *_ledger(kept),
        *_cases(kept),
        *_jobs(kept),
    ]


def _named(run: Run, kept: Mapping[str, Any]) -> Iterator[str]:
    """What a client was told exists, under one name; what nobody handed in does not."""
    titles: dict[str, list[str]] = {}
    for one in kept["findings"]:
        titles.setdefault(one["title"], []).append(one["name"])
    for title, names in run.told.items():
        if len(names) != 1:
            yield f"{title} was given the names {sorted(names)}"
        if titles.get(title, []) != sorted(names):
            yield f"{title} was accepted as {sorted(names)}, and is kept as {titles.get(title)}"
    for title in titles.keys() - run.told.keys():
        yield f"{title} is kept, and was never answered"


def _findings(kept: Mapping[str, Any]) -> Iterator[str]:
    for one in kept["findings"]:
        if one["state"] not in _DECIDED:
            yield f"{one['name']} is {one['state']}"
        if not one["is_readable"]:
            yield f"the bytes of {one['name']} cannot be read"


def _ledger(kept: Mapping[str, Any]) -> Iterator[str]:
    """Of each finding one entry says that it came in, and one what was decided."""
    entries = {(subject, kind): count for subject, kind, count in kept["entries"]}
    names = {one["name"]: one["state"] for one in kept["findings"]}
    for name, state in names.items():
        about = {kind: n for (subject, kind), n in entries.items() if subject == name}
        if about != {"finding.received": 1, f"finding.{state}": 1}:
            yield f"the ledger tells of {name}, which is {state}: {about}"
    for subject, kind in entries:
        if kind.startswith("finding.") and subject not in names:
            yield f"the ledger tells of {subject}, which is not there"


def _cases(kept: Mapping[str, Any]) -> Iterator[str]:
    """All proofs show one flaw: one case, opened once, and each of them joined it once."""
    proven = [one for one in kept["findings"] if one["state"] == "proven"]
    if len(kept["cases"]) != min(1, len(proven)):
        yield f"{len(proven)} proofs of one flaw made the cases {kept['cases']}"
    entries = {(subject, kind): count for subject, kind, count in kept["entries"]}
    for case in kept["cases"]:
        if entries.get((case, "case.opened")) != 1:
            yield f"{case} was opened {entries.get((case, 'case.opened'))} times"
        if entries.get((case, "case.joined")) != len(proven):
            yield f"{entries.get((case, 'case.joined'))} of {len(proven)} proofs joined {case}"
    joined = Counter(text.split()[1] for _, text in kept["joined"])
    for one in proven:
        if joined[one["name"]] != 1 or one["case"] not in kept["cases"]:
            yield f"{one['name']} joined {joined[one['name']]} times, and is in {one['case']!r}"


def _jobs(kept: Mapping[str, Any]) -> Iterator[str]:
    keys = Counter(key for _, key, _, _ in kept["jobs"])
    for kind, key, state, _ in kept["jobs"]:
        if state not in _ENDED:
            yield f"the job {key} is {state}"
        if keys[key] != 1:
            yield f"the job {key} is there {keys[key]} times"
        if kind == "findings.check" and state != "done":
            yield f"the job {key} ended as {state}"
