"""Grants: issued by the developer's managers, ended by anybody of the developer's or the office's.

What ends access is easier than what gives it: a person of the developer's needs no role for it.
Only the developer lets go on what was paused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.db import transaction

from clearhouse.errors import Invalid, NotFound, Refused
from clearhouse.ledger.entry import canonical
from clearhouse.office.access.changes import number_changed
from clearhouse.office.access.models import AccessGrant, Endpoint
from clearhouse.office.access.sealing import new_token, token_digest
from clearhouse.office.access.sight import endpoint_seen, grant_seen
from clearhouse.office.access.values import grant_of
from clearhouse.office.ledgerbook.actions import Decision, record, record_many
from clearhouse.office.names import new_name
from clearhouse.office.orgs.access import run_by
from clearhouse.office.orgs.queries import member_with, organisation
from clearhouse.office.viewer import Viewer
from clearhouse.protocol import grants
from clearhouse.protocol.grants import Amounts, Call, Grant, Rates, Window

_WINDOW_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class Issued:
    """A new grant; ``token`` is shown once, and never again."""

    grant: AccessGrant
    token: str = field(repr=False)


def issue(
    viewer: Viewer,
    endpoint: str,
    *,
    party: str,
    window: str,
    start: datetime,
    end: datetime,
    models: Iterable[str],
    calls: Iterable[Call],
    budget: Amounts,
    rates: Rates,
    networks: Sequence[str],
    holder: str = "",
    now: datetime,
) -> Issued:
    """Let an organisation (its short name) use an endpoint, within a window of 30 days at most.

    For the managers of the developer alone.  ``window`` names what it belongs to and ends with.
    ``holder`` is the address of the one person there whom it is for; without one it is for all.
    Raises :class:`Invalid` for what allows nothing, or for a model that the endpoint does not have.
    """
    allowed, may = sorted(set(models)), [one.value for one in Call if one in set(calls)]
    within = Window(start, end)
    parsed = grants.checked(models=allowed, budget=budget, rates=rates, networks=networks)
    if not window or len(window) > _WINDOW_NAME or not window.isprintable():
        raise Invalid(f"expected a name of 1 to {_WINDOW_NAME} characters", key="window")
    for key, some in (("models", allowed), ("calls", may), ("networks", parsed)):
        if not some:
            raise Invalid("what is empty allows nothing", key=key)
    token = new_token()
    with transaction.atomic():
        found = endpoint_seen(viewer, endpoint)
        if viewer.organisation != found.owner_id:
            raise Refused("only the developer gives access to its endpoint")
        run_by(viewer, found.owner_id)
        # Held, so that a grant is given before an endpoint closes, and ends with it, or not at all.
        found = Endpoint.objects.select_for_update().get(pk=found.pk)
        if found.closed_at is not None:
            raise Refused("this endpoint is closed")
        if not set(allowed) <= set(found.prices):
            raise Invalid("the endpoint does not have all of these models", key="models")
        if within.end <= now:
            raise Invalid("a window that is over allows nothing", key="end")
        to = organisation(party)
        made = AccessGrant(
            name=new_name("G"),
            endpoint=found,
            party=to,
            holder_id=_holder(to.pk, holder),
            window=window,
            token_digest=token_digest(token),
            models_allowed=allowed,
            calls=may,
            networks=[str(one) for one in parsed],
            starts_at=within.start,
            ends_at=within.end,
            requests=budget.requests,
            tokens=budget.tokens,
            micros=budget.micros,
            requests_a_minute=rates.requests_a_minute,
            tokens_a_minute=rates.tokens_a_minute,
            streams=rates.streams,
            issued_at=now,
            seen_at=now,
        )
        number_changed([made])
        facts = {
            "endpoint": found.name,
            "window": window,
            "terms": terms_digest(made),
            "from": within.start.isoformat(),
            "until": within.end.isoformat(),
            "by": viewer.person,
        }
        made.entry = record("access.granted", made.name, facts, now=now).index
        made.save()
    return Issued(made, token)


def _holder(party: int, email: str) -> int | None:
    if not email.strip():
        return None
    found = member_with(party, email)
    if found is None:
        raise Invalid(
            "expected the address that a person of that organisation signs in with", key="holder"
        )
    return found


def terms_digest(row: AccessGrant) -> str:
    """The digest of all that a grant allows, but for its end, which may come earlier."""
    terms = {
        "endpoint": row.endpoint.name,
        "party": row.party.slug,
        "holder": str(row.holder_id or ""),
        "token": bytes(row.token_digest).hex(),
        "models": row.models_allowed,
        "calls": row.calls,
        "networks": row.networks,
        "budget": [str(one) for one in (row.requests, row.tokens, row.micros)],
        "rates": [str(one) for one in (row.requests_a_minute, row.tokens_a_minute, row.streams)],
    }
    return hashlib.sha256(canonical(terms)).hexdigest()


def pause(viewer: Viewer, name: str, *, now: datetime) -> AccessGrant:
    """Hold a grant.  Its end stays where it is."""
    return _changed(viewer, name, "access.paused", lambda one: grants.paused(one, now), now=now)


def resume(viewer: Viewer, name: str, *, now: datetime) -> AccessGrant:
    """Hold a grant no more: for the developer's managers alone."""
    found = grant_seen(viewer, name)
    if viewer.organisation != found.endpoint.owner_id:
        raise Refused("only the developer lets go on what is paused")
    with transaction.atomic():
        run_by(viewer, found.endpoint.owner_id)
        return _changed(viewer, name, "access.resumed", grants.resumed, now=now)


