"""What the pages show of directives and obligations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from clearhouse.office.authorisation import DirectivePart, ObligationPart
from clearhouse.office.directives.actions.evidence import TAKEN
from clearhouse.office.directives.models import DirectiveRow
from clearhouse.office.directives.queries import Compliance, Counts, Listed, Seen
from clearhouse.office.directives.stored import obligation_of
from clearhouse.office.directives.words import (
    QUESTIONS,
    STANDINGS,
    STATES,
    by_when,
    names_of,
    which_flaws,
    which_systems,
    whom,
)
from clearhouse.office.inventories.shown import to_do_of, where_of
from clearhouse.office.look.charts import Stage, funnel
from clearhouse.office.look.clock import Clock
from clearhouse.office.look.table import Cell, Column, Table
from clearhouse.office.look.words import Tag
from clearhouse.protocol.directives.directive import Directive, Force, Way
from clearhouse.protocol.directives.obligation import Standing, standing

_PACKAGES = 3


@dataclass(frozen=True, slots=True)
class Row:
    """An obligation as a line of a list; what its viewer does not see is empty."""

    name: str
    flaw: str
    system: str
    system_name: str
    organisation: str
    directive: str
    directive_title: str
    tag: Tag
    clock: Clock | None
    why: str
    to_do: str
    may_apply: bool
    forensic: bool


def row_of(one: Seen, now: datetime) -> Row:
    """An obligation in words."""
    row = one.row
    works = ObligationPart.WORK in one.parts
    return Row(
        name=row.name,
        flaw=one.flaw,
        system=one.system,
        system_name=row.system.name if works else "",
        organisation=row.organisation.name,
        directive=row.directive.name,
        directive_title=one.directive.title,
        tag=STANDINGS[standing_of(one, now)],
        clock=Clock(row.due, now) if row.due is not None else None,
        why=_sentence(row.because),
        to_do=to_do_of(row.exposure) if works else "",
        may_apply=row.applies == "maybe",
        forensic=row.forensic,
    )


def standing_of(one: Seen, now: datetime) -> Standing:
    """How an obligation stands."""
    return standing(obligation_of(one.row, one.directive), now)


def packages_of(one: Seen) -> str:
    """What is affected on the system, for whose it is."""
    return where_of(one.row.exposure) if ObligationPart.WORK in one.parts else ""


def open_questions(one: Seen) -> list[tuple[str, bool]]:
    """What would have to be known, and whether its owner can answer that."""
    return [QUESTIONS[key] for key in one.row.unanswered if key in QUESTIONS]


def ways_of(one: Seen, more: Collection[Way] = ()) -> list[str]:
    """How it can be met; ``more`` are ways that this office can go for this flaw."""
    taken = {*TAKEN, *more}
    return [way.meaning for way in Way if way in taken and way in one.directive.ways]


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of what has happened to an obligation."""

    at: datetime
    text: str
    more: str = ""


def history_of(one: Seen) -> list[Happening]:
    """What has happened, the latest first, as far as its viewer sees it."""
    row = one.row
    found = [Happening(row.made_at, "It was found that the directive asks this.")]
    for move in obligation_of(row, one.directive).moves:
        after = Clock(move.after, move.at).absolute if move.after else "the next upgrade"
        found.append(Happening(move.at, f"Due by {after} from now on.", _sentence(move.reason)))
    for each in one.evidence:
        way = Way(each.way).meaning
        begun = f"Found: {way}." if each.is_by_rule else f"Handed in by {each.by}: {way}."
        found.append(Happening(each.at, begun, _sentence(each.text)))
        if each.answered_at is not None and not each.is_by_rule:
            verdict = f"{each.get_verdict_display().capitalize()} by {each.answered_by}."
            found.append(Happening(each.answered_at, verdict, _sentence(each.reason)))
    return sorted(found, key=lambda each: each.at, reverse=True)


def facts_of(listed_parts: frozenset[DirectivePart], directive: Directive) -> list[tuple[str, str]]:
    """What a directive asks, of whom, by when."""
    names = DirectivePart.AUDIENCE in listed_parts
    audience = directive.audience
    force = "Yes, it is binding." if directive.force is Force.BINDING else "No, it is advice."
    return [
        ("Issued by", directive.issuer),
        ("Basis", directive.basis),
        ("Has to be followed", force),
        ("Addresses", whom(audience, by_name=names_of(audience) if names else "")),
        ("About", which_flaws(directive)),
        ("On", which_systems(directive)),
        ("By when", by_when(directive.deadline)),
        ("In force", f"from {Clock(directive.in_force, directive.in_force).absolute}"),
    ]


def state_of(row: DirectiveRow) -> Tag:
    """Whether it is a draft, in force, or ended."""
    return STATES[row.state]


def mine_of(one: Listed, now: datetime) -> str:
    """How one's own obligations stand, in a few words."""
    counts = one.mine
    if not counts.asked:
        return "It asks nothing of you now."
    if not counts.open:
        return "All done."
    late = f", {counts.overdue} of them overdue" if counts.overdue else ""
    due = ""
    if counts.next_due is not None:
        clock = Clock(counts.next_due, now)
        word = "since" if clock.passed else "by"
        due = f"; the first {word} {clock.absolute} ({clock.relative})"
    return f"{counts.open} to do{late}{due}."


def total_of(rows: Sequence[Compliance]) -> Counts:
    """All organisations together."""
    return Counts(
        *(
            sum(getattr(one.counts, name) for one in rows)
            for name in ("open", "overdue", "examined", "done", "may_apply")
        )
    )


def compliance_table(rows: Sequence[Compliance], now: datetime) -> Table:
    """How each organisation stands."""
    return Table(
        "How each organisation stands",
        (
            Column("Organisation"), Column("Open", number=True), Column("Overdue", number=True),
            Column("Being examined", number=True), Column("Done", number=True),
            Column("May apply", number=True), Column("Next due"),
        ),
        tuple(
            (
                one.organisation, one.counts.open, one.counts.overdue, one.counts.examined,
                one.counts.done, one.counts.may_apply,
                Clock(one.counts.next_due, now).absolute if one.counts.next_due else "",
            )
            for one in rows
        ),
        "Nothing follows from it yet: no system that it is about has a known flaw.",
    )  # fmt: skip


def compliance_picture(rows: Sequence[Compliance]) -> SafeString | None:
    """The same as bars, for all together; None where nothing is asked."""
    total = total_of(rows)
    if not total.asked:
        return None
    return funnel(
        "How far it is followed",
        (
            Stage("Asked", total.asked),
            Stage("Done", total.done),
            Stage("Being examined", total.examined),
            Stage("Overdue", total.overdue, leaves=True),
        ),
    )


def obligations_table(rows: Sequence[Row]) -> Table:
    """What is open, for who issued the directive."""
    return Table(
        "What is open, by due date",
        (Column("Obligation"), Column("Organisation"), Column("Flaw"), Column("System"),
         Column("Due"), Column("State")),
        tuple(
            (
                Cell(one.name, f"/directives/obligations/{one.name}/"), one.organisation,
                one.flaw or "not shown", one.system or "not shown",
                one.clock.absolute if one.clock else "at the next upgrade", one.tag.text,
            )
            for one in rows
        ),
        "Nothing is open.",
    )  # fmt: skip


def _sentence(text: str) -> str:
    said = text.strip()
    return f"{said[0].upper()}{said[1:]}{'' if said.endswith('.') else '.'}" if said else ""
