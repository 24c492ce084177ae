"""Matching a system anew: what came, what stayed, what is gone, and how urgent each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from clearhouse.exposure.matching import Answer, Component, Vulnerabilities
from clearhouse.exposure.names import normal_ecosystem, normal_name
from clearhouse.exposure.touching import Touch, change, touches
from clearhouse.exposure.vex import Stated
from clearhouse.office.feeds.models import LONGEST_ID
from clearhouse.office.feeds.queries import records_about
from clearhouse.office.inventories import models
from clearhouse.office.inventories.actions.holding import held as held_system
from clearhouse.office.inventories.doubting import doubts_of, packages_in
from clearhouse.office.inventories.following import tell_followers
from clearhouse.office.inventories.judging import judge
from clearhouse.office.inventories.models import (
    LONGEST_FOUND_PACKAGE,
    LONGEST_FOUND_PURL,
    LONGEST_FOUND_VERSION,
    MOST_FOUND,
    Exposure,
    Inventory,
    System,
)
from clearhouse.office.inventories.stating import Stating, stated_of, told_of
from clearhouse.office.inventories.telling import tell_owner
from clearhouse.office.names import new_name
from clearhouse.office.storable import storable, storable_json
from clearhouse.versions.ecosystems import base_name

_PLACES: Final = 20  # of one package URL
_BATCH: Final = 500


def components_of(system: System) -> list[Component]:
    """What is installed on a system, by its current inventory.

    Of what is listed again and again the first places: the answer is the same for each.
    """
    rows = models.Component.objects.filter(
        inventory__system=system, inventory__is_current=True
    ).order_by("pk").values_list(
        "release_id", "release__ecosystem", "release__package", "release__version", "purl",
        "inventory__file", "place", "release__lacks_epoch",
    )  # fmt: skip
    times: Counter[tuple[int, str]] = Counter()
    found: list[Component] = []
    for release, ecosystem, name, version, purl, file, place, lacks_epoch in rows.iterator(
        chunk_size=5000
    ):
        one = Component(ecosystem, name, version, purl, file, place, lacks_epoch)
        times[release, one.purl] += 1
        if times[release, one.purl] <= _PLACES:
            found.append(one)
    return found


def packages_of(components: Iterable[Component]) -> set[tuple[str, str]]:
    """The names under which records may be about them."""
    found: set[tuple[str, str]] = set()
    for one in components:
        whole = normal_ecosystem(one.ecosystem)
        for ecosystem in {whole, base_name(whole)}:
            found.add((ecosystem, normal_name(ecosystem, one.name)))
    return found


def match_system(system: System, *, now: datetime) -> None:
    """Hold what is installed on a system against every public record, in one transaction.

    A flaw that was there keeps the day on which it was detected, the earlier one of two that turned
    out to be one; one that is gone stays on record with the reason.  One whose package the newest
    list may name, without that anybody could tell, is not gone: it cannot be told.  A system that
    was retired has nothing installed.
    """
    with transaction.atomic():
        held = held_system(system)
        installed = components_of(held)
        there = {
            one.pk: one for one in Exposure.objects.filter(system=held, gone_at=None).order_by("pk")
        }
        current = Inventory.objects.filter(system=held, is_current=True).first()
        packages = {pair for one in there.values() for pair in packages_in(one)}
        doubts = doubts_of(current, packages, {(one.ecosystem, one.name) for one in installed})
        may_be = [one for pair in sorted(packages) if (one := doubts.about(*pair)) is not None]
        asked = packages_of([*installed, *(one.component for one in may_be)])
        known = Vulnerabilities(records_about(asked))
        touching = touches(installed, known, may_be)
        stated = stated_of(held, touching)
        found = change({key: one.ids for key, one in there.items()}, touching)
        before = {key: _state(one) for key, one in there.items()}
        kept = [_updated(there[key], touch, stated) for key, touch in found.stayed.items()]
        gone = [there[key] for key in found.gone]
        _since_the_first(kept, gone)
        _end(gone, held, now)
        came = [
            _updated(Exposure(name=new_name("EX"), system=held, detected_at=now), touch, stated)
            for touch in found.came
        ]
        judge(held, [*kept, *came])
        _save(kept, before)
        Exposure.objects.bulk_create(came, batch_size=_BATCH)
        System.objects.filter(pk=held.pk).update(matched=held.revision)
        tell_followers(held.pk, now)
        tell_owner(held, [*kept, *came], now=now)


def _since_the_first(kept: Iterable[Exposure], gone: Iterable[Exposure]) -> None:
    """Where two flaws turned out to be one, it is there since the first of them was seen."""
    begun = {one.flaw: one.detected_at for one in gone}
    for one in kept:
        days = [begun[name] for name in one.ids if name in begun]
        one.detected_at = min([one.detected_at, *days])


_CHANGING: Final = (
    "detected_at", "flaw", "ids", "has_second_cve", "record", "summary", "answer", "found",
    "packages", "scores", "weaknesses", "judged", "due", "rank", "statement",
)  # fmt: skip


def judge_anew(system: System, *, now: datetime) -> None:
    """Judge what touches a system again, as something is known now that was not."""
    _judge_open(system)
    tell_followers(system.pk, now)


def judge_by_dates(system: int) -> None:
    """Judge what touches a system again, as a date was set or lifted; the caller holds it."""
    _judge_open(System.objects.get(pk=system))


def _judge_open(system: System) -> None:
    open_ = list(Exposure.objects.filter(system=system, gone_at=None).order_by("pk"))
    before = {one.pk: _state(one) for one in open_}
    judge(system, open_)
    _save(open_, before)


def _state(one: Exposure) -> tuple[object, ...]:
    """What is compared before it is written: most of what stays is as it was.

    Lists are taken apart now, as a judgement may change them in place.
    """
    return tuple(repr(getattr(one, name)) for name in _CHANGING)


def _save(kept: Sequence[Exposure], before: Mapping[int, tuple[object, ...]]) -> None:
    """Write those that have changed; a thousand rows that have not would take two seconds."""
    changed = [one for one in kept if _state(one) != before[one.pk]]
    Exposure.objects.bulk_update(changed, _CHANGING, batch_size=_BATCH)


def _end(gone: Sequence[Exposure], system: System, now: datetime) -> None:
    current = Inventory.objects.filter(system=system, is_current=True).first()
    because = (
        f"the inventory {current.name} has it no more, or its advisory was changed"
        if current is not None
        else "nothing is installed any more"
    )
    for one in gone:
        one.gone_at, one.gone_because = now, because
    Exposure.objects.bulk_update(gone, ["gone_at", "gone_because"], batch_size=_BATCH)


def _updated(one: Exposure, touch: Touch, stated: Stating) -> Exposure:
    leading = touch.leading.vulnerability
    one.flaw, one.ids = storable(touch.flaw)[:LONGEST_ID], storable_json(touch.ids)
    one.has_second_cve = any(name.startswith("CVE-") for name in touch.ids[1:])
    one.record, one.summary = leading.id, storable(leading.summary)[:300]
    scores = {
        (vector, match.vulnerability.id)
        for match in touch.all
        for kind, vector in match.vulnerability.severity
        if kind.startswith("CVSS")
    }
    one.scores = storable_json(sorted(scores))
    one.weaknesses = sorted({n for match in touch.all for n in match.vulnerability.weaknesses})
    components = {(match.component.ecosystem, match.component.name) for match in touch.all}
    one.packages = storable_json(sorted(components))
    said = [stated.on(match) for match in touch.all]
    left = [each for each in said if not each.is_suppressed]
    taken_back = not left
    # Sorted as they were, but those that are taken back last: the first ones are shown.
    ordered = sorted(said, key=lambda each: each.is_suppressed)
    one.found = storable_json(
        [_told(each) | {"may_be": each.match in touch.may_be} for each in ordered[:MOST_FOUND]]
    )
    answers = {each.match.answer for each in left or said}
    one.answer = (Answer.AFFECTED if Answer.AFFECTED in answers else Answer.UNDECIDED).value
    one.statement = storable_json(told_of(said[0].statement)) if taken_back else None
    return one


def _told(stated: Stated) -> dict[str, Any]:
    match = stated.match
    component = match.component
    return {
        "label": component.label[:300],
        "ecosystem": component.ecosystem,
        "package": component.name[:LONGEST_FOUND_PACKAGE],
        "version": component.version[:LONGEST_FOUND_VERSION],
        "place": component.place[:200],
        "file": component.file,
        "purl": component.purl[:LONGEST_FOUND_PURL],
        "answer": match.answer.value,
        "because": match.decision.because[:300],
        "fixed": match.decision.fixed or "",
        "record": match.vulnerability.id,
        "stated": told_of(stated.statement),
        "is_taken_back": stated.is_suppressed,
    }
