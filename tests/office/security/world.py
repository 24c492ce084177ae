"""An office in which everything is there, everybody looks, and every text has a mark of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.test import Client, override_settings

from clearhouse.office.advisories import actions as advisories
from clearhouse.office.advisories.models import Advisory
from clearhouse.office.blobs import store
from clearhouse.office.cases.actions import people
from clearhouse.office.cases.models import (
    Assessment,
    Case,
    CaseEvent,
    CaseFile,
    Message,
    Participant,
    Patch,
    Proposal,
    Suggestion,
    Task,
)
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings.models import Commitment, Finding
from clearhouse.office.orgs.actions import make_api_key
from clearhouse.office.orgs.models import (
    ApiKey,
    Invitation,
    Membership,
    Organisation,
    SuppliedPackage,
    SupplierPolicy,
    User,
)
from clearhouse.office.reviews.models import Review
from clearhouse.office.scans import actions as scans
from clearhouse.office.scans.models import ScanClaim
from clearhouse.office.viewer import PUBLIC, Viewer
from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.review import ReviewState
from clearhouse.protocol.roles import Role, Scope
from tests.office import story
from tests.office.cases import made
from tests.office.cases.made import at
from tests.office.security import assessing, directing, exposing, telling
from tests.office.security import reviewing as reviewing_
from tests.office.story import somebody

#: The moment at which everything was made; requests look at it with the clock of the machine.
ABSENT: Final = {
    "case": "CH-2026-0000000000", "finding": "F-0000000000", "commitment": "C-0000000000",
    "claim": "SC-0000000000", "patch": "P-0000000000", "file": "FL-000000000",
    "task": "T-0000000000", "suggestion": "S-0000000000", "review": "R-0000000000",
    "assessment": "A-0000000000", "plan": "PL-0000000000",
    "party": "TP-0000000000", "loan": "L-0000000000", "opening": "SO-0000000000",
    "directive": "D-0000000000", "obligation": "O-0000000000", "draft": "D-0000000000",
    "proof_digest": "sha256:0000000000",
    "system": "SY-0000000000", "inventory": "IN-0000000000", "exposure": "EX-0000000000",
    "statements": "VX-0000000000",
    "notice": "N-0000000000", "channel": "NC-0000000000", "feed token": "noones",
    "endpoint": "E-0000000000", "grant": "G-0000000000", "use": "U-000000000000000f",
}  # fmt: skip


@dataclass(frozen=True)
class Looker:
    """Somebody who looks: a browser that has signed in, a machine with a key, or anybody."""

    name: str
    viewer: Viewer = PUBLIC
    session: str = ""
    key: str = ""
    role: Role | None = None
    consent: Consent | None = None
    """The part that its organisation has in the case."""
    is_shut_out: bool = False
    """Whether it is known and let in nowhere: an ended key, an account that was closed."""

    @property
    def is_machine(self) -> bool:
        return bool(self.key)


@dataclass
class World:
    """The names of everything in it, who looks, and which mark stands where."""

    case: Case
    names: dict[str, str]
    lookers: dict[str, Looker]
    marks: dict[str, str] = field(default_factory=dict)
    token: str = ""
    """Of the partner's grant: shown once, when it was made."""
    parties: dict[int | None, tuple[Role, ChoiceState | None, bool]] = field(default_factory=dict)
    """What organisations are in the review: role, state of their choice, whether one holds."""


@contextmanager
def undone() -> Iterator[None]:
    """A stretch of time that never was: what happened in it is rolled back at its end."""
    held = transaction.atomic()
    # As Django's own TestCase marks its transactions, so that durable ones may begin inside.
    held._from_testcase = True  # type: ignore[attr-defined]
    with held:
        yield
        transaction.set_rollback(True)


