"""Colours of the style sheet: text can be read on its ground (WCAG 2.2, 1.4.3: 4.5 to 1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clearhouse.office.look import words

_CSS = Path(words.__file__).with_name("static") / "look" / "clearhouse.css"
CSS = _CSS.read_text(encoding="utf-8")
NAMED = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", CSS))
PAIRS = [(name, name.removeprefix("on-")) for name in NAMED if name.startswith("on-")]
PAIRS += [("ink", "paper"), ("ink", "ground"), ("muted", "paper"), ("link", "paper")]
PAIRS += [("urgent", "paper"), ("paper", "brand")]
TLP = re.findall(r"\.ch-tag--(tlp-[a-z-]+) \{ color: (#[0-9a-f]{6})", CSS)
SERIES = re.findall(r"\.ch-chart__series--\d \{ stroke: (#[0-9a-f]{6})", CSS)
STATUSES = re.findall(r"\.ch-chart__version--([a-z]+) \{ fill: (#[0-9a-f]{6})", CSS)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(text: str, ground: str) -> None:
    assert contrast(NAMED[text], NAMED[ground]) >= 4.5


def test_tlp_labels_have_the_colours_of_the_standard_on_black() -> None:
    # FIRST, Traffic Light Protocol 2.0, table of colours.
    assert dict(TLP) == {
        "tlp-red": "#ff2b2b",
        "tlp-amber-strict": "#ffc000",
        "tlp-green": "#33ff00",
        "tlp-clear": "#ffffff",
    }
    assert all(contrast(colour, "#000000") >= 4.5 for _, colour in TLP)


def test_lines_can_be_seen_on_the_page() -> None:
    assert len(SERIES) == 6
    assert all(contrast(colour, NAMED["paper"]) >= 3 for colour in SERIES)


def test_statuses_of_versions_can_be_seen_and_differ_without_colour() -> None:
    shades = dict(STATUSES)
    # WCAG 2.2, 1.4.11: 3 to 1 for what has to be seen to understand a picture.
    assert all(contrast(shade, NAMED["paper"]) >= 3 for shade in shades.values())
    assert contrast(shades["affected"], shades["undecided"]) >= 3
    assert contrast(shades["affected"], shades["unaffected"]) >= 3


def test_every_tag_has_its_style() -> None:
    tables = (words.GRADES, words.TLP, words.REPORT_STATES, words.EMBARGO_STATES)
    used = {tag.style for table in tables for tag in table.values()}
    assert [style for style in sorted(used) if f".ch-tag--{style}" not in CSS] == []


def test_the_style_sheet_is_small_and_asks_for_nothing_elsewhere() -> None:
    assert len(CSS) < 20_000
    assert "url(" not in CSS
    assert "@import" not in CSS
