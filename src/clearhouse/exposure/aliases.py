"""Which identifiers name one flaw.

Records that name one another, or a third, as alias are about one flaw (OSV schema 1.7,
``aliases``).  Where that would make one of two CVEs, it does not hold: a shared alias is a mistake
then, and one of the two flaws would be hidden behind the other.  What a record calls itself is
a name of its flaw all the same: a record that has two CVEs tells of both, and what is known of
the second concerns it too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Aliases:
    """Identifiers, joined as records say."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._cve: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        self._shared: defaultdict[str, set[str]] = defaultdict(set)

    def join(self, identifier: str, aliases: Iterable[str]) -> None:
        """Take them as names of one flaw, CVEs first; those that have another CVE it shares."""
        for name in (identifier, *sorted(aliases, key=_rank)):
            self._add(name)
            ours, theirs = self.flaw(identifier), self.flaw(name)
            cves = {self._cve[flaw] for flaw in (ours, theirs) if flaw in self._cve}
            if ours == theirs:
                continue
            if len(cves) == 2:
                self._shared[ours].add(name)
                continue
            self._above[theirs] = ours
            self._names[ours] |= self._names.pop(theirs)
            self._shared[ours] |= self._shared.pop(theirs, set())
            if cves:
                self._cve[ours] = cves.pop()

    def _add(self, name: str) -> None:
        if name in self._above:
            return
        self._above[name] = name
        self._names[name] = {name}
        if name.startswith("CVE-"):
            self._cve[name] = name

    def flaw(self, identifier: str) -> str:
        """The identifier that stands for the flaw; equal for all names that it does not share."""
        name = identifier
        while (above := self._above[name]) != name:
            self._above[name] = self._above[above]
            name = above
        return name

    def leading(self, identifier: str) -> str:
        """The most common name of the flaw: its CVE where it has one; no other flaw leads with it.

        Another flaw may have it among its names, where a record has two CVEs.
        """
        return min(self._names[self.flaw(identifier)], key=_rank)

    def names(self, identifier: str) -> tuple[str, ...]:
        """Every name of the flaw: the leading one, then CVEs, then as they are spelt."""
        flaw, first = self.flaw(identifier), self.leading(identifier)
        others = (self._names[flaw] | self._shared.get(flaw, set())) - {first}
        return (first, *sorted(others, key=_rank))


def _rank(name: str) -> tuple[bool, str]:
    return not name.startswith("CVE-"), name