def build() -> World:
    """All of it, in the transaction that is open."""
    with override_settings(SECOND_FACTOR_REQUIRED=False):
        who = made.cast()
        case = made.full(who)
        more = _other_parts(who, case)
        names = _things(who, case)
        reviewing = reviewing_.build()
        names |= reviewing.names | assessing.build(reviewing.names["review"])
        names |= exposing.build(who.hospital)
        names |= directing.build(who.authority, names["system"])
        names |= telling.build(who.hospital)
        lookers = _lookers(who, more) | _reviewing(reviewing)
    names["key"] = str(ApiKey.objects.filter(organisation__slug="ecdsa-team").latest("pk").pk)
    world = World(case, names, lookers, token=reviewing.token, parties=reviewing.parties)
    _mark(world, who)
    reviewing_.mark(_Planter(world), _rename)
    assessing.mark(_Planter(world))
    exposing.mark(_Planter(world))
    directing.mark(_Planter(world))
    telling.mark(_Planter(world))
    world.case.refresh_from_db()
    return world


#: Other organisations in the case: what they are there, and what they have said.
_PARTS: Final = (
    ("team-invited", Role.SUPPLIER, Consent.INVITED),
    ("team-lapsed", Role.SUPPLIER, Consent.LAPSED),
    ("team-declined", Role.SUPPLIER, Consent.DECLINED),
    ("clinic-invited", Role.DEPLOYER, Consent.INVITED),
)


def _other_parts(who: made.Cast, case: Case) -> dict[str, Viewer]:
    found = {}
    for slug, role, consent in _PARTS:
        found[slug] = somebody(slug, role)
        if role is Role.SUPPLIER:
            people.tell(who.office, case.name, slug, now=at(12))
        else:
            people.invite(who.office, case.name, slug, role, now=at(12))
        Participant.objects.filter(case=case, organisation__slug=slug).update(consent=consent)
    return found


def _things(who: made.Cast, case: Case) -> dict[str, str]:
    """One of each kind of thing, by its name."""
    own = Finding.objects.get(case=case.name, organisation__slug="hexfind")
    second = Finding.objects.get(case=case.name, organisation__slug="otherlab")
    loose = made.reported(who)
    Finding.objects.filter(name=loose).update(state=Finding.State.UNPROVEN, case="")
    suggestion = Suggestion.objects.create(
        name="S-7KQ2M9XD4T", finding=loose, case=case, score=0.5, reasons=["near"], made_at=at(13)
    )
    promised = findings.commit(who.finder, "ab" * 32, now=at(13))
    from django.utils import timezone

    now = timezone.now()
    claim = scans.claim(who.finder, "pkg:pypi/claimed", now + timedelta(days=3), now=now)
    advisories.draft(who.office, case.name, title="A title", summary="A summary", now=at(13))
    team = Organisation.objects.get(slug="ecdsa-team")
    SupplierPolicy.objects.update_or_create(organisation=team, defaults={"scope": "ours"})
    package = SuppliedPackage.objects.create(organisation=team, purl="pkg:pypi/other")
    invitation = Invitation.objects.create(
        organisation=team, email="new@team.example", token_digest="0" * 64,
        expires_at=now + timedelta(days=3),
    )  # fmt: skip
    handed_on = Patch.objects.exclude(chosen_at=None).get(case=case)
    return {
        "case": case.name, "finding": own.name, "second": second.name, "loose": loose,
        "suggestion": suggestion.name, "commitment": promised.name, "claim": claim.name,
        "patch": handed_on.name, "candidate": Patch.objects.get(case=case, chosen_at=None).name,
        "file": CaseFile.objects.get(case=case).name,
        "task": Task.objects.get(case=case, assignee=team).name,
        "package": str(package.pk), "invitation": str(invitation.pk),
        "proposal": str(Proposal.objects.get(case=case).number),
        "entry": str(CaseEvent.objects.filter(case=case, part="timeline").latest("pk").entry),
        "slug": team.slug, "person": str(Membership.objects.get(organisation=team).user_id),
    }  # fmt: skip


