"""What Inspect finds by the entry point ``inspect_ai``: the sandbox ``bwrap`` and the task."""

from clearhouse.benchmark.evaluation.sandbox import BubblewrapSandbox
from clearhouse.benchmark.evaluation.task import show_known_flaw

__all__ = ["BubblewrapSandbox", "show_known_flaw"]
