"""The CSAF provider's files are laid out by one at a time, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from clearhouse.office.advisories import actions
from clearhouse.office.advisories.models import Revision, ServedFile
from clearhouse.office.queue import actions as queue
from clearhouse.office.queue.models import Lane
from clearhouse.protocol.roles import Role
from tests.office.advisories.made import another, first_published
from tests.office.story import NOW, somebody, work_off

pytestmark = pytest.mark.django_db
DAY, LEASE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def first() -> Revision:
    return first_published()


@contextmanager
def variables_bound() -> Iterator[list[int]]:
    """How many variables each statement binds."""
    found: list[int] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append(len(params or ()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield found


def test_one_is_laid_out_after_the_other(first: Revision) -> None:
    office = somebody("office", Role.COORDINATOR)
    actions.publish(office, first.advisory.name, "Again.", now=NOW + DAY)
    only, now = [actions.REBUILD], NOW + DAY
    running = queue.claim("one", now, only, lease=LEASE)
    assert running is not None
    assert queue.claim("other", now, only, lease=LEASE) is None
    with transaction.atomic():
        queue.finish(running, now)
    assert queue.claim("other", now, only, lease=LEASE) is not None
    assert Lane.objects.get(name=actions.REBUILD).most_running == 1


def test_the_job_lays_out_all_that_is_published(first: Revision) -> None:
    name = another(first)
    work_off(NOW, only=[actions.REBUILD])
    index = bytes(ServedFile.objects.get(path="white/index.txt").data).decode()
    assert name.lower() in index
    assert first.advisory.name.lower() in index


def test_what_is_no_longer_of_the_tree_is_taken_away_in_parts(first: Revision) -> None:
    ServedFile.objects.bulk_create(
        [ServedFile(path=f"old/{n}", data=b"", digest="0" * 64) for n in range(450)]
    )
    there = actions.rebuild(NOW)
    assert not ServedFile.objects.filter(path__startswith="old/").exists()
    assert ServedFile.objects.count() == there > 0


def test_no_statement_binds_a_variable_for_each_file(first: Revision) -> None:
    for _ in range(60):
        another(first, revisions=1)
    actions.rebuild(NOW)
    assert ServedFile.objects.count() > 400
    with variables_bound() as bound:
        actions.rebuild(NOW + DAY)
    assert max(bound) < 20
    assert len(bound) < 20  # and asks nothing for each document


def test_what_is_signed_is_not_signed_again(first: Revision) -> None:
    name = another(first)
    actions.rebuild(NOW)
    there = dict(ServedFile.objects.filter(path__endswith=".asc").values_list("path", "digest"))
    office = somebody("office", Role.COORDINATOR)
    actions.publish(office, first.advisory.name, "Again.", now=NOW + DAY)
    actions.rebuild(NOW + DAY)
    for path, digest in ServedFile.objects.filter(path__in=there).values_list("path", "digest"):
        assert (there[path] == digest) is (first.advisory.name.lower() not in path), path
    assert any(name.lower() in path for path in there)
