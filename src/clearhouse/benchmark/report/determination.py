"""From evidence to the page of a determination, and to the entry that everybody may read.

The page says what evidence says and no more; where the run is not recorded in it, the page says
what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from clearhouse.benchmark.bank import MICRO, Bank
from clearhouse.benchmark.deciding import Decision, Reason, Verdict, decide
from clearhouse.benchmark.determination import Verification, verify
from clearhouse.benchmark.estimate import Estimate, estimate
from clearhouse.benchmark.evidence import BANK, OUTCOMES, PLAN, Attempts, Evidence
from clearhouse.benchmark.outcomes import WITHHELD, Ending, Outcome
from clearhouse.benchmark.plan import PER_MILLE, Plan
from clearhouse.benchmark.report import run_view
from clearhouse.benchmark.report.curves import HEIGHT as CURVE_HEIGHT
from clearhouse.benchmark.report.curves import curves_of
from clearhouse.benchmark.report.plots import HEIGHT, ROW, nats, path_of, scale_of
from clearhouse.benchmark.report.run_view import record_in
from clearhouse.benchmark.run_record import RunRecord
from clearhouse.errors import Refused
from clearhouse.ledger.receipt import Outcome as Holds
from clearhouse.proof.report.page import render

_PACKAGE: Final = "clearhouse.benchmark.report"
PUBLIC_FORMAT: Final = "clearhouse-public-determination/1"


class Reader(StrEnum):
    """Who a page is for."""

    ASSESSOR = "assessor"  # may know the sealed items
    DEVELOPER = "developer"  # sees families, and items by number


_SAYS: Final = {
    Verdict.COVERED: "Covered: the evidence reached the bound for a covered frontier model.",
    Verdict.NOT_COVERED: "Not covered: the evidence reached the bound for a model that is none.",
    Verdict.INDETERMINATE: "Indeterminate: the test ended without reaching a bound.",
    Verdict.UNDECIDED: "Undecided: the test has not ended.",
}
_LEVELS: Final = ("code only", "with a description", "with a trace", "with the fix")


def determination_page(
    evidence: Evidence, *, reader: Reader, committed: str | None = None, notes: str = ""
) -> str:
    """The page, a complete HTML document; ``notes`` are the assessor's own, of their review.

    For the developer it names no item and no verdict, quotes neither transcript nor notes, and
    holds nothing they follow from.  Raises :class:`Refused` for evidence that does not hold: verify
    says what is wrong with it.
    """
    case = _case(evidence, committed)
    record = record_in(evidence)
    is_open = reader is Reader.ASSESSOR
    quoted = run_view.transcripts(evidence, record) if record is not None and is_open else []
    return render(
        "determination.html",
        package=_PACKAGE,
        title="Determination",
        headline=case.decision.verdict.value.replace("-", " "),
        says=_SAYS[case.decision.verdict],
        reader=reader.value,
        summary=_summary(case),
        terms=_terms(case.plan),
        path=path_of(case.plan, case.decision, case.endings),
        height=HEIGHT,
        scale=scale_of(case.plan, case.bank.anchors, case.own),
        row=ROW,
        anchored=bool(case.bank.anchors),
        own=case.own,
        families=_families(case.decision),
        endings=[(one.value, count) for one, count in case.decision.endings.items() if count],
        lower_bound=_lower_bound(case),
        missing=_missing(case.decision),
        attempts=_attempts(case, record, reader),
        run=None
        if record is None
        else {
            "took": run_view.took(record),
            "elicitation": run_view.elicitation(record, case.plan),
            "contamination": run_view.contamination(record, evidence),
            "environment": run_view.environment(record),
            "curves": curves_of(record.attempts),
            "curve_height": CURVE_HEIGHT,
        },
        transcripts=quoted,
        notes=notes.splitlines() if is_open else [],
        checks=[(one.number, one.subject, one.outcome.value) for one in case.found.checks],
        not_tested=run_view.not_tested(
            case.plan, len(case.decision.path), record, quoted=bool(quoted)
        ),
    )


def public_entry(evidence: Evidence) -> dict[str, str]:
    """What everybody may read: the verdict, and by which committed plan; nothing that is sealed.

    The digests are of documents with random seeds in them, so that nothing is guessed from them.
    Raises as :func:`determination_page`.
    """
    found = _case(evidence, None)
    return {
        "format": PUBLIC_FORMAT,
        "verdict": found.decision.verdict.value,
        "plan": found.found.plan,
        "determination": found.found.determination,
    }


@dataclass(frozen=True, slots=True)
class _Case:
    plan: Plan
    bank: Bank
    attempts: Attempts
    decision: Decision
    found: Verification

    @property
    def read(self) -> tuple[Outcome, ...]:
        """The outcomes up to the stop."""
        return self.attempts.outcomes[: self.decision.read]

    @property
    def endings(self) -> list[Ending]:
        """Those that bear evidence."""
        return [one.ending for one in self.read if one.ending is not Ending.ERROR]

    @property
    def own(self) -> Estimate:
        """Where the system stands."""
        return estimate(self.bank, self.read)


def _case(evidence: Evidence, committed: str | None) -> _Case:
    found = verify(evidence, committed)
    wrong = [one.subject for one in found.checks if one.outcome is Holds.FAILS]
    if wrong:
        raise Refused(f"{evidence.where}: the evidence does not hold: {'; '.join(wrong[:3])}")
    plan = Plan.parse(evidence.members[PLAN], PLAN)
    attempts = Attempts.parse(evidence.members[OUTCOMES], OUTCOMES)
    bank = Bank.parse(evidence.members[BANK], BANK)
    return _Case(plan, bank, attempts, decide(plan, attempts.outcomes), found)


def _summary(case: _Case) -> list[tuple[str, str]]:
    decision = case.decision
    return [
        ("Submission", case.attempts.submission),
        ("Stopped because", Reason(decision.reason).value),
        ("Items used", f"{len(decision.path)} of {len(case.plan.items)}"),
        ("Evidence", (f"{nats(decision.evidence)} nats, between {nats(case.plan.not_covered)} and"
         f" {nats(case.plan.covered)}")),
        ("Plan", case.found.plan),
        ("Determination", case.found.determination),
    ]  # fmt: skip


def _terms(plan: Plan) -> list[tuple[str, str]]:
    terms, budgets = plan.terms, plan.terms.budgets
    minima = ", ".join(
        f"{family} {least}" for family, least in sorted(terms.least_of.items()) if least
    )
    is_even = terms.among >= len(plan.items)
    limits = [
        f"{budgets.tokens} tokens" if budgets.tokens else "",
        f"{budgets.seconds} s" if budgets.seconds else "",
        f"${budgets.cents / 100:.2f}" if budgets.cents else "",
        f"{budgets.attempts} input(s) handed in",
    ]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(terms.harness.items()))
    return [
        ("What is decided", terms.construct),
        ("Threshold", (f"{_share(terms.threshold_ppm)} of the bank, and nothing is promised within"
         f" {_share(terms.region_ppm)} on either side")),
        ("Error rates", (f"{_share(terms.alpha_ppm)} for covered, {_share(terms.beta_ppm)} for not"
         " covered, outside of that region")),
        ("Items", f"{terms.least} to {terms.most}; of each family at least: {minima or 'none'}"),
        ("Next item", "drawn among all that are left" if is_even
         else f"drawn among the {terms.among} most informative that are left"),
        ("Evidence counts", f"{terms.discount / PER_MILLE:.0%} of what the response model says"),
        ("Knowledge", f"level {terms.level}, {_LEVELS[terms.level]}"),
        ("Budget of an attempt", ", ".join(one for one in limits if one)),
        ("After an error", (f"run again {budgets.reruns} time(s), then set aside;"
         f" {terms.most_set_aside} may be")),
        ("Harness", versions or "not said"),
    ]  # fmt: skip


def _families(decision: Decision) -> list[dict[str, Any]]:
    return [
        {"name": name, "solved": solved, "tried": tried, "share": round(100 * solved / tried, 1)}
        for name, (solved, tried) in sorted(decision.families.items())
    ]


def _lower_bound(case: _Case) -> str:
    decision = case.decision
    if not decision.is_lower_bound:
        return ""
    count = sum(decision.endings[one] for one in WITHHELD)
    reached = decision.if_withheld_solved > case.plan.not_covered
    rest = "it would not have been reached" if reached else "it would have been all the same"
    return (
        f"A lower bound: {count} attempt(s) were refused, given up or out of budget. Had all of"
        f" them been solved, the evidence would be {nats(decision.if_withheld_solved)}: {rest}."
    )


def _missing(decision: Decision) -> list[str]:
    missing = decision.missing
    if missing is None:
        return []
    told = [
        f"{missing.solutions} average item(s) more, all solved, would decide for covered",
        f"{missing.failures} average item(s) more, none solved, would decide for not covered",
    ]
    if missing.items:
        told.append(f"the minima ask for {missing.items} more item(s)")
    return told


def _attempts(case: _Case, record: RunRecord | None, reader: Reader) -> list[dict[str, str]]:
    """The attempts in order; for the developer items have numbers, the same for a rerun."""
    numbers: dict[str, int] = {}
    evidence = iter(case.decision.path)
    found = []
    figures = record.attempts if record is not None else ()
    for at, one in enumerate(case.read):
        number = numbers.setdefault(one.item, len(numbers) + 1)
        bears = one.ending is not Ending.ERROR
        is_open = reader is Reader.ASSESSOR
        found.append(
            {
                "item": one.item if is_open else f"item {number}",
                "family": case.plan.by_name[one.item].family,
                "ending": one.ending.value,
                "evidence": nats(next(evidence)) if bears else "",
                "verdict": (one.verdict or "") if is_open else "",
                "why": figures[at].why if is_open and figures else "",
                **(run_view.columns(figures[at]) if figures else {}),
            }
        )
    return found


def _share(ppm: int) -> str:
    return f"{100 * ppm / MICRO:g} %"
