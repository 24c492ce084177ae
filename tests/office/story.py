"""People of a small office, and the samples that they hand in."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused, Unavailable
from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.queue import actions as queue
from clearhouse.office.queue.handlers import handler_of, kinds
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role

SAMPLES = Path(__file__).parents[2] / "samples"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def somebody(slug: str, *roles: Role) -> Viewer:
    """A person of an organisation with those roles, made where it is not there yet."""
    acting, _ = Organisation.objects.get_or_create(
        slug=slug, defaults={"name": slug.title(), "roles": [one.value for one in roles]}
    )
    user = User.objects.filter(email=f"ada@{slug}.example").first()
    if user is None:
        user = User.objects.create_user(f"ada@{slug}.example", name=f"Ada of {slug.title()}")
        Membership.objects.create(user=user, organisation=acting, is_manager=True)
    return viewer_of(user, acting.pk)


def packed(name: str, kind: str = "proofs") -> bytes:
    """A sample bundle as the archive that a finder sends."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(SAMPLES / kind / name, arcname=name)
    return out.getvalue()


def work_off(now: datetime | None = None) -> int:
    """Do all jobs that wait, in this process and in the test's transaction.  How many there were.

    The worker's own loop needs connections of its own; it is tested where it lives.
    """
    count = 0
    while claimed := queue.claim("test", now or NOW, lease=timedelta(minutes=5)):
        handler = handler_of(claimed.kind)
        try:
            result = handler.run(claimed.payload, lambda _: None)
        except (Invalid, NotFound, Refused, Unavailable) as error:
            with transaction.atomic():
                queue.fail(claimed, str(error), now or NOW)
            count += 1
            continue
        with transaction.atomic():
            queue.finish(claimed, now or NOW)
            handler.store(claimed.payload, result, now or NOW)
        count += 1
    for kind in kinds():
        handler_of(kind).close()
    return count
