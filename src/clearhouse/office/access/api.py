"""A developer's endpoints in the API: listed, opened, changed, closed; the secrets go in only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, TypeAlias

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, SecretStr

from clearhouse.office.access import actions, queries
from clearhouse.office.access.actions import Change, Terms
from clearhouse.office.access.queries import Endpoint
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.access import Keyed
from clearhouse.protocol.grants import MOST
from clearhouse.protocol.prices import Price
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.unusual_use import Consequence, Rule

router = Router(tags=["reviews"])

#: What is sent holds a secret: not even a digest of the request is kept.
_HOLDS_SECRET: Final = {"x-keeps-no-answer": True}
_NOT_NUL: Final = r"^[^\x00]*$"
_Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]
_Address: TypeAlias = Annotated[str, Field(max_length=500, pattern=_NOT_NUL)]
_Secret: TypeAlias = Annotated[SecretStr, Field(min_length=1, max_length=4000)]
_Model: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=_NOT_NUL)]
_Hour: TypeAlias = Annotated[int, Field(ge=0, le=23)]
_Line: TypeAlias = Annotated[str, Field(max_length=200, pattern=_NOT_NUL)]
_Count: TypeAlias = Annotated[int, Field(ge=0, le=MOST)]


class PriceBody(Schema):
    """What a model costs, in millionths of the currency's unit for a million tokens.

    ``longest`` is its longest answer in tokens.
    """

    read: _Count
    written: _Count
    longest: _Count


class EndpointIn(Schema):
    """An endpoint to open; the credential and the canaries are sealed, and in no answer.

    ``canaries`` are planted texts that must not pass, ``cut`` what pauses a grant at once,
    ``hours`` those of usual use (UTC, empty for all), ``recipients`` your age keys for contents.
    """

    address: _Address
    credential: _Secret
    keyed: Keyed = Keyed.BEARER
    prices: dict[_Model, PriceBody] = Field(min_length=1, max_length=200)
    canaries: list[_Line] = Field(default=[], max_length=200)
    cut: list[Rule] = Field(default=[], max_length=10)
    hours: list[_Hour] = Field(default=[], max_length=24)
    recipients: list[_Line] = Field(default=[], max_length=20)


class EndpointChange(Schema):
    """What is to be different; null stays as it is.  Another host takes the credential again."""

    address: _Address | None = None
    credential: _Secret | None = None
    keyed: Keyed | None = None
    prices: Annotated[dict[_Model, PriceBody], Field(min_length=1, max_length=200)] | None = None
    canaries: Annotated[list[_Line], Field(max_length=200)] | None = None
    cut: Annotated[list[Rule], Field(max_length=10)] | None = None
    hours: Annotated[list[_Hour], Field(max_length=24)] | None = None
    recipients: Annotated[list[_Line], Field(max_length=20)] | None = None


class EndpointOut(Schema):
    """An endpoint, without its secrets."""

    name: str = Field(examples=["E-7KQ2M9XD4T"])
    address: str
    keyed: Keyed
    prices: dict[str, PriceBody]
    cut: list[Rule]
    hours: list[int]
    recipients: list[str]
    opened_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, one: Endpoint) -> EndpointOut:
        """From a row."""
        return cls(
            name=one.name, address=one.address, keyed=Keyed(one.keyed),
            prices={model: PriceBody(**price) for model, price in one.prices.items()},
            cut=[Rule(rule) for rule, then in one.consequences.items() if then == Consequence.CUT],
            hours=one.hours, recipients=one.recipients, opened_at=one.opened_at,
            closed_at=one.closed_at,
        )  # fmt: skip


@router.get("", response=list[EndpointOut])
def endpoints(request: HttpRequest) -> list[EndpointOut]:
    """Your organisation's endpoints.  For developers."""
    return [EndpointOut.of(one) for one in queries.developers_endpoints(viewer_in(request))]


@router.post("", response={201: EndpointOut}, openapi_extra=_HOLDS_SECRET)
def open_endpoint(request: HttpRequest, demand: EndpointIn) -> Status[EndpointOut]:
    """Open an endpoint.  For the developer's managers, signed in."""
    viewer = viewer_in(request)
    queries.developers_endpoints(viewer)
    _writes(viewer)
    terms = Terms(
        demand.address, demand.credential.get_secret_value(), _prices(demand.prices), demand.keyed,
        demand.canaries, _cuts(demand.cut), demand.hours, demand.recipients,
    )  # fmt: skip
    made = actions.open_endpoint(viewer, viewer.acting_for(), terms, now=timezone.now())
    return Status(201, EndpointOut.of(made))


@router.get("/{endpoint}", response=EndpointOut)
def endpoint(request: HttpRequest, endpoint: _Name) -> EndpointOut:
    """One of them."""
    return EndpointOut.of(queries.own_endpoint(viewer_in(request), endpoint))


@router.patch("/{endpoint}", response=EndpointOut, openapi_extra=_HOLDS_SECRET)
def change_endpoint(request: HttpRequest, endpoint: _Name, demand: EndpointChange) -> EndpointOut:
    """Change an open endpoint: credential, address, prices, rules.  For its managers, signed in."""
    viewer = viewer_in(request)
    queries.own_endpoint(viewer, endpoint)
    _writes(viewer)
    change = Change(
        demand.address,
        demand.credential.get_secret_value() if demand.credential is not None else None,
        _prices(demand.prices) if demand.prices is not None else None,
        demand.keyed,
        demand.canaries,
        _cuts(demand.cut) if demand.cut is not None else None,
        demand.hours,
        demand.recipients,
    )
    return EndpointOut.of(actions.change_endpoint(viewer, endpoint, change, now=timezone.now()))


@router.post("/{endpoint}/close", response=EndpointOut)
def close_endpoint(request: HttpRequest, endpoint: _Name) -> EndpointOut:
    """End all access through it at once, and destroy its credential.  For people, signed in."""
    viewer = viewer_in(request)
    queries.own_endpoint(viewer, endpoint)
    _writes(viewer)
    return EndpointOut.of(actions.close_endpoint(viewer, endpoint, now=timezone.now()))


def _writes(viewer: Viewer) -> None:
    viewer.needs(Scope.REVIEWS_WRITE)


def _prices(given: Mapping[str, PriceBody]) -> dict[str, Price]:
    return {model: Price(one.read, one.written, one.longest) for model, one in given.items()}


def _cuts(rules: list[Rule]) -> dict[Rule, Consequence]:
    return dict.fromkeys(rules, Consequence.CUT)
