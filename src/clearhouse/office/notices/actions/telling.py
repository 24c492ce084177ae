"""An organisation is told something, hears that it is over, and says that it has read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from clearhouse.errors import Conflict
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.notices.actions.waiting import first_channel, wait, wait_to_end
from clearhouse.office.notices.models import Delivery, Notice
from clearhouse.office.notices.sight import own_notice
from clearhouse.office.notices.told import Told, digest_of
from clearhouse.office.orgs.queries import hold
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope


def tell(organisation: int, told: Told, *, now: datetime) -> Notice:
    """Tell an organisation something, as part of the caller's transaction.

    1. The same topic is the same matter: told as it was before, nothing happens.  2. Told
    differently, or after it was over, it waits for the reader again.  3. It waits for each channel
    in the same transaction: what is rolled back was told to nobody.  Whoever tells many
    organisations at once does so in the order of their keys, so that two never wait for each other.
    """
    with transaction.atomic():
        hold(organisation)
        columns = told.columns()
        there = Notice.objects.filter(organisation=organisation, topic=told.topic).first()
        if there is not None and _says(there, columns):
            return there  # 1
        notice = there or Notice(
            name=new_name("N"), organisation_id=organisation, topic=told.topic, told_at=now,
            revision=0,
        )  # fmt: skip
        for name, value in columns.items():
            setattr(notice, name, value)
        notice.revision += 1
        notice.changed_at = now
        notice.acknowledged_at = notice.acknowledged_by = notice.ended_at = None  # 2
        facts = {
            "revision": notice.revision, "urgency": told.urgency.value, "tlp": told.tlp.value,
            "digest": digest_of(told.topic, columns),
        }  # fmt: skip
        notice.entry = record("notice.told", notice.name, facts, now=now).index
        notice.save()
        first_channel(organisation, now=now)
        wait([notice], now=now)  # 3
    return notice


def _says(notice: Notice, columns: Mapping[str, Any]) -> bool:
    """Whether a notice that is not over says just that already."""
    return notice.ended_at is None and all(
        getattr(notice, name) == value for name, value in columns.items()
    )


def end(organisation: int, topic: str, *, now: datetime) -> Notice | None:
    """A matter is over: what still waits about it is not sent any more.

    Whoever was told of it by a channel is told once there that it is over, with the next digest.
    As part of the caller's transaction.  None where nothing was told, again changes nothing.
    """
    with transaction.atomic():
        hold(organisation)
        found = Notice.objects.filter(organisation=organisation, topic=topic).first()
        if found is not None and found.ended_at is None:
            found.ended_at = now
            found.save(update_fields=["ended_at"])
            Delivery.objects.filter(notice=found, message=None).delete()
            record("notice.ended", found.name, {}, now=now)
            wait_to_end(found, now=now)
    return found


def acknowledge(viewer: Viewer, name: str, *, revision: int | None = None, now: datetime) -> Notice:
    """Say that one's organisation has read a notice; again changes nothing.

    Anybody of the organisation may, and its machines.  ``revision`` is the one that was read: where
    it was told differently meanwhile, :class:`Conflict` is raised.  Raises :class:`NotFound`.
    """
    viewer.needs(Scope.NOTICES_WRITE)
    with transaction.atomic():
        found = own_notice(viewer, name)
        hold(found.organisation_id)
        found.refresh_from_db()
        if revision is not None and revision != found.revision:
            raise Conflict("this was told differently meanwhile: read it again")
        if found.acknowledged_at is None:
            found.acknowledged_at = now
            found.acknowledged_by_id = viewer.person
            found.save(update_fields=["acknowledged_at", "acknowledged_by"])
            Delivery.objects.filter(notice=found, message=None).delete()
            facts = {"revision": found.revision, "by": viewer.person}
            record("notice.acknowledged", found.name, facts, now=now)
    return found
