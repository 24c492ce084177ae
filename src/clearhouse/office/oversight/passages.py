"""From entries of the ledger to passages of findings.  Pure: whoever has the ledger recomputes it.

What happens to a case happens to the finding that opened it: a flaw counts once from its disclosure
on, however many found it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from clearhouse.ledger.entry import Entry
from clearhouse.protocol.deficit import Milestone, Passage

_OF_FINDING: Final = {
    "finding.received": Milestone.RECEIVED,
    "finding.proven": Milestone.PROVEN,
    "finding.not-shown": Milestone.REFUSED,
    "finding.refused": Milestone.REFUSED,
}
_OF_CASE: Final = {
    "case.supplier-told": Milestone.DISCLOSED,
    "case.supplier-fix_ready": Milestone.PATCHED,
    "advisory.published": Milestone.PUBLISHED,
}
_OPENED: Final = "case.opened"
_JOINED: Final = "case.joined"
#: The kinds of entries that tell of a passage.
KINDS: Final = (*_OF_FINDING, *_OF_CASE, _OPENED, _JOINED)


def passages(
    entries: Iterable[Entry], *, opener: dict[str, str] | None = None
) -> Iterator[Passage]:
    """The passages that entries tell of, in the ledger's order.

    ``opener`` is which finding opened a case, of those before these entries; what these tell of
    others is added to it.
    """
    opener = {} if opener is None else opener
    for one in entries:
        if one.kind == _OPENED:
            opener[one.subject] = str(one.facts["finding"])
        elif one.kind == _JOINED:
            finding = str(one.facts["finding"])
            if finding != opener.get(one.subject):
                yield Passage(finding, Milestone.JOINED, one.at)
        elif one.kind in _OF_FINDING:
            yield Passage(one.subject, _OF_FINDING[one.kind], one.at)
        elif one.kind in _OF_CASE and one.subject in opener:
            yield Passage(opener[one.subject], _OF_CASE[one.kind], one.at)
