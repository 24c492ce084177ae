"""A realistic half year of a small office, made by the same actions that people use.

Every proof and patch is run; nothing is written into a table by hand.  The story goes forward in
time, as the ledger does.
"""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.utils import timezone
from packageurl import PackageURL

from clearhouse.errors import Conflict, Refused
from clearhouse.formats.advisory import Reference
from clearhouse.formats.report import Location, Report, System
from clearhouse.office import demo_exposure, demo_reviews
from clearhouse.office.advisories import actions as advisories
from clearhouse.office.cases.actions import (
    clock,
    discussion,
    naming,
    opening,
    patches,
    people,
    severity,
    states,
    turns,
    versions,
)
from clearhouse.office.directives.actions import deriving
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings import queries as found
from clearhouse.office.findings.intake import of_bundle, of_report
from clearhouse.office.ledgerbook.actions import sign_checkpoint
from clearhouse.office.orgs.actions import (
    Policy,
    add_member,
    add_package,
    confirm_package,
    create_first_coordinator,
    create_organisation,
    set_policy,
)
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.oversight.actions import publish_figures
from clearhouse.office.queue.inline import work_off
from clearhouse.office.scans import actions as scans
from clearhouse.office.viewer import SYSTEM, Viewer
from clearhouse.protocol.case_state import CaseEvent
from clearhouse.protocol.disclosure_clock import Turn
from clearhouse.protocol.report_management import ReportEvent
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp

Say = Callable[[str], None]

_MAIL: Final = "{}@example.org"
#: Who takes part: name, short name, roles, first name of its person.
_ORGANISATIONS: Final = (
    ("Hexfind AI", "hexfind", (Role.FINDER,), "finn"),
    ("Northlake University Lab", "northlake", (Role.FINDER,), "nora"),
    ("Floodgate Scanner", "floodgate", (Role.FINDER,), "flo"),
    ("Python Crypto Team", "pycrypto-team", (Role.SUPPLIER,), "sam"),
    ("Web Parsers Project", "web-parsers", (Role.SUPPLIER,), "wanda"),
    ("Quiet Library", "quiet-library", (Role.SUPPLIER,), "quentin"),
    ("Valley Hospital", "valley-hospital", (Role.DEPLOYER,), "dora"),
    ("Ministry Observer", "observer", (Role.OBSERVER,), "olive"),
    *demo_exposure.ORGANISATIONS,
    *demo_reviews.ORGANISATIONS,
)
_PACKAGES: Final = {
    "pycrypto-team": ("pkg:pypi/ecdsa", "pkg:pypi/rsa", "pkg:pypi/pyasn1", "pkg:pypi/pyjwt"),
    "web-parsers": ("pkg:pypi/zipp", "pkg:pypi/python-multipart", "pkg:pypi/h11",
                    "pkg:npm/ini", "pkg:pypi/webob"),
    "quiet-library": ("pkg:pypi/joblib", "pkg:npm/shell-quote"),
}  # fmt: skip


@dataclass
class _Office:
    """The people of the story, and the clock that it goes by."""

    samples: Path
    say: Say
    now: datetime
    password: str
    viewers: dict[str, Viewer] = field(default_factory=dict)

    def later(self, *, days: float = 0, hours: float = 0) -> datetime:
        """Let time pass; the clock of cases ticks on the way, once a day at most."""
        end = min(self.now + timedelta(days=days, hours=hours), timezone.now())
        while self.now < end:
            self.now = min(self.now + timedelta(days=7), end)
            clock.tick(self.now)
            publish_figures(self.now)
        return self.now

    def who(self, slug: str) -> Viewer:
        """Somebody's viewer."""
        return self.viewers[slug]

    def bundle(self, name: str, kind: str = "proofs") -> bytes:
        """A sample as the archive that a finder sends."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            archive.add(self.samples / kind / name, arcname=name)
        return out.getvalue()

    def hand_in(self, slug: str, *names: str, kind: str = "proofs") -> list[str]:
        """Hand samples in as somebody; the names of the findings."""
        items = [of_bundle(self.bundle(one, kind), where=one) for one in names]
        return [one.name for one in findings.submit(self.who(slug), items, now=self.now)]

    def run(self, *kinds: str) -> None:
        """Do what waits, histories only where they are asked for."""
        usual = (findings.PROVE, findings.CHECK, findings.PLACE, patches.CHECK_PATCH)
        work_off(self.now, only=kinds or usual, say=self.say)

    def case_of(self, finding: str) -> str:
        """The case of a finding."""
        case = found.case_of(finding)
        if not case:
            raise Conflict(f"finding {finding} was expected to be proven on this machine")
        return case


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers that one of the reviews is about, and with which credential."""

    address: str
    credential: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Filled:
    """The logins, a line each; and a review to measure, where there is a model to ask."""

    logins: tuple[str, ...]
    to_measure: demo_reviews.ToMeasure | None


