"""From findings to cases: joined by signature, or by a coordinator's decision."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from clearhouse.errors import Conflict, Invalid, NotFound, Refused
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.cases.actions.discussion import hand_to_office
from clearhouse.office.cases.actions.journal import held, locked_case, note
from clearhouse.office.cases.actions.turns import PERIODS, take_turn
from clearhouse.office.cases.models import (
    Case,
    Participant,
    PublicAdvisory,
    Suggestion,
)
from clearhouse.office.findings import actions as findings_actions
from clearhouse.office.findings import queries as findings
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.queue.actions import enqueue
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.disclosure_clock import Turn as Kind
from clearhouse.protocol.embargo import EMBARGO, Consent, EmbargoEvent, EmbargoState
from clearhouse.protocol.matching import Described, Likeness, suggestions
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role, Scope

DATE: Final = "cases.date"
_BY: Final = "clearhouse"


def place(name: str, *, now: datetime) -> None:
    """Put a finding where it belongs.  Called by the job that follows a decision on it.

    1. A proven one joins the case of its signature, or opens it.  2. One without proof is held
    against the cases and public advisories of its package; what is alike enough is suggested.
    3. Of one that was withdrawn nothing is suggested any more.
    """
    with transaction.atomic():
        found = findings_actions.held(name)
        if found is None or found.case:
            return
        if found.state == found.State.PROVEN and found.signature:  # 1
            same = Case.objects.select_for_update(no_key=True).filter(signature=found.signature)
            case = same.first()
            if case is None:
                open_case(found, by=_BY, now=now)
            else:
                join(case, found, why="by the same signature", by=_BY, now=now)
        elif found.state == found.State.UNPROVEN:  # 2
            _suggest(found, now=now)
        elif found.state == found.State.WITHDRAWN:  # 3
            for one in _waiting(found):
                _decided(one, Suggestion.State.REJECTED, by=_BY, now=now)


def open_case(found: findings.Finding, *, by: str, now: datetime) -> Case:
    """Open a case for a finding, under the office's usual embargo."""
    case = Case.objects.create(
        name=new_name(f"CH-{now.year}"),
        title=found.title,
        package=found.package,
        signature=found.signature or None,
        weaknesses=found.weaknesses,
        effect=found.effect,
        impact=found.impact,
        opened_at=now,
    )
    note(case, "opened", "The case is open.", by=by, now=now, facts={"finding": found.name})
    state = EMBARGO.after(EmbargoState.NONE, EmbargoEvent.PROPOSE)
    case.embargo = EMBARGO.after(state, EmbargoEvent.ACCEPT)
    case.embargo_ends_at = now + PERIODS.usual
    case.embargo_because = f"{PERIODS.usual.days} days since the case was opened"
    case.save(update_fields=["embargo", "embargo_ends_at", "embargo_because"])
    note(
        case, "embargo-began", f"An embargo is in force: {case.embargo_because}.", by=by, now=now,
        part=Part.CLOCK, facts={"ends_at": case.embargo_ends_at.isoformat()},
    )  # fmt: skip
    _add(case, found, why="it is the first", by=by, now=now)
    if found.state == found.State.PROVEN:
        enqueue(DATE, {"case": case.name}, lane="history", key=f"{DATE}:{case.name}",
                priority=found.impact, now=now)  # fmt: skip
    _suggest_earlier(case, now=now)
    return case


def join(case: Case, found: findings.Finding, *, why: str, by: str, now: datetime) -> None:
    """Add a finding to a case.

    One of somebody else who found it too shortens the embargo; a proof of a case that was closed
    opens it again, for the office to look at.
    """
    others = {one.organisation_id for one in findings.in_case(case.name)}
    _add(case, found, why=why, by=by, now=now)
    if case.state == Case.State.CLOSED and found.state == found.State.PROVEN:
        _reopen(case, found, by=by, now=now)
    if others and found.organisation_id not in others and case.told_at is not None:
        take_turn(
            case, Kind.REDISCOVERED, by=by, now=now,
            reason="Somebody else has found it independently.",
        )  # fmt: skip


def _reopen(case: Case, found: findings.Finding, *, by: str, now: datetime) -> None:
    case.state, case.closed_because = Case.State.OPEN, ""
    case.save(update_fields=["state", "closed_because"])
    note(
        case, "reopened", "The case is open again: it was proven once more.", by=by, now=now,
        facts={"finding": found.name},
    )  # fmt: skip
    hand_to_office(case, f"Look at {found.name}: proven after the case was closed", now=now)


