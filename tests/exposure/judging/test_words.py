"""Plain words: one reason, what, where, by when, what to do, and what if that cannot be done."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.exposure.judging.facts import Epss, Fact, Flaw, Known, System
from clearhouse.exposure.judging.judgement import judge
from clearhouse.exposure.judging.reason import how_bad, reason
from clearhouse.exposure.judging.words import Place, Told, tell
from clearhouse.exposure.matching import Answer
from clearhouse.formats.advisory import Remediation, Remedy
from tests.exposure.judging import cases
from tests.exposure.judging.cases import EXPOSED, HIDDEN, LISTED, NOT_LISTED, NOW

NOBODY_SAID = System("mail", "The mail server")
FIXED = Place("openssl", "1.1.1", "3.0.14")
OPEN = Place("openssl", "1.1.1")


def told(case: Known, *places: Place, remedies: tuple[Remediation, ...] = ()) -> Told:
    return tell(judge(case), "OpenSSL reads too far", places or (FIXED,), remedies, now=NOW)


PARTIAL = cases.WORST | {"TI": Fact("P", "CISA")}


@pytest.mark.parametrize(
    ("flaw", "system", "said"),
    [
        (Flaw("X", LISTED, points=PARTIAL), EXPOSED,
         "Attackers already use it, and this system can be reached from the internet: 3 days."),
        (Flaw("X", LISTED, points=cases.WORST), EXPOSED,
         "Attackers already use it, and this system can be reached from the internet:"
         " 3 days, and look for signs of an attack."),
        (Flaw("X", NOT_LISTED, points=cases.LEAST), HIDDEN,
         "No attacks are known, and this system cannot be reached from the internet:"
         " at the next planned update."),
        (Flaw("X", NOT_LISTED, points=cases.LEAST | {"TI": Fact("T", "CISA")}), NOBODY_SAID,
         "No attacks are known, and nobody has said whether this system can be reached from the"
         " internet: 14 days, until somebody answers that."),
        (Flaw("X", NOT_LISTED, scores=(cases.scored(cases.TOTAL),)), EXPOSED,
         "It is not in CISA's list of flaws that are attacked, this system can be reached from the"
         " internet, and attacks on it can probably be automated: 3 days."),
        (Flaw("X"), NOBODY_SAID,
         "Nobody has said whether it is attacked, and nobody has said whether this system can be"
         " reached from the internet: 3 days, and look for signs of an attack, until more is"
         " known."),
    ],
)  # fmt: skip
def test_the_reason_is_one_sentence(flaw: Flaw, system: System, said: str) -> None:
    assert reason(judge(Known(flaw, system, NOW))) == said


def test_a_directive_that_is_earlier_is_the_reason() -> None:
    case = Known(Flaw("X", NOT_LISTED, points=cases.LEAST), HIDDEN, NOW)
    obliged = Fact(NOW + timedelta(days=4), "your regulator's order")
    found = reason(judge(replace(case, obliged=obliged)))
    assert found.endswith(": Monday, 14 December 2026, as your regulator's order asks.")


CASE = Known(Flaw("CVE-2026-1", LISTED, points=PARTIAL), EXPOSED, NOW)


def test_an_update_is_what_to_do_where_there_is_one() -> None:
    found = told(CASE)
    assert found.what == "OpenSSL reads too far. Its identifier is CVE-2026-1."
    assert found.where == "The archive has it, in openssl 1.1.1."
    assert found.by_when == "By Saturday, 12 December 2026, in 2 days."
    assert found.do == ("Update openssl to 3.0.14 or later.",)
    assert found.otherwise[0].startswith("Cut the system off from the internet")
    assert (found.asked, found.unknown, found.assumed) == ((), (), ())


@pytest.mark.parametrize(
    ("remedies", "said"),
    [
        ([], ["No update for openssl is known yet. Ask whoever you have it from."]),
        ([(Remedy.FIX, "Take build 7.")], ["For openssl, the advisory says: Take build 7."]),
        (
            [(Remedy.NONE_YET, ""), (Remedy.WORKAROUND, "Switch TLS\n off.")],
            [
                "No update for openssl is known yet. Ask whoever you have it from.",
                "Until there is an update: Switch TLS off.",
            ],
        ),
        (
            [(Remedy.NONE_PLANNED, "")],
            ["There will be no update for openssl. Plan to replace it, or to take it away."],
        ),
    ],
)
def test_without_an_update_it_says_what_else(
    remedies: list[tuple[Remedy, str]], said: list[str]
) -> None:
    given_ones = tuple(Remediation(kind, text) for kind, text in remedies)
    assert list(told(CASE, OPEN, remedies=given_ones).do) == said


def test_logs_are_saved_before_an_update_where_signs_of_an_attack_are_to_be_sought() -> None:
    found = told(replace(CASE, flaw=Flaw("X", LISTED, points=cases.WORST)))
    assert found.do[0].startswith("First copy the logs")
    assert found.do[1] == "Update openssl to 3.0.14 or later."
    assert found.do[2].startswith("Then look for signs")


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "Today, Saturday, 12 December 2026."),
        (1, "By Saturday, 12 December 2026, tomorrow."),
        (-1, "It was due on Saturday, 12 December 2026. Do it now."),
    ],
)
def test_by_when_is_a_day(days: int, said: str) -> None:
    due = judge(CASE).due
    assert due is not None
    now = due - timedelta(days=days)
    assert tell(judge(CASE), "It", [FIXED], now=now).by_when == said


def test_what_is_not_known_is_asked_and_what_is_assumed_is_said() -> None:
    flaw = Flaw("X", NOT_LISTED, scores=(cases.scored(cases.TOTAL),))
    found = told(Known(flaw, NOBODY_SAID, NOW, Answer.UNDECIDED))
    assert found.asked[0] == "Who can reach this system over a network?"
    assert found.unknown == ("whether it is attacked",)
    assert found.assumed[0].startswith("Attacks on it can be automated. This is assumed from CVSS")
    assert found.assumed[0].endswith("Otherwise: 14 days.")
    assert found.where.startswith("The mail server may have it, in openssl 1.1.1: ")


def test_how_bad_says_who_says_so() -> None:
    rated = Flaw(
        "X", epss=Fact(Epss(0.4, 0.9), "EPSS", cases.DAY), scores=(cases.scored(cases.TOTAL),)
    )
    assert how_bad(judge(Known(rated, HIDDEN, NOW))) == (
        "Severity: critical, 9.8 of 10 (NVD, 2026-12-01)."
        " Chance of attacks in the next 30 days: about 40 in 100 (EPSS, 2026-12-01)."
    )
    rare = replace(rated, epss=Fact(Epss(0.004, 0.2), "EPSS"))
    assert "less than 1 in 100" in how_bad(judge(Known(rare, HIDDEN, NOW)))
    assert how_bad(judge(Known(Flaw("X"), HIDDEN, NOW))) == (
        "Nobody has said how severe it is. Nobody has estimated how likely attacks are."
    )


JARGON = re.compile(r"\b(KEV|EPSS|SSVC|CVSS|BOD|MEF|RCE|PoC|remediat\w+|mitigat\w+)\b")
places = st.lists(
    st.builds(Place, st.sampled_from(["openssl", "curl"]), st.just("1"), st.none() | st.just("2")),
    min_size=1,
    max_size=3,
)
remediations = st.lists(
    st.builds(Remediation, st.sampled_from(Remedy), st.just("Do so.")), max_size=3
)


@given(cases.known, places, remediations)
def test_whatever_is_known_it_is_told_in_full_sentences_without_jargon(
    case: Known, where: list[Place], remedies: list[Remediation]
) -> None:
    found = tell(judge(case), "It reads too far", where, remedies, now=NOW)
    for text in (found.reason, found.what, found.how_bad, found.where, found.by_when):
        assert text.endswith((".", ").")), text
    for text in (found.reason, found.by_when, *found.do, *found.otherwise, *found.asked):
        assert not JARGON.search(text), text
        assert all(len(one.split()) <= 50 for one in text.split(". ")), text
    assert found.do
    assert found.otherwise
    assert all(text.endswith("?") for text in found.asked)


def test_a_text_from_outside_is_cut() -> None:
    found = told(CASE, OPEN, remedies=(Remediation(Remedy.FIX, "x" * 10_000),))
    assert found.do[0].endswith("x [...]")
    assert len(found.do[0]) < 600


def test_a_time_without_zone_is_invalid() -> None:
    with pytest.raises(Invalid, match="now: a time without a zone"):
        tell(judge(CASE), "It", [FIXED], now=NOW.replace(tzinfo=None))
