"""The forms of a review: one class for each verb, all of them in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clearhouse.office.reviews.forms import grants, parties, sides
from clearhouse.office.reviews.forms.base import ReviewForm
from clearhouse.office.reviews.queries import ReviewView
from clearhouse.office.viewer import Viewer

_FORMS: Final[tuple[type[ReviewForm], ...]] = (
    sides.EditForm, sides.SubmitForm, sides.WithdrawForm, sides.DeclineForm,
    sides.ChangeTextForm, sides.AgreeTermsForm,
    sides.ProposeWindowForm, sides.AgreeWindowForm, sides.StartForm, sides.PauseForm,
    sides.ResumeForm, sides.ShortenForm, sides.EndForm, sides.FinishForm,
    parties.ProposePartyForm, parties.AgreePartyForm, parties.RefusePartyForm,
    parties.RevokePartyForm, parties.JoinForm, parties.DeclareForm, parties.LeaveForm,
    parties.LendForm, parties.ReturnForm, parties.AttestForm,
    parties.AskOpenForm, parties.ApproveOpenForm,
    grants.GiveForm, grants.PauseGrantForm, grants.ResumeGrantForm, grants.ShortenGrantForm,
    grants.RevokeGrantForm,
)  # fmt: skip
VERBS: Final[Mapping[str, type[ReviewForm]]] = {one.verb: one for one in _FORMS}


class Book:
    """The forms of one page; of the one that was sent and failed, what was typed is kept."""

    def __init__(self, viewer: Viewer, view: ReviewView, failed: ReviewForm | None = None) -> None:
        self._viewer, self._view, self._failed = viewer, view, failed

    @property
    def person(self) -> int | None:
        """Who looks, where it is a person."""
        return self._viewer.person

    def form(self, verb: str, item: str = "") -> ReviewForm | None:
        """A form of the page; None where the viewer may not use it, or not as things stand."""
        kind = VERBS.get(verb)
        if kind is None or kind.deed not in self._view.deeds or not kind.fits(self._view):
            return None
        failed = self._failed
        if failed is not None and (failed.verb, failed.item) == (verb, item):
            return failed
        return kind(self._viewer, self._view, item)

    def of(self, item: str, *verbs: str) -> list[ReviewForm]:
        """Those about one thing."""
        found = (self.form(verb, item) for verb in verbs)
        return [one for one in found if one is not None]
