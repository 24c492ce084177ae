"""What comes next in a case, and who has to do it.  Pure: facts in, steps out.

The coordinator's queue is nothing but these, sorted.  The rules stand in one table in the order in
which they are asked; each says who, what, why, and by when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.report_management import ReportState
from clearhouse.protocol.roles import Role

_SOON: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Part:
    """A participant as the rules see it."""

    name: str
    role: Role
    consent: Consent
    report: ReportState
    silent: bool
    fix_ready: bool
    fix_deployed: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """A case as the rules see it."""

    case: str
    is_open: bool
    is_proven: bool
    embargo: EmbargoState
    ends_at: datetime | None
    parts: tuple[Part, ...]
    has_severity: bool
    patches_accepted: int
    patch_chosen: bool
    patch_distributed: bool
    open_proposals: int
    open_suggestions: int
    is_public: bool
    is_attacked: bool

    def suppliers(self) -> tuple[Part, ...]:
        """Those that maintain the software; who declined is none of this case's."""
        return tuple(
            part
            for part in self.parts
            if part.role is Role.SUPPLIER and part.consent is not Consent.DECLINED
        )

    def declined(self) -> tuple[Part, ...]:
        """Suppliers that declined."""
        return tuple(
            part
            for part in self.parts
            if part.role is Role.SUPPLIER and part.consent is Consent.DECLINED
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: ``anchor`` is where on the case's page it is done."""

    who: Role
    what: str
    why: str
    due: datetime | None
    weight: int
    anchor: str


Rule = Callable[[Facts, datetime], Step | None]
_C, _S = Role.COORDINATOR, Role.SUPPLIER


def _overdue(facts: Facts, now: datetime) -> Step | None:
    if facts.ends_at is None or facts.ends_at > now or facts.is_public:
        return None
    why = "The time that was promised is over."
    return Step(_C, "Publish", why, facts.ends_at, 100, "publish")


def _attacked(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001 - one form for all rules
    if not facts.is_attacked or not facts.embargo.in_force:
        return None
    why = "Attacks have been seen: silence protects only the attackers now."
    return Step(_C, "End the embargo", why, facts.ends_at, 95, "embargo")


def _published_and_fixed(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if not facts.is_public or not facts.is_open:
        return None
    if any(not part.fix_deployed for part in facts.suppliers()):
        return None
    return Step(_C, "Close the case", "It is public and the fix is out.", None, 10, "close")


def _silent(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    silent = [part.name for part in facts.suppliers() if part.silent]
    if not silent or facts.is_public:
        return None
    why = f"{silent[0]} has not answered for 30 days."
    return Step(_C, "Reach the supplier another way", why, facts.ends_at, 90, "participants")


def _tell(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if facts.suppliers() or facts.is_public:
        return None
    if facts.declined():
        why = f"{facts.declined()[0].name} declined the embargo, and nobody else can mend it."
        return Step(_C, "Find another way to a fix", why, facts.ends_at, 88, "participants")
    why = "Nobody who can mend it knows yet."
    return Step(_C, "Tell the supplier", why, facts.ends_at, 85, "participants")


def _proposal(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if not facts.open_proposals:
        return None
    why = "Another end of the embargo is proposed."
    return Step(_C, "Decide the proposal", why, facts.ends_at, 80, "embargo")


def _suggestion(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if not facts.open_suggestions:
        return None
    why = "A report without proof may be about this."
    return Step(_C, "Decide the suggestion", why, None, 60, "findings")


def _publish_soon(facts: Facts, now: datetime) -> Step | None:
    if facts.is_public or facts.ends_at is None or not now < facts.ends_at <= now + _SOON:
        return None
    why = "The embargo ends within a week."
    return Step(_C, "Prepare the advisory", why, facts.ends_at, 75, "publish")


def _distribute(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if not facts.patch_chosen or facts.patch_distributed:
        return None
    why = "A patch is chosen and nobody has it yet."
    return Step(_C, "Distribute the patch", why, facts.ends_at, 70, "patches")


def _publish_fixed(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    ready = [part for part in facts.suppliers() if part.fix_ready]
    if facts.is_public or not ready or len(ready) < len(facts.suppliers()):
        return None
    return Step(_C, "Publish", "Every supplier has a fix.", facts.ends_at, 65, "publish")


def _severity(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if facts.has_severity or facts.is_public:
        return None
    return Step(_C, "Assess the severity", "Nobody has, yet.", None, 30, "severity")


def _answer(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    """For whoever is asked; facts for one participant have its own parts alone."""
    asked = [part for part in facts.parts if part.consent in (Consent.INVITED, Consent.LAPSED)]
    if not asked:
        return None
    what = "Accept or decline the embargo"
    if asked[0].consent is Consent.LAPSED:
        what, why = "Accept or decline the new terms", "The embargo ends later than you agreed to."
    elif asked[0].role is _S:
        why = "The report is shown once the embargo is accepted."
    else:
        why = "What it is about is shown once the embargo is accepted."
    return Step(asked[0].role, what, why, facts.ends_at, 90, "invitation")


def _install(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    using = [part for part in facts.parts if part.role is Role.DEPLOYER]
    if not facts.patch_distributed or all(one.report is ReportState.CLOSED for one in using):
        return None
    why = "It was handed on to you; close the report once it is in."
    return Step(Role.DEPLOYER, "Install the fix", why, None, 60, "remedy")


def _judge(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if not any(part.report is ReportState.RECEIVED for part in facts.suppliers()):
        return None
    why = "The office waits for your judgement of the report."
    return Step(_S, "Say whether the report is valid", why, facts.ends_at, 85, "own-report")


def _choose(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    if facts.patch_chosen or not facts.patches_accepted or facts.is_public:
        return None
    count = facts.patches_accepted
    why = f"{count} candidates passed their runs." if count > 1 else "A candidate passed its runs."
    return Step(_S, "Choose a patch", why, facts.ends_at, 70, "patches")


def _fix(facts: Facts, now: datetime) -> Step | None:  # noqa: ARG001
    waiting = [
        part
        for part in facts.suppliers()
        if part.report is ReportState.ACCEPTED and not part.fix_ready
    ]
    if not waiting:
        return None
    return Step(_S, "Mend it", "The report is accepted.", facts.ends_at, 60, "patches")


_RULES: Final[tuple[Rule, ...]] = (
    _overdue, _attacked, _silent, _tell, _proposal, _publish_soon, _distribute, _publish_fixed,
    _suggestion, _severity, _published_and_fixed, _answer, _judge, _choose, _fix,
    _install,
)  # fmt: skip


def next_steps(facts: Facts, *, now: datetime, who: Role | None = None) -> list[Step]:
    """What to do in a case, the most pressing first; for one role, or for all."""
    if not facts.is_open:
        return []
    found = [step for rule in _RULES if (step := rule(facts, now)) is not None]
    return sorted((s for s in found if who in (None, s.who)), key=lambda step: -step.weight)


def order(steps: Sequence[tuple[Step, int]], *, now: datetime) -> list[int]:
    """The places of steps of several cases, most pressing first; each comes with its impact.

    What is overdue or due within a week goes before the rest, by its weight; then impact decides.
    """
    far = now + timedelta(days=36_500)

    def rank(place: int) -> tuple[int, int, int, datetime]:
        step, impact = steps[place]
        is_near = step.due is not None and step.due <= now + _SOON
        return (0 if is_near else 1, -step.weight, -impact, step.due or far)

    return sorted(range(len(steps)), key=rank)
