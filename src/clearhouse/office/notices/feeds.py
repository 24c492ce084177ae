"""An organisation's feed, at an address that nobody guesses (RFC 4287; RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from clearhouse.formats.atom import Entry, Feed, document
from clearhouse.office.notices.letters import divided, item_of, whole_address
from clearhouse.office.notices.models import Channel, Notice
from clearhouse.office.notices.queries import channel_of_feed
from clearhouse.office.notices.words import SEALED, plain

_TYPE: Final = "application/atom+xml; charset=utf-8"


@require_safe
def feed(request: HttpRequest, address: str) -> HttpResponse:
    """The feed; who has it already is told so."""
    channel, rows = channel_of_feed(address, now=timezone.now())
    made = _feed(channel, rows, address)
    raw = document(made)
    etag, modified = f'"{hashlib.sha256(raw).hexdigest()}"', int(made.updated.timestamp())
    headers = {
        "ETag": etag, "Last-Modified": http_date(modified), "Cache-Control": "private, no-cache",
    }  # fmt: skip
    whole = HttpResponse(raw, content_type=_TYPE, headers=headers)
    found = get_conditional_response(request, etag=etag, last_modified=modified, response=whole)
    assert isinstance(found, HttpResponse)
    return found


def _feed(channel: Channel, rows: list[Notice], token: str) -> Feed:
    """What waits, was read, or ended; what may not stand here is one entry, and not counted."""
    office, page = settings.CONFIG.office, whole_address(reverse("notices:list"))
    open_, sealed = divided(channel, rows)
    entries = [
        Entry(
            _id(one.name), item_of(one).title, one.ended_at or one.changed_at, one.told_at,
            item_of(one).page,
            plain(item_of(one)),
        )
        for one in open_
    ]  # fmt: skip
    sealed = [one for one in sealed if one.ended_at is None]
    if sealed:
        at = max(one.changed_at for one in sealed)
        entries.append(Entry(_id(channel.name), "Something waits for you", at, at, page, SEALED))
    entries.sort(key=lambda one: one.updated, reverse=True)
    itself = whole_address(reverse("notices:feed", args=[token]))
    title = f"{office}: notices for {channel.organisation.name}"
    updated = max((one.updated for one in entries), default=channel.added_at)
    return Feed(_id(f"{channel.name}:feed"), title, office, updated, page, itself, entries)


def _id(name: str) -> str:
    """A tag URI (RFC 4151): stays with the thing, wherever the feed is read."""
    host = settings.CONFIG.host
    authority = host if "." in host and ":" not in host else "office.invalid"
    return f"tag:{authority},2026:{name}"
