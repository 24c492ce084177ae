"""Keys for machines: made, shown once, revoked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, NotFound
from clearhouse.office.orgs.access import run_by
from clearhouse.office.orgs.events import announce
from clearhouse.office.orgs.keytext import digest_of, new_key
from clearhouse.office.orgs.models import ApiKey
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope

LONGEST: Final = timedelta(days=365)
"""No key lives longer: whoever needs one still makes a new one within a year."""
_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key; ``text`` is all there is to show, and never again."""

    key: ApiKey
    text: str = field(repr=False)


def make_api_key(
    viewer: Viewer,
    organisation: int,
    *,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime,
    now: datetime,
) -> MadeKey:
    """A key for a machine of the organisation.  Its managers, and coordinators.

    Raises :class:`Invalid` without a name, without scopes, or for more than a year.
    """
    title = " ".join(name.split())
    if not title or len(title) > _NAME or not title.isprintable():
        raise Invalid(f"expected a name of 1 to {_NAME} characters", key="name")
    wanted = frozenset(scopes)
    if not wanted:
        raise Invalid("a key without scopes opens nothing", key="scopes")
    if expires_at.tzinfo is None or not now < expires_at <= now + LONGEST:
        raise Invalid(f"expected a time within {LONGEST.days} days", key="expires_at")
    text, prefix = new_key()
    ordered = [one.value for one in Scope if one in wanted]
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        made = ApiKey.objects.create(
            organisation=acting,
            name=title,
            prefix=prefix,
            digest=digest_of(text),
            scopes=ordered,
            created_by_id=viewer.person,
            created_at=now,
            expires_at=expires_at,
        )
        facts = {"key": prefix, "scopes": ordered, "until": expires_at.isoformat()}
        announce("key.made", acting.slug, {**facts, "by": viewer.person}, now)
    return MadeKey(made, text)


def revoke_api_key(viewer: Viewer, organisation: int, *, key: int, now: datetime) -> ApiKey:
    """End a key at once.  Again changes nothing: the first time stands."""
    with transaction.atomic():
        acting = run_by(viewer, organisation)
        found = ApiKey.objects.filter(pk=key, organisation=acting).first()
        if found is None:
            raise NotFound("there is no such key")
        if found.revoked_at is None:
            found.revoked_at = now
            found.save(update_fields=["revoked_at"])
            announce("key.revoked", acting.slug, {"key": found.prefix, "by": viewer.person}, now)
    return found
