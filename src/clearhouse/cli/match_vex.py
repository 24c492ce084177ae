"""What VEX documents state of the matches of ``clearhouse match``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.exposure import feeds
from clearhouse.exposure.documents import VEX
from clearhouse.exposure.unpacking import SetAside
from clearhouse.exposure.vex import Statements
from clearhouse.formats.advisory import Claim
from clearhouse.formats.vex import Statement, VexDocument
from clearhouse.proof.text import printable

_WORDS: Final[Mapping[Claim, str]] = {
    Claim.AFFECTED: "affected",
    Claim.FIXED: "fixed",
    Claim.NOT_AFFECTED: "not affected",
    Claim.UNDER_INVESTIGATION: "under investigation",
}


def statements(
    files: Iterable[Path], links: Mapping[str, PackageURL], aside: list[SetAside]
) -> Statements:
    """The statements in files; what cannot be read of them is added to ``aside``.

    ``links`` are the package URLs of the inventories' components by BOM-Link.  Raises Invalid for a
    file in which there is no document that can be read.
    """
    found: list[Statement] = []
    for path in files:
        documents = 0
        refused: list[SetAside] = []
        for one in feeds.read(path, VEX):
            if isinstance(one, SetAside):
                refused.append(one)
            elif isinstance(one.value, VexDocument):
                documents += 1
                found += one.value.statements
                refused += [SetAside(f"{one.where}: {p.place}", p.message) for p in one.problems]
        if not documents:
            why = f": {printable(refused[0].reason)}" if refused else ""
            raise Invalid(f"has no VEX document that can be read{why}", where=printable(str(path)))
        aside += refused
    return Statements(found, links)


def in_words(statement: Statement) -> str:
    """What is stated, by whom and why: ``not affected as X says: reason``."""
    who = statement.author or statement.source
    said = statement.justification or statement.impact
    if statement.claim is Claim.AFFECTED:
        said = statement.action or said
    return f"{_WORDS[statement.claim]} as {who} says" + (f": {said}" if said else "")
