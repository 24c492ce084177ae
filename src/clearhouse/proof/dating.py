"""Dating a flaw: run a bundle over the releases of its package.  The I/O around the pure search.

Releases are run in rounds: everything that :mod:`clearhouse.proof.search` asks for at once, on as
many threads as there are jobs, then it is asked again.  So the outcome does not depend on which
run ends first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

from packageurl import PackageURL

from clearhouse.errors import Invalid, NotFound, Unavailable
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.closing import Closing
from clearhouse.proof.ecosystems import Ecosystem, ecosystem_of
from clearhouse.proof.entries import Entry, Listed, Ran, entries_of
from clearhouse.proof.environment import describe
from clearhouse.proof.history import History, Subject, history_of
from clearhouse.proof.memory import Memory
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.search import Dated, Lines, Seen, Want, every_for, lines_of, wanted
from clearhouse.proof.standing import Status, Trial
from clearhouse.proof.target import Targets, default_targets
from clearhouse.proof.target.targets import DOWNLOADS_AT_ONCE
from clearhouse.proof.trials import Attacked, problem_with, run_release

Told = Callable[[Entry], None]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a history is made.

    ``every`` is the largest distance of samples: None for one that fits the number of releases,
    1 for running everything.  ``jobs`` releases are run at once.  ``afresh`` runs again what was
    run before.
    """

    every: int | None = None
    jobs: int = 1
    afresh: bool = False


def date(
    bundle: Bundle,
    *,
    plan: Plan,
    told: Told = lambda _: None,
    progress: Progress = lambda _: None,
) -> History:
    """Run ``bundle`` over the releases of its package.

    ``told`` is called with each release as soon as it is known, from this thread; ``progress``
    with a few words on what is going on, from any.  Raises Invalid where the bundle attacks no
    released package, NotFound where the registry has no such package or version, Unavailable
    where the version attacked cannot be run here.
    """
    purl = package_of(bundle)
    ecosystem = ecosystem_of(purl.type)
    targets = default_targets()
    progress("listing releases")
    listed = tuple(
        Listed(one.version, one.uploaded, one.yanked, one.ordered)
        for one in targets.releases(str(purl))
    )
    with _Dating(bundle, purl, ecosystem, targets, listed, plan) as dating:
        dating.told, dating.progress = told, progress
        return dating.date()


def package_of(bundle: Bundle) -> PackageURL:
    """The released package that a bundle attacks; raises Invalid where it attacks none."""
    purl = bundle.target.purl
    if purl is None or not purl.version or bundle.target.source is not None:
        raise Invalid(
            "a history needs a package of a registry, such as pkg:pypi/sqlparse@0.4.4;"
            " this bundle ships its source",
            where="proof.toml", key="target.purl",
        )  # fmt: skip
    return purl


