"""Watches pairs of runs, without and with a patch, for effects that are new."""

from __future__ import annotations

from collections.abc import Iterable

from clearhouse.proof.new_effects import NewEffect, new_effects
from clearhouse.proof.observation import Frame, Run
from clearhouse.proof.patched import Distribution


class Witness:
    """Gathers new effects over pairs of runs without and with the patch."""

    def __init__(self, copy: Distribution, pairs: Iterable[tuple[Run, Run]]) -> None:
        self._copy = copy
        self._lines: dict[str, list[str]] = {}
        self.known_faults: frozenset[str] = frozenset()
        self._all: list[NewEffect] = []
        self.look(pairs)

    def look(self, pairs: Iterable[tuple[Run, Run]]) -> None:
        """Compare runs of the same inputs."""
        for before, after in pairs:
            found = new_effects(
                before, after, known_faults=self.known_faults, line_of=self._line_of
            )
            self._all += found

    @property
    def found(self) -> list[NewEffect]:
        """Each new effect once, on the proof and the controls themselves where they show it."""
        ordered = sorted(self._all, key=lambda one: "~" in one.input)
        return list({(one.kind, one.what): one for one in reversed(ordered)}.values())[::-1]

    def _line_of(self, frame: Frame) -> str | None:
        if frame.line is None:
            return None
        name = self._copy.shown_below + frame.file
        if name not in self._lines:
            path = self._copy.tree.root / name
            raw = path.read_bytes() if path.is_file() else b""
            self._lines[name] = raw.decode("utf-8", "replace").splitlines()
        lines = self._lines[name]
        return lines[frame.line - 1] if 0 < frame.line <= len(lines) else None
