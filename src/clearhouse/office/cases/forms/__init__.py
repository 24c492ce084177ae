"""The forms of a case: one class for each verb, all of them in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clearhouse.office.authorisation import Deed
from clearhouse.office.cases.forms import embargo, people, running, work
from clearhouse.office.cases.forms.base import CaseForm
from clearhouse.office.cases.queries import CaseView
from clearhouse.office.viewer import Viewer

_FORMS: Final[tuple[type[CaseForm], ...]] = (
    people.AnswerForm, people.ReportStateForm, people.FixProgressForm,
    people.SupplierProgressForm, people.FixDateForm, people.SupplierDateForm,
    people.InviteForm, people.TellForm,
    embargo.ProposeEndForm, embargo.DecideEndForm, embargo.TerminateForm, embargo.WorldForm,
    embargo.CollideForm,
    work.DeclareForm, work.AssessForm, work.ProposePatchForm, work.ChoosePatchForm,
    work.WriteForm, work.AddFileForm, work.FinishTaskForm, work.AddTaskForm,
    running.SsvcForm, running.DistributeForm, running.DescribeForm, running.CveForm,
    running.LeadForm, running.DecideSuggestionForm, running.CloseForm,
)  # fmt: skip
VERBS: Final[Mapping[str, type[CaseForm]]] = {one.verb: one for one in _FORMS}


def is_offered(form: type[CaseForm], viewer: Viewer, view: CaseView) -> bool:
    """Whether the viewer may do in the case what the form is for."""
    if form.deed not in view.deeds:
        return False
    if form.roles is None:
        return True
    if viewer.coordinates and form.deed is not Deed.REPORT_STATE:
        return True
    # Saying where one stands oneself takes a part of one's own, the office's too.
    return any(one.role in form.roles for one in view.own)


class Book:
    """The forms of one page; of the one that was sent and failed, what was typed is kept."""

    def __init__(self, viewer: Viewer, view: CaseView, failed: CaseForm | None = None) -> None:
        self._viewer, self._view, self._failed = viewer, view, failed

    def form(self, verb: str, item: str = "") -> CaseForm | None:
        """A form of the page; None where the viewer may not use it."""
        kind = VERBS.get(verb)
        if kind is None or not is_offered(kind, self._viewer, self._view):
            return None
        failed = self._failed
        if failed is not None and (failed.verb, failed.item) == (verb, item):
            return failed
        return kind(self._viewer, self._view, item)
