"""From what a viewer sees of a case to what its page shows; nothing is looked up here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.safestring import SafeString

from clearhouse.office.authorisation import Part
from clearhouse.office.cases.forms import Book
from clearhouse.office.cases.forms.base import CaseForm
from clearhouse.office.cases.models import Participant, Patch, Proposal, Task
from clearhouse.office.cases.queries import CaseView
from clearhouse.office.cases.routes import Telling
from clearhouse.office.findings.queries import Finding
from clearhouse.office.look import charts
from clearhouse.office.look.charts import Version, VersionStatus
from clearhouse.office.look.svg import MOST_POINTS
from clearhouse.office.look.table import Comparison
from clearhouse.office.viewer import Viewer
from clearhouse.proof.patch_verdict import Level
from clearhouse.proof.report.words import what_was_seen
from clearhouse.proof.standing import Status
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.roles import Role
from clearhouse.versions import OutsideGrammar, npm, pypi

LEVELS: Final = {
    "applies": "Applies",
    "stops_proof": "Stops the proof",
    "stops_variants": "Stops variants of it",
    "keeps_behaviour": "Keeps behaviour",
}
_STATUS: Final = {
    "affected": VersionStatus.AFFECTED,
    "unaffected": VersionStatus.UNAFFECTED,
    "undecided": VersionStatus.UNDECIDED,
}
_ORDERS: Final = {"pypi": pypi, "npm": npm}
_CONSENT: Final = {
    Consent.NONE: "not asked: no embargo was in force",
    Consent.INVITED: "invited, no answer yet",
    Consent.SIGNATORY: "has accepted the embargo",
    Consent.LAPSED: "asked again: the terms have changed",
    Consent.DECLINED: "declined",
}
#: What accepting an embargo means besides keeping quiet.
_ENDS: Final = (
    "The end can move: earlier when it leaks or is attacked, later only if you are asked again."
    " Once it is public, nobody is bound."
)
_DECLINED: Final = (
    "You see nothing more of the case, and nobody but the office is told that you did. It can"
    " invite you again."
)
_TERMS: Final = (
    ("What it is for", "To mend the flaw, or to protect what you run; for nothing else."),
    ("When it ends", _ENDS),
    ("If you decline", _DECLINED),
)
#: The lines of a timeline that are drawn, by kind; all of them are listed below the drawing.
_DRAWN: Final = frozenset(
    {
        "opened", "supplier-told", "vendor-aware", "supplier-silent", "dated", "patch-chosen",
        "patch-distributed", "supplier-fix_ready", "supplier-fix_deployed", "public",
        "exploit-public", "attacks", "turn-rediscovered", "turn-leaked", "turn-fix-public",
        "embargo-ended", "closed",
    }
)  # fmt: skip
_MOST_DRAWN: Final = 20
_PLACES: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A thing of a list with the forms that are about it."""

    item: Any
    forms: Sequence[CaseForm] = ()
    text: str = ""
    places: Sequence[Mapping[str, Any]] = ()


def context_of(
    viewer: Viewer, view: CaseView, book: Book, *, now: datetime, telling: Telling | None
) -> dict[str, Any]:
    """What the template of a case is given."""
    case = view.case
    return {
        "title": view.title,
        "view": view,
        "case": case,
        "now": now,
        "breadcrumb": [("Cases", "/cases/"), (case.name, "")],
        "is_office": viewer.coordinates,
        "is_embargoed": EmbargoState(case.embargo).in_force,
        "forms": _Forms(book),
        "label_meaning": view.label.meaning,
        "findings": [_finding_row(one, view) for one in view.findings or ()],
        "own_findings": [_finding_row(one, view) for one in view.own_findings],
        "ranges": _ranges(view),
        "unknown": (view.history or {}).get("unknown", ()),
        "version_chart": _version_chart(view),
        "comparison": _comparison(view.patches or ()),
        "patches": [_patch_row(one, book) for one in view.patches or ()],
        "remedy_comparison": _comparison([view.remedy] if view.remedy else ()),
        "participants": [_participant_row(one, book) for one in view.participants or ()],
        "proposals": [_proposal_row(one, book) for one in view.proposals or ()],
        "tasks": [_task_row(one, book) for one in view.tasks or ()],
        "suggestions": [
            Row(one, _present(book.form("decide-suggestion", one.name)))
            for one in view.suggestions or ()
        ],
        "telling": telling,
        "tell_form": book.form("tell", telling.policy.slug) if telling else None,
        "suppliers": view.suppliers or (),
        "timeline_chart": _timeline_chart(view, now),
        "terms": _terms(view),
        "own_reports": [one for one in view.own if one.role in (Role.SUPPLIER, Role.DEPLOYER)],
        "anchors": _anchors(view),
    }


