"""The conditions of a directive's selectors as JSON: ``{"is": "severity", "at_least": "high"}``.

``is`` names the condition; what it takes stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar, assert_never

from clearhouse.formats.json_value import JsonValue
from clearhouse.protocol.directives.conditions import (
    AnySystem,
    AnyVulnerability,
    CriticalityAtLeast,
    EpssAtLeast,
    Exposed,
    InKev,
    InPackage,
    InSector,
    Named,
    OfKind,
    OfWeakness,
    Package,
    PubliclyExposed,
    SeverityAtLeast,
    SystemCondition,
    VulnerabilityCondition,
)
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.ssvc.points import HUMAN_IMPACT
from clearhouse.protocol.system_questions import Kind

#: Things that one condition can name, and characters of a name.
MOST_NAMES: Final = 10_000
LONGEST_NAME: Final = 500
_MOST_WEAKNESS: Final = 100_000
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def read_vulnerability_condition(value: JsonValue) -> VulnerabilityCondition:
    """A condition on vulnerabilities.  Raises :class:`clearhouse.errors.Invalid` for another."""
    return _read(value, _OF_VULNERABILITIES)


def read_system_condition(value: JsonValue) -> SystemCondition:
    """A condition on systems.  Raises :class:`clearhouse.errors.Invalid` for another."""
    return _read(value, _OF_SYSTEMS)


def write_condition(condition: VulnerabilityCondition | SystemCondition) -> dict[str, Any]:
    """The condition as JSON has it; sets are in order."""
    match condition:
        case AnyVulnerability() | AnySystem():
            return {"is": "any"}
        case InKev():
            return {"is": "in-kev"}
        case SeverityAtLeast(severity):
            return {"is": "severity", "at_least": severity.value}
        case EpssAtLeast(probability):
            return {"is": "epss", "at_least": probability}
        case Named(names):
            return {"is": "named", "one_of": sorted(names)}
        case InPackage(packages):
            pairs = sorted((one.ecosystem, one.name) for one in packages)
            named = [{"ecosystem": ecosystem, "name": name} for ecosystem, name in pairs]
            return {"is": "in-package", "one_of": named}
        case OfWeakness(weaknesses):
            return {"is": "of-weakness", "one_of": sorted(weaknesses)}
        case InSector(sectors):
            return {"is": "in-sector", "one_of": sorted(sectors)}
        case PubliclyExposed(answers):
            return {"is": "publicly-exposed", "one_of": sorted(answers)}
        case CriticalityAtLeast(level):
            return {"is": "criticality", "at_least": level}
        case OfKind(kinds):
            return {"is": "of-kind", "one_of": sorted(kinds)}
        case _:
            assert_never(condition)


def _read(value: JsonValue, known: Mapping[str, tuple[str, Callable[[JsonValue], T]]]) -> T:
    name = value.text_at("is")
    if name is None or name not in known:
        raise (value.get("is") or value).wrong(f"expected one of {', '.join(known)}")
    argument, read = known[name]
    value.check_keys(("is", argument) if argument else ("is",), ())
    return read(value.get(argument) or value)


def _names(value: JsonValue, read_one: Callable[[JsonValue], T]) -> frozenset[T]:
    return frozenset(read_one(one) for one in value.items(most=MOST_NAMES))


def _name(value: JsonValue) -> str:
    text = value.text()
    if not text.strip() or len(text) > LONGEST_NAME or "\0" in text:
        raise value.wrong(f"expected a name of at most {LONGEST_NAME} characters")
    return text


def _package(value: JsonValue) -> Package:
    value.check_keys(("ecosystem", "name"), ())
    ecosystem, name = value.get("ecosystem"), value.get("name")
    return Package(_name(ecosystem or value), _name(name or value))


def _weakness(value: JsonValue) -> int:
    number = value.integer()
    if not 0 < number < _MOST_WEAKNESS:
        raise value.wrong("expected the number of a weakness in CWE")
    return number


def _probability(value: JsonValue) -> float:
    if isinstance(value.raw, bool) or not isinstance(value.raw, int | float):
        raise value.expected("a probability from 0 to 1")
    if not 0 <= value.raw <= 1:
        raise value.wrong("expected a probability from 0 to 1")
    return float(value.raw)


def _level(value: JsonValue) -> str:
    levels = HUMAN_IMPACT.values
    if value.text() not in levels:
        known = ", ".join(f"{key} ({name})" for key, name in levels.items())
        raise value.wrong(f"expected one of {known}")
    return value.text()


def _words(words: type[E]) -> Callable[[JsonValue], E]:
    known: Mapping[str, E] = {one.value: one for one in words}

    def read(value: JsonValue) -> E:
        if value.text() not in known:
            raise value.wrong(f"expected one of {', '.join(known)}")
        return known[value.text()]

    return read


#: By its name: the key of what it takes, and what makes it.
_OF_VULNERABILITIES: Final[
    Mapping[str, tuple[str, Callable[[JsonValue], VulnerabilityCondition]]]
] = {
    "any": ("", lambda _: AnyVulnerability()),
    "in-kev": ("", lambda _: InKev()),
    "severity": ("at_least", lambda found: SeverityAtLeast(_words(Severity)(found))),
    "epss": ("at_least", lambda found: EpssAtLeast(_probability(found))),
    "named": ("one_of", lambda found: Named(_names(found, _name))),
    "in-package": ("one_of", lambda found: InPackage(_names(found, _package))),
    "of-weakness": ("one_of", lambda found: OfWeakness(_names(found, _weakness))),
}
_OF_SYSTEMS: Final[Mapping[str, tuple[str, Callable[[JsonValue], SystemCondition]]]] = {
    "any": ("", lambda _: AnySystem()),
    "in-sector": ("one_of", lambda found: InSector(_names(found, _words(Sector)))),
    "publicly-exposed": (
        "one_of", lambda found: PubliclyExposed(_names(found, _words(Exposed))),
    ),
    "criticality": ("at_least", lambda found: CriticalityAtLeast(_level(found))),
    "of-kind": ("one_of", lambda found: OfKind(_names(found, _words(Kind)))),
}  # fmt: skip
