"""Elements of charts as text: well-formed XML, whatever is put into them.  Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from django.utils.safestring import SafeString, mark_safe

from clearhouse.errors import Invalid
from clearhouse.office.look.clock import zoned

#: More than a reader can tell apart; whoever has more sums up before.
MOST_POINTS: Final = 2000
#: Beyond this a float no longer tells one count from the next.
_LARGEST: Final = 1e15
_LONGEST_TEXT: Final = 300
#: What XML 1.0, section 2.2 does not allow, even as a reference.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


REPLACED: Final = "\ufffd"


def clean(value: object) -> str:
    """Any value as text without what XML cannot hold, and not too long."""
    raw = _NO_XML.sub(REPLACED, str(value))
    return raw if len(raw) <= _LONGEST_TEXT else raw[: _LONGEST_TEXT - 1] + "…"


def text_of(value: object) -> str:
    """Any value as text that may stand between tags."""
    return escape(clean(value))


def element(name: str, *inside: str, **attributes: object) -> str:
    """An element.  What is inside is markup; attributes are escaped, ``class_`` is ``class``."""
    named = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_NO_XML.sub(REPLACED, str(value)))}"
        for key, value in attributes.items()
    )
    return f"<{name}{named}>{''.join(inside)}</{name}>"


def number(value: float) -> float:
    """The same number.  Raises :class:`Invalid` for one that no chart can show."""
    if abs(value) > _LARGEST or not math.isfinite(value):
        raise Invalid(f"a number that cannot be drawn: beyond {_LARGEST:g}, or none at all")
    return value


def percent(share: float) -> str:
    """A share of the width, for an attribute."""
    return f"{100 * min(1.0, max(0.0, share)):.3f}%"


def spelled(value: float) -> str:
    """A number with its thousands apart: ``12 345`` or ``0.25``."""
    whole = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return whole.replace(",", "\u202f")


def day(at: datetime) -> str:
    """A day in UTC, as ISO 8601 has it."""
    return f"{zoned(at).astimezone(UTC):%Y-%m-%d}"


def few(count: int) -> None:
    """Raise :class:`Invalid` for more points than a chart has."""
    if count > MOST_POINTS:
        raise Invalid(f"{count} points are more than the {MOST_POINTS} of a chart: sum them up")


def drawing(title: str, summary: str, height: int, *inside: str, css: str = "") -> str:
    """The picture, with what it is and what it shows in words."""
    head = element("title", text_of(title)) + element("desc", text_of(summary))
    style = {"class_": css} if css else {}
    return element("svg", head, *inside, role="img", width="100%", height=height, **style)


def label(
    text: object, x: str, y: float, css: str = "", anchor: str = "start", **more: object
) -> str:
    """A piece of text in a drawing."""
    style = {"class_": css} if css else {}
    return element("text", text_of(text), x=x, y=f"{y:g}", text_anchor=anchor, **style, **more)


def figure(
    title: str, parts: Iterable[str], headings: Sequence[str], rows: Iterable[Sequence[object]]
) -> SafeString:
    """A chart with its caption, and the same numbers as a table for whoever prefers that."""
    head = "".join(element("th", text_of(one), scope="col") for one in headings)
    body = "".join(element("tr", *_cells(row)) for row in rows)
    table = element(
        "table",
        element("caption", text_of(title), class_="usa-sr-only"),
        element("thead", element("tr", head)),
        element("tbody", body),
        class_="usa-table usa-table--compact usa-table--borderless",
    )
    scroll = element(
        "div",
        table,
        class_="ch-scroll",
        role="group",
        aria_label=f"{clean(title)}, as a table",
        tabindex=0,
    )
    details = element("details", element("summary", "The same as a table"), scroll)
    caption = element("figcaption", text_of(title))
    made = element("figure", caption, *parts, details, class_="ch-chart")
    return mark_safe(made)  # noqa: S308 - every text in it came through text_of or quoteattr


def _cells(row: Sequence[object]) -> Iterable[str]:
    yield element("th", text_of(row[0]), scope="row")
    yield from (element("td", text_of(cell)) for cell in row[1:])
