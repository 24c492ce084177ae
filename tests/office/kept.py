"""What an office of other processes holds: told as JSON, by a process of its own.

``python -m tests.office.kept finder`` makes an organisation and prints an API key of it;
``report`` prints what was kept, ``open`` how many jobs have not ended.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.utils import timezone

from clearhouse.errors import ClearhouseError
from clearhouse.office.blobs import store
from clearhouse.office.cases.models import Case, CaseEvent
from clearhouse.office.findings.models import Finding
from clearhouse.office.ledgerbook.models import LedgerEntry
from clearhouse.office.orgs.actions.keys import make_api_key
from clearhouse.office.queue.handlers import timers
from clearhouse.office.queue.models import Job
from clearhouse.protocol.roles import Role, Scope
from tests.office.story import somebody

_OPEN = (Job.State.WAITING, Job.State.DELAYED, Job.State.RUNNING)


def finder() -> str:
    """The key of a finder's machine."""
    viewer = somebody("hexfind", Role.FINDER)
    now = timezone.now()
    made = make_api_key(
        viewer, viewer.acting_for(), name="kill test", scopes=[Scope.FINDINGS_WRITE],
        expires_at=now + timedelta(days=1), now=now,
    )  # fmt: skip
    return made.text


def report() -> dict[str, Any]:
    """Findings, cases, jobs, and the ledger's entries about each, as they are kept."""
    entries = Counter(LedgerEntry.objects.values_list("subject", "kind"))
    told = CaseEvent.objects.filter(kind="joined").values_list("case__name", "text")
    jobs = Job.objects.exclude(kind__in=[timer.kind for timer in timers()])
    return {
        "findings": [
            {"title": one.title, "name": one.name, "state": one.state, "case": one.case,
             "kind": one.kind, "is_readable": _opens(one)}
            for one in Finding.objects.all()
        ],
        "cases": list(Case.objects.values_list("name", flat=True)),
        "joined": list(told),
        "entries": [[subject, kind, count] for (subject, kind), count in entries.items()],
        "jobs": list(jobs.values_list("kind", "key", "state", "fence")),
    }  # fmt: skip


def open_jobs() -> int:
    """How many jobs have not come to an end; those of timers never do for long."""
    kinds = [timer.kind for timer in timers()]
    return Job.objects.filter(state__in=_OPEN).exclude(kind__in=kinds).count()


def _opens(one: Finding) -> bool:
    try:
        return bool(store.read(one.blob)) and bool(one.verdict == "" or store.read(one.verdict))
    except ClearhouseError:
        return False


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["finder"]:
            print(finder())
        case ["report"]:
            print(json.dumps(report()))
        case ["open"]:
            print(open_jobs())
