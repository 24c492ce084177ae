"""What was observed, in plain sentences.  Pure: verdict documents in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

#: The grades in their order (docs/proof-trust.md), and what each asks besides the one before.
GRADES: Final[dict[str, str]] = {
    "claimed": "A bundle was handed in that can be run.",
    "reproduced": "The effect shows in every run on the named version, and on no control.",
    "attributed": "It arises in the target's own code.",
    "differential": "It is gone in the fixed version, where the controls behave as before.",
}

#: A verdict of each grade, in one sentence of its own.
SUMMARIES: Final[dict[str, str]] = {
    "claimed": "Running it did not show the effect, or not every time.",
    "reproduced": "Shown in every run, but not laid at the target's door.",
    "attributed": "Shown in every run, and it arises in the target's code.",
    "differential": "Shown, arises in the target, and gone in the fixed version.",
    "not judged": "No verdict could be made; the reason is given.",
}

#: The effects (docs/bundle-format.md) as a reader of a table takes them in.
EFFECTS: Final[dict[str, str]] = {
    "crash": "crash",
    "exception": "uncaught exception",
    "hang": "hang",
    "memory": "memory exhaustion",
    "write-outside": "write outside",
    "read-outside": "read outside",
    "execute": "code or program executed",
    "connect": "network access",
    "bypass": "guarantee broken",
}

#: What kept a bundle from being judged, by the kind of the error.
TROUBLES: Final[dict[str, str]] = {
    "Invalid": "malformed bundle",
    "NotFound": "not found",
    "Refused": "refused",
    "Unavailable": "could not be run here",
}

_CANARY: Final = {
    "opened": "was opened",
    "came out": "came out",
    "opened, and its content came out": "was opened, and its content came out",
}
_QUOTED = 200


def observed_shortly(observed: Mapping[str, Any]) -> str:
    """The figure or name that tells this effect from others of its kind; empty where none does."""
    listed = _listed(observed)
    if listed:
        return listed
    if "cpu_s" in observed:
        return f"{observed['cpu_s']} s of processor time"
    if "rss_mb" in observed:
        return f"{observed['rss_mb']} MiB"
    for key in ("type", "signal", "kind", "guarantee"):
        if key in observed:
            return _cut(str(observed[key]))
    if "canary" in observed:
        return f"canary {observed['canary']}"
    return "" if observed else "not seen"


def what_was_seen(kind: str, observed: Mapping[str, Any]) -> str:
    """One plain sentence about the effect, without its full stop; empty where none was seen."""
    if not observed:
        return ""
    if "sanitizer" in observed:
        return f"{observed['sanitizer']} reported {observed.get('kind', 'an error')}"
    if "signal" in observed:
        near = observed.get("address") == "near zero"
        where = ", a fault at an address near zero" if near else ""
        return f"The process was ended by {observed['signal']}{where}"
    if kind == "exception":
        message = str(observed.get("message", "")).strip()
        said = f" (“{_cut(message)}”)" if message else ""
        return f"{observed.get('type', 'An exception')}{said} came out, and nothing caught it"
    if kind == "hang":
        return (
            f"The run used {observed.get('cpu_s')} s of processor time; the limit is "
            f"{observed.get('limit_s')} s"
        )
    if kind == "memory":
        grown, limit = observed.get("rss_mb"), observed.get("limit_mb")
        return f"Memory grew by {grown} MiB; the limit is {limit} MiB"
    if kind == "read-outside":
        told = str(observed.get("canary", ""))
        return f"The secret planted outside the working directory {_CANARY.get(told, told)}"
    if kind == "bypass":
        return f"A stated guarantee does not hold: {_cut(str(observed.get('guarantee', '')))}"
    return _about_things(kind, observed)


def _about_things(kind: str, observed: Mapping[str, Any]) -> str:
    listed = _listed(observed)
    if kind == "write-outside":
        blocked = f" (held up {observed['blocked']})" if observed.get("blocked") else ""
        return f"The run changed files outside the working directory: {listed}{blocked}"
    if kind == "execute":
        return f"The run started {listed or 'a program'}"
    if kind == "connect":
        return f"The run tried to reach {listed or 'the network'}"
    return ", ".join(f"{key} {value}" for key, value in observed.items())


def _listed(observed: Mapping[str, Any]) -> str:
    for key in ("paths", "programs", "addresses"):
        things: Sequence[Any] = observed.get(key) or ()
        if things:
            more = f" and {len(things) - 3} more" if len(things) > 3 else ""
            return ", ".join(_cut(str(thing)) for thing in things[:3]) + more
    return ""


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else text[:_QUOTED] + "…"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 run``, ``3 runs``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", "\u202f")


def joined(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
