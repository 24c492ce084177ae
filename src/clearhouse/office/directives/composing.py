"""A directive of one's own by a form: which flaws, on which systems, by when, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.forms import BoundField
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.exposure.names import of_purl
from clearhouse.formats.directive_conditions import LONGEST_NAME
from clearhouse.office.directives.forms import AddressForm
from clearhouse.proof.text import printable
from clearhouse.protocol.directives.conditions import (
    AnySystem,
    AnyVulnerability,
    CriticalityAtLeast,
    EpssAtLeast,
    Exposed,
    InKev,
    InPackage,
    Named,
    OfKind,
    OfWeakness,
    Package,
    PubliclyExposed,
    SeverityAtLeast,
    SystemCondition,
    VulnerabilityCondition,
)
from clearhouse.protocol.directives.deadlines import (
    MOST_DAYS,
    Bod2604Table,
    DaysFrom,
    FixedDate,
    NextUpgrade,
    Rule,
    Start,
    dated,
)
from clearhouse.protocol.directives.directive import (
    LONGEST_TEXT,
    MOST_ENTRIES,
    Directive,
    Force,
    Way,
)
from clearhouse.protocol.directives.selection import Systems, Vulnerabilities
from clearhouse.protocol.severity import Severity
from clearhouse.protocol.ssvc.points import HUMAN_IMPACT
from clearhouse.protocol.system_questions import KIND, UNKNOWN, Kind
from clearhouse.versions.ecosystems import base_name

_ANY: Final = ""
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]*-[A-Z0-9._:-]+", re.ASCII | re.IGNORECASE)
_CWE: Final = re.compile(r"CWE-([1-9][0-9]{0,4})", re.ASCII | re.IGNORECASE)
_NAMES: Final = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
_REACH: Final = (
    (Exposed.YES.value, "Anybody on the internet"),
    (Exposed.NO.value, "Only people who are let in, or hardly anybody"),
    (Exposed.UNKNOWN.value, "Its owner has not said whom"),
)
_RULES: Final = (
    ("days", "Within a number of days"),
    ("date", "On a date"),
    ("bod-26-04", "By the table of BOD 26-04"),
    ("next-upgrade", "At the next scheduled upgrade"),
)
_STARTS: Final = (
    (Start.DETECTION.value, "the day the flaw was detected on the system"),
    (Start.ISSUE.value, "the day on which you issue it"),
    (Start.LISTING.value, "the day CISA listed the flaw as exploited"),
)
_LEVELS: Final = ((_ANY, "Any"), *((k, f"{v} or more") for k, v in HUMAN_IMPACT.values.items()))
_SECTIONS: Final = (
    ("What it asks", ("title", "key", "basis", "force", "actions", "ways")),
    ("Of which flaws", ("in_kev", "severity", "epss", "names", "packages", "weaknesses")),
    ("On which systems", ("kinds", "reach", "criticality")),
    ("By when", ("rule", "days", "start", "date", "delay_days", "ends")),
    ("Of whom", ("everybody", "sectors", "organisations", "tlp")),
)


class OwnForm(AddressForm):
    """What a directive of one's own asks; what narrows flaws, or systems, all holds together."""

    title = forms.CharField(label="What does it ask, in a few words?", max_length=200)
    key = forms.CharField(
        label="Its number, as you cite it", max_length=60, help_text="As in NCSC-2026-07."
    )
    basis = forms.CharField(label="The law or order that it rests on", max_length=LONGEST_TEXT)
    force = forms.ChoiceField(
        label="Does it have to be followed?",
        choices=[
            (Force.BINDING.value, "Yes, it is binding"),
            (Force.ADVICE.value, "No, it is advice"),
        ],
        initial=Force.ADVICE.value,
        widget=forms.RadioSelect,
    )
    actions = forms.CharField(
        label="What is to be done?",
        max_length=LONGEST_TEXT,
        help_text="Each on a line of its own, as a sentence.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    in_kev = forms.BooleanField(label="Only flaws that CISA lists as exploited", required=False)
    severity = forms.ChoiceField(
        label="Only flaws at least so severe (CVSS)",
        choices=[
            (_ANY, "Any"),
            *((one.value, f"{one.value} or worse") for one in Severity if one.rank > 0),
        ],
        required=False,
    )
    epss = forms.IntegerField(
        label="Only flaws that are attacked with at least this probability, in percent (EPSS)",
        min_value=1,
        max_value=100,
        required=False,
    )
    names = forms.CharField(
        label="Only these flaws",
        required=False,
        help_text="Identifiers, as in CVE-2026-1001, one on each line.",
        widget=_NAMES,
    )
    packages = forms.CharField(
        label="Only flaws of these packages",
        required=False,
        help_text="Package URLs, as in pkg:pypi/jinja2, one on each line.",
        widget=_NAMES,
    )
    weaknesses = forms.CharField(
        label="Only flaws of these weaknesses",
        required=False,
        help_text="As in CWE-79, one on each line.",
        widget=_NAMES,
    )
    kinds = forms.MultipleChoiceField(
        label="Only systems of these kinds",
        choices=[(one.key, one.text) for one in KIND.choices if one.key != UNKNOWN],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reach = forms.MultipleChoiceField(
        label="Only systems that can be reached by",
        choices=_REACH,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    criticality = forms.ChoiceField(
        label="Only systems whose failure does at least this much harm",
        choices=_LEVELS,
        required=False,
    )
    rule = forms.ChoiceField(
        label="By when?", choices=_RULES, initial="days", widget=forms.RadioSelect
    )
    days = forms.IntegerField(
        label="How many days?", min_value=1, max_value=MOST_DAYS, initial=30, required=False
    )
    start = forms.ChoiceField(label="Counted from", choices=_STARTS, required=False)
    date = forms.DateField(
        label="Which date?",
        required=False,
        help_text="It is due when that day ends, UTC.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    ends = forms.DateField(
        label="When does it stop to ask?",
        required=False,
        help_text="At the end of that day, UTC. Empty: when you end it.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    ways = forms.MultipleChoiceField(
        label="How can it be met?",
        choices=[(one.value, one.meaning) for one in Way],
        initial=[one.value for one in Way],
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def sections(self) -> list[tuple[str, list[BoundField]]]:
        """The fields in their order, with what each lot is about."""
        return [(heading, [self[name] for name in names]) for heading, names in _SECTIONS]

    def composed(self, issuer: str, now: datetime) -> dict[str, Any]:
        """What the action is given.  Raises Invalid, with the field, for what does not fit."""
        data = self.cleaned_data
        given = super().described()
        made = Directive(
            key=data["key"], title=data["title"], issuer=issuer,
            basis=data["basis"], force=Force(data["force"]), issued=now, in_force=now,
            audience=given.pop("audience"),
            vulnerabilities=Vulnerabilities((tuple(_flaws(data)) or (AnyVulnerability(),),)),
            systems=Systems((tuple(_systems(data)) or (AnySystem(),),)),
            deadline=_rule(data),
            actions=tuple(filter(None, map(str.strip, data["actions"].splitlines()))),
            ways=frozenset(Way(one) for one in data["ways"]),
            ends=_end_of(data, "ends") if data["ends"] else None,
        )  # fmt: skip
        return {"directive": made, **given}


def _flaws(data: Mapping[str, Any]) -> Iterator[VulnerabilityCondition]:
    if data["in_kev"]:
        yield InKev()
    if data["severity"]:
        yield SeverityAtLeast(Severity(data["severity"]))
    if data["epss"] is not None:
        yield EpssAtLeast(data["epss"] / 100)
    if names := _lines(data["names"], "names"):
        if odd := [one for one in names if not _NAME.fullmatch(one)]:
            raise Invalid(f"{printable(odd[0])} is no identifier as CVE-2026-1001 is", key="names")
        yield Named(frozenset(names))
    if packages := _lines(data["packages"], "packages"):
        yield InPackage(frozenset(map(_package, packages)))
    if weaknesses := _lines(data["weaknesses"], "weaknesses"):
        yield OfWeakness(frozenset(map(_weakness, weaknesses)))


def _systems(data: Mapping[str, Any]) -> Iterator[SystemCondition]:
    if data["kinds"]:
        yield OfKind(frozenset(map(Kind, data["kinds"])))
    if data["reach"]:
        yield PubliclyExposed(frozenset(map(Exposed, data["reach"])))
    if data["criticality"]:
        yield CriticalityAtLeast(data["criticality"])


def _rule(data: Mapping[str, Any]) -> Rule:
    match data["rule"]:
        case "days":
            if data["days"] is None or not data["start"]:
                raise Invalid("say how many days, and counted from what", key="days")
            start = Start(data["start"])
            if start is Start.LISTING and not data["in_kev"]:
                raise Invalid("what CISA has not listed has no such day: select those", key="start")
            return DaysFrom(start, data["days"])
        case "date":
            if data["date"] is None:
                raise Invalid("say which date", key="date")
            return FixedDate(_end_of(data, "date"))
        case "next-upgrade":
            return NextUpgrade()
        case _:
            return Bod2604Table()


def _lines(text: str, key: str) -> list[str]:
    found = list(filter(None, map(str.strip, text.splitlines())))
    if len(found) > MOST_ENTRIES or any(len(one) > LONGEST_NAME for one in found):
        raise Invalid(
            f"expected at most {MOST_ENTRIES} lines of {LONGEST_NAME} characters", key=key
        )
    return found


def _package(text: str) -> Package:
    try:
        found = of_purl(PackageURL.from_string(text))
    except ValueError:
        found = None
    if found is None:
        raise Invalid(
            f"{printable(text)} is no package URL that inventories name, as pkg:pypi/jinja2 is",
            key="packages",
        )
    if found.version:
        raise Invalid(
            f"a directive selects packages, not their versions: leave it out of {printable(text)}",
            key="packages",
        )
    return Package(base_name(found.ecosystem), found.name)


def _weakness(text: str) -> int:
    found = _CWE.fullmatch(text)
    if found is None:
        raise Invalid(f"{printable(text)} is no weakness as CWE-79 is", key="weaknesses")
    return int(found[1])


def _end_of(data: Mapping[str, Any], key: str) -> datetime:
    return dated(datetime.combine(data[key], time(), UTC), key) + timedelta(days=1)