def _add(case: Case, found: findings.Finding, *, why: str, by: str, now: datetime) -> None:
    findings_actions.put_into_case([found.name], case.name)
    part, is_new = Participant.objects.get_or_create(
        case=case,
        organisation_id=found.organisation_id,
        role=Role.FINDER,
        defaults={
            # Handing it in is agreeing to the office's terms.
            "consent": Consent.SIGNATORY,
            "report": ReportState.ACCEPTED,
            "answered_at": now,
            "credit_at": found.credit_at,
            "credit_name": found.found_by or found.organisation.name,
        },
    )
    if not is_new and part.consent != Consent.SIGNATORY:
        # Invited before, or out of it: handing in a finding of it is agreeing all the same.
        part.consent, part.answered_at = Consent.SIGNATORY, now
        part.save(update_fields=["consent", "answered_at"])
    if not is_new and (part.credit_at is None or found.credit_at < part.credit_at):
        part.credit_at = found.credit_at
        part.credit_name = found.found_by or found.organisation.name
        part.save(update_fields=["credit_at", "credit_name"])
    if found.impact > case.impact:
        case.impact = found.impact
        case.save(update_fields=["impact"])
    note(
        case, "joined", f"Finding {found.name} joined the case, {why}.", by=by, now=now,
        part=Part.REPORT, facts={"finding": found.name, "verdict": found.verdict_digest},
    )  # fmt: skip


def _suggest(found: findings.Finding, *, now: datetime) -> None:
    """Hold a finding against what is known of its package; nothing is suggested twice."""
    if not found.package:
        return
    asked = Suggestion.objects.filter(finding=found.name)
    cases = {
        f"case {one.name}": one
        for one in _cases_of(found.package)
        if not asked.filter(case=one).exists()
    }
    public = {
        f"advisory {one.advisory}": one
        for one in PublicAdvisory.objects.filter(package=found.package)
        # The office's own advisory is suggested as its case.
        if not Case.objects.filter(name=one.advisory).exists()
        and not asked.filter(advisory=one.advisory).exists()
    }
    known = [(name, _described_case(one)) for name, one in cases.items()]
    known += [(name, _described_public(one)) for name, one in public.items()]
    for name, alike in suggestions(_described(found), known):
        _suggested(found, alike, cases.get(name) or public[name].advisory, now=now)


def _suggest_earlier(case: Case, *, now: datetime) -> None:
    """Hold the findings without proof that came before a case against it, and it alone."""
    known = [(case.name, _described_case(case))]
    for one in findings.unplaced(case.package):
        for _, alike in suggestions(_described(one), known):
            _suggested(one, alike, case, now=now)


def _suggested(
    found: findings.Finding, alike: Likeness, about: Case | str, *, now: datetime
) -> None:
    """Note a suggestion: a case, or the id of a public advisory."""
    Suggestion.objects.create(
        name=new_name("S"),
        finding=found.name,
        case=about if isinstance(about, Case) else None,
        advisory=about if isinstance(about, str) else "",
        score=alike.score,
        reasons=list(alike.reasons),
        made_at=now,
    )


def _cases_of(package: str) -> list[Case]:
    return list(Case.objects.filter(package=package).order_by("pk"))


def _described(found: findings.Finding) -> Described:
    return Described(
        package=found.package,
        text=found.title,
        files=frozenset(str(one.get("file") or "") for one in found.locations),
        functions=frozenset(str(one.get("function") or "") for one in found.locations),
        weaknesses=frozenset(found.weaknesses),
        names=frozenset({found.origin_id} - {""}),
    )


def _described_case(case: Case) -> Described:
    files: set[str] = set()
    functions: set[str] = set()
    for one in findings.in_case(case.name):
        verdict = findings.verdict_of(one)
        frames = verdict["effect"]["attributed_to"] if verdict else one.locations
        files |= {str(frame.get("file") or "") for frame in frames}
        functions |= {str(frame.get("function") or "") for frame in frames}
    return Described(
        package=case.package,
        text=f"{case.title} {case.summary}",
        files=frozenset(files - {""}),
        functions=frozenset(functions - {""}),
        weaknesses=frozenset(case.weaknesses),
        names=frozenset({case.name, case.cve} - {""}),
    )


def _described_public(one: PublicAdvisory) -> Described:
    return Described(
        package=one.package,
        text=one.summary,
        weaknesses=frozenset(one.weaknesses),
        names=frozenset({one.advisory, *one.aliases}),
    )


