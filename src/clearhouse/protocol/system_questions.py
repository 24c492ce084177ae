"""What only the owner of a system can say of it: questions in plain words, and what answers mean.

Forms, API and command line ask the same.  An answer stands for values of decision points (SSVC;
CISA BOD 26-04) or for kinds of system that directives are about.  Whoever does not know says so,
and it stays unknown: nothing is put in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.protocol.ssvc.deriving import possible
from clearhouse.protocol.ssvc.points import HUMAN_IMPACT
from clearhouse.protocol.ssvc.tables import HUMAN_IMPACT_TABLE

#: The answer that every question has, and what a person reads.
UNKNOWN: Final = "unknown"
_DO_NOT_KNOW: Final = "I do not know"


class Kind(StrEnum):
    """What directives single systems out by."""

    NATIONAL_SECURITY = "national-security"  # 44 U.S.C. 3552(b)(6)
    MILITARY = "military"
    FEDERAL_CIVILIAN = "federal-civilian"
    HIGH_VALUE = "high-value"  # CISA's high value assets
    MEDICAL = "medical"
    INDUSTRIAL = "industrial"
    NONE = "none"  # none of these, which is something else than not known


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its key, its words, an example that helps to decide, and what it means."""

    key: str
    text: str
    explanation: str
    points: Mapping[str, str] = field(default_factory=dict)
    """Values of decision points, by the points' keys."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the owner; ``most`` is how many answers may be given."""

    key: str
    text: str
    why: str
    choices: tuple[Choice, ...]
    most: int = 1

    def choice(self, key: str) -> Choice:
        """The answer with a key.  Raises :class:`Invalid` where the question has none such."""
        for one in self.choices:
            if one.key == key:
                return one
        keys = ", ".join(one.key for one in self.choices)
        raise Invalid(f"expected one of {keys}", key=self.key)


def _question(key: str, text: str, why: str, *choices: Choice, most: int = 1) -> Question:
    unknown = Choice(
        UNKNOWN, _DO_NOT_KNOW, "You can answer later. Until then the worst is assumed."
    )
    return Question(key, text, why, (*choices, unknown), most)


EXPOSURE: Final = _question(
    "exposure",
    "Who can reach this system over a network?",
    "What everybody can reach is attacked first, so it has to be mended first.",
    Choice(
        "internet",
        "Anybody on the internet",
        "A web site, a mail server, the VPN device itself: whoever has its address sees it,"
        " even if they then have to log in.",
        {"PE": "Y", "EXP": "O"},
    ),
    Choice(
        "protected",
        "Only people who are let in first",
        "The office network, or from outside through a VPN (a protected connection).",
        {"PE": "N", "EXP": "C"},
    ),
    Choice(
        "isolated",
        "Hardly anybody",
        "It has no network, or one with a few known machines and no way out.",
        {"PE": "N", "EXP": "S"},
    ),
)

MISSION: Final = _question(
    "mission",
    "If this system fails or does what an attacker wants, what happens to your work?",
    "What your work depends on has to be mended before what it can do without.",
    Choice(
        "goes-on", "Work goes on",
        "Some things are slower or less comfortable.", {"MI": "D"},
    ),
    Choice(
        "for-a-while", "Work goes on for a while only",
        "You can do it by hand or on paper, but not for long.", {"MI": "MSC"},
    ),
    Choice(
        "one-service-stops", "Something that people depend on stops",
        "One service, for longer than is acceptable: the laboratory, the payments, one pump.",
        {"MI": "MEF"},
    ),
    Choice(
        "everything-stops", "We cannot do what we are there for",
        "Patients are sent elsewhere, the bank is closed, there is no water.", {"MI": "MF"},
    ),
)  # fmt: skip