def _lookers(who: made.Cast, more: dict[str, Viewer]) -> dict[str, Looker]:
    office, bound = who.office, Consent.SIGNATORY
    found = [
        Looker("public"),
        _signed_in("finder", who.finder, Role.FINDER, bound),
        _signed_in("second finder", who.other, Role.FINDER, bound),
        _signed_in("supplier", who.supplier, Role.SUPPLIER, bound),
        _signed_in("deployer", who.hospital, Role.DEPLOYER, bound),
        _signed_in("authority", who.authority, Role.AUTHORITY, bound),
        _signed_in("observer", who.observer, Role.OBSERVER, bound),
        *(_signed_in(slug, more[slug], role, consent) for slug, role, consent in _PARTS),
        _signed_in("coordinator", office),
        _signed_in("stranger", who.stranger),
        *(
            _signed_in(f"outside {role.value}", somebody(f"outside-{role.value}", role))
            for role in Role
            if role is not Role.COORDINATOR
        ),
        _closed(),
    ]
    for scope in Scope:
        found.append(_machine(f"office key {scope.value}", office, [scope]))
        found.append(
            _machine(f"supplier key {scope.value}", who.supplier, [scope], Role.SUPPLIER, bound)
        )
    found += [
        _machine("office key", office, list(Scope)),
        _machine("deployer key", who.hospital, list(Scope), Role.DEPLOYER, bound),
        _machine("finder key", who.finder, list(Scope), Role.FINDER, bound),
        _machine("stranger key", who.stranger, list(Scope)),
        _ended("expired key", office, expires_at=at(-1)),
        _ended("revoked key", office, revoked_at=at(0)),
    ]
    return {one.name: one for one in found}


def _reviewing(made_: reviewing_.Reviewing) -> dict[str, Looker]:
    """Those who take part in the review, and machines of two of them."""
    found = [_signed_in(name, viewer) for name, viewer in made_.people.items()]
    found += [
        _machine(f"{name} key", made_.people[name], list(Scope))
        for name in ("developer", "partner")
    ]
    return {one.name: one for one in found}


def _signed_in(
    name: str, viewer: Viewer, role: Role | None = None, consent: Consent | None = None
) -> Looker:
    client = Client()
    assert viewer.person is not None
    client.force_login(User.objects.get(pk=viewer.person))
    session = client.cookies["sessionid"].value
    return Looker(name, viewer, session=session, role=role, consent=consent)


def _closed() -> Looker:
    viewer = somebody("office-2", Role.COORDINATOR)
    looker = _signed_in("closed account", viewer)
    assert viewer.person is not None
    User.objects.filter(pk=viewer.person).update(is_active=False)
    return Looker(looker.name, PUBLIC, session=looker.session, is_shut_out=True)


def _machine(
    name: str, owner: Viewer, scopes: list[Scope], role: Role | None = None,
    consent: Consent | None = None,
) -> Looker:  # fmt: skip
    acting = Viewer(owner.organisation, owner.roles, frozenset(scopes), name, key=1)
    return Looker(name, acting, key=_key(owner, scopes)[0], role=role, consent=consent)


def _ended(name: str, owner: Viewer, **how: datetime) -> Looker:
    text, key = _key(owner, list(Scope))
    for column, value in how.items():
        setattr(key, column, value)
    key.save()
    return Looker(name, PUBLIC, key=text, is_shut_out=True)


def _key(owner: Viewer, scopes: list[Scope]) -> tuple[str, Any]:
    from django.utils import timezone

    now = timezone.now()
    key = make_api_key(
        owner, owner.acting_for(), name="a machine", scopes=scopes,
        expires_at=now + timedelta(days=1), now=now,
    )  # fmt: skip
    return key.text, key.key


def mark(name: str) -> str:
    """A word that stands nowhere else."""
    return f"Zqx{name.replace('-', '').replace(' ', '')}Jv"


