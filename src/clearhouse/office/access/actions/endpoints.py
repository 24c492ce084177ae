"""A developer's endpoint: opened with its credential, changed, closed with all that hangs on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import pyrage
from django.conf import settings
from django.db import transaction

from clearhouse.errors import Invalid, Refused
from clearhouse.office.access.actions.grants import ended_by, withdraw
from clearhouse.office.access.changes import number_changed
from clearhouse.office.access.models import AccessGrant, Endpoint
from clearhouse.office.access.sealing import seal
from clearhouse.office.access.sight import endpoint_seen
from clearhouse.office.config import Config
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.names import new_name
from clearhouse.office.orgs.access import run_by
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.access import Keyed, Reach, checked_address
from clearhouse.protocol.prices import Price
from clearhouse.protocol.unusual_use import Consequence, Rule

_LEAST_CANARY: Final = 12
_LONGEST_SECRET: Final = 4000
_HOURS: Final = range(24)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a developer says of its endpoint.

    ``prices`` are by model, and name the models that there are.  ``canaries`` are planted texts of
    12 characters and more, one line each.  ``hours`` are those of usual use (UTC), all where none
    is named.  ``recipients`` are its age keys; contents are kept only where there are some.
    """

    address: str
    credential: str = field(repr=False)
    prices: Mapping[str, Price]
    keyed: Keyed = Keyed.BEARER
    canaries: Sequence[str] = field(default=(), repr=False)
    consequences: Mapping[Rule, Consequence] = field(default_factory=dict)
    hours: Sequence[int] = ()
    recipients: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What of an endpoint is to be different; None stays as it is, what is empty is there no more.

    The parts mean what they mean in :class:`Terms`.
    """

    address: str | None = None
    credential: str | None = field(default=None, repr=False)
    prices: Mapping[str, Price] | None = None
    keyed: Keyed | None = None
    canaries: Sequence[str] | None = field(default=None, repr=False)
    consequences: Mapping[Rule, Consequence] | None = None
    hours: Sequence[int] | None = None
    recipients: Sequence[str] | None = None


def open_endpoint(viewer: Viewer, owner: int, terms: Terms, *, now: datetime) -> Endpoint:
    """Take in an endpoint of a developer.  Its managers, and coordinators.

    Raises :class:`Invalid` naming what is wrong.
    """
    address = _checked(terms)
    name = new_name("E")
    with transaction.atomic():
        acting = run_by(viewer, owner)
        made = Endpoint.objects.create(
            name=name,
            owner=acting,
            address=address,
            keyed=terms.keyed.value,
            sealed_credential=seal(terms.credential, of=name),
            sealed_canaries=_sealed(terms.canaries, name),
            prices=_listed(terms.prices),
            consequences={rule.value: one.value for rule, one in terms.consequences.items()},
            hours=sorted(set(terms.hours)),
            recipients=list(terms.recipients),
            opened_at=now,
        )
        record("access.endpoint-opened", name, {"by": viewer.person}, now=now)
    return made


def change_endpoint(viewer: Viewer, name: str, change: Change, *, now: datetime) -> Endpoint:
    """Change an open endpoint; gateways learn of it as of a changed grant.  Its managers alone.

    1. It is the viewer's, and open.  2. Another host gets the credential from its developer's hand
    only: whoever could send it anywhere could read it.  3. What results would open as well.  4. The
    ledger says which parts changed, never what they are.  Nothing changes where nothing differs.
    Raises :class:`Invalid` naming what is wrong, and :class:`Refused`.
    """
    with transaction.atomic():
        found = endpoint_seen(viewer, name)  # 1
        if viewer.organisation != found.owner_id:
            raise Refused("only the developer changes its endpoint")
        run_by(viewer, found.owner_id)
        held = Endpoint.objects.select_for_update().get(pk=found.pk)
        if held.closed_at is not None:
            raise Refused("this endpoint is closed")
        new = _columns(change, held)
        address = new["address"]
        if change.credential is None and not _same_host(address, held.address):  # 2
            raise Invalid("another host gets the credential anew: write it again", key="credential")
        changed = sorted(key for key, value in new.items() if value != getattr(held, key))
        if not changed:
            return held
        for key in changed:
            setattr(held, key, new[key])
        held.save(update_fields=changed)
        grants = AccessGrant.objects.select_for_update().filter(endpoint=held, withdrawn_at=None)
        rows = list(grants.order_by("pk"))
        number_changed(rows)
        for one in rows:
            one.save(update_fields=["changed"])
        facts: dict[str, Any] = {"parts": changed, "by": viewer.person}  # 4
        record("access.endpoint-changed", name, facts, now=now)
    return held


def _columns(change: Change, held: Endpoint) -> dict[str, Any]:
    """The columns of an endpoint as they are to be, sound as a whole."""
    prices = {model: Price(**one) for model, one in held.prices.items()}
    terms = Terms(  # 3
        held.address if change.address is None else change.address,
        "unchanged" if change.credential is None else change.credential,
        prices if change.prices is None else change.prices,
        Keyed(held.keyed) if change.keyed is None else change.keyed,
        change.canaries or (),
        {},
        held.hours if change.hours is None else change.hours,
        held.recipients if change.recipients is None else change.recipients,
    )
    new: dict[str, Any] = {
        "address": _checked(terms),
        "keyed": terms.keyed.value,
        "prices": _listed(terms.prices),
        "hours": sorted(set(terms.hours)),
        "recipients": list(terms.recipients),
    }
    if change.consequences is not None:
        new["consequences"] = {rule.value: one.value for rule, one in change.consequences.items()}
    if change.credential is not None:
        new["sealed_credential"] = seal(change.credential, of=held.name)
    if change.canaries is not None:
        new["sealed_canaries"] = _sealed(change.canaries, held.name)
    return new


def _same_host(one: str, other: str) -> bool:
    """Whether two addresses are of one origin (RFC 6454, section 4)."""
    return _origin(one) == _origin(other)


def _origin(address: str) -> tuple[str, str | None, int]:
    parts = urlsplit(address)
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname, parts.port or usual


def _sealed(canaries: Sequence[str], name: str) -> bytes:
    return seal("\n".join(canaries), of=name)


def _listed(prices: Mapping[str, Price]) -> dict[str, dict[str, int]]:
    return {
        model: {"read": one.read, "written": one.written, "longest": one.longest}
        for model, one in prices.items()
    }


def close_endpoint(viewer: Viewer, name: str, *, now: datetime) -> Endpoint:
    """End all access through an endpoint and destroy its credential.  Again changes nothing.

    Anybody of the developer's may do so, and the office.
    """
    with transaction.atomic():
        found = endpoint_seen(viewer, name)
        ended_by(viewer, found.owner_id)
        held = Endpoint.objects.select_for_update().get(pk=found.pk)
        if held.closed_at is None:
            grants = AccessGrant.objects.select_for_update().filter(endpoint=held)
            withdraw(viewer, list(grants.order_by("pk")), now=now)
            held.closed_at = now
            held.sealed_credential = held.sealed_canaries = b""
            held.save(update_fields=["closed_at", "sealed_credential", "sealed_canaries"])
            record("access.endpoint-closed", name, {"by": viewer.person}, now=now)
    return held


def _checked(terms: Terms) -> str:
    config: Config = settings.CONFIG
    address = checked_address(terms.address, Reach.ANYWHERE if config.is_local else Reach.PUBLIC)
    secret = terms.credential
    if not 1 <= len(secret) <= _LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise Invalid("expected a credential of printable characters", key="credential")
    if not terms.prices or any(not one or not one.isprintable() for one in terms.prices):
        raise Invalid("expected the models of the endpoint and what they cost", key="prices")
    for text in terms.canaries:
        if len(text) < _LEAST_CANARY or not text.isascii() or not text.isalnum():
            raise Invalid(
                f"expected at least {_LEAST_CANARY} letters and digits, so that nobody says it by"
                " chance",
                key="canaries",
            )
    if any(hour not in _HOURS for hour in terms.hours):
        raise Invalid("expected hours from 0 to 23", key="hours")
    for recipient in terms.recipients:
        try:
            pyrage.x25519.Recipient.from_str(recipient)
        except pyrage.RecipientError:
            raise Invalid("expected an age recipient such as age1...", key="recipients") from None
    return address
