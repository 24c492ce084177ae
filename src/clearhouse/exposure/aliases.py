"""Which identifiers name one flaw.

Records that name one another, or a third, as alias are about one flaw (OSV schema 1.7,
``aliases``).  Where that would make one of two CVEs, it does not hold: a shared alias is a mistake
then, and one of the two flaws would be hidden behind the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Aliases:
    """Identifiers, joined as records say."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._cve: dict[str, str] = {}
        self._names: dict[str, list[str]] = defaultdict(list)

    def join(self, identifier: str, aliases: Iterable[str]) -> None:
        """Take them as names of one flaw, CVEs first, but for those that have another CVE."""
        for name in (identifier, *sorted(aliases, key=_rank)):
            self._add(name)
            ours, theirs = self.flaw(identifier), self.flaw(name)
            cves = {self._cve[flaw] for flaw in (ours, theirs) if flaw in self._cve}
            if ours == theirs or len(cves) == 2:
                continue
            self._above[theirs] = ours
            self._names[ours] += self._names.pop(theirs)
            if cves:
                self._cve[ours] = cves.pop()

    def _add(self, name: str) -> None:
        if name in self._above:
            return
        self._above[name] = name
        self._names[name] = [name]
        if name.startswith("CVE-"):
            self._cve[name] = name

    def flaw(self, identifier: str) -> str:
        """The identifier that stands for the flaw; equal for all its names."""
        name = identifier
        while (above := self._above[name]) != name:
            self._above[name] = self._above[above]
            name = above
        return name

    def names(self, identifier: str) -> tuple[str, ...]:
        """Every name of the flaw: CVE first, then as they are spelt."""
        return tuple(sorted(self._names[self.flaw(identifier)], key=_rank))


def _rank(name: str) -> tuple[bool, str]:
    return not name.startswith("CVE-"), name