def _mark(world: World, who: made.Cast) -> None:
    """Put a mark of its own into each text that not everybody may read."""
    put = _Planter(world)
    case = Case.objects.filter(pk=world.case.pk)
    put(case, title="case title", summary="case summary", closed_because="closed because")
    case.update(
        declared=[{"by": "Ecdsa-Team", "role": "supplier", "introduced": put.word("declared"),
                   "fixed": "", "at": "2026-11-01T12:00:00+00:00"}],
        history=store.put(json.dumps(_history(put)).encode()),
    )  # fmt: skip
    for name, which in (("own", "finding"), ("second", "second"), ("loose", "loose")):
        row = Finding.objects.filter(name=world.names[which])
        put(row, title=f"{name} title", found_by=f"{name} foundby", origin_id=f"{name} origin",
            reason=f"{name} reason")  # fmt: skip
        row.update(
            locations=[{"file": put.word(f"{name} location"), "function": "f", "line": 1}],
            verdict=store.put(json.dumps(_verdict(put, name)).encode()),
        )
        if name != "loose":
            row.update(blob=store.put(b"PK" + put.word(f"{name} content").encode()))
    red = Message.objects.get(tlp="TLP:RED")
    put(Message.objects.filter(pk=red.pk), text="red message")
    put(Message.objects.exclude(pk=red.pk), text="amber message")
    put(CaseFile.objects.all(), filename="file name")
    CaseFile.objects.update(blob=store.put(put.word("file bytes").encode()))
    put(Task.objects.filter(name=world.names["task"]), title="supplier task")
    put(Task.objects.filter(assignee=None), title="office task")
    put(Assessment.objects.filter(role="finder"), reason="assessment reason")
    put(Assessment.objects.filter(role="supplier"), reason="second assessment reason")
    put(Proposal.objects.all(), reason="proposal reason")
    for which, name in (("patch", "chosen"), ("candidate", "candidate")):
        row_ = Patch.objects.filter(name=world.names[which])
        put(row_, note=f"{name} note", made_by=f"{name} maker", reason=f"{name} verdict reason")
        row_.update(
            blob=store.put(put.word(f"{name} bytes").encode()),
            verdict=store.put(json.dumps({"why": put.word(f"{name} verdict")}).encode()),
        )
    for part in CaseEvent.objects.values_list("part", flat=True).distinct():
        put(CaseEvent.objects.filter(part=part), text=f"event {part}")
    Suggestion.objects.update(reasons=[put.word("suggestion reason")])
    put(Advisory.objects.all(), title="draft title", summary="draft summary",
        details="draft details", remedy="draft remedy")  # fmt: skip
    ScanClaim.objects.update(package=f"pkg:pypi/{put.word('claim').lower()}")
    Commitment.objects.update(value=put.word("commitment"))
    put(SupplierPolicy.objects.filter(organisation_id=who.supplier.acting_for()), scope="policy")
    Invitation.objects.update(email=f"{put.word('invitation')}@team.example")
    names = {
        "hospital": "deployer name", "agency": "authority name", "auditor": "observer name",
        "otherlab": "second name", "team-declined": "declined name",
        "clinic-invited": "clinic name",
    }  # fmt: skip
    for slug, name in names.items():
        _rename(put, slug, name)


def _rename(put: _Planter, slug: str, name: str) -> None:
    """Give an organisation, and all that it has signed, another name."""
    there = Organisation.objects.get(slug=slug)
    word = put.word(name)
    for model in (Message, CaseFile, Assessment, Patch, Proposal):
        model.objects.filter(organisation=there).update(by=word)
    CaseEvent.objects.filter(by=there.name).update(by=word)
    Finding.objects.filter(organisation=there).update(filed_by=word)
    Organisation.objects.filter(pk=there.pk).update(name=word)


