"""Verifying a determination: all of it computed again from the evidence, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from clearhouse.benchmark.bank import Bank, digest_of
from clearhouse.benchmark.choosing import pick
from clearhouse.benchmark.deciding import Decision, Verdict, decide
from clearhouse.benchmark.evidence import (
    BANK,
    DECISION,
    DETERMINATION,
    ITEMS,
    OUTCOMES,
    PLAN,
    RUN,
    TRANSCRIPTS,
    VERDICTS,
    Attempts,
    Evidence,
    decision_bytes,
    determination_bytes,
    item_name,
    parts_of,
    transcript_name,
    verdict_name,
)
from clearhouse.benchmark.item_file import parse as parse_item
from clearhouse.benchmark.judged import Judged
from clearhouse.benchmark.outcomes import Ending, Standing
from clearhouse.benchmark.outcomes import Outcome as Attempted
from clearhouse.benchmark.plan import Plan, make_plan
from clearhouse.benchmark.run_record import RunRecord
from clearhouse.benchmark.transcripts import Transcript
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode, shown
from clearhouse.ledger.receipt import Check, Outcome
from clearhouse.proof.judge import Grade


@dataclass(frozen=True, slots=True)
class Verification:
    """The steps, and what was decided where the evidence could be read that far."""

    checks: tuple[Check, ...]
    verdict: Verdict | None
    plan: str
    determination: str

    @property
    def holds(self) -> bool:
        """Whether no step fails; steps that were not asked for do not count."""
        return all(one.outcome is not Outcome.FAILS for one in self.checks)


def verify(evidence: Evidence, committed: str | None = None) -> Verification:
    """Compute a determination again.  ``committed`` is the plan's digest as the ledger has it.

    1. the determination names the parts that are here, by digest
    2. the plan is the one committed to (not checked without ``committed``)
    3. the bank is the plan's, and all of the plan follows from its terms and the bank
    4. the seed is its slot's, under the root in the plan
    5. each item is the one that the rule chose after the outcomes before it
    6. the decision is what the rule decides
    7. the test stopped where the rule stops
    8. the verdicts handed over are those of the outcomes, each of the item that was planned, and
       each ending is what its verdict says (not checked where there are none)
    9. what was proven is made of the planned items' own files and what was handed in (not checked
       without what the items say they are)
    10. what the run took is told of these attempts, and transcripts are theirs (not checked where
        the run is not recorded)

    Whatever the members are, the result is a verification that names what does not hold.
    """
    members = evidence.members
    checks: list[Check] = []
    plan = _parsed(checks, 3, PLAN, lambda: Plan.parse(members[PLAN], PLAN))
    bank = _parsed(checks, 3, BANK, lambda: Bank.parse(members[BANK], BANK))
    attempts = _parsed(checks, 5, OUTCOMES, lambda: Attempts.parse(members[OUTCOMES], OUTCOMES))
    checks.append(_committed(digest_of(members[PLAN]), committed))
    decision: Decision | None = None
    if plan is not None and bank is not None:
        checks.append(_weights(plan, bank))
    if plan is not None and attempts is not None:
        checks += [_seed(plan, attempts), _order(plan, attempts)]
        try:
            decision = decide(plan, attempts.outcomes)
        except Invalid as error:
            checks.append(Check(6, _DECIDED, Outcome.FAILS, f"{OUTCOMES}: {error.message}"))
    if decision is not None and attempts is not None:
        checks += [_decided(evidence, decision), _stopped(decision, attempts)]
    checks.append(_parts(evidence, attempts, decision))
    checks.append(_verdicts(evidence, plan, attempts))
    checks.append(_made_of(evidence, plan))
    checks.append(_recorded(evidence, attempts))
    return Verification(
        tuple(sorted(checks, key=lambda one: one.number)),
        None if decision is None else decision.verdict,
        digest_of(members[PLAN]),
        evidence.digest,
    )


_PARTS_FIT = "the determination names the parts that are here"
_COMMITTED = "the plan is the one committed to"
_FOLLOWS = "all of the plan follows from its terms and the bank"
_SEEDED = "the seed is its slot's"
_ORDERED = "each item is the one that the rule chose"
_DECIDED = "the decision is what the rule decides"
_STOPPED = "the test stopped where the rule stops"
_JUDGED = "the verdicts handed over are those of the outcomes"
_MADE_OF = "what was proven is made of the planned items"
_RECORDED = "what the run took is told of these attempts"

_T = TypeVar("_T")


def _parsed(checks: list[Check], number: int, name: str, read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except Invalid as error:
        checks.append(Check(number, f"{name} can be read", Outcome.FAILS, str(error)))
        return None


def _check(number: int, subject: str, wrong: Sequence[str], why: str) -> Check:
    if wrong:
        return Check(number, subject, Outcome.FAILS, "; ".join(wrong[:5]))
    return Check(number, subject, Outcome.HOLDS, why)


def _parts(evidence: Evidence, attempts: Attempts | None, decision: Decision | None) -> Check:  # 1
    raw = evidence.members[DETERMINATION]
    try:
        document = JsonValue(decode(raw, DETERMINATION, most_bytes=100_000), DETERMINATION)
        document.check_keys(("format", "submission", "verdict", "parts"), ())
        parts = document.table()["parts"]
        if not isinstance(parts, dict):
            raise document.wrong("the parts are an object")
    except Invalid as error:
        return Check(1, _PARTS_FIT, Outcome.FAILS, str(error))
    wrong = [
        f"{name} has another digest than {DETERMINATION} says"
        for name in parts_of(evidence.members)
        if parts.get(name) != digest_of(evidence.members[name])
    ]
    if not wrong and attempts is not None and decision is not None:
        expected = determination_bytes(evidence.members, attempts.submission, decision)
        if raw != expected:
            wrong.append(f"{DETERMINATION} is not what the parts make")
    count = len(parts_of(evidence.members))
    return _check(1, _PARTS_FIT, wrong, f"{count} digests; the determination is {evidence.digest}")


def _committed(digest: str, committed: str | None) -> Check:  # 2
    if committed is None:
        why = f"the plan is {digest}; hold that against the ledger's entry"
        return Check(2, _COMMITTED, Outcome.NOT_CHECKED, why)
    wrong = [] if digest == committed else [f"{PLAN} is {digest}, committed was {committed}"]
    return _check(2, _COMMITTED, wrong, digest)


def _weights(plan: Plan, bank: Bank) -> Check:  # 3
    why = f"{len(plan.items)} items weighed again from {plan.bank}"
    return _check(3, _FOLLOWS, departures(plan, bank), why)


def departures(plan: Plan, bank: Bank) -> list[str]:
    """What of a plan does not follow from its terms and the bank; nothing where all of it does."""
    return list(_departures(_Pair(plan.digest, bank.digest, plan, bank)))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A plan and a bank, told apart by their digests."""

    plan_digest: str
    bank_digest: str
    plan: Plan = field(compare=False)
    bank: Bank = field(compare=False)


