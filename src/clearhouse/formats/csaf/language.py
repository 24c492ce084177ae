"""Language tags of BCP 47 (RFC 5646): well formed, and each subtag registered."""

from __future__ import annotations

import re
from typing import Final

from clearhouse.formats.csaf.language_subtags import (
    EXTENDED,
    LANGUAGES,
    REGIONS,
    SCRIPTS,
    VARIANTS,
)

#: RFC 5646 section 2.1, ``langtag``.
_TAG: Final = re.compile(
    r"(?P<language>[a-z]{2,8})(?P<extended>(?:-[a-z]{3}){0,3})(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|\d{3}))?(?P<variants>(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)"
    r"(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?",
)
_PRIVATE_TAG: Final = re.compile(r"x(?:-[a-z\d]{1,8})+")
#: Registered for private use as ranges.
_PRIVATE_LANGUAGE: Final = re.compile(r"q[a-t][a-z]")
_PRIVATE_SCRIPT: Final = re.compile(r"qa(a[a-z]|b[a-x])")
_PRIVATE_REGION: Final = re.compile(r"q[m-z]|x[a-z]")
#: Registered as a whole before subtags were (RFC 5646 section 2.2.8), as far as the schema of
#: CSAF lets them through.
_GRANDFATHERED: Final = frozenset({"i-default", "i-mingo"})


def language_fault(tag: str) -> str | None:
    """What is wrong with a language tag, None for a good one."""
    lower = tag.lower()
    if lower in _GRANDFATHERED or _PRIVATE_TAG.fullmatch(lower):
        return None
    parts = _TAG.fullmatch(lower)
    if parts is None:
        return f"{tag!r} is no language tag of BCP 47"
    language, script, region = parts["language"], parts["script"], parts["region"]
    if language not in LANGUAGES and not _PRIVATE_LANGUAGE.fullmatch(language):
        return f"{language!r} is no registered language"
    if script and script not in SCRIPTS and not _PRIVATE_SCRIPT.fullmatch(script):
        return f"{script!r} is no registered script"
    if region and region not in REGIONS and not _PRIVATE_REGION.fullmatch(region):
        return f"{region!r} is no registered region"
    for extended in parts["extended"].split("-")[1:]:
        if extended not in EXTENDED:
            return f"{extended!r} is no registered extended language"
    for variant in parts["variants"].split("-")[1:]:
        if variant not in VARIANTS:
            return f"{variant!r} is no registered variant"
    return None
