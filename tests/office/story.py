"""People of a small office, and the samples that they hand in."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.queue import inline
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


def work_off(now: datetime = NOW) -> int:
    """Do all jobs that wait, in this process.  How many there were."""
    return inline.work_off(now)
