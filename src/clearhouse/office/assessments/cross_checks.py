"""Plans and assessments held against the ledger, and against the evidence that is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from clearhouse.benchmark.deciding import decide
from clearhouse.benchmark.evidence import OUTCOMES, Attempts, parse_evidence
from clearhouse.errors import ClearhouseError
from clearhouse.ledger.entry import JSON, Entry
from clearhouse.office.assessments.kinds import COMMITTED, COUNTED, RETIRED, SET_OPENED
from clearhouse.office.assessments.models import Assessment, CommittedPlan, SetOpening
from clearhouse.office.assessments.queries.attempts import outcomes_of, parsed_bank, parsed_plan
from clearhouse.office.blobs import store
from clearhouse.office.ledgerbook.cross_checks import Contradiction, cross_check
from clearhouse.office.ledgerbook.queries import entries_of
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.assessment import AssessmentState, issued_from

_BEGUN: Final = "review.assessment-begun"
_ABANDONED: Final = "review.assessment-abandoned"
_HANDED_IN: Final = "review.assessment-handed-in"
_ANSWERED: Final = "review.assessment-answered"
_DETERMINED: Final = "review.determined"
_PUBLISHED: Final = "review.determination-published"
_UNPUBLISHED: Final = "review.determination-unpublished"
_OF_ASSESSMENTS: Final = (
    _BEGUN, _ABANDONED, _HANDED_IN, _ANSWERED, _DETERMINED, _PUBLISHED, _UNPUBLISHED,
)  # fmt: skip

#: The last entry of each kind about each assessment, by its name.
_Said = Mapping[tuple[str, str], Entry]


@cross_check
def committed_plans() -> Iterator[Contradiction]:
    """Each plan is the document that was committed to; each opening of its set has its entry."""
    said = {one.index: one for one in entries_of(SYSTEM, (COMMITTED,))}
    retired = {one.subject: one for one in entries_of(SYSTEM, (RETIRED,))}
    for plan in CommittedPlan.objects.order_by("pk"):
        yield from _plan_against(plan, said.pop(plan.entry, None))
        if (plan.retired_at is not None) != (plan.name in retired):
            yield Contradiction(plan.name, None, f"{RETIRED} is not as the row says")
    for entry in said.values():
        yield Contradiction(entry.subject, entry.index, "the plan of this entry is gone")
    noted = {one.index: one for one in entries_of(SYSTEM, (SET_OPENED,))}
    for one in SetOpening.objects.select_related("plan").order_by("pk"):
        found = noted.pop(one.entry, None)
        if found is None or found.facts.get("line") != one.line:
            yield Contradiction(one.plan.name, one.entry, "an opening stands there without entry")
    for entry in noted.values():
        yield Contradiction(entry.subject, entry.index, "the opening of this entry is gone")


def _plan_against(plan: CommittedPlan, entry: Entry | None) -> Iterator[Contradiction]:
    if entry is None or entry.subject != plan.name:
        yield Contradiction(plan.name, None, "the plan was committed without an entry")
        return
    row: dict[str, JSON] = {
        "plan": plan.digest, "bank": plan.bank_digest, "items": plan.items, "set": plan.set_root,
    }  # fmt: skip
    try:
        kept = (parsed_plan(plan).digest, parsed_bank(plan).digest)
    except ClearhouseError as error:
        yield Contradiction(plan.name, entry.index, f"its documents cannot be read: {error}")
        return
    if _differs(entry, row) or kept != (plan.digest, plan.bank_digest):
        yield Contradiction(plan.name, entry.index, "the entry commits to another plan")


@cross_check
def assessments() -> Iterator[Contradiction]:
    """Each assessment is what its entries tell, from its plan to its figures; none is gone."""
    said: dict[tuple[str, str], Entry] = {}
    counts = 0
    for entry in entries_of(SYSTEM, _OF_ASSESSMENTS):
        said[entry.kind, str(entry.facts.get("assessment"))] = entry
    for one in entries_of(SYSTEM, (COUNTED,)):
        counts += 1
        said[one.kind, one.subject] = one
    begun = {name: one for (kind, name), one in said.items() if kind == _BEGUN}
    for row in Assessment.objects.select_related("plan", "review").order_by("pk"):
        yield from _against(row, said)
        begun.pop(row.name, None)
    for name, entry in begun.items():
        yield Contradiction(entry.subject, entry.index, f"its assessment {name} is gone")
    if counts > (once := sum(kind == COUNTED for kind, _ in said)):
        yield Contradiction("figures", None, f"{counts} were counted, of {once} assessments")


def _against(row: Assessment, said: _Said) -> Iterator[Contradiction]:
    begun = said.get((_BEGUN, row.name))
    if begun is None or _differs(begun, {"plan": row.plan.digest, "slot": row.slot}):
        yield Contradiction(row.name, None, "it began without an entry of its plan")
    elif begun.subject != row.review.name:
        yield Contradiction(row.name, begun.index, "it began in another review")
    elif begun.index <= row.plan.entry:
        yield Contradiction(row.name, begun.index, "it began before its plan was committed")
    for kind, (is_so, facts) in _told(row).items():
        entry = said.get((kind, row.name))
        if is_so != (entry is not None):
            index = entry.index if entry is not None else None
            yield Contradiction(row.name, index, f"{kind} is not as the row says")
        elif entry is not None and _differs(entry, facts):
            yield Contradiction(row.name, entry.index, f"{kind} {_OTHER[kind]}")
    yield from _public(row, said)
    if AssessmentState(row.state).stands:
        yield from _evidence(row)


#: What an entry is wrong about where its facts are not the row's.
_OTHER: Final = {
    _ABANDONED: "tells of another number of attempts",
    _HANDED_IN: "tells of another determination",
    _ANSWERED: "tells of another answer",
    _DETERMINED: "tells of another determination",
    COUNTED: "counted another verdict",
}


def _told(row: Assessment) -> dict[str, tuple[bool, dict[str, JSON]]]:
    """Of each kind: whether there is an entry if the row is right, and what it says then."""
    state = AssessmentState(row.state)
    found: dict[str, JSON] = {"determination": row.determination, "verdict": row.verdict}
    reply = f"sha256:{hashlib.sha256(row.reply.encode()).hexdigest()}"
    is_abandoned = state is AssessmentState.ABANDONED
    attempts: dict[str, JSON] = {"attempts": row.attempts.count()} if is_abandoned else {}
    return {
        _ABANDONED: (is_abandoned, attempts),
        _HANDED_IN: (state.stands, found),
        _ANSWERED: (row.replied_at is not None, {"reply": reply}),
        _DETERMINED: (state is AssessmentState.DETERMINED, found | {"plan": row.plan.digest}),
        COUNTED: (
            row.counted_at is not None, {"plan": row.plan.digest, "verdict": row.verdict},
        ),
    }  # fmt: skip


def _public(row: Assessment, said: _Said) -> Iterator[Contradiction]:
    """The last of both kinds counts: who made it public takes it back, and back again."""
    entries = [said.get((kind, row.name)) for kind in (_PUBLISHED, _UNPUBLISHED)]
    last = max((one for one in entries if one is not None), key=lambda one: one.index, default=None)
    is_public = last is not None and last.kind == _PUBLISHED
    if is_public != (row.published_at is not None):
        index = last.index if last is not None else None
        yield Contradiction(row.name, index, f"{_PUBLISHED} is not as the row says")


def _evidence(row: Assessment) -> Iterator[Contradiction]:
    """What is kept is what was handed in, and decides what the row says, no earlier than it may."""
    try:
        evidence = parse_evidence(store.read(row.evidence), "evidence")
        outcomes = Attempts.parse(evidence.members[OUTCOMES], OUTCOMES).outcomes
        decision = decide(parsed_plan(row.plan), outcomes)
    except ClearhouseError as error:
        yield Contradiction(row.name, None, f"its evidence cannot be read: {error}")
        return
    if evidence.digest != row.determination:
        yield Contradiction(row.name, None, "its evidence is of another determination")
    decided = (decision.verdict.value, decision.is_lower_bound)
    if decided != (row.verdict, row.is_lower_bound):
        yield Contradiction(row.name, None, f"its evidence decides {decision.verdict.value}")
    if list(outcomes) != outcomes_of(row):
        yield Contradiction(row.name, None, "its evidence tells of other attempts")
    if row.assessed_at is None:
        yield Contradiction(row.name, None, "it is not said when it was handed in")
    elif row.determined_at is not None and row.determined_at < issued_from(
        row.assessed_at, row.replied_at
    ):
        yield Contradiction(row.name, None, "it was determined before the developer could answer")


def _differs(entry: Entry, row: Mapping[str, JSON]) -> bool:
    return any(entry.facts.get(key) != value for key, value in row.items())
