"""Templates and charts taken apart again."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from django.template import Context, Template

from tests.proof.pages import Element, read


def rendered(source: str, **context: Any) -> str:
    """A template's text with the look's tags loaded; never empty."""
    text = Template("{% load look %}" + source).render(Context(context)).strip()
    assert text
    return text


def part(source: str, **context: Any) -> Element:
    """The same taken apart."""
    return read(rendered(source, **context))


def chart(text: str) -> ET.Element:
    """A chart as the XML that it must be."""
    return ET.fromstring(text)


def words(element: ET.Element) -> str:
    """All text in it."""
    return " ".join("".join(element.itertext()).split())
