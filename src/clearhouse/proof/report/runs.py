"""The runs of a verdict, grouped by version, with bars drawn to one measure.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The least that a full bar stands for: smaller differences are the machine's, not the target's.
_CPU_SCALE_S, _MEMORY_SCALE_MB = 0.1, 64.0
_VISIBLE_PER_CENT = 1.5
_ROOM = 1.05


@dataclass(frozen=True, slots=True)
class Bar:
    """A length and, if the effect has one, where its limit stands; in per cent of the full bar."""

    length: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run: ``kind`` is poc or control."""

    input: str
    kind: str
    effect: bool
    outcome: str
    why: str
    cpu: str
    cpu_bar: Bar
    wall: str
    memory: str
    memory_bar: Bar


@dataclass(frozen=True, slots=True)
class RunGroup:
    """The runs of one version, and which version that is to the bundle."""

    version: str
    role: str
    fixed: bool
    runs: tuple[RunView, ...]


def run_groups(document: Mapping[str, Any]) -> tuple[RunGroup, ...]:
    """The runs of a verdict document, the attacked version's first, each in the order recorded."""
    runs: Sequence[Mapping[str, Any]] = document.get("runs") or ()
    limits = _limits(document, runs)
    longest = max((float(run["cpu_s"]) for run in runs), default=0.0)
    largest = max((float(run["rss_mb"]) for run in runs), default=0.0)
    scales = (
        max(_CPU_SCALE_S, _ROOM * longest, _ROOM * (limits[0] or 0.0)),
        max(_MEMORY_SCALE_MB, _ROOM * largest, _ROOM * (limits[1] or 0.0)),
    )
    grouped: dict[str, list[RunView]] = {}
    for run in runs:
        grouped.setdefault(str(run["version"]), []).append(_run_view(run, limits, scales))
    fixed = str(document.get("fixed") or "")
    return tuple(
        RunGroup(
            version=version,
            role="named as fixed" if version == fixed else "attacked",
            fixed=version == fixed,
            runs=tuple(views),
        )
        for version, views in grouped.items()
    )


def _limits(
    document: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]
) -> tuple[float | None, float | None]:
    """The limit of processor time (s) and of memory (MiB), where the effect has one.

    A memory proof's limit counts from what the process had before; runs record all of it.
    """
    effect = document.get("effect") or {}
    observed = effect.get("observed") or {}
    cpu = float(observed["limit_s"]) if "limit_s" in observed else None
    first = next((run for run in runs if run["effect"]), None)
    if first is None or "limit_mb" not in observed:
        return cpu, None
    before = max(0.0, float(first["rss_mb"]) - float(observed["rss_mb"]))
    return cpu, before + float(observed["limit_mb"])


def _run_view(
    run: Mapping[str, Any], limits: tuple[float | None, float | None], scales: tuple[float, float]
) -> RunView:
    kind, _, name = str(run["input"]).partition(":")
    outcome, why = str(run["outcome"]), str(run.get("why") or "")
    return RunView(
        input=(f"{kind} {name}" if name else kind),
        kind="control" if kind == "control" else "poc",
        effect=bool(run["effect"]),
        outcome=outcome,
        why="" if why == outcome else why,
        cpu=f"{float(run['cpu_s']):.3f}",
        cpu_bar=_bar(float(run["cpu_s"]), limits[0], scales[0]),
        wall=f"{float(run['wall_s']):.3f}",
        memory=f"{float(run['rss_mb']):.1f}",
        memory_bar=_bar(float(run["rss_mb"]), limits[1], scales[1]),
    )


def _bar(value: float, limit: float | None, scale: float) -> Bar:
    length = max(_VISIBLE_PER_CENT, 100 * value / scale) if value > 0 else 0.0
    return Bar(round(length, 1), None if limit is None else round(100 * limit / scale, 1))