# An item takes 5 ms to weigh, and an office looks at evidence by the same plan again and again.
@lru_cache(maxsize=4)
def _departures(pair: _Pair) -> Sequence[str]:
    plan, bank = pair.plan, pair.bank
    if plan.bank != bank.digest:
        return [f"{BANK} is {bank.digest}, the plan's is {plan.bank}"]
    try:
        made = make_plan(plan.terms, bank, plan.contents)
    except Invalid as error:
        return [f"{PLAN}: {error.message}"]
    wrong = [
        f"{PLAN}: {key} is {getattr(plan, key)}, the bank gives {getattr(made, key)}"
        for key in ("low", "middle", "high", "covered", "not_covered")
        if getattr(plan, key) != getattr(made, key)
    ]
    if len(plan.items) != len(made.items):
        wrong.append(f"{PLAN} has {len(plan.items)} items, the bank {len(made.items)}")
    return wrong + [
        f"{PLAN}: {shown(found.name)} is not as the bank has {shown(right.name)}"
        for found, right in zip(plan.items, made.items, strict=False)
        if found != right
    ]


def _seed(plan: Plan, attempts: Attempts) -> Check:  # 4
    slot = attempts.opening.slot
    is_right = attempts.opening.is_of(bytes.fromhex(plan.terms.seeds), plan.terms.slots)
    wrong = [] if is_right else [f"{OUTCOMES}: the seed is not the one of slot {slot}"]
    return _check(4, _SEEDED, wrong, f"slot {slot} of {plan.terms.slots}")


def _order(plan: Plan, attempts: Attempts) -> Check:  # 5
    standing = Standing.at_start(plan)
    for number, one in enumerate(attempts.outcomes, 1):
        chosen = pick(standing, attempts.opening.seed)
        if one.item != chosen:
            told = "nothing" if chosen is None else shown(chosen)
            wrong = f"{OUTCOMES}: outcome {number} is of {shown(one.item)}, chosen was {told}"
            return _check(5, _ORDERED, [wrong], "")
        standing.take(one)
    return _check(5, _ORDERED, [], f"{len(attempts.outcomes)} outcomes")


def _decided(evidence: Evidence, decision: Decision) -> Check:  # 6
    is_same = evidence.members[DECISION] == decision_bytes(decision)
    wrong = [] if is_same else [f"{DECISION} is not what the outcomes decide"]
    return _check(6, _DECIDED, wrong, f"{decision.verdict}: {decision.reason}")


