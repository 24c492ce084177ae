"""Progress of long work: one line on a terminal, nothing where standard error is piped."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from clearhouse.proof.text import printable

_WIDTH = 100


class Working(Progress):
    """A line that says what is being done.  Use as a context manager; it is gone at the end."""

    def __init__(self) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._line = self.add_task("", total=None)

    def say(self, subject: str, step: str) -> None:
        """Show what is being done with a bundle; both texts may be somebody else's."""
        self.update(self._line, description=printable(f"{subject}: {step}", limit=_WIDTH))
