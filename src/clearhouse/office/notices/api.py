"""Notices and channels in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from clearhouse.errors import Refused
from clearhouse.office.headers import handed_out
from clearhouse.office.notices import actions, queries
from clearhouse.office.notices.actions import MadeChannel
from clearhouse.office.notices.carrying import FILE_NAME, bundle_for
from clearhouse.office.notices.letters import whole_address
from clearhouse.office.notices.models import Channel, Notice
from clearhouse.office.notices.queries import Overview, Shelf
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.queries import may_run
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.notices import Agreement, Urgency

router = Router(tags=["notices"])

#: What is sent or answered is secret: nothing of it is kept.
_HOLDS_SECRET: Final = {"x-keeps-no-answer": True}
_ZIP: Final[dict[str, Any]] = {
    "responses": {
        200: {
            "description": "The bundle.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}
Name: TypeAlias = Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")]
_Line: TypeAlias = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class NoticeOut(Schema):
    """What an organisation was told; ``page`` is where more is read, at this office."""

    name: str = Field(examples=["N-7KQ2M9XD4T"])
    urgency: Urgency
    tlp: str = Field(examples=["TLP:GREEN"])
    headline: str
    what: str
    where: str
    by_when: str
    to_do: str
    if_not: str
    due_at: datetime | None
    page: str
    revision: int
    told_at: datetime
    changed_at: datetime
    acknowledged_at: datetime | None
    ended_at: datetime | None


class ChannelOut(Schema):
    """A way to be told, without its secret."""

    name: str = Field(examples=["NC-7KQ2M9XD4T"])
    kind: Channel.Kind
    address: str
    state: Channel.State
    reason: str
    agreed_at: datetime | None
    added_at: datetime


class ChannelIn(Schema):
    """A way to add; the address stays empty for a feed."""

    kind: Channel.Kind
    address: _Line = ""


class MadeChannelOut(ChannelOut):
    """A channel with what is shown once: a webhook's secret, or a feed's address."""

    secret: str
    feed: str

    @classmethod
    def of(cls, made: MadeChannel) -> MadeChannelOut:
        """From what the action gives."""
        path = reverse("notices:feed", args=[made.token]) if made.token else ""
        shown = ChannelOut.from_orm(made.channel).dict()
        return cls(**shown, secret=made.secret, feed=whole_address(path) if path else "")


class CodeIn(Schema):
    """The code that was mailed."""

    code: _Line


class HourIn(Schema):
    """An hour of the day, in UTC."""

    hour: int = Field(ge=0, le=23)


class AgreementIn(Schema):
    """Whether TLP:AMBER goes to a channel."""

    agreement: Agreement


class OverviewOut(Schema):
    """How delivery stands with an organisation."""

    organisation: str
    waiting: int
    acknowledged: int
    oldest: datetime | None
    on_the_way: int
    failed: int
    channels: list[str]

    @classmethod
    def of(cls, one: Overview) -> OverviewOut:
        """From the query's."""
        return cls(
            organisation=one.slug, waiting=one.waiting, acknowledged=one.acknowledged,
            oldest=one.oldest, on_the_way=one.on_the_way, failed=one.failed,
            channels=[f"{channel.kind} {channel.state}" for channel in one.channels],
        )  # fmt: skip


@router.get("", response=list[NoticeOut])
def notices(
    request: HttpRequest, shelf: Shelf = Shelf.WAITING,
    page: Annotated[int, Field(ge=1, le=10_000)] = 1,
) -> list[Notice]:  # fmt: skip
    """Your organisation's notices, the most urgent first.  Fifty a page."""
    return queries.notices(viewer_in(request), shelf, page=page)


@router.get("/bundle", openapi_extra=_ZIP)
def bundle(request: HttpRequest) -> HttpResponse:
    """All that is not over, to carry along: a signed zip.

    ``clearhouse notices verify`` checks it.  What is TLP:RED is not in it.
    """
    return handed_out(bundle_for(viewer_in(request)), FILE_NAME, "application/zip")


@router.get("/delivery", response=list[OverviewOut])
def delivery(request: HttpRequest) -> list[OverviewOut]:
    """How delivery stands with everybody, without what it is about.  For the office."""
    return [OverviewOut.of(one) for one in queries.overview(viewer_in(request))]