def fill(samples: Path, *, say: Say, endpoint: Endpoint | None = None) -> Filled:
    """Tell the story in an empty office.

    Raises :class:`NotFound` where somebody works in the office already.
    """
    begin = timezone.now() - timedelta(days=170)
    office = _Office(samples, say, begin, f"demo-{secrets.token_hex(4)}-office")
    _people(office)
    demo_reviews.publish(office.viewers, office.now)
    say("findings of the first weeks")
    _noise(office)
    _published(office)
    office.say("earlier cases")
    _earlier(office)
    _embargoed(office)
    demo_exposure.begin(office.viewers, samples, office.now)
    _troubled(office)
    office.later(days=max(0, (timezone.now() - office.now).days - 12))
    demo_exposure.direct(office.viewers, office.now)
    demo_exposure.go_on(office.viewers, samples, office.later(days=4))
    office.run(deriving.DERIVE)
    office.later(days=400)
    demo_reviews.tell(office.viewers, office.now)
    prepared = None
    if endpoint is not None:
        prepared = demo_reviews.to_measure(
            office.viewers, endpoint.address, endpoint.credential, office.now
        )
    sign_checkpoint(now=office.now)
    return Filled(tuple(_logins(office)), prepared)


def _people(office: _Office) -> None:
    user = create_first_coordinator(
        organisation="Demonstration Clearinghouse", name="Cora Coordinator",
        email=_MAIL.format("cora"), password=office.password, now=office.now,
    )  # fmt: skip
    office.viewers["office"] = viewer_of(user, None)
    if not office.who("office").coordinates:
        raise Refused(
            "demonstration logins have no second factor: set CLEARHOUSE_SECOND_FACTOR=optional,"
            " here and where it is served"
        )
    for name, slug, roles, person in _ORGANISATIONS:
        made = create_organisation(SYSTEM, name=name, slug=slug, roles=roles, now=office.now)
        user = add_member(
            SYSTEM, made.pk, email=_MAIL.format(person), name=person.title(),
            password=office.password, is_manager=True, now=office.now,
        )  # fmt: skip
        office.viewers[slug] = viewer_of(user, made.pk)
        for purl in _PACKAGES.get(slug, ()):
            confirm_package(
                SYSTEM, add_package(SYSTEM, made.pk, purl=purl, now=office.now).pk, now=office.now
            )
    supplier = office.who("web-parsers").acting_for()
    set_policy(SYSTEM, supplier, Policy(embargo_days=45, pace=20), now=office.now)


def _noise(office: _Office) -> None:
    """What an office is flooded with: cheats, reports of things that do not exist, half reports."""
    office.hand_in(
        "floodgate", "monkey-patch", "raises-itself", "sleeps", "js-replaces-a-function",
        kind="cheats",
    )  # fmt: skip
    flood = [
        Report(
            title=f"Possible {what} in {function}",
            description=f"The function {function} does not check its input and may allow {what}.",
            target=PackageURL.from_string(purl),
            weaknesses=(cwe,),
            locations=(Location(file, function),),
            found_by=System("Floodgate", "3.1"),
            origin_id=f"FG-{number}",
        )
        for number, (what, function, file, purl, cwe) in enumerate(_FLOOD, 1)
    ]
    items = [of_report(one) for one in flood]
    findings.submit(office.who("floodgate"), items, now=office.now)
    office.run()
    office.later(days=6)


_FLOOD: Final = (
    ("buffer overflow", "parse_header_fast", "h11/_fast.py", "pkg:pypi/h11@0.14.0", 120),
    ("SQL injection", "run_query", "zipp/db.py", "pkg:pypi/zipp@3.19.0", 89),
    ("denial of service", "remove_integer", "ecdsa/der.py", "pkg:pypi/ecdsa@0.13.2", 248),
    ("open redirect", "Response._make_location_absolute", "webob/response.py",
     "pkg:pypi/webob@1.8.7", 601),
    ("heap corruption", "decode_chunk", "h11/_readers.py", "pkg:pypi/h11@0.14.0", 122),
    ("timing attack", "verify_digest", "ecdsa/keys.py", "pkg:pypi/ecdsa@0.13.2", 208),
)  # fmt: skip