def shorten(viewer: Viewer, name: str, end: datetime, *, now: datetime) -> AccessGrant:
    """Let a grant end earlier.  Raises :class:`Refused` for a later end."""
    return _changed(
        viewer, name, "access.shortened", lambda one: grants.shortened(one, end), now=now
    )


def revoke(viewer: Viewer, name: str, *, now: datetime) -> AccessGrant:
    """End a grant at once and for good.  Again changes nothing: the first time stands."""
    return _changed(viewer, name, "access.revoked", lambda one: grants.revoked(one, now), now=now)


def withdraw(viewer: Viewer, rows: Sequence[AccessGrant], *, now: datetime) -> int:
    """End these grants, which are held, in the transaction that is open."""
    standing = [one for one in rows if one.withdrawn_at is None]
    number_changed(standing)
    for one in standing:
        one.withdrawn_at = now
        one.save(update_fields=["withdrawn_at", "changed"])
    record_many(
        (Decision("access.withdrawn", one.name, {"by": viewer.person}) for one in standing),
        now=now,
    )
    return len(standing)


def ended_by(viewer: Viewer, owner: int | None) -> None:
    """Raise unless the viewer is a person of that developer's, or of the office."""
    if not viewer.coordinates and (owner is None or viewer.organisation != owner):
        raise NotFound("there is no such thing here")
    if viewer.key is not None:
        raise Refused("an API key cannot do this; sign in")


def _changed(
    viewer: Viewer, name: str, kind: str, how: Callable[[Grant], Grant], *, now: datetime
) -> AccessGrant:
    """Store what a rule makes of a grant, with its entry; nothing where it changes nothing."""
    with transaction.atomic():
        found = grant_seen(viewer, name)
        ended_by(viewer, found.endpoint.owner_id)
        held = AccessGrant.objects.select_for_update().get(pk=found.pk)
        before = replace(grant_of(held), paused_at=held.paused_at)
        after = how(before)
        if after == before:
            return held
        held.ends_at = after.window.end
        held.paused_at = after.paused_at
        held.revoked_at = after.revoked_at
        number_changed([held])
        held.save(update_fields=["ends_at", "paused_at", "revoked_at", "changed"])
        facts = {"until": after.window.end.isoformat(), "by": viewer.person}
        record(kind, name, facts, now=now)
        return held
