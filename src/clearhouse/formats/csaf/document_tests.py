"""Tests on the document as such: CSAF 2.0, sections 6.1.12, 15, 26 and 28."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from clearhouse.formats.csaf.document import Object, member, text
from clearhouse.formats.csaf.language import language_fault

Found = Iterator[tuple[str, str]]
"""Places, and what is wrong there."""

#: Profiles by the document category that claims them (section 4).
PROFILES: Final[Mapping[str, str]] = {
    "csaf_base": "CSAF Base",
    "csaf_security_incident_response": "Security incident response",
    "csaf_informational_advisory": "Informational Advisory",
    "csaf_security_advisory": "Security Advisory",
    "csaf_vex": "VEX",
}
_SEPARATORS: Final = re.compile(r"[\s_\-\u2010-\u2015]+")


def unknown_languages(document: Object) -> Found:
    """6.1.12: language tags are valid and exist."""
    for name in ("lang", "source_lang"):
        tag = text(member(document, "document"), name)
        if tag is not None and (fault := language_fault(tag)):
            yield f"/document/{name}", fault


def translator_without_source(document: Object) -> Found:
    """6.1.15: a translator names the language translated from."""
    publisher = member(document, "document", "publisher")
    source = text(member(document, "document"), "source_lang")
    if publisher.get("category") == "translator" and not source:
        yield "/document/source_lang", "a translator names the language translated from"


def prohibited_category(document: Object) -> Found:
    """6.1.26: a category of one's own does not read as one of the standard's."""
    category = text(member(document, "document"), "category")
    if category is None or category in PROFILES:
        return
    if category.lower().startswith("csaf_"):
        yield "/document/category", "names that begin with csaf_ are the standard's"
        return
    for value, name in PROFILES.items():
        if value != "csaf_base" and _squeezed(category) in {_squeezed(value), _squeezed(name)}:
            yield "/document/category", f"{category!r} reads as the standard's {value}"


def _squeezed(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


def translated_into_itself(document: Object) -> Found:
    """6.1.28: a translation is not in the language it is from."""
    lang, source = (text(member(document, "document"), name) for name in ("lang", "source_lang"))
    if lang is not None and source is not None and lang.lower() == source.lower():
        yield "/document/source_lang", f"the document is in {lang}, as what it is translated from"