def _published(office: _Office) -> None:
    """The whole way, twice: found, told, patched, handed on, public."""
    first = office.hand_in("hexfind", "CVE-2019-14853")[0]
    office.later(hours=5)
    office.hand_in("northlake", "CVE-2019-14853")
    office.run()
    case = office.case_of(first)
    office.say(f"dating {case} by running releases")
    office.run(opening.DATE)
    _told(office, case, "pycrypto-team")
    severity.assess(
        office.who("pycrypto-team"), case, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N",
        "Signatures that are malformed must be refused, not crash the service.", now=office.now,
    )  # fmt: skip
    severity.assess(
        office.who("hexfind"), case, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", now=office.now
    )
    severity.choose_ssvc(office.who("office"), case, {"E": "P", "A": "Y", "TI": "P"},
                         now=office.now)  # fmt: skip
    for name in ("exception-swallowed.patch", "bad-signature.patch"):
        _patch(office, "hexfind", case, "CVE-2019-14853", name)
    discussion.post_message(
        office.who("hexfind"), case,
        "The second candidate raises the library's own error for every malformed encoding.",
        Tlp.AMBER, now=office.now,
    )  # fmt: skip
    office.run()
    _chosen(office, "pycrypto-team", case)
    people.invite(office.who("office"), case, "valley-hospital", Role.DEPLOYER, now=office.now)
    people.answer(office.who("valley-hospital"), case, "accept", now=office.later(hours=8))
    _handed_on(office, case)
    for letter in (CaseEvent.FIX_READY, CaseEvent.FIX_DEPLOYED):
        states.fix_progress(office.who("pycrypto-team"), case, letter, now=office.later(days=4))
    _advisory(
        office, case, "CVE-2019-14853", "https://github.com/tlsfuzzer/python-ecdsa/issues/114"
    )
    office.later(days=9)
    opening.close_case(office.who("office"), case, "Public, and the fix is out.", now=office.now)

    second = office.hand_in("northlake", "CVE-2026-24486")[0]
    office.run()
    case = office.case_of(second)
    versions.declare(office.who("office"), case, "0", "0.0.22", now=office.now)
    _told(office, case, "web-parsers")
    states.fix_progress(office.who("web-parsers"), case, CaseEvent.FIX_READY,
                        now=office.later(days=11))  # fmt: skip
    _advisory(office, case, "CVE-2026-24486", "https://github.com/Kludex/python-multipart")


#: Flaws of other projects, with the release that the project fixed them in.
_EARLIER: Final = {
    "CVE-2020-13757": "4.1",
    "CVE-2025-43859": "0.16.0",
    "CVE-2022-29217": "2.4.0",
    "CVE-2020-11888": "2.3.9",
    "CVE-2019-19588": "0.12.6",
}


def _earlier(office: _Office) -> None:
    """Cases that went the usual way, without a patch of ours."""
    names = office.hand_in("northlake", *_EARLIER)
    office.run()
    for (cve, fixed), name in zip(_EARLIER.items(), names, strict=True):
        case = office.case_of(name)
        versions.declare(office.who("office"), case, "0", fixed, now=office.now)
        supplier = "pycrypto-team" if cve in ("CVE-2020-13757", "CVE-2022-29217") else "web-parsers"
        _told(office, case, supplier)
        for letter in (CaseEvent.FIX_READY, CaseEvent.FIX_DEPLOYED):
            states.fix_progress(office.who(supplier), case, letter, now=office.later(days=1))
        _advisory(office, case, cve, "https://example.org/release-notes")


def _embargoed(office: _Office) -> None:
    """Cases on their way: a patch handed on, one that waits for an answer, attacks."""
    names = office.hand_in("hexfind", "CVE-2026-30922", "CVE-2024-5569", "CVE-2020-7788")
    office.later(days=1)
    office.hand_in("floodgate", "CVE-2024-5569")
    office.run()
    office.later(days=max(0.0, (timezone.now() - office.now).days - 52))
    deep, loops, prototype = (office.case_of(one) for one in names)

    _told(office, deep, "pycrypto-team")
    _patch(office, "pycrypto-team", deep, "CVE-2026-30922", "depth-limit.patch")
    _patch(office, "hexfind", deep, "CVE-2026-30922", "more-stack.patch")
    office.run()
    _chosen(office, "pycrypto-team", deep)
    versions.declare(office.who("pycrypto-team"), deep, "0", "0.6.3", now=office.now)
    people.invite(office.who("office"), deep, "valley-hospital", Role.DEPLOYER, now=office.now)
    people.answer(office.who("valley-hospital"), deep, "accept", now=office.later(hours=6))
    people.invite(office.who("office"), deep, "observer", Role.OBSERVER, now=office.now)
    states.name_fix_date(
        office.who("pycrypto-team"), deep, "The release is planned for next month.",
        now=office.later(days=2),
    )  # fmt: skip

    _told(office, loops, "web-parsers")
    turns.propose_end(
        office.who("web-parsers"), loops, office.now + timedelta(days=80),
        "Downstream needs longer.", now=office.later(days=1),
    )  # fmt: skip
    states.collide(
        office.who("office"), loops, Turn.REDISCOVERED,
        "A public scanner's issue names the same function.", now=office.later(days=1),
    )  # fmt: skip

    _told(office, prototype, "web-parsers")
    states.world_event(
        office.who("office"), prototype, CaseEvent.ATTACKS,
        "A hosting provider's report of blocked requests.", now=office.later(days=30),
    )  # fmt: skip
    discussion.add_task(office.who("office"), prototype, "Ask the supplier for a date", "",
                        office.now + timedelta(days=1), now=office.now)  # fmt: skip


