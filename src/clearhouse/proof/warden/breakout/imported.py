"""The attempts again, made where a target is imported: importing this module makes them."""

from __future__ import annotations

from .attempt import Facts, every, make

_FACTS = Facts.read("import")
RESULTS = [make(attempt, _FACTS) for attempt in every() if "import" in attempt.places]
