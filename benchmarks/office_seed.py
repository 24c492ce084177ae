"""An office as it is after a busy year: the demonstration's few cases, multiplied.

The demonstration is made by actions, with every proof run; what stands here is copied from it in
bulk, under other names.  Ledger entries are written by the ledger, the rest by the models.
Django has to be set up before this is imported.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from clearhouse.office import demo
from clearhouse.office.advisories.models import Advisory, Revision
from clearhouse.office.cases.models import (
    Assessment,
    Case,
    CaseEvent,
    Message,
    Participant,
    Patch,
    PublicAdvisory,
    Suggestion,
    Task,
)
from clearhouse.office.findings.models import Finding
from clearhouse.office.ledgerbook.actions import Decision, record_many, sign_checkpoint
from clearhouse.office.names import new_name
from clearhouse.office.orgs.models import Membership, Organisation
from clearhouse.office.queue.actions import Request, enqueue_many
from clearhouse.office.queue.models import Job
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role

SAMPLES: Final = Path(__file__).resolve().parent.parent / "samples"
_YEAR: Final = timedelta(days=365)
_BATCH: Final = 2_000
_PACKAGES: Final = 600
_STATE = Finding.State

#: What becomes of a hundred findings: most come from scanners and have no proof.
_SHARES: Final = (
    (_STATE.UNPROVEN, 50), (_STATE.PROVEN, 20), (_STATE.NOT_SHOWN, 10), (_STATE.QUEUED, 8),
    (_STATE.REFUSED, 6), (_STATE.CHECKING, 2), (_STATE.UNRUNNABLE, 2), (_STATE.KNOWN, 1),
    (_STATE.WITHDRAWN, 1),
)  # fmt: skip
_WITHOUT_PROOF: Final = (_STATE.UNPROVEN, _STATE.CHECKING, _STATE.REFUSED, _STATE.KNOWN)
#: What the case has that its page is measured with.
_BIG: Final = {"events": 200, "messages": 100, "findings": 30, "patches": 10}


@dataclass
class Seed:
    """How much there is, and what the measurements ask for by name."""

    findings: int = 100_000
    cases: int = 3_000
    advisories: int = 1_000
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    now: datetime = field(default_factory=timezone.now)

    def fill(self) -> dict[str, Any]:
        """Fill an empty office.  Names and logins for the measurements."""
        demo.fill(SAMPLES, say=lambda _: None)
        with transaction.atomic():
            finders = self._organisations("finder", 6, Role.FINDER)
            suppliers = self._organisations("supplier", 60, Role.SUPPLIER)
            deployers = self._organisations("deployer", 12, Role.DEPLOYER)
        with transaction.atomic():
            cases = self._cases()
            big = next(one for one in reversed(cases) if one.public_at is None)
            self._in_cases(cases, big, finders, suppliers, deployers)
        with transaction.atomic():
            self._findings(cases, big, finders)
        with transaction.atomic():
            self._suggestions(cases)
            self._advisories(cases)
            self._jobs()
        with transaction.atomic():
            self._ledger(cases)
        sign_checkpoint(now=timezone.now())
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")  # as PostgreSQL does by itself after a while
        return {
            "big_case": big.name,
            "finding": Finding.objects.filter(
                case=big.name, organisation__slug=_of(big, Role.FINDER)
            ).values_list("name", flat=True)[0],
            "finder": _of(big, Role.FINDER),
            "supplier": _of(big, Role.SUPPLIER),
            "deployer": _of(big, Role.DEPLOYER),
            "package": "pkg:pypi/library-17",
        }

    def _organisations(self, kind: str, count: int, role: Role) -> list[Organisation]:
        made = Organisation.objects.bulk_create(
            Organisation(slug=f"{kind}-{n}", name=f"{kind.title()} {n}", roles=[role.value])
            for n in range(count)
        )
        people = get_user_model().objects.bulk_create(
            get_user_model()(email=f"ada@{one.slug}.example", name=f"Ada of {one.name}")
            for one in made
        )
        Membership.objects.bulk_create(
            Membership(user=user, organisation=one, is_manager=True)
            for user, one in zip(people, made, strict=True)
        )
        return made

    def _at(self, place: int, of: int) -> datetime:
        """When the one of so many happened, evenly over a year."""
        return self.now - _YEAR + _YEAR * place / of

    def _cases(self) -> list[Case]:
        public = list(Case.objects.exclude(public_at=None).exclude(history=""))
        quiet = list(Case.objects.filter(public_at=None))
        made = []
        for n in range(self.cases):
            one = copy(self.chance.choice(public if n < self.advisories else quiet))
            _as_new(one)
            one.name = new_name("CH-2026")
            one.package = f"pkg:pypi/library-{n % _PACKAGES}"
            one.title = f"{one.title} ({n})"
            one.signature = f"v1:{sha256(str(n).encode()).hexdigest()}"
            one.impact = self.chance.randrange(20, 100)
            one.opened_at = self._at(n, self.cases)
            if one.public_at is None:
                one.embargo_ends_at = self.now + timedelta(hours=self.chance.randrange(2, 2_000))
            else:
                one.public_at = one.opened_at + timedelta(days=60)
                one.state = Case.State.CLOSED if n % 5 else Case.State.OPEN
            made.append(one)
        return Case.objects.bulk_create(made, batch_size=_BATCH)

    def _in_cases(
        self, cases: Sequence[Case], big: Case, finders: Sequence[Organisation],
        suppliers: Sequence[Organisation], deployers: Sequence[Organisation],
    ) -> None:  # fmt: skip
        """Who takes part, and what they do and say."""
        line = CaseEvent.objects.exclude(text="")[0]
        patch = Patch.objects.exclude(levels={})[0]
        score = Assessment.objects.all()[0]
        found: dict[type[Any], list[Any]] = {}

        def add(one: Any, **changes: object) -> None:  # noqa: ANN401 - a row of any of the tables
            _as_new(one)
            for key, value in changes.items():
                setattr(one, key, value)
            found.setdefault(type(one), []).append(one)

        for n, case in enumerate(cases):
            is_big = case is big
            at = case.opened_at
            supplier = suppliers[n % len(suppliers)]
            parts = [(supplier, Role.SUPPLIER), (finders[n % 5], Role.FINDER)]
            parts += [(finders[n % 5 + 1], Role.FINDER)] if n % 2 else []
            parts += [(deployers[n % 12], Role.DEPLOYER)] if n % 3 == 0 or is_big else []
            for organisation, role in parts:
                add(
                    Participant(
                        organisation=organisation, role=role, consent=Consent.SIGNATORY,
                        report=ReportState.ACCEPTED, answered_at=at, told_at=at, aware_at=at,
                        credit_at=at, credit_name=organisation.name,
                    ),
                    case=case,
                )  # fmt: skip
            for k in range(_BIG["events"] if is_big else 10):
                add(copy(line), case=case, at=at + timedelta(hours=k))
            for k in range(_BIG["messages"] if is_big else 5):
                text = "The candidate raises the library's own error for malformed input. " * 3
                add(
                    Message(name=new_name("M"), organisation=supplier, by=f"Ada of {supplier}",
                            text=text, tlp="TLP:AMBER"),
                    case=case, at=at + timedelta(hours=k),
                )  # fmt: skip
            for k in range(3):
                add(
                    Task(name=new_name("T"), title="Ask for a date", made_by="Cora", made_at=at,
                         due_at=at + timedelta(days=9), assignee=None if k else supplier,
                         done_at=at if n % 4 else None),
                    case=case,
                )  # fmt: skip
            for k in range(_BIG["patches"] if is_big else n % 2):
                digest = f"sha256:{sha256(f'{n} {k}'.encode()).hexdigest()}"
                add(copy(patch), case=case, name=new_name("P"), digest=digest, at=at)
            add(copy(score), case=case, at=at)
        for table, rows in found.items():
            table.objects.bulk_create(rows, batch_size=_BATCH)

    def _findings(self, cases: Sequence[Case], big: Case, finders: Sequence[Organisation]) -> None:
        proven = Finding.objects.filter(state=_STATE.PROVEN)[0]
        report = Finding.objects.filter(state=_STATE.UNPROVEN)[0]
        states = [state for state, share in _SHARES for _ in range(share)]
        in_big = 0

        def rows() -> Iterator[Finding]:
            nonlocal in_big
            for n in range(self.findings):
                state = self.chance.choice(states)
                one = copy(report if state in _WITHOUT_PROOF else proven)
                _as_new(one)
                at = self._at(n, self.findings)
                one.name, one.state, one.commitment = new_name("F"), state, None
                one.organisation = finders[self.chance.choice((0, 0, 0, 1, 1, 2, 3, 4, 5))]
                one.content = f"sha256:{sha256(f'finding {n}'.encode()).hexdigest()}"
                one.title = f"{one.title} in part {n}"
                one.package = f"pkg:pypi/library-{n % _PACKAGES}"
                one.purl = f"{one.package}@1.{n % 30}"
                one.received_at = one.credit_at = at
                one.decided_at = at + timedelta(hours=3)
                one.impact = self.chance.randrange(20, 100)
                one.case = one.signature = ""
                if state == _STATE.PROVEN:
                    case = self.chance.choice(cases)
                    if in_big < _BIG["findings"]:
                        case, in_big = big, in_big + 1
                    elif case is big:
                        case = cases[0]
                    one.case, one.signature = case.name, case.signature or ""
                    one.package = case.package
                else:
                    one.verdict = proven.verdict if state == _STATE.NOT_SHOWN else ""
                yield one

        _store(Finding, rows())

    def _suggestions(self, cases: Sequence[Case]) -> None:
        loose = Finding.objects.filter(state=_STATE.UNPROVEN, case="")
        names = loose.values_list("name", flat=True)[: self.findings // 5]
        _store(
            Suggestion,
            (
                Suggestion(
                    name=new_name("S"), finding=name, case=self.chance.choice(cases),
                    score=self.chance.random(), reasons=["it names the same function"],
                    made_at=self.now,
                )
                for name in names
            ),
        )  # fmt: skip
        _store(
            PublicAdvisory,
            (
                PublicAdvisory(
                    advisory=f"GHSA-{n:08}", package=f"pkg:pypi/library-{n % _PACKAGES}",
                    summary="A flaw that is public already", weaknesses=[79],
                )
                for n in range(20_000)
            ),
        )  # fmt: skip

    def _advisories(self, cases: Sequence[Case]) -> None:
        """Published ones with the documents of the demonstration's, under their own names."""
        first = Revision.objects.exclude(csaf=None).select_related("advisory")[0]
        templates = {
            key: json.dumps(getattr(first, key)) for key in ("csaf", "vex", "osv", "cve", "shown")
        }
        made = []
        public = [one for one in cases if one.public_at is not None]
        for case in public:
            one = copy(first.advisory)
            _as_new(one)
            one.case, one.name, one.title = case, case.name, case.title
            assert case.public_at is not None
            one.published_at = one.made_at = one.changed_at = case.public_at
            made.append(one)
        stored = Advisory.objects.bulk_create(made, batch_size=_BATCH)
        _store(
            Revision,
            (
                Revision(
                    advisory=one, number=1, at=one.made_at, summary="First published.",
                    **{
                        key: json.loads(text.replace(first.advisory.name, one.name))
                        for key, text in templates.items()
                    },
                )
                for one in stored
            ),
        )  # fmt: skip

    def _jobs(self) -> None:
        rows = Finding.objects.order_by("pk").values_list("name", "state", "organisation_id")
        waiting = (_STATE.QUEUED, _STATE.CHECKING)
        for some in _some(rows.iterator(), _BATCH):
            enqueue_many(
                [
                    Request("findings.prove", {"finding": name}, f"finder:{finder}", f"seed:{name}")
                    for name, _, finder in some
                ],
                now=self.now,
            )
            done = [f"seed:{name}" for name, state, _ in some if state not in waiting]
            Job.objects.filter(key__in=done).update(
                state=Job.State.DONE, started_at=self.now, ended_at=self.now, attempts=1
            )

    def _ledger(self, cases: Sequence[Case]) -> None:
        """What the actions would have written; the first finding of a case opened it."""

        def decisions() -> Iterator[Decision]:
            opener: dict[str, str] = {}
            rows = Finding.objects.order_by("pk").values_list("name", "state", "content", "case")
            for name, state, content, case in rows.iterator():
                yield Decision("finding.received", name, {"content": content, "kind": "bundle"})
                if state not in (_STATE.QUEUED, _STATE.CHECKING):
                    yield Decision(
                        f"finding.{state}", name,
                        {"verdict": content, "grade": "differential", "content": content},
                    )  # fmt: skip
                if case and case not in opener:
                    opener[case] = name
                    yield Decision("case.opened", case, {"finding": name})
                if case:
                    yield Decision("case.joined", case, {"finding": name, "verdict": content})
            for one in cases:
                for kind in ("supplier-told", "answered", "assessed", "supplier-fix_ready"):
                    yield Decision(f"case.{kind}", one.name, {"organisation": "supplier-1"})
                if one.public_at is not None:
                    yield Decision("advisory.published", one.name, {"revision": 1})

        for some in _some(decisions(), 5_000):
            record_many(some, now=timezone.now())


def _of(case: Case, role: Role) -> str:
    """Who has that part in the case."""
    part = Participant.objects.filter(case=case, role=role).order_by("pk")[0]
    return part.organisation.slug


def _as_new(row: Model) -> None:
    row.pk = None
    row._state.adding = True  # noqa: SLF001 - as Django's documentation copies a row


def _some(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while some := list(islice(rows, size)):
        yield some


def _store(table: type[Any], rows: Iterator[Any]) -> None:
    for some in _some(rows, _BATCH):
        table.objects.bulk_create(some)