def _troubled(office: _Office) -> None:
    """Suppliers who are silent or disagree, and what came in this week."""
    names = office.hand_in("northlake", "CVE-2022-21797", "CVE-2021-42740", "CVE-2024-42353")
    office.run()
    silent, invalid, fresh = (office.case_of(one) for one in names)
    people.tell(office.who("office"), silent, "quiet-library", now=office.now)
    _told(office, invalid, "quiet-library", takes_on=False)
    states.report_state(
        office.who("quiet-library"), invalid, ReportEvent.INVALIDATE,
        "Shells are not among what this function escapes for.", now=office.later(hours=6),
    )  # fmt: skip
    people.tell(office.who("office"), fresh, "web-parsers", now=office.later(hours=2))
    scans.claim(office.who("northlake"), "pkg:pypi/jinja2", office.now + timedelta(days=20),
                now=office.now)  # fmt: skip
    office.hand_in("hexfind", "CVE-2017-17054", "CVE-2020-8175")
    office.run()


def _told(office: _Office, case: str, supplier: str, *, takes_on: bool = True) -> None:
    people.tell(office.who("office"), case, supplier, now=office.later(hours=20))
    people.answer(office.who(supplier), case, "accept", now=office.later(hours=18))
    if takes_on:
        for event in (ReportEvent.VALIDATE, ReportEvent.ACCEPT):
            states.report_state(office.who(supplier), case, event, now=office.later(hours=9))


def _patch(office: _Office, who: str, case: str, sample: str, name: str) -> None:
    data = (office.samples / "patches" / sample / name).read_bytes()
    made_by = "Hexfind patcher 2" if who == "hexfind" else ""
    patches.propose_patch(office.who(who), case, data, name, made_by, now=office.later(hours=7))


def _chosen(office: _Office, supplier: str, case: str) -> None:
    accepted = _accepted(case)
    if accepted is None:
        raise Conflict(f"no patch of case {case} was accepted on this machine")
    patches.choose_patch(office.who(supplier), case, accepted, now=office.later(hours=3))


def _accepted(case: str) -> str | None:
    from clearhouse.office.cases.queries import view

    for one in view(SYSTEM, case, now=timezone.now()).patches or ():
        if one.state == one.State.ACCEPTED:
            return one.name
    return None


def _handed_on(office: _Office, case: str) -> None:
    accepted = _accepted(case)
    if accepted is not None:
        patches.distribute(office.who("office"), case, accepted, Tlp.AMBER,
                           now=office.later(hours=2))  # fmt: skip


def _advisory(office: _Office, case: str, cve: str, reference: str) -> None:
    now = office.later(days=2)
    naming.set_cve(office.who("office"), case, cve, now=now)
    words = found.in_case(case)[0]
    advisories.draft(
        office.who("office"), case, title=words.title,
        summary=f"{words.title}. Whoever can send such input can make the service fail.",
        details="The flaw was shown by running the proof on each release that could be run.",
        references=[Reference(reference, "The project", "PACKAGE")], now=now,
    )  # fmt: skip
    advisories.publish(office.who("office"), case, now=office.later(hours=1))
    office.run(advisories.REBUILD)


def _logins(office: _Office) -> Iterator[str]:
    yield f"Password of every login: {office.password}"
    rows: Sequence[tuple[str, str]] = [("coordinator", "cora")]
    rows = [*rows, *((roles[0].value, person) for _, _, roles, person in _ORGANISATIONS)]
    for role, person in rows:
        yield f"  {role:<12} {_MAIL.format(person)}"