def accept_suggestion(viewer: Viewer, name: str, *, now: datetime) -> Suggestion:
    """Decide that a finding is about the case, or the public advisory, that was suggested.

    1. The finding, the case and what was suggested of the finding are held, in this order and
    before anything is recorded.  2. All is as it was when it was suggested: the finding was neither
    withdrawn nor placed.  3. What else was suggested of it is rejected.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_WRITE)
    with transaction.atomic():
        seen = _suggestion(Suggestion.objects.all(), name)
        found = findings_actions.held(seen.finding)  # 1
        case = held(seen.case_id) if seen.case_id is not None else None
        if found is None:
            raise NotFound("there is no such finding here")
        waiting = {one.name: one for one in _waiting(found)}
        suggestion = waiting.pop(name, None)
        if suggestion is None:  # 2
            raise _decided_already(_suggestion(Suggestion.objects.all(), name))
        if found.case or found.state != found.State.UNPROVEN:
            state = f"part of case {found.case}" if found.case else found.get_state_display()
            raise Conflict(f"the finding is {state} by now")
        _decided(suggestion, Suggestion.State.ACCEPTED, by=viewer.name, now=now)
        if case is not None:
            join(case, found, why="by a coordinator's decision", by=viewer.name, now=now)
        else:
            findings_actions.refer_to_public(found.name, suggestion.advisory, now=now)
        for one in waiting.values():  # 3
            _decided(one, Suggestion.State.REJECTED, by=viewer.name, now=now)
        return suggestion


def reject_suggestion(viewer: Viewer, name: str, *, now: datetime) -> Suggestion:
    """Decide that a finding is about something else."""
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_WRITE)
    with transaction.atomic():
        suggestion = _suggestion(Suggestion.objects.select_for_update(), name)
        if suggestion.state != Suggestion.State.OPEN:
            raise _decided_already(suggestion)
        _decided(suggestion, Suggestion.State.REJECTED, by=viewer.name, now=now)
        return suggestion


def _suggestion(among: QuerySet[Suggestion], name: str) -> Suggestion:
    found = among.filter(name=name).first()
    if found is None:
        raise NotFound("there is no such suggestion")
    return found


def _waiting(found: findings.Finding) -> list[Suggestion]:
    """What is suggested of a finding and not decided yet, held until the transaction ends."""
    locked = Suggestion.objects.select_for_update(of=("self",)).select_related("case")
    return list(locked.filter(finding=found.name, state=Suggestion.State.OPEN).order_by("pk"))


def _decided_already(suggestion: Suggestion) -> Conflict:
    return Conflict(f"it was {suggestion.state} by {suggestion.decided_by} already")


def _decided(suggestion: Suggestion, state: Suggestion.State, *, by: str, now: datetime) -> None:
    suggestion.state, suggestion.decided_by, suggestion.decided_at = state, by, now
    suggestion.save(update_fields=["state", "decided_by", "decided_at"])
    record(
        f"suggestion.{state.value}",
        suggestion.name,
        {
            "finding": suggestion.finding,
            "case": suggestion.case.name if suggestion.case else None,
            "advisory": suggestion.advisory or None,
        },
        now=now,
    )


def open_unproven(viewer: Viewer, finding_name: str, *, now: datetime) -> Case:
    """Open a case for a report without proof, by a coordinator's decision.

    What was suggested of it is rejected: it is about something new.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.CASES_WRITE)
    with transaction.atomic():
        found = findings_actions.held(finding_name)
        if found is None:
            raise NotFound("there is no such finding here")
        if found.case:
            raise Conflict(f"it belongs to case {found.case}")
        if found.state != found.State.UNPROVEN:
            raise Conflict(f"it is {found.get_state_display()}")
        if not found.package:
            raise Invalid("it names no package by its purl; ask its finder for it")
        waiting = _waiting(found)
        case = open_case(found, by=viewer.name, now=now)
        for one in waiting:
            _decided(one, Suggestion.State.REJECTED, by=viewer.name, now=now)
        return case


def close_case(viewer: Viewer, name: str, reason: str, *, now: datetime) -> Case:
    """End the work on a case, with a reason."""
    if not reason.strip():
        raise Invalid("say why it is closed", key="reason")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        if case.state == Case.State.CLOSED:
            raise Conflict("it is closed already")
        if case.public_at is None and EmbargoState(case.embargo).in_force:
            raise Refused("an embargo is in force: end it, or publish, before the case is closed")
        case.state, case.closed_because = Case.State.CLOSED, reason.strip()[:300]
        case.save(update_fields=["state", "closed_because"])
        note(case, "closed", f"The case is closed: {reason.strip()}", by=viewer.name, now=now)
        return case
