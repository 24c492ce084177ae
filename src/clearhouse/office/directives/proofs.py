"""Whether this office has proofs of an obligation's flaw that it can run on what is installed.

Only cases that are published are looked at, by the identifiers that they were published with.  Of
any other case nothing is read, so that nothing here can tell whether there is one.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from packageurl import PackageURL

from clearhouse.errors import NotFound
from clearhouse.exposure.names import normal_ecosystem, normal_name, of_purl
from clearhouse.office.advisories.queries import advisory, published_under
from clearhouse.office.authorisation import ObligationPart
from clearhouse.office.blobs import store
from clearhouse.office.cases.proofs import contents_of
from clearhouse.office.directives.models import ACTIVE, ObligationRow, ProofRun
from clearhouse.office.directives.sight import MISSING, obligation_seen
from clearhouse.office.inventories.present import Installed, Touching, touching_of
from clearhouse.office.queue.queries import JobStatus, statuses_of
from clearhouse.office.viewer import PUBLIC, Viewer
from clearhouse.protocol.directives.directive import Directive, Way

PROVE: Final = "directives.prove"
#: Versions on which proofs are run for one obligation: each takes seconds, a hang its whole limit.
MOST_VERSIONS: Final = 20
#: What is said of a run.  It names no version: who reads evidence need not know what is installed.
NOT_SHOWN: Final = (
    "this office ran its proofs of the flaw on exactly the versions that are installed, and the"
    " effect shows on none of them"
)
#: Characters of the cases that evidence names.
_CASES: Final = 120


@dataclass(frozen=True, slots=True)
class Offer:
    """Proofs that can be run on what is installed, or why they cannot be."""

    cases: tuple[str, ...]
    proofs: tuple[str, ...]
    installed: tuple[Installed, ...]
    refusal: str = ""

    @property
    def key(self) -> str:
        """What tells it from others: the same cases, proofs and versions have the same."""
        text = json.dumps([self.cases, self.proofs, self.installed], ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def offer_of(row: ObligationRow, directive: Directive) -> Offer | None:
    """What may be run for an obligation; None where there is nothing to speak of.

    1. The directive takes such evidence, and still asks for some.  2. A published case goes by one
    of the flaw's identifiers, and has a proof.  3. What is installed is that case's package, out of
    its registry, and all of it is known here.
    """
    if row.state not in ACTIVE or Way.PROOF not in directive.ways:  # 1
        return None
    touching = touching_of(row.exposure)
    if not touching.stands or not touching.found:
        return None
    proofs = {case: contents_of(case) for case in published_under(touching.ids)}
    cases = tuple(case for case, contents in proofs.items() if contents)
    if not cases:  # 2
        return None
    return Offer(
        cases, tuple(sorted({one for case in cases for one in proofs[case]})),
        tuple(sorted(touching.found)), _refusal(cases, touching),
    )  # fmt: skip


def is_about(purl: str, installed: Iterable[Installed]) -> bool:
    """Whether all that is installed is the package of a package URL, from the same ecosystem.

    A distribution's package of the same software is another: its versions are its own, and it has
    patches that no release of the registry has.
    """
    try:
        package = of_purl(PackageURL.from_string(purl))
    except ValueError:
        return False  # a case whose proof ships its source is of no package
    if package is None:
        return False
    return {
        (normal_ecosystem(ecosystem), normal_name(ecosystem, name))
        for ecosystem, name, _ in installed
    } == {(package.ecosystem, package.name)}


def _refusal(cases: Sequence[str], touching: Touching) -> str:  # 3
    packages = [advisory(PUBLIC, one).case.package for one in cases]
    if not all(is_about(one, touching.found) for one in packages):
        return (
            "It cannot be run for this system: the proof is about"
            f" {', '.join(dict.fromkeys(packages))}, and something else is installed as well, or"
            " instead. A distribution's package has patches of its own."
        )
    if touching.elsewhere:
        return (
            "It cannot be run for this system: your list says that some of it came from elsewhere"
            " than its registry, so that the release there may be another."
        )
    if not touching.is_whole or len(touching.found) > MOST_VERSIONS:
        return (
            f"It cannot be run for this system: more than {MOST_VERSIONS} versions are installed,"
            " or their names are too long to be kept whole."
        )
    return ""


def runs_of(row: ObligationRow) -> list[ProofRun]:
    """What its owner has asked for, the latest first."""
    return list(row.runs.order_by("-pk"))


def job_status(run: ProofRun) -> JobStatus | None:
    """Where its job stands; None where nothing will come of it: one called off tells nobody."""
    if run.state != ProofRun.State.WAITING:
        return None
    status = statuses_of([job_of(run)]).get(job_of(run))
    return None if status is None or status.has_ended else status


def job_of(run: ProofRun) -> str:
    """The key of its job."""
    return f"{PROVE}:{run.name}"


def installed_of(run: ProofRun) -> frozenset[Installed]:
    """What it is run on."""
    return frozenset((ecosystem, package, version) for ecosystem, package, version in run.installed)


def answered_by(offer: Offer, runs: Iterable[ProofRun]) -> ProofRun | None:
    """The run that has answered just that already; None where another may come out otherwise."""
    for one in runs:
        if one.key == offer.key and (
            job_status(one) is not None or (_is_over(one) and not one.may_differ)
        ):
            return one
    return None


def _is_over(run: ProofRun) -> bool:
    return run.state not in (ProofRun.State.WAITING, ProofRun.State.DROPPED)


def not_shown_on(system: int) -> Mapping[int, Sequence[ProofRun]]:
    """The runs that did not show the flaw, the latest first, by the key of their obligation."""
    found: dict[int, list[ProofRun]] = defaultdict(list)
    rows = ProofRun.objects.filter(obligation__system=system, state=ProofRun.State.NOT_SHOWN)
    for one in rows.order_by("-pk"):
        found[one.obligation_id].append(one)
    return found


def speaks_of(runs: Iterable[ProofRun], touching: Touching | None) -> ProofRun | None:
    """The first of them that was on just what is there, or on that and more."""
    if touching is None or not touching.is_whole or touching.elsewhere or not touching.found:
        return None
    return next((one for one in runs if touching.found <= installed_of(one)), None)


def reference_of(run: ProofRun) -> str:
    """What evidence names: the cases, and the digest of what running their proofs gave."""
    return f"{', '.join(run.cases)[:_CASES]} {run.digest}"


def document_for(viewer: Viewer, name: str, digest: str = "") -> bytes:
    """What proofs gave that were run for an obligation, by its digest, or the latest of it.

    It names what is installed, and so is for whose it is.  Raises :class:`NotFound`.
    """
    row, _, parts = obligation_seen(viewer, name)
    if ObligationPart.WORK not in parts:
        raise NotFound(MISSING)
    runs = row.runs.exclude(document="")
    found = (runs.filter(digest=digest) if digest else runs).order_by("-pk").first()
    if found is None:
        raise NotFound(MISSING)
    return store.read(found.document)
