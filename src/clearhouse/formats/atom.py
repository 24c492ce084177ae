"""Atom feeds (RFC 4287), written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
#: What no document may hold, not even as a reference (XML 1.0, section 2.2).
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``id`` is a URI that stays with it, ``content`` plain text."""

    id: str
    title: str
    updated: datetime
    published: datetime
    link: str
    content: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed; ``itself`` is the address that it is read from."""

    id: str
    title: str
    author: str
    updated: datetime
    link: str
    itself: str
    entries: Sequence[Entry]


def document(feed: Feed) -> bytes:
    """The feed as UTF-8; what XML cannot hold is replaced.  The same feed is the same bytes."""
    root = ET.Element("feed", xmlns=_NAMESPACE)
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", _time(feed.updated))
    _text(ET.SubElement(root, "author"), "name", feed.author)
    ET.SubElement(root, "link", rel="alternate", type="text/html", href=_clean(feed.link))
    ET.SubElement(root, "link", rel="self", type="application/atom+xml", href=_clean(feed.itself))
    for one in feed.entries:
        entry = ET.SubElement(root, "entry")
        _text(entry, "id", one.id)
        _text(entry, "title", one.title)
        _text(entry, "updated", _time(one.updated))
        _text(entry, "published", _time(one.published))
        ET.SubElement(entry, "link", rel="alternate", type="text/html", href=_clean(one.link))
        ET.SubElement(entry, "content", type="text").text = _clean(one.content)
    raw: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return raw


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _clean(text)


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def _time(at: datetime) -> str:
    """RFC 3339, as section 3.3 asks."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