class _Forms:
    """Forms by verb, for templates: ``forms.write`` is None where it is not offered."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __getitem__(self, verb: str) -> CaseForm | None:
        return self._book.form(verb.replace("_", "-"))


def _present(*forms: CaseForm | None) -> list[CaseForm]:
    return [one for one in forms if one is not None]


#: The parts of the page in their order: id, heading, and what has to be seen for it.
_PARTS: Final = (
    ("report", "Report and proof", frozenset({Part.REPORT})),
    ("remedy", "Fix", frozenset({Part.REMEDY})),
    ("versions", "Versions", frozenset({Part.VERSIONS})),
    ("severity", "Severity", frozenset({Part.SEVERITY})),
    ("patches", "Patches", frozenset({Part.PATCHES})),
    ("discussion", "Discussion", frozenset({Part.DISCUSSION})),
    ("tasks", "Tasks", frozenset({Part.TASKS})),
    ("participants", "Participants", frozenset({Part.PARTICIPANTS})),
    ("embargo", "Embargo", frozenset({Part.CLOCK})),
    ("publish", "Publication", frozenset({Part.TRIAGE})),
    ("timeline", "Timeline", frozenset({Part.TIMELINE})),
    ("findings", "Triage", frozenset({Part.TRIAGE})),
)


def _anchors(view: CaseView) -> list[tuple[str, str]]:
    only_remedy = Part.PATCHES not in view.parts
    return [
        (anchor, heading)
        for anchor, heading, needed in _PARTS
        if needed <= view.parts
        and (anchor != "remedy" or only_remedy)
        and (anchor != "embargo" or Part.SUMMARY in view.parts)
    ]


def _ranges(view: CaseView) -> list[str]:
    """The ranges that running showed, as text."""
    found = []
    for one in (view.history or {}).get("ranges", ()):
        end = (
            f"until before {one['fixed']}"
            if "fixed" in one
            else f"up to and including {one.get('last_affected', one['introduced'])}"
        )
        found.append(f"{one['introduced']} {end}")
    return found


def _version_chart(view: CaseView) -> SafeString | None:
    versions: Sequence[Mapping[str, Any]] = (view.history or {}).get("versions", ())
    if not versions or len(versions) > MOST_POINTS:
        return None
    declared = view.case.declared[-1] if view.case.declared else None
    drawn = [
        Version(
            str(one["version"]),
            _STATUS[Status(one["status"]).standing.value],
            _declared(str(one["version"]), declared, view.case.package),
        )
        for one in versions
    ]
    return charts.versions("Releases from the oldest to the newest", drawn)


def _declared(
    version: str, declared: Mapping[str, str] | None, package: str
) -> VersionStatus | None:
    """What a declaration says of a version; None where it cannot be told."""
    order = _ORDERS.get(package.removeprefix("pkg:").partition("/")[0])
    if declared is None or order is None:
        return None
    ends = [one for one in (declared["introduced"], declared["fixed"]) if one not in ("", "0")]
    if any(isinstance(order.parse(one), OutsideGrammar) for one in (version, *ends)):
        return None
    begins, fixed = declared["introduced"], declared["fixed"]
    is_before = begins != "0" and order.compare(version, begins) < 0
    is_after = bool(fixed) and order.compare(version, fixed) >= 0
    return VersionStatus.UNAFFECTED if is_before or is_after else VersionStatus.AFFECTED


def _comparison(patches: Sequence[Patch]) -> Comparison | None:
    judged = [one for one in patches if one.levels]
    if not judged:
        return None
    rows = tuple(
        (words, tuple(Level(one.levels.get(key, "unknown")) for one in judged))
        for key, words in LEVELS.items()
    )
    return Comparison("What runs showed of each patch", tuple(one.name for one in judged), rows)


def _finding_row(one: Finding, view: CaseView) -> Row:
    """A finding with its cause: where it arises, and what was seen."""
    effect = view.verdicts.get(one.name, {}).get("effect", {})
    frames = effect.get("attributed_to") or one.locations
    seen = what_was_seen(str(effect.get("kind", "")), effect.get("observed") or {})
    return Row(one, places=frames[:_PLACES], text=seen)


def _patch_row(one: Patch, book: Book) -> Row:
    forms: list[CaseForm | None] = []
    if one.state == Patch.State.ACCEPTED and one.chosen_at is None:
        forms.append(book.form("choose-patch", one.name))
    if one.chosen_at is not None and one.distributed_at is None:
        forms.append(book.form("distribute", one.name))
    return Row(one, _present(*forms))


def _participant_row(one: Participant, book: Book) -> Row:
    form = None
    if one.role == Role.SUPPLIER and one.fix_deployed_at is None:
        form = book.form("supplier-progress", one.organisation.slug)
    return Row(one, _present(form), _CONSENT[Consent(one.consent)])


def _proposal_row(one: Proposal, book: Book) -> Row:
    is_open = one.state == Proposal.State.OPEN
    return Row(one, _present(book.form("decide-end", str(one.number)) if is_open else None))


def _task_row(one: Task, book: Book) -> Row:
    return Row(one, _present(None if one.done_at else book.form("finish-task", one.name)))


def _timeline_chart(view: CaseView, now: datetime) -> SafeString | None:
    if not view.timeline:
        return None
    case = view.case
    turns = [one for one in view.timeline if one.kind in _DRAWN]
    drawn = [charts.Event(one.at, one.text) for one in turns[:_MOST_DRAWN]]
    embargo = None
    if case.embargo_ends_at is not None:
        embargo = charts.Embargo(min(case.opened_at, case.embargo_ends_at), case.embargo_ends_at)
    is_running = EmbargoState(case.embargo).in_force
    deadline = case.embargo_ends_at if is_running else None
    return charts.timeline(
        "What happened, and until when it is kept quiet", drawn, embargo=embargo,
        deadline=deadline, now=now,
    )  # fmt: skip


def _terms(view: CaseView) -> list[tuple[str, str]]:
    """What one agrees to by accepting, in plain words."""
    case = view.case
    ends = f"{case.embargo_ends_at:%Y-%m-%d %H:%M} UTC" if case.embargo_ends_at else "a day not set"
    kept = (
        f"Until {ends} you pass on what you read here only as its label says. Now that is"
        f" {view.label.value}: {view.label.meaning}."
    )
    return [("Keep it to yourself", kept), *_TERMS]
