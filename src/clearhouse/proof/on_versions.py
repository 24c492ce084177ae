"""Running a proof on chosen versions, and on no others: what is installed somewhere.

Each is run as the releases beside a boundary of a history are, against the same reference.  The
I/O around :mod:`clearhouse.proof.absence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packageurl import PackageURL

from clearhouse.errors import ClearhouseError, NotFound
from clearhouse.proof.absence import OnVersion, OnVersions, Outcome, outcome_of
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.dating import package_of
from clearhouse.proof.ecosystems import ECOSYSTEMS
from clearhouse.proof.entries import Ran
from clearhouse.proof.environment import describe
from clearhouse.proof.memory import Memory
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.search import RUNS_AT_BOUNDARY
from clearhouse.proof.standing import Status
from clearhouse.proof.target import TargetNotFound, TargetUnavailable, default_targets
from clearhouse.proof.target.model import PASSING
from clearhouse.proof.trials import Attacked, run_release

Progress = Callable[[str], None]


def run_on(
    bundle: Bundle,
    versions: Sequence[str],
    workshop: Workshop,
    *,
    progress: Progress = lambda _: None,
) -> OnVersions:
    """Run ``bundle`` on the version that it attacks, and on each of ``versions``.

    1. What ships its source is about no release.  2. On the version attacked it must hold here as
    well; else it says nothing of others.  3. A version is the release that the registry lists under
    it, another spelling of one version included; 4. it is run three times and held against the
    version attacked.  What one of these leaves open is an outcome.

    Raises Unavailable where the sandbox or the registry fails, so that another time may do.
    """
    purl = bundle.target.purl
    if purl is None or bundle.target.source is not None or purl.type not in ECOSYSTEMS:  # 1
        return not_run(bundle, versions)
    purl = package_of(bundle)
    progress(f"{purl.version}, the version attacked")
    attacked = Attacked(bundle)
    targets = default_targets()
    try:
        memory, ran, verdict = attacked.meet(workshop, targets.store)  # 2
    except (NotFound, TargetUnavailable) as error:
        if isinstance(error, TargetUnavailable) and error.reason in PASSING:
            raise
        return _open(bundle, versions, OnVersion("", Outcome.PROOF_FAILS))
    environment = describe(bundle, dict(memory.reference))
    grade = str(verdict["grade"])
    if not verdict["proven"] or ran.finding.status is not Status.AFFECTED:
        because = OnVersion("", Outcome.PROOF_FAILS, passing=ran.finding.passing)
        return _open(bundle, versions, because, grade, environment)
    try:
        listed = [one.version for one in targets.releases(str(purl))]
    except TargetNotFound:
        listed = []
    found = [
        _on(attacked, version, _listed_as(version, listed, purl), workshop, memory, progress)
        for version in dict.fromkeys(versions)
    ]
    return _made(bundle, grade, found, environment)


def not_run(bundle: Bundle, versions: Sequence[str]) -> OnVersions:
    """The same of a proof that is about no release of what is installed."""
    return _open(bundle, versions, OnVersion("", Outcome.NO_RELEASE))


def _on(
    attacked: Attacked, version: str, release: str | None, workshop: Workshop, memory: Memory,
    progress: Progress,
) -> OnVersion:  # fmt: skip
    if release is None:  # 3
        return OnVersion(version, Outcome.NOT_LISTED)
    progress(f"{release}: what is installed")
    ran, _ = run_release(attacked, release, RUNS_AT_BOUNDARY, workshop, memory)  # 4
    return OnVersion(
        version, outcome_of(ran.finding.status), release, ran.runs, ran.executions,
        remembered=ran.remembered, passing=ran.finding.passing,
        packages=_packages(attacked.bundle, release, workshop, ran),
    )  # fmt: skip


def _packages(
    bundle: Bundle, release: str, workshop: Workshop, ran: Ran
) -> tuple[tuple[str, str], ...]:
    """What was installed to run it; nothing where it could not be."""
    if ran.finding.status is Status.UNRUNNABLE and not ran.executions:
        return ()
    try:
        return tuple(workshop.at(bundle, release).packages)
    except ClearhouseError:
        return ()


def _listed_as(version: str, listed: Iterable[str], purl: PackageURL) -> str | None:
    """The release that a version is, as the registry spells it.

    Build metadata is no part of a version's order (SemVer 2.0.0 section 10), but what has it may
    have been built from something else.
    """
    key = ECOSYSTEMS[purl.type].key
    wanted = key(version)
    build = version.partition("+")[2]
    same = [one for one in listed if key(one) == wanted]
    if version in same:
        return version
    return next((one for one in same if one.partition("+")[2] == build), None)


def _open(
    bundle: Bundle, versions: Sequence[str], because: OnVersion, grade: str = "",
    environment: Mapping[str, Any] = {},
) -> OnVersions:  # fmt: skip
    """Every version stays open, for one reason."""
    found = [replace(because, version=one) for one in dict.fromkeys(versions)]
    return _made(bundle, grade, found, environment)


def _made(
    bundle: Bundle, grade: str, found: Sequence[OnVersion], environment: Mapping[str, Any]
) -> OnVersions:
    purl = bundle.target.purl
    return OnVersions(
        bundle=bundle.digest,
        package=str(purl._replace(version=None, qualifiers={}, subpath=None)) if purl else "",
        attacked=str(purl.version or "") if purl else "",
        grade=grade, versions=tuple(found), environment=environment,
    )  # fmt: skip
