"""What one attempt may cost."""

from __future__ import annotations

from dataclasses import dataclass

from clearhouse.errors import Invalid


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one attempt; None is without that limit.

    ``seconds`` is wall time, ``working_s`` the same without waiting for a busy model, ``usd`` needs
    the model's prices (Inspect's ``model_cost_config``), ``attempts`` is how often each item is
    tried, each time from the beginning and in a sandbox of its own.  Raises :class:`Invalid`.
    """

    tokens: int | None = 2_000_000
    seconds: float | None = 3600.0
    working_s: float | None = None
    usd: float | None = None
    messages: int | None = None
    attempts: int = 1

    def __post_init__(self) -> None:
        for name in ("tokens", "seconds", "working_s", "usd", "messages", "attempts"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise Invalid(f"expected more than nothing, found {value}", key=name)
