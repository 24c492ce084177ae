"""Feeds as RFC 4287 has them."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from clearhouse.formats.atom import Entry, Feed, document

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
_A = "{http://www.w3.org/2005/Atom}"


def made(text: str, count: int = 1) -> bytes:
    entries = [
        Entry(f"tag:a.example,2026:{place}", text, NOW, NOW, "https://a.example/1", text)
        for place in range(count)
    ]
    home = "https://a.example/"
    return document(Feed("tag:a.example,2026:f", text, "Office", NOW, home, f"{home}feed", entries))


@given(st.text(max_size=60))
def test_any_text_stands_in_a_feed_that_any_parser_reads(text: str) -> None:
    root = ET.fromstring(made(text.encode("utf-8", "replace").decode()))
    # RFC 4287, sections 4.1.1 and 4.1.2: what a feed and an entry must have, once each.
    for element in (root, *root.findall(f"{_A}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{_A}{name}")) == 1, name
    assert root.findall(f"{_A}author/{_A}name")
    assert {one.get("rel") for one in root.findall(f"{_A}link")} == {"self", "alternate"}


def test_control_characters_and_lone_surrogates_are_replaced() -> None:
    root = ET.fromstring(made("a\x00b\x1bc\ud800d\ufffe"))
    title = root.find(f"{_A}entry/{_A}title")
    assert title is not None
    assert title.text == "a\ufffdb\ufffdc\ufffdd\ufffd"


def test_times_are_of_rfc_3339_and_the_same_feed_is_the_same_bytes() -> None:
    assert b"<updated>2026-11-01T12:00:00Z</updated>" in made("x")
    assert made("x", 3) == made("x", 3)
