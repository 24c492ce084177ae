"""Everybody does anything in any order, and what must never be never is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.assessments import queries
from clearhouse.office.assessments.actions import deciding, measuring
from clearhouse.office.assessments.documents import ModelAssessmentOut
from clearhouse.office.assessments.models import Assessment
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.reviews.actions import choosing, lending, submitting, windows
from clearhouse.office.reviews.models import Review
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.assessment import AssessmentState, issued_from
from clearhouse.protocol.partners import Part
from tests.office.assessments import made
from tests.office.reviews.made import Cast, at, cast, chosen, digest, opened
from tests.office.security.world import undone

pytestmark = pytest.mark.django_db

_WHO: Final = ("developer", "office", "assessor", "partner", "stranger")
#: Whose deed it is: mostly the right one tries, so that walks get far.
_RIGHT: Final = "who it is for"
_DEVELOPERS: Final = {"reply", "publish", "unpublish", "withdraw", "pause", "resume", "end"}
_OF_REVIEW: Final = {
    "pause": windows.pause_window, "resume": windows.resume_window, "end": windows.end_window,
    "finish": lending.finish, "withdraw": submitting.withdraw,
}  # fmt: skip
_OF_ASSESSMENT: Final = {
    "determine": deciding.determine, "publish": deciding.publish, "unpublish": deciding.unpublish,
}  # fmt: skip
_DEEDS: Final = (
    "begin", "begin", "report", "report", "hand in strong", "hand in weak", "hand in weak",
    "hand in another's", "abandon", "reply", "determine", "determine", "publish", "unpublish",
    "pause", "resume", "end", "finish", "withdraw", "count", "wait", "wait", "wait",
)  # fmt: skip
#: Walks begin at different points of the way: few get from one end of it to the other.
_FIRST: Final[dict[str, tuple[str, ...]]] = {
    "nothing": (),
    "begun": ("begin",),
    "reported": ("begin", "report"),
    "handed in": ("begin", "hand in weak"),
    "given up": ("begin", "report", "abandon", "begin", "hand in strong"),
    "answered": ("begin", "report", "hand in weak", "reply"),
    "determined": ("begin", "hand in weak", "reply", "determine"),
    "public": ("begin", "hand in strong", "reply", "determine", "publish"),
}
#: Who does what, and how many attempts or hours it is about.
steps = st.lists(
    st.tuples(st.sampled_from(_DEEDS), st.sampled_from((*[_RIGHT] * 8, *_WHO)), st.integers(1, 40)),
    min_size=8,
    max_size=20,
)


@dataclass
class Walk:
    """A review that is measured, and what was seen of it so far."""

    who: Cast
    review: str
    plan: str
    hours: int = 24
    handed_in: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    @property
    def now(self) -> datetime:
        return at(self.hours / 24)

    def latest(self) -> str:
        """The assessment that was begun last, if any."""
        return Assessment.objects.order_by("-pk").values_list("name", flat=True).first() or "A-NONE"

    def does(self, deed: str, whom: str, number: int) -> None:
        """Try it: who may not is told so, in one of the ways that there are."""
        self.hours += 3 * number if deed == "wait" else 0
        if whom == _RIGHT:
            whom = "developer" if deed in _DEVELOPERS else "office"
        try:
            self._try(deed, getattr(self.who, whom), number)
        except (Conflict, Invalid, NotFound, Refused):
            return

    def _try(self, deed: str, viewer: Viewer, number: int) -> None:
        name, now = self.latest(), self.now
        slot = Assessment.objects.filter(name=name).values_list("slot", flat=True).first() or 0
        act: Any = _OF_REVIEW.get(deed)
        if act is not None:
            act(viewer, self.review, now=now)
        elif (act := _OF_ASSESSMENT.get(deed)) is not None:
            act(viewer, name, now=now)
        elif deed == "begin":
            measuring.begin(viewer, self.review, self.plan, "Halcyon-9", now=now)
        elif deed == "report":
            some = made.reports(made.outcomes(slot, made.weak))[:number]
            measuring.report_attempts(viewer, name, some, now=now)
        elif deed.startswith("hand in"):
            ends = made.strong if deed == "hand in strong" else made.weak
            of = "A-ANOTHER" if deed == "hand in another's" else name
            measuring.hand_in(viewer, name, made.evidence(of, slot, ends).as_zip(), now=now)
        elif deed == "abandon":
            measuring.abandon(viewer, name, "It went badly.", now=now)
        elif deed == "reply":
            deciding.reply(viewer, name, "As we expected.", now=now)
        elif deed == "count":
            deciding.count_those_over(now)

    def must_be_sound(self) -> None:
        """What holds after every deed."""
        assert [str(one) for one in contradictions()] == []
        rows = list(Assessment.objects.select_related("review").order_by("pk"))
        there = {one.name: one for one in rows}
        for name, was in self.handed_in.items():
            assert AssessmentState(there[name].state).stands
            assert (there[name].determination, there[name].verdict, there[name].evidence) == was
        for one in rows:
            if AssessmentState(one.state).stands:
                self.handed_in[one.name] = (one.determination, one.verdict, one.evidence)
            if one.determined_at is not None:
                assert one.assessed_at is not None
                assert one.determined_at >= issued_from(one.assessed_at, one.replied_at)
        assert sum(one.state != AssessmentState.ABANDONED for one in rows) <= 1
        self._must_be_seen_by_whom_it_is_for(rows)

    def _must_be_seen_by_whom_it_is_for(self, rows: list[Assessment]) -> None:
        is_withdrawn = Review.objects.get(name=self.review).state == "withdrawn"
        blind = [self.who.partner, self.who.stranger]
        blind += [self.who.office, self.who.assessor] if is_withdrawn else []
        if is_withdrawn:
            assert queries.published_determinations() == []
        for viewer in blind:
            for one in rows:
                for ask in (queries.view, queries.page_for, queries.evidence_for):
                    with pytest.raises(NotFound):
                        ask(viewer, one.name)
            with pytest.raises(NotFound):
                queries.assessments_of(viewer, self.review)
        for one in rows:
            seen = queries.view(self.who.developer, one.name)
            said = ModelAssessmentOut.of(seen).model_dump_json()
            if one.evidence and one.name not in self.read:
                self.read.add(one.name)
                said += queries.page_for(self.who.developer, one.name)
            assert "item-0" not in said
            with pytest.raises(NotFound):
                queries.evidence_for(self.who.developer, one.name)
        lines = Review.objects.get(name=self.review).lines.values_list("text", flat=True)
        assert not [one for one in lines if "item-0" in one]


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(_FIRST)), steps)
def test_whatever_everybody_does_what_was_measured_stands_and_is_seen_by_whom_it_is_for(
    first: str, some: list[tuple[str, str, int]]
) -> None:
    with undone():
        who = cast()
        review = opened(who)
        chosen(who, review, "measurers", Part.ASSESSOR)
        choosing.join(who.assessor, review, digest(review), "", now=at(0.5))
        walk = Walk(who, review, made.committed(who.office).name)
        for one in [(deed, _RIGHT, 5) for deed in _FIRST[first]] + some:
            walk.does(*one)
            walk.must_be_sound()
