"""What proofs show on chosen versions: the flaw is there, it is not, it cannot be told.  Pure.

One document holds what was run, and :func:`concluded` reads the answer for each version out of it
again.  Nothing in it tells how a proof works: whoever has the versions may read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, shown
from clearhouse.proof.standing import Status
from clearhouse.proof.verdict import digest_of

FORMAT: Final = "clearhouse-on-installed/1"
Installed = tuple[str, str, str]
"""Ecosystem, package and version, as an inventory has them."""


class Answer(StrEnum):
    """What is known of a version."""

    SHOWS = "shows"
    ABSENT = "does-not-show"
    UNTOLD = "cannot-be-told"


class Outcome(StrEnum):
    """What came of one proof on one version; all but the first two leave it open, and say why."""

    SHOWS = "shows"
    ABSENT = "does-not-show"
    NOT_LISTED = "not-listed"  # the registry has no such release
    UNRUNNABLE = "unrunnable"  # it cannot be installed or loaded here
    INCONCLUSIVE = "inconclusive"  # a control behaves otherwise, or the runs do not agree
    PROOF_FAILS = "proof-fails"  # on the version attacked it does not hold here
    NO_RELEASE = "no-release"  # it attacks its own copy of the source, no release of a registry

    @property
    def answer(self) -> Answer:
        """What is known by it."""
        if self is Outcome.SHOWS:
            return Answer.SHOWS
        return Answer.ABSENT if self is Outcome.ABSENT else Answer.UNTOLD


_OF_STATUS: Final = {
    Status.AFFECTED: Outcome.SHOWS,
    Status.CLEAN: Outcome.ABSENT,
    Status.REFUSED: Outcome.ABSENT,
    Status.UNRUNNABLE: Outcome.UNRUNNABLE,
    Status.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}


def outcome_of(status: Status) -> Outcome:
    """What a release's status says.

    ``clean`` and ``refused`` stand only where every control did what it did on the version
    attacked (:func:`clearhouse.proof.standing.stand`, step 2): the code is there, and was called.
    """
    return _OF_STATUS[status]


@dataclass(frozen=True, slots=True)
class OnVersion:
    """One proof on one version."""

    version: str
    outcome: Outcome
    release: str = ""
    """As the registry spells it."""
    runs: int = 0
    """How often each poc was run."""
    executions: int = 0
    remembered: bool = False
    """The runs are of an earlier time: same bundle, same files, same engine."""
    passing: bool = False
    """It may lie in the machine's state: another time it may come out otherwise."""
    packages: tuple[tuple[str, str], ...] = ()
    """Package URL and digest of everything that was installed to run it."""

    def as_json(self) -> dict[str, Any]:
        """As the document has it."""
        return {
            "version": self.version,
            "outcome": self.outcome.value,
            "release": self.release or None,
            "poc_runs": self.runs,
            "executions": self.executions,
            "remembered": self.remembered,
            "passing": self.passing,
            "packages": [{"purl": purl, "digest": digest} for purl, digest in self.packages],
        }


@dataclass(frozen=True, slots=True)
class OnVersions:
    """One proof on every version that was asked for."""

    bundle: str
    """Its digest."""
    package: str
    attacked: str
    grade: str
    """On the version attacked, here; empty where it was not judged."""
    versions: tuple[OnVersion, ...]
    environment: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """As the document has it."""
        return {
            "bundle": self.bundle,
            "package": self.package,
            "attacked": self.attacked,
            "grade": self.grade or None,
            "versions": [one.as_json() for one in self.versions],
            "environment": dict(self.environment),
        }


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """What all proofs of a flaw say of one version.

    It shows where any of them shows it, and does not show where none does: each is another way to
    the flaw, and a fix may close one and leave the next.  Without any, nothing was run.
    """
    found = list(outcomes)
    if Outcome.SHOWS in found:
        return Outcome.SHOWS
    open_ = [one for one in found if one.answer is Answer.UNTOLD]
    if open_:
        return open_[0]
    return Outcome.ABSENT if found else Outcome.NO_RELEASE


def document_of(
    cases: Sequence[str], installed: Sequence[Installed], proofs: Sequence[OnVersions], *, salt: str
) -> dict[str, Any]:
    """What was run on what is installed; its ``digest`` covers all of it but the digest itself.

    ``salt`` is chance: who has the digest alone cannot find out by guessing what is installed.
    """
    document: dict[str, Any] = {
        "format": FORMAT,
        "cases": list(cases),
        "installed": [
            {"ecosystem": ecosystem, "package": package, "version": version}
            for ecosystem, package, version in installed
        ],
        "proofs": [one.as_json() for one in proofs],
        "not_shown_means": (
            "by these proofs' inputs, with the dependencies that were chosen for each release; it"
            " is no statement about other inputs or other ways in"
        ),
        "salt": salt,
    }
    document["digest"] = digest_of(document)
    return document


def concluded(raw: object, where: str = "document") -> dict[Installed, Outcome]:
    """What a document says of each thing that is installed; whoever holds it computes the same.

    What a proof says nothing of is open.  Raises :class:`Invalid` where it is no such document, or
    was altered.
    """
    document = JsonValue(raw, where)
    table = document.table()
    if document.text_at("format") != FORMAT:
        raise Invalid(f"expected {FORMAT}", where=where, key="format")
    if table.get("digest") != digest_of({key: table[key] for key in table if key != "digest"}):
        raise Invalid("it is not that of the document: it was altered", where=where, key="digest")
    proofs = [_outcomes(one) for one in document.listed("proofs")]
    found: dict[Installed, Outcome] = {}
    for one in document.listed("installed"):
        key = (_text(one, "ecosystem"), _text(one, "package"), _text(one, "version"))
        found[key] = together(each.get(key[2], Outcome.INCONCLUSIVE) for each in proofs)
    return found


def _outcomes(proof: JsonValue) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    for one in proof.listed("versions"):
        said = _text(one, "outcome")
        if said not in set(Outcome):
            raise one.wrong(f"{shown(said)} is no outcome")
        found[_text(one, "version")] = Outcome(said)
    return found


def _text(value: JsonValue, key: str) -> str:
    found = value.text_at(key)
    if found is None:
        raise value.wrong(f"{key} is missing")
    return found
