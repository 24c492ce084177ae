"""EPSS: how likely a vulnerability is exploited within 30 days, as FIRST publishes it each day.

A table in CSV, usually packed with gzip; its first line is a comment with the model and the day:
``#model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.formats.cve import CVE_ID
from clearhouse.formats.instants import instant

_HEAD: Final = re.compile(r"#\s*model_version:([^,]{1,40}),\s*score_date:([^,\s]{1,40})\s*")
HEADER: Final = "cve,epss,percentile"
_SHARE: Final = re.compile(
    r"[01](?:\.\d{1,20})?|\.\d{1,20}|\d(?:\.\d{1,20})?[eE]-\d{1,3}", re.ASCII
)
#: ``+0000`` as FIRST wrote it until 2025, where RFC 3339 has a colon.
_OFFSET: Final = re.compile(r"([+-]\d{2})(\d{2})$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Edition:
    """Which model, and when it scored."""

    model: str
    scored: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of one vulnerability."""

    cve: str
    probability: float
    """Of exploitation within 30 days, from 0 to 1."""
    percentile: float
    """Share of vulnerabilities that score no higher, from 0 to 1."""
    model: str


def is_epss_head(line: str) -> bool:
    """Whether a line is the comment, or the header of a table without one."""
    bare = line.lstrip("\ufeff")
    return bare.startswith("#model_version") or bare.strip().lower() == HEADER


def edition(line: str) -> Edition | None:
    """What the comment says; None where the line is none that can be read."""
    found = _HEAD.fullmatch(line.lstrip("\ufeff").strip())
    if found is None:
        return None
    scored = instant(_OFFSET.sub(r"\1:\2", found[2]))
    return Edition(found[1], scored) if scored is not None else None


def read(line: str, model: str) -> Score:
    """Read a line of the table.  Raises Invalid where it is malformed."""
    parts = [part.strip() for part in line.strip().split(",")]
    if len(parts) != 3 or not CVE_ID.fullmatch(parts[0]):
        raise Invalid("expected a CVE identifier, a probability and a percentile")
    return Score(parts[0], _share(parts[1], "epss"), _share(parts[2], "percentile"), model)


def _share(text: str, key: str) -> float:
    if not _SHARE.fullmatch(text) or float(text) > 1:
        raise Invalid(f"expected {key} as a number from 0 to 1")
    return float(text)