class _Dating(Closing):
    """One history in the making."""

    def __init__(
        self,
        bundle: Bundle,
        purl: PackageURL,
        ecosystem: Ecosystem,
        targets: Targets,
        listed: tuple[Listed, ...],
        plan: Plan,
    ) -> None:
        self.told: Told = lambda _: None
        self.progress: Progress = lambda _: None
        self._bundle, self._purl, self._ecosystem = bundle, purl, ecosystem
        self._targets, self._listed = targets, listed
        self._every = plan.every or every_for(len(listed))
        dated = [Dated(one.version, one.uploaded, one.ordered) for one in listed]
        self._lines: Lines = lines_of(dated, ecosystem.branch)
        self._ran: dict[int, Ran] = {}
        self._trials: dict[int, Trial] = {}
        self._fetched: set[int] = set()
        self._attacked = Attacked(bundle, afresh=plan.afresh)
        self._hands = _Hands(plan.jobs)
        self._fetcher = ThreadPoolExecutor(1)

    def date(self) -> History:
        """Run what the search asks for until it asks for nothing."""
        version = str(self._purl.version)
        attacked = self._place_of(version)
        if attacked is None:
            raise NotFound(f"the registry has no release {version} of {self._purl.name}")
        self.progress(f"{version}, the version attacked")
        meeting = self._hands.submit(self._meet)
        memory, self._ran[attacked], verdict = meeting.result()
        if self._ran[attacked].finding.status is Status.UNRUNNABLE:
            why = self._ran[attacked].finding.why
            raise Unavailable(f"{version}, the version attacked, cannot be run here: {why}")
        self._tell(attacked)
        problem = problem_with(verdict, version)
        if problem is None:
            fixed = self._place_of(self._bundle.target.fixed) if self._bundle.target.fixed else None
            self._search([attacked] if fixed is None else [attacked, fixed], memory)
        return history_of(
            self._subject(),
            self._listed,
            self._lines,
            self._ran,
            every=self._every,
            verdict=verdict,
            environment=describe(self._bundle, dict(memory.reference)),
            problem=problem,
        )

    def _meet(self) -> tuple[Memory, Ran, dict[str, Any]]:
        return self._attacked.meet(self._hands.workshop(), self._targets.store)

    def _search(self, anchors: Sequence[int], memory: Memory) -> None:
        while True:
            seen = {
                place: Seen(one.finding.status.standing, one.runs)
                for place, one in self._ran.items()
            }
            wants = wanted(self._lines, seen, anchors=anchors, every=self._every)
            if not wants:
                return
            self._fetch_ahead(wants)
            pending: dict[Future[tuple[Ran, Trial | None]], Want] = {
                self._hands.submit(self._run, want, memory): want for want in wants
            }
            for future in as_completed(pending):
                self._note(pending[future], *future.result())

    def _note(self, want: Want, ran: Ran, trial: Trial | None) -> None:
        before = self._ran.get(want.place)
        self._ran[want.place] = replace(ran, reason=before.reason if before else want.reason)
        if trial is not None:
            self._trials[want.place] = trial
        if before is None or before.finding.status is not ran.finding.status:
            self._tell(want.place)

    def _run(self, want: Want, memory: Memory) -> tuple[Ran, Trial | None]:
        """Run one release, on a thread that has sandboxes of its own."""
        version = self._listed[want.place].version
        self.progress(f"{version}: {want.reason}")
        earlier = self._trials.get(want.place)
        return run_release(
            self._attacked, version, want.runs, self._hands.workshop(), memory, earlier=earlier
        )

    def _fetch_ahead(self, wants: Sequence[Want]) -> None:
        """Download what is going to be installed while other releases run."""
        fresh = [want.place for want in wants if want.place not in self._fetched]
        self._fetched.update(fresh)
        purls = [str(self._purl._replace(version=self._listed[place].version)) for place in fresh]
        for start in range(0, len(purls), DOWNLOADS_AT_ONCE):
            # In small parts: what has not begun when the history ends is not waited for.
            self._fetcher.submit(self._targets.prefetch, purls[start : start + DOWNLOADS_AT_ONCE])

    def _tell(self, place: int) -> None:
        only = slice(place, place + 1)
        self.told(entries_of(self._listed[only], self._lines[only], {0: self._ran[place]})[0])

    def _place_of(self, version: str) -> int | None:
        key = self._ecosystem.key
        wanted_key = key(version)
        for place, one in enumerate(self._listed):
            if key(one.version) == wanted_key:
                return place
        return None

    def _subject(self) -> Subject:
        bundle, purl = self._bundle, self._purl
        return Subject(
            id=bundle.id,
            title=bundle.title,
            digest=bundle.digest,
            effect=bundle.effect.value,
            kind=purl.type,
            package=str(purl._replace(version=None)),
            name=f"{purl.namespace}/{purl.name}" if purl.namespace else str(purl.name),
            attacked=str(purl.version),
            fixed=bundle.target.fixed,
        )

    def close(self) -> None:
        self._fetcher.shutdown(wait=False, cancel_futures=True)
        self._hands.close()


class _Hands:
    """Threads with a workshop each.

    A sandbox ends with the thread that started it (PR_SET_PDEATHSIG), so the threads live as long
    as the history is being made.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, count))
        self._own = threading.local()
        self._all: list[Workshop] = []
        self.submit = self._pool.submit

    def workshop(self) -> Workshop:
        """The calling thread's own."""
        mine: Workshop | None = getattr(self._own, "workshop", None)
        if mine is None:
            mine = self._own.workshop = Workshop(cells=2)
            self._all.append(mine)
        return mine

    def close(self) -> None:
        """End all sandboxes; what is running ends with them."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for workshop in self._all:
            workshop.close()
