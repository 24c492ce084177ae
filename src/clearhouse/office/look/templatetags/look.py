"""The parts of a page.  Each takes plain values; what is no safe string is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django import forms, template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clearhouse.errors import Invalid
from clearhouse.office.look import words
from clearhouse.office.look.clock import Clock
from clearhouse.office.look.fields import ShownField, problems
from clearhouse.office.look.table import Comparison, Table
from clearhouse.protocol.case_state import CaseState
from clearhouse.protocol.tlp import Tlp

register = template.Library()
_PARTS: Final = "look/parts/"
_ALERTS: Final = ("info", "success", "warning", "error", "emergency")
_UNITS: Final = ("bytes", "kB", "MB", "GB")


@register.inclusion_tag(f"{_PARTS}tag.html")
def grade(value: str) -> dict[str, Any]:
    """The grade of a proof: claimed, reproduced, attributed, differential."""
    return {"tag": words.tag(words.GRADES, value)}


@register.inclusion_tag(f"{_PARTS}tag.html")
def tlp(label: Tlp | str) -> dict[str, Any]:
    """A label of TLP 2.0 in its colours (FIRST, TLP 2.0, section 5)."""
    return {"tag": words.tlp_tag(label)}


@register.inclusion_tag(f"{_PARTS}tag.html")
def report_state(value: str) -> dict[str, Any]:
    """Where a participant stands with a report."""
    return {"tag": words.tag(words.REPORT_STATES, value)}


@register.inclusion_tag(f"{_PARTS}tag.html")
def embargo_state(value: str) -> dict[str, Any]:
    """Where the embargo of a case stands."""
    return {"tag": words.tag(words.EMBARGO_STATES, value)}


@register.inclusion_tag(f"{_PARTS}case_state.html")
def case_state(state: CaseState | str) -> dict[str, Any]:
    """The six things of a case's state, each happened or not."""
    return {"steps": words.case_steps(state)}


@register.inclusion_tag(f"{_PARTS}deadline.html")
def deadline(at: datetime, now: datetime, because: str = "") -> dict[str, Any]:
    """When something is due, how far off that is, and why then."""
    return {"clock": Clock(at, now), "because": because}


@register.inclusion_tag(f"{_PARTS}when.html")
def when(at: datetime, now: datetime) -> dict[str, Any]:
    """When something happened."""
    return {"clock": Clock(at, now)}


@register.inclusion_tag(f"{_PARTS}summary.html")
def summary(pairs: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """Keys and values; a value may be what another tag made."""
    return {"pairs": tuple(pairs)}


@register.inclusion_tag(f"{_PARTS}table.html")
def table(shown: Table) -> dict[str, Any]:
    """A table with its caption; on a phone each row becomes a block."""
    return {"table": shown}


@register.inclusion_tag(f"{_PARTS}comparison.html")
def comparison(shown: Comparison) -> dict[str, Any]:
    """Yes, no or unknown for each level and subject, with symbol and word."""
    return {"comparison": shown}


@register.inclusion_tag(f"{_PARTS}pages.html")
def pages(previous_url: str = "", next_url: str = "", label: str = "Pages") -> dict[str, Any]:
    """Links to the pages before and after; there are no page numbers with keysets."""
    return {"previous_url": previous_url, "next_url": next_url, "label": label}


@register.inclusion_tag(f"{_PARTS}empty.html")
def empty(title: str, text: str = "", url: str = "", action: str = "") -> dict[str, Any]:
    """What stands where nothing is, and what can be done about it."""
    return {"title": title, "text": text, "url": url, "action": action}


@register.inclusion_tag(f"{_PARTS}steps.html")
def steps(names: Iterable[str], current: int, label: str = "Progress") -> dict[str, Any]:
    """The steps of a process; ``current`` counts from 1, one past the last is all done.

    Raises :class:`Invalid` for a step that is none.
    """
    named = tuple(names)
    if not 1 <= current <= len(named) + 1:
        raise Invalid(f"there is no step {current} of {len(named)}")
    styles = {True: "complete", False: "incomplete"}
    listed = [
        (name, "current" if place == current else styles[place < current])
        for place, name in enumerate(named, 1)
    ]
    return {"steps": listed, "label": label}


@register.inclusion_tag(f"{_PARTS}process.html")
def process(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What happens one after the other: a heading and a text for each."""
    return {"items": tuple(items)}


@register.inclusion_tag(f"{_PARTS}download.html")
def download(name: str, url: str, size: int, digest: str = "") -> dict[str, Any]:
    """A file to download, with its size in bytes and its digest."""
    return {"name": name, "url": url, "size": in_words(size), "digest": digest}


@register.inclusion_tag(f"{_PARTS}alert.html")
def alert(kind: str, text: str, heading: str = "") -> dict[str, Any]:
    """Something to notice.  ``kind`` is info, success, warning, error or emergency."""
    if kind not in _ALERTS:
        raise Invalid(f"{kind[:40]!r} is none of {', '.join(_ALERTS)}")
    return {"kind": kind, "text": text, "heading": heading}


@register.inclusion_tag(f"{_PARTS}field.html")
def field(bound: forms.BoundField) -> dict[str, Any]:
    """A form's field with label, hint and errors."""
    return {"field": ShownField(bound)}


@register.inclusion_tag(f"{_PARTS}errors.html")
def errors(form: forms.BaseForm) -> dict[str, Any]:
    """All errors of a form at its top, each a link to its field; nothing where there are none."""
    return {"problems": problems(form) if form.is_bound else ()}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of the design system's sprite, hidden from screen readers: text says the same."""
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise Invalid(f"{name[:40]!r} is no name of an icon")
    return format_html(
        '<svg class="usa-icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("uswds/img/sprite.svg"),
        name,
    )


def in_words(size: int) -> str:
    """A number of bytes as people read it: ``12.3 kB``."""
    amount, place = float(size), 0
    while amount >= 999.95 and place < len(_UNITS) - 1:
        amount, place = amount / 1000, place + 1
    return (
        f"{size} {'byte' if size == 1 else 'bytes'}"
        if not place
        else f"{amount:.1f} {_UNITS[place]}"
    )