class _Planter:
    """Writes marks into columns, and notes them in the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def word(self, name: str) -> str:
        """A mark, noted."""
        return self._world.marks.setdefault(name, mark(name))

    def __call__(self, rows: Any, **columns: str) -> None:
        rows.update(**{column: self.word(name) for column, name in columns.items()})


def _history(put: _Planter) -> dict[str, Any]:
    document = made.history()
    for one in document["versions"]:
        one["why"] = one["reason"] = put.word("history reason")
    document["verdict"] = {"stack": [put.word("history stack")]}
    return document


def _verdict(put: _Planter, name: str) -> dict[str, Any]:
    word = put.word(f"{name} verdict")
    effect = {
        "kind": "exception", "observed": {"type": word, "message": word}, "stack": [],
        "attributed_to": [{"file": word, "function": word, "line": 1}],
    }  # fmt: skip
    environment = {
        "runtime": "cpython", "kernel": "linux", "sandbox": "bwrap", "clearhouse": "0",
        "packages": [],
    }  # fmt: skip
    return story.verdict(made.SECRET) | {
        "reason": word, "effect": effect, "environment": environment,
    }  # fmt: skip


#: The states of a case in which everything is tried.
@dataclass(frozen=True)
class Stage:
    """The columns of the case in a state."""

    embargo: EmbargoState
    is_public: bool = False
    is_closed: bool = False
    review: ReviewState = ReviewState.OPEN

    @property
    def is_embargoed(self) -> bool:
        return self.embargo in (EmbargoState.PROPOSED, EmbargoState.ACTIVE, EmbargoState.REVISE)

    def enter(self, case: Case) -> None:
        """Put the case into it."""
        Case.objects.filter(pk=case.pk).update(
            embargo=self.embargo.value,
            public_at=at(20) if self.is_public else None,
            state=Case.State.CLOSED if self.is_closed else Case.State.OPEN,
        )
        Review.objects.update(state=self.review.value)


STAGES: Final = {
    **{one.value: Stage(one) for one in EmbargoState},
    "public": Stage(EmbargoState.EXITED, is_public=True),
    "closed": Stage(EmbargoState.EXITED, is_public=True, is_closed=True),
    "closed under embargo": Stage(EmbargoState.ACTIVE, is_closed=True),
}
#: The states of a review in which everything is tried that is about one.
REVIEW_STAGES: Final = {
    f"review {one.value}": Stage(EmbargoState.ACTIVE, review=one) for one in ReviewState
}


class Browser:
    """One client for all who look: each request is made with nothing but their own."""

    def __init__(self, *, checks_csrf: bool = False) -> None:
        self._client = Client(raise_request_exception=False, enforce_csrf_checks=checks_csrf)

    def ask(
        self, looker: Looker, method: str, path: str, body: Any = None, kind: str = "", **more: str
    ) -> Any:
        """The answer to a request."""
        self._client.cookies = SimpleCookie()
        if looker.session:
            self._client.cookies[settings.SESSION_COOKIE_NAME] = looker.session
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if looker.key:
            headers["Authorization"] = f"Bearer {looker.key}"
        given: dict[str, Any] = {"headers": headers}
        if isinstance(body, dict) and kind == "application/json":
            body = json.dumps(body).encode()
        if body is not None:
            given["data"] = body
        if kind:
            given["content_type"] = kind
        return getattr(self._client, method.lower())(path, **given)


class Writes:
    """Statements that change rows and were not rolled back.

    Those of sessions, of counting requests, and of checkpoints that a receipt asks for are
    anybody's.
    """

    _ANYBODYS: Final = (
        "django_session", "ledgerbook_signedcheckpoint", "api_allowance", "orgs_apikey",
        "office_cache",
    )  # fmt: skip
    _CHANGES: Final = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b")
    _POINT: Final = re.compile(r'(SAVEPOINT|ROLLBACK TO SAVEPOINT) "?(\w+)')

    def __init__(self) -> None:
        self.statements: list[str] = []
        self._points: dict[str, int] = {}

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        point = self._POINT.match(sql)
        if point is not None and point[1] == "SAVEPOINT":
            self._points[point[2]] = len(self.statements)
        elif point is not None:
            del self.statements[self._points[point[2]] :]
        elif self._CHANGES.match(sql):
            target = sql.split(" WHERE ", maxsplit=1)[0].split("(", maxsplit=1)[0]
            if not any(f'"{one}"' in target for one in self._ANYBODYS):
                self.statements.append(sql)
        return execute(sql, params, many, context)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Watch the connection."""
        self.statements.clear()
        with connection.execute_wrapper(self):
            yield
