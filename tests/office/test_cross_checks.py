"""Rows that were altered behind the ledger's back are found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import models

from clearhouse.office.advisories import actions
from clearhouse.office.advisories.models import Revision
from clearhouse.office.cases.actions import versions
from clearhouse.office.cases.models import Case, CaseEvent
from clearhouse.office.findings.actions import commit
from clearhouse.office.findings.models import Commitment, Finding
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.protocol.roles import Role
from tests.office.story import NOW, proven, somebody

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> str:
    """A case that is public, and a commitment beside it."""
    finder, office = somebody("hexfind", Role.FINDER), somebody("office", Role.COORDINATOR)
    commit(finder, "ab" * 32, now=NOW)
    name = proven(finder)
    versions.declare(office, name, "0", "0.13.3", now=NOW)
    actions.draft(office, name, title="A", summary="B", now=NOW)
    actions.publish(office, name, now=NOW + timedelta(days=1))
    return name


def found() -> list[str]:
    return [str(one) for one in contradictions()]


def test_an_office_that_was_left_alone_contradicts_nothing(case: str) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("model", "column", "value", "says"),
    [
        (Finding, "content", "sha256:00", "another content"),
        (Finding, "entry", 10_000, "without an entry"),
        (Finding, "entry", 0, "the entry is"),
        (Finding, "state", "refused", "it is refused, the entry says proven"),
        (Finding, "verdict_digest", "sha256:99", "another verdict"),
        (Commitment, "value", "cd" * 32, "another content"),
        (CaseEvent, "entry", None, "without an entry"),
        (CaseEvent, "kind", "closed", "the entry is"),
        (Case, "public_at", None, "says that it is public"),
        (Revision, "csaf", {"document": {}}, "were altered"),
        (Revision, "number", 7, "has no entry"),
    ],
)
def test_a_row_that_says_else_is_found(
    case: str, model: type[models.Model], column: str, value: object, says: str
) -> None:
    model._default_manager.update(**{column: value})
    assert any(says in one for one in found()), found()


def test_a_revision_that_was_taken_away_is_found(case: str) -> None:
    Revision.objects.all().delete()
    assert [one for one in found() if "is gone" in one]


def test_a_case_that_is_public_by_its_row_alone_is_found() -> None:
    proven(somebody("hexfind", Role.FINDER))
    Case.objects.update(public_at=NOW)
    assert [one for one in found() if "public without an entry" in one]