def _stopped(decision: Decision, attempts: Attempts) -> Check:  # 7
    wrong = []
    if decision.verdict is Verdict.UNDECIDED:
        wrong.append(f"{OUTCOMES} ends before the rule stops: {decision.reason}")
    more = len(attempts.outcomes) - decision.read
    if more:
        wrong.append(f"{OUTCOMES} goes on for {more} outcomes after the rule stopped")
    return _check(7, _STOPPED, wrong, f"after {decision.read} outcomes")


def _verdicts(evidence: Evidence, plan: Plan | None, attempts: Attempts | None) -> Check:  # 8
    handed = {name: raw for name, raw in evidence.members.items() if name.startswith(VERDICTS)}
    if not handed or attempts is None or plan is None:
        why = "none was handed over" if not handed else "plan or outcomes cannot be read"
        return Check(8, _JUDGED, Outcome.NOT_CHECKED, why)
    named = {verdict_name(one.verdict): one for one in attempts.outcomes if one.verdict}
    wrong = [
        f"{shown(name)} is not under its digest"
        for name, raw in sorted(handed.items())
        if name != verdict_name(digest_of(raw))
    ]
    wrong += [f"no outcome has the verdict {shown(name)}" for name in sorted(handed.keys() - named)]
    for one in attempts.outcomes:
        name = verdict_name(one.verdict) if one.verdict else ""
        if name in handed:
            wrong += _misjudged(plan, one, handed[name], name)
    return _check(8, _JUDGED, wrong, f"{len(handed)} of {len(named)} verdicts")


def _misjudged(plan: Plan, one: Attempted, raw: bytes, name: str) -> list[str]:
    """What a verdict has against being that of an outcome."""
    try:
        judged = Judged.parse(raw, name)
    except Invalid as error:
        return [str(error)]
    wrong = []
    planned = plan.by_name.get(one.item)
    if planned is not None and judged.item != planned.content:
        wrong.append(
            f"{name} is of the item {judged.item}, planned for {shown(one.item)} was"
            f" {planned.content}"
        )
    if (judged.grade is Grade.DIFFERENTIAL) is not (one.ending is Ending.SOLVED):
        wrong.append(f"{name} says {judged.grade}, {OUTCOMES} that it is {one.ending}")
    return wrong


def _made_of(evidence: Evidence, plan: Plan | None) -> Check:  # 9
    members = evidence.members
    handed = {name: raw for name, raw in members.items() if name.startswith(ITEMS)}
    if not handed or plan is None:
        why = "no item's own list of files was handed over" if not handed else "no plan"
        return Check(9, _MADE_OF, Outcome.NOT_CHECKED, why)
    planned = {item_name(content) for content in plan.contents.values()}
    wrong = [
        f"{shown(name)} is not under its digest"
        for name, raw in sorted(handed.items())
        if name != item_name(digest_of(raw))
    ]
    wrong += [f"no item of the plan is {shown(name)}" for name in sorted(handed.keys() - planned)]
    count = 0
    for name, raw in sorted(members.items()):
        if not name.startswith(VERDICTS):
            continue
        try:
            judged = Judged.parse(raw, name)
            item = item_name(judged.item)
            if item not in handed:
                continue
            count += 1
            if not judged.is_of(parse_item(handed[item], where=item)):
                wrong.append(f"{name} proves a bundle that is not made of {item}")
        except Invalid as error:
            wrong.append(str(error))
    return _check(9, _MADE_OF, wrong, f"{count} verdicts, from the digests of the items' files")


def _recorded(evidence: Evidence, attempts: Attempts | None) -> Check:  # 10
    members = evidence.members
    handed = {name: raw for name, raw in members.items() if name.startswith(TRANSCRIPTS)}
    if RUN not in members:
        wrong = [f"no run names {shown(name)}" for name in sorted(handed)]
        if wrong:
            return _check(10, _RECORDED, wrong, "")
        return Check(10, _RECORDED, Outcome.NOT_CHECKED, "the run is not recorded")
    try:
        record = RunRecord.parse(members[RUN], RUN)
    except Invalid as error:
        return Check(10, _RECORDED, Outcome.FAILS, str(error))
    wrong = []
    told = [(one.item, one.ending) for one in record.attempts]
    if attempts is not None and told != [(one.item, one.ending) for one in attempts.outcomes]:
        wrong.append(f"{RUN} is not of the attempts in {OUTCOMES}")
    named = {transcript_name(one.transcript) for one in record.attempts if one.transcript}
    wrong += [f"{RUN} does not name {shown(name)}" for name in sorted(handed.keys() - named)]
    for name, raw in sorted(handed.items()):
        if name != transcript_name(digest_of(raw)):
            wrong.append(f"{shown(name)} is not under its digest")
        try:
            Transcript.parse(raw, name)
        except Invalid as error:
            wrong.append(str(error))
    why = f"{len(record.attempts)} attempts, {len(handed)} of {len(named)} transcripts"
    return _check(10, _RECORDED, wrong, why)
