"""Evidence: a determination as a few canonical documents, in a folder or a zip.

- ``plan.json``: the commitment; ``bank.json``: the parameters that its weights come from
- ``outcomes.json``: the submission, its slot and seed with the path to the committed root, and
  every finished attempt in order, with its verdict's digest
- ``decision.json``: what was decided, with the path
- ``determination.json``: the digests of these; its own digest names the determination
- ``run.json``, where the run is recorded: what it took (:mod:`clearhouse.benchmark.run_record`);
  nothing is decided by it, but the determination names it, by digest
- ``transcripts/HEX.json``, as many as are handed over: what was said in the recorded attempts
- ``verdicts/HEX.json``, as many as are handed over: what the judge said, of which item (see
  :mod:`clearhouse.benchmark.judged`), each under its SHA-256
- ``items/HEX.toml``, as many as are handed over: what the items that were tried say they are, each
  under its SHA-256, which is the digest in the plan

Whoever holds this can choose, weigh and decide again.  It names sealed items: it is for those who
may know them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clearhouse.benchmark.bank import Bank, check_format, check_spelling, digest_of
from clearhouse.benchmark.deciding import Decision, decide
from clearhouse.benchmark.outcomes import Ending, Outcome
from clearhouse.benchmark.plan import DIGEST, Plan
from clearhouse.benchmark.run_record import RunRecord
from clearhouse.benchmark.seeds import Opening
from clearhouse.benchmark.transcripts import Transcript
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode, shown
from clearhouse.ledger.entry import canonical
from clearhouse.proof.door import read_folder
from clearhouse.proof.members import MIB, Collector, Limits
from clearhouse.proof.text import printable
from clearhouse.proof.zips import looks_like_zip, read_zip, write_zip

PLAN: Final = "plan.json"
BANK: Final = "bank.json"
OUTCOMES: Final = "outcomes.json"
DECISION: Final = "decision.json"
DETERMINATION: Final = "determination.json"
PARTS: Final = (PLAN, BANK, OUTCOMES, DECISION)
#: May be there, and is a part then.
RUN: Final = "run.json"
TRANSCRIPTS: Final = "transcripts/"
VERDICTS: Final = "verdicts/"
ITEMS: Final = "items/"
_MORE: Final = ((VERDICTS, ".json"), (ITEMS, ".toml"), (TRANSCRIPTS, ".json"))
FORMAT: Final = "clearhouse-determination/1"
OUTCOMES_FORMAT: Final = "clearhouse-outcomes/1"
DECISION_FORMAT: Final = "clearhouse-decision/1"
LIMITS: Final = Limits(members=40_000)
_MOST_OUTCOMES: Final = 40_000


@dataclass(frozen=True, slots=True)
class Attempts:
    """What was done for one submission: its slot's seed, and its outcomes in order."""

    submission: str
    opening: Opening
    outcomes: tuple[Outcome, ...]

    def __bytes__(self) -> bytes:
        """The document, in canonical form (RFC 8785)."""
        return canonical(
            {
                "format": OUTCOMES_FORMAT,
                "submission": self.submission,
                "slot": self.opening.slot,
                "seed": self.opening.seed.hex(),
                "path": [one.hex() for one in self.opening.path],
                "outcomes": [
                    {"item": one.item, "ending": one.ending.value, "verdict": one.verdict}
                    for one in self.outcomes
                ],
            }
        )

    @classmethod
    def parse(cls, raw: bytes, where: str) -> Attempts:
        """Read the document.  Raises :class:`Invalid` with the place, also for another spelling."""
        document = JsonValue(decode(raw, where, most_bytes=LIMITS.member_bytes), where)
        document.check_keys(("format", "submission", "slot", "seed", "path", "outcomes"), ())
        check_format(document, OUTCOMES_FORMAT)
        opening = Opening(
            document.integer_at("slot") or 0,
            _bytes(document.text_at("seed"), document),
            tuple(_bytes(one.text(), one) for one in document.listed("path")),
        )
        listed = document.listed("outcomes")
        outcomes = tuple(_outcome(one) for one in listed)
        if len(outcomes) > _MOST_OUTCOMES:
            raise document.wrong(f"more than {_MOST_OUTCOMES} outcomes")
        found = cls(document.text_at("submission") or "", opening, outcomes)
        check_spelling(bytes(found), raw, where)
        return found


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took, and as many of its transcripts as are to be handed over."""

    record: RunRecord
    transcripts: tuple[Transcript, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The members as they are, nothing checked yet but their names; ``where`` they came from."""

    members: Mapping[str, bytes]
    where: str = field(compare=False)

    @property
    def digest(self) -> str:
        """What names the determination: the digest of ``determination.json``."""
        return digest_of(self.members[DETERMINATION])

    def as_zip(self) -> bytes:
        """One archive, the same bytes for the same evidence."""
        return write_zip(self.members)


