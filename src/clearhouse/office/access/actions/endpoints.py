"""A developer's endpoint: opened with its credential, closed with everything that hangs on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyrage
from django.conf import settings
from django.db import transaction

from clearhouse.errors import Invalid
from clearhouse.office.access.actions.grants import ended_by, withdraw
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
            sealed_canaries=seal("\n".join(terms.canaries), of=name),
            prices={
                model: {"read": one.read, "written": one.written, "longest": one.longest}
                for model, one in terms.prices.items()
            },
            consequences={rule.value: one.value for rule, one in terms.consequences.items()},
            hours=sorted(set(terms.hours)),
            recipients=list(terms.recipients),
            opened_at=now,
        )
        record("access.endpoint-opened", name, {"by": viewer.person}, now=now)
    return made


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
