"""What the pages show of exposures, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Final

from django.utils.safestring import SafeString

from clearhouse.exposure.remedies import Remedy
from clearhouse.office.inventories.doubting import BELIEVED_AFTER, lacks_of
from clearhouse.office.inventories.models import Exposure, Inventory, System
from clearhouse.office.inventories.queries import course_of
from clearhouse.office.inventories.touched import FEWEST, Touched
from clearhouse.office.look.charts import Series, lines
from clearhouse.office.look.clock import Clock
from clearhouse.office.look.words import Tag
from clearhouse.protocol.sectors import Sector
from clearhouse.protocol.system_questions import QUESTIONS

#: What a person with little time is shown first.
FIRST: Final = 3
_DAYS: Final = 90
_PLACES: Final = 3
_ANSWERS: Final = {
    Exposure.Answer.AFFECTED: Tag("Affected", "no", "The version that you have is affected."),
    Exposure.Answer.UNDECIDED: Tag(
        "Cannot be told", "wait", "What is known does not say whether yours is affected."
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One exposure as a line of a list."""

    exposure: Exposure
    tag: Tag
    clock: Clock | None
    where: str
    to_do: str
    why: str
    stated: str

    @property
    def words(self) -> str:
        """What it is called, or where it has no title, its identifier."""
        return self.exposure.title or self.exposure.flaw


def row_of(one: Exposure, now: datetime) -> Row:
    """An exposure in words."""
    return Row(
        exposure=one,
        tag=_ANSWERS[Exposure.Answer(one.answer)],
        clock=Clock(one.due, now) if one.due is not None else None,
        where=where_of(one),
        to_do=to_do_of(one),
        why=str(one.judged.get("why", "")),
        stated=stated_of(one.statement),
    )


def stated_of(statement: Mapping[str, Any] | None) -> str:
    """What a VEX statement says, who says it and why."""
    if statement is None:
        return ""
    said = statement["justification"] or statement["impact"] or "no reason is given"
    claim = str(statement["claim"]).replace("_", " ").replace("-", " ")
    return f"{claim}, as {statement['author'] or statement['source']} says: {said}"


def _left(one: Exposure) -> Sequence[Mapping[str, Any]]:
    """The components that no statement takes back; all where none is left."""
    return [f for f in one.found if not f.get("is_taken_back")] or one.found


def where_of(one: Exposure) -> str:
    """The packages that are affected, and where they stand."""
    packages = dict.fromkeys(f"{f['package']} {f['version']}".strip() for f in _left(one))
    named = list(packages)[:_PLACES]
    more = len(packages) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def to_do_of(one: Exposure) -> str:
    """What to do about it: the first fixed version of each package, where one is known."""
    fixes = dict.fromkeys(
        f"{f['package']} to {f['fixed']} or later" for f in _left(one) if f.get("fixed")
    )
    if fixes:
        named = list(fixes)[:_PLACES]
        return f"Update {', '.join(named)}."
    if one.answer == Exposure.Answer.UNDECIDED:
        return "Find out which version you have, and look at the advisory."
    return "No fixed version is known. Ask the supplier, and keep others away from the system."


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in words."""

    system: str
    title: str
    heading: str
    why: str
    clock: Clock | None
    first: str
    """A flaw that it is about, the most urgent one."""


def step_of(one: Remedy, titles: Mapping[str, str], now: datetime) -> Step:
    """A remedy in words."""
    has = ", ".join(one.versions) or "a version that is not named"
    flaws = f"{one.count} known flaw{'s' if one.count > 1 else ''}"
    if one.target:
        heading = f"Update {one.package} to {one.target} or later"
        left = f"; for {len(one.left)} of them no fix is known" if one.left else ""
        why = f"It has {has}, with {flaws}{left}."
    else:
        heading = f"Find a way to do without {one.package}, or keep others away from it"
        why = f"It has {has}, with {flaws} for which no fixed version is known."
    return Step(
        system=one.system,
        title=titles.get(one.system, one.system),
        heading=heading,
        why=why,
        clock=Clock(one.due, now) if one.due is not None else None,
        first=(*one.mended, *one.left)[0],
    )


def received(one: Inventory) -> str:
    """What has become of a list, for who has handed it in."""
    if one.state == Inventory.State.RECEIVED:
        return "The list is large and is being read. Look again in a few minutes."
    packages = "package" if one.components == 1 else "packages"
    told = f"Read {one.components:,} {packages} of {one.format}."
    if one.unidentified_count:
        told += f" {one.unidentified_count:,} could not be identified; the list says which and why."
    return " ".join([told, *warnings_of(one)])


def warnings_of(one: Inventory) -> list[str]:
    """What the list before had and this one has not, with what follows from it."""
    return [
        f"{each.text[:1].upper()}{each.text[1:]}. Is it the right file? What touched these stays"
        f" open, as nobody can tell, until a list has some again, or one still has none"
        f" {BELIEVED_AFTER.days} days after the first."
        for each in lacks_of(one)
    ]


def untold(ecosystems: Sequence[tuple[str, int]]) -> list[str]:
    """That nobody here could know of a flaw of these packages."""
    return [
        f"This office has no advisory about any package of {ecosystem}, of which the list has"
        f" {count:,}: that nothing touches {'it' if count == 1 else 'these'} says nothing."
        for ecosystem, count in ecosystems
    ]


def facts_of(system: System) -> list[tuple[str, str]]:
    """What is known of a system: each question with its answer, unknown where there is none."""
    found = [("Sector", Sector(system.sector).label if system.sector else "not known")]
    for one in QUESTIONS:
        given = system.answers.get(one.key)
        keys = [given] if isinstance(given, str) else list(given or ())
        texts = [one.choice(key).text for key in keys]
        found.append((one.text, ", ".join(texts) or "not known"))
    planned = system.next_upgrade
    found.append(("Next planned upgrade", f"{planned:%-d %B %Y}" if planned else "not known"))
    return found


def chart_of(system: System, now: datetime) -> SafeString | None:
    """How many flaws touched a system on each of the last days; None before there are two."""
    course = course_of(system, now=now, days=_DAYS)
    if len(course) < 2:
        return None
    points = tuple((datetime.combine(day, time(), UTC), float(count)) for day, count in course)
    return lines(f"Flaws that touched {system.title}", [Series("Open", points)])


@dataclass(frozen=True, slots=True)
class Owner:
    """An organisation that a case touches."""

    name: str
    slug: str
    systems: Sequence[str]
    packages: Sequence[str]
    affected: int
    undecided: int
    is_in: bool
    """Whether it takes part in the case already."""


def organisations_of(found: Touched) -> list[Owner]:
    """Whom a case touches, those with the most systems first."""
    owners: list[Owner] = []
    for key, rows in found.organisations.items():
        affected = {one.system for one in rows if one.decision.answer.value == "affected"}
        systems = list(dict.fromkeys(one.title for one in rows))
        packages = list(dict.fromkeys(f"{one.package} {one.version}" for one in rows))
        unsure = {one.system for one in rows} - affected
        owners.append(
            Owner(
                name=rows[0].organisation_name,
                slug=rows[0].slug,
                systems=systems,
                packages=packages,
                affected=len(affected),
                undecided=len(unsure),
                is_in=key in found.taking_part,
            )
        )
    return owners


def sectors_of(sectors: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Organisations by sector, exactly and as it may be passed on."""
    return [
        (
            Sector(sector).label if sector in set(Sector) else sector or "Sector not known",
            f"{count:,}",
            f"{count:,}" if count >= FEWEST else f"fewer than {FEWEST}",
        )
        for sector, count in sectors.items()
    ]
