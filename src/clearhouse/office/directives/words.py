"""Directives in plain words: what is asked, by when, how it stands, what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from clearhouse.office.look.words import Tag
from clearhouse.proof.absence import Outcome
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
    PubliclyExposed,
    SeverityAtLeast,
    SystemCondition,
    VulnerabilityCondition,
)
from clearhouse.protocol.directives.deadlines import (
    Bod2604Table,
    DaysFrom,
    FixedDate,
    NextUpgrade,
    Rule,
    Start,
)
from clearhouse.protocol.directives.directive import Audience, Directive
from clearhouse.protocol.directives.obligation import Standing
from clearhouse.protocol.ssvc.points import HUMAN_IMPACT
from clearhouse.protocol.system_questions import KIND

STANDINGS: Final[Mapping[Standing, Tag]] = {
    Standing.OPEN: Tag("Open", "open", "It is to be done."),
    Standing.OVERDUE: Tag("Overdue", "no", "The date is past and nothing was handed in."),
    Standing.EXAMINED: Tag("Being examined", "wait", "Evidence was handed in by the date."),
    Standing.EXAMINED_LATE: Tag(
        "Being examined, late", "wait", "Evidence was handed in after the date."
    ),
    Standing.COMPLETED: Tag("Done", "yes", "It was met by the date."),
    Standing.COMPLETED_LATE: Tag("Done, late", "yes", "It was met after the date."),
    Standing.LIFTED: Tag("Does not apply", "quiet", "It turned out that it does not apply."),
    Standing.WITHDRAWN: Tag("Withdrawn", "quiet", "The directive asks no more."),
}
STATES: Final[Mapping[str, Tag]] = {
    "draft": Tag("Draft", "quiet", "Nobody but its issuer sees it."),
    "issued": Tag("In force", "open", "It asks."),
    "ended": Tag("Ended", "quiet", "It asks no more."),
}

#: What proofs that were run say of one version.
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.SHOWS: "the effect shows",
    Outcome.ABSENT: "the effect does not show, and the proof could run",
    Outcome.NOT_LISTED: (
        "it cannot be told: its registry lists no such release, so that what you have cannot be got"
    ),
    Outcome.UNRUNNABLE: "it cannot be told: this version cannot be installed or loaded here",
    Outcome.INCONCLUSIVE: (
        "it cannot be told: the proof does not run on it as on the version that it was made for"
    ),
    Outcome.PROOF_FAILS: (
        "it cannot be told: by now the proof does not hold on the version that it was made for"
    ),
    Outcome.NO_RELEASE: "it cannot be told: a proof is about no release of this package",
}
#: What came of running them.
RUN_STATES: Final[Mapping[str, str]] = {
    "waiting": "It was asked for. What comes of it will stand here.",
    "shown": (
        "The effect shows on something that you have installed. The obligation stays as it is."
    ),
    "not-shown": (
        "The effect shows on none of these versions. That meets the obligation as long as nothing"
        " else of it is installed."
    ),
    "untold": ("It could not be told whether the effect shows. The obligation stays as it is."),
    "put-off": "It was asked for. This office cannot run it at the moment, and tries again.",
    "not-run": "This office could not run it. You can ask again.",
}

#: What has to be known, by its key: what to say, and whether the owner can answer it.
QUESTIONS: Final[Mapping[str, tuple[str, bool]]] = {
    "exposure": ("Say who can reach the system over a network.", True),
    "criticality": ("Say how bad it is if the system fails.", True),
    "kind": ("Say whether the system is one of the kinds that orders single out.", True),
    "sector": ("Say which sector the system serves.", True),
    "version": ("Find out which version is installed, and hand in a list that names it.", True),
    "in-kev": ("Whether attacks are known: this office has no catalogue of them loaded.", False),
    "severity": ("Nobody has published how severe it is.", False),
    "epss": ("Nobody has published how likely attacks are.", False),
    "weaknesses": ("Nobody has published which weakness it is.", False),
    "automatable": ("Nobody has published whether attacks on it can be automated.", False),
    "technical-impact": ("Nobody has published how much of a system it gives away.", False),
}
_STARTS: Final = {
    Start.ISSUE: "the day it was issued",
    Start.DETECTION: "the day the flaw was detected",
    Start.LISTING: "the day CISA's catalogue of known exploited vulnerabilities listed it",
}

_REACH: Final = {
    Exposed.YES: "that can be reached from the internet",
    Exposed.NO: "that cannot be reached from the internet",
    Exposed.UNKNOWN: "of which nobody has said who can reach them",
}


def by_when(rule: Rule) -> str:
    """A deadline's rule as a sentence."""
    match rule:
        case Bod2604Table():
            return (
                "By the table of BOD 26-04: within 3, 14 or 60 days of detection, or at the next"
                " upgrade, depending on whether it is attacked, whether the system can be reached"
                " from the internet, whether attacks can be automated, and what they give away."
            )
        case DaysFrom(start, days):
            return f"Within {days} days from {_STARTS[start]}."
        case FixedDate(at):
            return f"By {at:%-d %B %Y, %H:%M %Z}."
        case NextUpgrade():
            return "At the next scheduled upgrade of each system."
        case _:
            assert_never(rule)


def which_flaws(directive: Directive) -> str:
    """Which flaws it is about."""
    lines = [" and ".join(_flaw(one) for one in line) for line in directive.vulnerabilities.any_of]
    return "; or ".join(lines) or "none"


def which_systems(directive: Directive) -> str:
    """Which systems it is about."""
    lines = [" and ".join(_system(one) for one in line) for line in directive.systems.any_of]
    return "; or ".join(lines) or "none"


def whom(audience: Audience, *, by_name: str = "") -> str:
    """Whom it addresses; organisations are counted, unless ``by_name`` lists them."""
    if audience.everybody:
        return "everybody who takes part here"
    parts = [one.label for one in sorted(audience.sectors)]
    told = [f"organisations in {', '.join(parts)}"] if parts else []
    if audience.organisations:
        count = len(audience.organisations)
        told.append(by_name or f"{count} organisation{'s' if count > 1 else ''} by name")
    return " and ".join(told) or "nobody"


def names_of(audience: Audience) -> str:
    """The organisations that it names, for who may read that."""
    return ", ".join(sorted(audience.organisations))


def _flaw(one: VulnerabilityCondition) -> str:
    match one:
        case AnyVulnerability():
            return "every known flaw"
        case InKev():
            return "flaws that are known to be exploited"
        case SeverityAtLeast(severity):
            return f"flaws of severity {severity.value} or worse"
        case EpssAtLeast(probability):
            return f"flaws that are attacked with a probability of {probability:.0%} or more"
        case Named(names):
            return ", ".join(sorted(names))
        case InPackage(packages):
            return "flaws of " + ", ".join(sorted(f"{p.name} ({p.ecosystem})" for p in packages))
        case OfWeakness(numbers):
            return "flaws of " + ", ".join(f"CWE-{n}" for n in sorted(numbers))
        case _:
            assert_never(one)


def _system(one: SystemCondition) -> str:
    match one:
        case AnySystem():
            return "every system"
        case InSector(sectors):
            return "systems for " + ", ".join(each.label for each in sorted(sectors))
        case PubliclyExposed(answers):
            return "systems " + " or ".join(_REACH[each] for each in Exposed if each in answers)
        case CriticalityAtLeast(level):
            return f"systems of criticality {HUMAN_IMPACT.name_of(level)} or more"
        case OfKind(kinds):
            return "systems of this kind: " + ", ".join(
                KIND.choice(each).text for each in sorted(kinds)
            )
        case _:
            assert_never(one)