SAFETY: Final = _question(
    "safety",
    "If this system fails or does what an attacker wants, can somebody be hurt?",
    "Danger to people counts more than anything else.",
    Choice(
        "no", "No, or hardly",
        "Small injuries at worst.", {"SI": "N"},
    ),
    Choice(
        "injured", "Somebody can be badly hurt",
        "Or staff needs all its attention to prevent it.", {"SI": "M"},
    ),
    Choice(
        "one-death", "Somebody can die",
        "A wrong dose, an alarm that does not come.", {"SI": "R"},
    ),
    Choice(
        "many-deaths", "Many people can die",
        "Poisoned drinking water, a dam, a chemical plant.", {"SI": "C"},
    ),
)  # fmt: skip

CRITICALITY: Final = _question(
    "criticality",
    "All in all: how bad is it if this system fails?",
    "A short answer in place of the two on work and safety; where those say more, they count.",
    Choice("low", "Not bad", "We would hardly notice.", {"HI": "L"}),
    Choice("medium", "Bad", "It costs us days of work.", {"HI": "M"}),
    Choice("high", "Very bad", "People who depend on us notice.", {"HI": "H"}),
    Choice("very-high", "A catastrophe", "Lives, or all that we are there for.", {"HI": "VH"}),
)

KIND: Final = _question(
    "kind",
    "Is this system one of these?",
    "Some orders are only for some kinds of system.",
    Choice(
        Kind.NATIONAL_SECURITY, "A national security system",
        "It serves intelligence, cryptology, weapons or command, or is classified."
        " Whoever runs one has been told so.",
    ),
    Choice(Kind.MILITARY, "A military system", "It belongs to the armed forces."),
    Choice(
        Kind.FEDERAL_CIVILIAN, "A system of a federal civilian agency",
        "Or run by somebody else for one.",
    ),
    Choice(
        Kind.HIGH_VALUE, "A high value asset",
        "A federal system so important that its agency reported it as one.",
    ),
    Choice(Kind.MEDICAL, "A medical device", "Connected to patients, or to their treatment."),
    Choice(Kind.INDUSTRIAL, "An industrial control system", "It moves pumps, valves, machines."),
    Choice(Kind.NONE, "None of these", "An ordinary computer, server or program."),
    most=len(Kind) - 1,
)  # fmt: skip

#: In the order in which they are asked.
QUESTIONS: Final = (EXPOSURE, MISSION, SAFETY, CRITICALITY, KIND)


def question(key: str) -> Question:
    """The question with a key.  Raises :class:`Invalid` where there is none."""
    for one in QUESTIONS:
        if one.key == key:
            return one
    raise Invalid(f"expected one of {', '.join(one.key for one in QUESTIONS)}", key=key)


def points_of(answers: Mapping[str, str]) -> dict[str, str]:
    """The values of decision points that answers mean, by the points' keys.

    ``answers`` has the key of one answer by the key of each question; what is unknown is left out.
    Raises :class:`Invalid` for a question or an answer that is not there.
    """
    found: dict[str, str] = {}
    for key, answer in answers.items():
        found |= question(key).choice(answer).points
    return found


def kinds_of(answers: Iterable[str]) -> frozenset[Kind] | None:
    """The kinds that a system is said to be; None where it is not known.

    Raises :class:`Invalid` for a kind that is not there, and for one together with none of them or
    with not knowing.
    """
    given = frozenset(KIND.choice(one).key for one in answers)
    if len(given) > 1 and given & {UNKNOWN, Kind.NONE}:
        raise Invalid("an answer and its opposite: choose", key=KIND.key)
    if not given or UNKNOWN in given:
        return None
    return frozenset(Kind(one) for one in given) - {Kind.NONE}


def criticalities(points: Mapping[str, str]) -> tuple[str, ...]:
    """How critical a system may be, from the least to the most: values of SSVC's Human Impact.

    1. What safety and mission leave possible together, which is one value where both are given.
    2. In its place what was said all in all, unless it is less than the least of that.
    """
    impacts = {key: points[key] for key in ("SI", "MI") if key in points}
    found = possible(HUMAN_IMPACT_TABLE, impacts)  # 1
    stated = points.get(HUMAN_IMPACT.key)
    if stated is None or len(found) == 1:
        return found
    ranks = list(HUMAN_IMPACT.values)
    return (stated,) if ranks.index(stated) >= ranks.index(found[0]) else found  # 2