def make_evidence(
    plan: Plan,
    bank: Bank,
    attempts: Attempts,
    verdicts: Sequence[bytes] = (),
    items: Sequence[bytes] = (),
    run: Run | None = None,
) -> Evidence:
    """The evidence of a finished test; the decision is made here.

    ``verdicts`` are the judge's documents and ``items`` the ``item.toml`` of items that were tried,
    byte for byte, as many as are to be handed over; ``run`` is what the run took.
    """
    decision = decide(plan, attempts.outcomes)
    members = {
        PLAN: bytes(plan),
        BANK: bytes(bank),
        OUTCOMES: bytes(attempts),
        DECISION: decision_bytes(decision),
    }
    if run is not None:
        members[RUN] = bytes(run.record)
        for one in run.transcripts:
            members[transcript_name(one.digest)] = bytes(one)
    members[DETERMINATION] = determination_bytes(members, attempts.submission, decision)
    for raw in verdicts:
        members[verdict_name(digest_of(raw))] = raw
    for raw in items:
        members[item_name(digest_of(raw))] = raw
    return Evidence(members, "evidence")


def decision_bytes(decision: Decision) -> bytes:
    """``decision.json``."""
    return canonical({"format": DECISION_FORMAT, **decision.document()})


def determination_bytes(members: Mapping[str, bytes], submission: str, decision: Decision) -> bytes:
    """``determination.json``: what the parts are, by digest, and what they decide."""
    return canonical(
        {
            "format": FORMAT,
            "submission": submission,
            "verdict": decision.verdict.value,
            "parts": {name: digest_of(members[name]) for name in parts_of(members)},
        }
    )


def parts_of(members: Mapping[str, bytes]) -> tuple[str, ...]:
    """The members that the determination names."""
    return (*PARTS, RUN) if RUN in members else PARTS


def transcript_name(digest: str) -> str:
    """The member that holds the transcript of this digest."""
    return f"{TRANSCRIPTS}{digest.removeprefix('sha256:')}.json"


def verdict_name(digest: str) -> str:
    """The member that holds the verdict of this digest."""
    return f"{VERDICTS}{digest.removeprefix('sha256:')}.json"


def item_name(digest: str) -> str:
    """The member that holds the ``item.toml`` of the item with this digest."""
    return f"{ITEMS}{digest.removeprefix('sha256:')}.toml"


def read_evidence(path: Path) -> Evidence:
    """Read a folder or a zip from a stranger; nothing is written, no link followed.

    Raises :class:`Invalid` for what cannot be read, lacks a part or has a member too many.
    """
    where = printable(str(path))
    try:
        if path.is_dir():
            members = read_folder(path, where=where, limits=LIMITS)
        else:
            with path.open("rb") as stream:
                raw = stream.read(LIMITS.total_bytes + 16 * MIB)
            if not looks_like_zip(raw):
                raise Invalid("expected a folder or a zip with evidence", where=where)
            collector = Collector(where, LIMITS)
            read_zip(raw, collector)
            members = collector.result()
            if write_zip(members) != raw:
                raise Invalid(
                    "is not the archive that clearhouse writes of these members: altered, or"
                    " packed again; unpack it and verify the folder",
                    where=where,
                )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise Invalid(f"cannot be read: {reason}", where=where) from None
    for name in (*PARTS, DETERMINATION):
        if name not in members:
            raise Invalid(f"has no {name}", where=where)
    for name in members:
        is_more = any(name.startswith(folder) and name.endswith(ending) for folder, ending in _MORE)
        if name not in (*PARTS, RUN, DETERMINATION) and not is_more:
            raise Invalid(f"has a member that evidence does not have: {shown(name)}", where=where)
    return Evidence(dict(members), where)


def _outcome(one: JsonValue) -> Outcome:
    one.check_keys(("item", "ending"), ("verdict",))
    ending = one.text_at("ending")
    if ending not in list(Ending):
        raise one.wrong(f"an ending is one of {', '.join(Ending)}")
    verdict = one.text_at("verdict")
    if verdict is not None and not DIGEST.fullmatch(verdict):
        raise one.wrong("a verdict's digest is sha256: and 64 hexadecimal digits")
    try:
        return Outcome(one.text_at("item") or "", Ending(ending), verdict)
    except Invalid as error:
        raise one.wrong(error.message) from None


def _bytes(text: str | None, at: JsonValue) -> bytes:
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        found = b""
    if len(found) != 32:
        raise at.wrong("expected 32 bytes in hexadecimal")
    return found