@router.get("/channels", response=list[ChannelOut])
def channels(request: HttpRequest) -> list[Channel]:
    """How your organisation is told."""
    return queries.channels(viewer_in(request))


@router.post("/channels", response={201: MadeChannelOut}, openapi_extra=_HOLDS_SECRET)
def add_channel(request: HttpRequest, demand: ChannelIn) -> Status[MadeChannelOut]:
    """Add a way to be told.  For managers, signed in."""
    viewer = viewer_in(request)
    _runs(viewer)
    made = actions.add_channel(viewer, demand.kind, demand.address, now=timezone.now())
    return Status(201, MadeChannelOut.of(made))


@router.put("/channels/hour", response={204: None})
def hour(request: HttpRequest, demand: HourIn) -> Status[None]:
    """Name the hour (UTC) of what is not urgent.  For managers, signed in."""
    viewer = viewer_in(request)
    _runs(viewer)
    actions.set_hour(viewer, demand.hour, now=timezone.now())
    return Status(204, None)


@router.post("/channels/{channel}/confirm", response=ChannelOut, openapi_extra=_HOLDS_SECRET)
def confirm(request: HttpRequest, channel: Name, demand: CodeIn) -> Channel:
    """Confirm a mail address by the code that was sent there.  For managers, signed in."""
    return actions.confirm(_manager(request, channel), channel, demand.code, now=timezone.now())


@router.post("/channels/{channel}/test", response=ChannelOut)
def test(request: HttpRequest, channel: Name) -> Channel:
    """Send a trial.  For managers, signed in."""
    return actions.test(_manager(request, channel), channel, now=timezone.now())


@router.post("/channels/{channel}/pause", response=ChannelOut)
def pause(request: HttpRequest, channel: Name) -> Channel:
    """Send nothing there until it is resumed.  For managers, signed in."""
    return actions.pause(_manager(request, channel), channel, now=timezone.now())


@router.post("/channels/{channel}/resume", response=ChannelOut)
def resume(request: HttpRequest, channel: Name) -> Channel:
    """Send there again.  For managers, signed in."""
    return actions.resume(_manager(request, channel), channel, now=timezone.now())


@router.post("/channels/{channel}/rotate", response=MadeChannelOut, openapi_extra=_HOLDS_SECRET)
def rotate(request: HttpRequest, channel: Name) -> MadeChannelOut:
    """Change the secret of a webhook, or the address of a feed.  For managers, signed in."""
    viewer = _manager(request, channel)
    return MadeChannelOut.of(actions.rotate(viewer, channel, now=timezone.now()))


@router.put("/channels/{channel}/agreement", response=ChannelOut)
def agree(request: HttpRequest, channel: Name, demand: AgreementIn) -> Channel:
    """Let TLP:AMBER go there, or no longer.  For managers, signed in."""
    viewer = _manager(request, channel)
    return actions.agree(viewer, channel, demand.agreement, now=timezone.now())


@router.delete("/channels/{channel}", response={204: None})
def remove(request: HttpRequest, channel: Name) -> Status[None]:
    """End a channel, and destroy its secret.  For managers, signed in."""
    actions.remove(_manager(request, channel), channel, now=timezone.now())
    return Status(204, None)


@router.get("/{name}", response=NoticeOut)
def notice(request: HttpRequest, name: Name) -> Notice:
    """One notice."""
    return queries.notice(viewer_in(request), name)


@router.post("/{name}/acknowledge", response=NoticeOut)
def acknowledge(
    request: HttpRequest, name: Name, revision: Annotated[int, Field(ge=1)] | None = None
) -> Notice:
    """Say that your organisation has read it.  With ``revision``: this one, and no later."""
    return actions.acknowledge(viewer_in(request), name, revision=revision, now=timezone.now())


def _manager(request: HttpRequest, channel: str) -> Viewer:
    viewer = viewer_in(request)
    queries.channel(viewer, channel)
    _runs(viewer)
    return viewer


def _runs(viewer: Viewer) -> None:
    if not may_run(viewer, viewer.acting_for()):
        raise Refused("only a manager of the organisation can do this")
