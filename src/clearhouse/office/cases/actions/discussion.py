"""What participants say and give to each other, and what they have to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.authorisation import Deed, Part
from clearhouse.office.blobs import store
from clearhouse.office.cases.actions.journal import locked_case, note
from clearhouse.office.cases.company import Company
from clearhouse.office.cases.models import Case, CaseFile, Message, Task
from clearhouse.office.cases.queries import standing_of
from clearhouse.office.names import new_name
from clearhouse.office.orgs.queries import organisation
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role, Scope
from clearhouse.protocol.tlp import Tlp

MOST_TEXT: Final = 50_000
MOST_FILE: Final = 25 * 1024 * 1024
#: How long the office has for what is handed to it.
_TO_ACT: Final = timedelta(days=2)
#: The farthest day of a task; the last days that there are have no place in other zones.
_LONGEST: Final = timedelta(days=3650)
_UNSAFE: Final = re.compile(r"[^\w.+-]+", re.ASCII)


def post_message(
    viewer: Viewer, name: str, text: str, label: Tlp, addressed: Sequence[str] = (), *,
    now: datetime,
) -> Message:  # fmt: skip
    """Say something in a case, to all who take part or to some."""
    text = text.strip()
    if not text:
        raise Invalid("write something", key="text")
    if len(text) > MOST_TEXT:
        raise Invalid(f"at most {MOST_TEXT} characters", key="text")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.WRITE)
        to = _addressed(viewer, case, addressed)
        made = Message.objects.create(
            case=case, name=new_name("M"), organisation_id=viewer.organisation, by=viewer.name,
            at=now, text=text, tlp=label.value,
        )  # fmt: skip
        made.addressed.set(to)
        _heard(viewer, case, now=now)
        note(
            case, "message", f"{viewer.name} wrote a message.", by=viewer.name, now=now,
            part=Part.TRIAGE, facts={"message": made.name, "tlp": label.value},
        )  # fmt: skip
        return made


def add_file(
    viewer: Viewer, name: str, filename: str, data: bytes, label: Tlp,
    addressed: Sequence[str] = (), *, now: datetime,
) -> CaseFile:  # fmt: skip
    """Give a file to those who take part, or to some."""
    if not data:
        raise Invalid("the file is empty", key="file")
    if len(data) > MOST_FILE:
        raise Invalid(f"at most {MOST_FILE >> 20} MiB", key="file")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.WRITE)
        to = _addressed(viewer, case, addressed)
        made = CaseFile.objects.create(
            case=case, name=new_name("D"), filename=safe_name(filename), size=len(data),
            blob=store.put(data), organisation_id=viewer.organisation, by=viewer.name, at=now,
            tlp=label.value,
        )  # fmt: skip
        made.addressed.set(to)
        _heard(viewer, case, now=now)
        note(
            case, "file", f"{viewer.name} added a file.", by=viewer.name, now=now,
            part=Part.TRIAGE, facts={"file": made.name, "content": made.blob},
        )  # fmt: skip
        return made


def safe_name(text: str) -> str:
    """A file's name as it can be offered to anybody: no folders, no odd characters."""
    last = text.replace("\\", "/").rpartition("/")[2]
    return _UNSAFE.sub("_", last).strip("._")[:120] or "file"


def _addressed(viewer: Viewer, case: Case, slugs: Sequence[str]) -> list[int]:
    """Participants by short name: those whom the sender meets, in the same words as for nobody.

    Otherwise a message could be used to ask who takes part.
    """
    company = Company.of(
        viewer, standing_of(viewer, case), case.participants.select_related("organisation")
    )
    there = {one.organisation.slug: one.organisation_id for one in company.met}
    missing = [slug for slug in slugs if slug not in there]
    if missing:
        raise Invalid(f"{missing[0][:60]!r} is nobody you could write to here", key="addressed")
    return [there[slug] for slug in slugs]


def _heard(viewer: Viewer, case: Case, *, now: datetime) -> None:
    if viewer.organisation is not None:
        case.participants.filter(organisation=viewer.organisation, role=Role.SUPPLIER).update(
            heard_at=now, silent_since=None
        )


def add_task(
    viewer: Viewer, name: str, title: str, assignee: str, due_at: datetime | None, *,
    now: datetime,
) -> Task:  # fmt: skip
    """Give a participant, or the office (an empty name), something to do."""
    if not title.strip():
        raise Invalid("say what is to be done", key="title")
    if due_at is not None and due_at.tzinfo is None:
        raise Invalid("say in which zone", key="due_at")
    if due_at is not None and due_at > now + _LONGEST:
        raise Invalid("more than ten years ahead", key="due_at")
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.RUN)
        if assignee:
            _addressed(viewer, case, [assignee])
        made = Task.objects.create(
            case=case, name=new_name("T"), title=title.strip()[:300], due_at=due_at,
            assignee=organisation(assignee) if assignee else None, made_by=viewer.name,
            made_at=now,
        )  # fmt: skip
        note(
            case, "task", f"To do: {made.title}", by=viewer.name, now=now, part=Part.TRIAGE,
            facts={"task": made.name},
        )  # fmt: skip
        return made


def hand_to_office(case: Case, title: str, *, now: datetime) -> None:
    """Give the office something to do that nobody has asked it for: time or a proof has."""
    Task.objects.create(
        case=case, name=new_name("T"), title=title[:300], assignee=None, made_by="clearhouse",
        made_at=now, due_at=now + _TO_ACT,
    )  # fmt: skip


def finish_task(viewer: Viewer, name: str, task: str, *, now: datetime) -> Task:
    """Say that a task is done, by its assignee or the office."""
    viewer.needs(Scope.CASES_WRITE)
    with transaction.atomic():
        case, _ = locked_case(viewer, name, Deed.DO_TASK)
        mine = case.tasks.select_for_update().filter(name=task)
        if not viewer.coordinates:
            mine = mine.filter(assignee=viewer.acting_for())
        found = mine.first()
        if found is None:
            raise NotFound("there is no such task here")
        if found.done_at is None:
            found.done_at, found.done_by = now, viewer.name
            found.save(update_fields=["done_at", "done_by"])
            _heard(viewer, case, now=now)
            note(
                case, "task-done", f"Done: {found.title}", by=viewer.name, now=now,
                part=Part.TRIAGE, facts={"task": found.name},
            )  # fmt: skip
        return found
