"""A case's account of itself, for the room that publishes it: facts, without anybody's text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clearhouse.errors import NotFound
from clearhouse.office.cases.models import Case, Patch
from clearhouse.office.cases.queries import history_of, leading_of
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role


@dataclass(frozen=True, slots=True)
class Scored:
    """An assessment: the vector, whose it is, whether it is the supplier's."""

    vector: str
    by: str
    is_suppliers: bool


@dataclass(frozen=True, slots=True)
class Credited:
    """Who found it, in order of commitment; ``tool`` is the AI system that did."""

    organisation: str
    tool: str


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a case, as it stands now.

    Only who handed in a finding of it is credited: not who was merely invited as a finder.  A
    supplier that declined is none of this case.
    """

    name: str
    title: str
    summary: str
    package: str
    weaknesses: tuple[int, ...]
    cve: str
    opened_at: datetime
    public_at: datetime | None
    suppliers: tuple[str, ...]
    history: Mapping[str, Any] | None
    declared: tuple[Mapping[str, str], ...]
    scores: tuple[Scored, ...]
    credits: tuple[Credited, ...]
    patch_digest: str
    organisations: frozenset[int]
    """Who takes part, whatever it has answered."""


def account(viewer: Viewer, name: str) -> Account:
    """The account of a case, for the office.  Raises :class:`NotFound` for anybody else."""
    viewer.must_coordinate()
    case = Case.objects.filter(name=name).first()
    if case is None:
        raise NotFound("there is no such case here")
    return account_of(case)


def account_of(case: Case) -> Account:
    """The same for an action that holds the case."""
    parts = list(case.participants.select_related("organisation").order_by("credit_at", "id"))
    assessments = list(case.assessments.order_by("-at"))
    leading = leading_of(assessments)
    ordered = sorted(assessments, key=lambda one: one is not leading)
    chosen = Patch.objects.filter(case=case).exclude(distributed_at=None).first()
    return Account(
        name=case.name,
        title=case.title,
        summary=case.summary,
        package=case.package,
        weaknesses=tuple(case.weaknesses),
        cve=case.cve,
        opened_at=case.opened_at,
        public_at=case.public_at,
        suppliers=tuple(
            one.organisation.name
            for one in parts
            if one.role == Role.SUPPLIER and one.consent != Consent.DECLINED
        ),
        history=history_of(case),
        declared=tuple(case.declared),
        scores=tuple(Scored(one.vector, one.by, one.role == Role.SUPPLIER) for one in ordered),
        credits=tuple(
            Credited(one.organisation.name, _tool(one.credit_name, one.organisation.name))
            for one in parts
            if one.role == Role.FINDER and one.credit_at is not None
        ),
        patch_digest=chosen.digest if chosen is not None else "",
        organisations=frozenset(one.organisation_id for one in parts),
    )


def _tool(credit: str, organisation: str) -> str:
    return "" if credit == organisation else credit
