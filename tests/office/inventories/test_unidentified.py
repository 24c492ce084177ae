"""What cannot be identified is never taken for gone: a flaw stays until a list says that it is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from clearhouse.office.inventories import doubting, queries
from clearhouse.office.inventories.actions.feeding import look_again, take_in_documents
from clearhouse.office.inventories.actions.matching import match_system
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.systems import retire_system
from clearhouse.office.inventories.models import Exposure, Inventory, LooseName, System
from clearhouse.office.notices.models import Notice
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from tests.office.findings.people import MIDDLEWARE, client_of
from tests.office.inventories.made import documented
from tests.office.inventories.test_path import JINJA, LATER, NOW, a_system, flaws, hospital, record
from tests.office.rolled_back import rolled_back

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


FLASK = record("PYSEC-2", "Flask", {"introduced": "0"}, {"fixed": "3.0"})


def bom(*components: dict[str, str]) -> bytes:
    """A CycloneDX document that lists these."""
    listed = [{"type": "library", **one} for one in components]
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": listed}
    ).encode()


def with_jinja(viewer: Viewer) -> System:
    """A system with an affected Jinja2."""
    take_in_documents([JINJA, FLASK], now=NOW)
    system = a_system(viewer)
    receive(viewer, system.name, b"jinja2==3.1.3\nrequests==2.0\n", file="r.txt", now=NOW)
    assert flaws(system) == ["CVE-2026-1"]
    return system


REQUESTS = {"name": "requests", "version": "2.0", "purl": "pkg:pypi/requests@2.0"}


@pytest.mark.parametrize(
    "raw",
    [
        bom({"name": "jinja2", "version": "3.1.3"}),
        bom({"name": "Jinja2", "version": "3.1.4"}, REQUESTS),
        bom({"name": "JINJA2", "group": "@pallets"}, REQUESTS),
        bom({"name": "x", "purl": "pkg:generic/pallets/jinja2@3.1.4"}, REQUESTS),
        bom({"name": "x", "purl": "pkg:jinja2@3.1.4"}, REQUESTS),
        bom({"name": "jinja2-3.1.4", "version": ""}, REQUESTS),
        bom({"name": ""}, REQUESTS),
        b"jinja2>=3.1\nrequests==2.0\n",
        b"requests==2.0\n-r more.txt\n",
        b"requests==2.0\njinja2 3.1.4\n",
        b"requests==2.0\n-e git+https://example.org/j#egg=Jinja2\n",
        b"ecosystem,name,version\nPyPI,requests,2.0\nConda,jinja2,3.1.4\n",
    ],
)
def test_what_a_list_may_name_stays_with_its_day_and_cannot_be_told(raw: bytes) -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    receive(viewer, system.name, raw, file="new", now=LATER)
    [one], _ = queries.exposures_of(viewer)
    assert (one.flaw, one.answer, one.detected_at) == ("CVE-2026-1", "undecided", NOW)
    [found] = one.found
    assert (found["package"], found["version"], found["file"]) == ("jinja2", "", "new")
    assert found["place"]
    assert "newest list" in found["because"]
    match_system(system, now=LATER)
    assert flaws(system) == ["CVE-2026-1"], "matched again, nothing has changed"


@pytest.mark.parametrize(
    "raw",
    [
        b"jinja2==3.1.4\n",
        b"requests==2.0\nflask>=3\n",
        b"requests==2.0\n-e git+https://example.org/j#egg=Other\n",
        b"jinja2==3.1.4\n-e .\n",
        bom(REQUESTS, {"name": "jinja2-cli"}),
    ],
)
def test_what_a_list_cannot_name_is_over(raw: bytes) -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    receive(viewer, system.name, raw, file="new", now=LATER)
    assert flaws(system) == []


#: About the source package of one release.
OPENSSL = documented(
    {
        "id": "DSA-1",
        "modified": "2026-11-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "Debian:12", "name": "openssl"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.20-1"}]}
                ],
            }
        ],
    }
)


def test_a_package_of_no_release_of_its_distribution_ends_nothing_and_is_listed() -> None:
    """The advisory is about one release, so that none is about a package that names none."""
    viewer = hospital()
    system = a_system(viewer)
    take_in_documents([OPENSSL], now=NOW)
    openssl = "pkg:deb/debian/openssl@3.0.11-1?arch=source"
    receive(viewer, system.name, bom({"purl": f"{openssl}&distro=debian-12"}), file="a", now=NOW)
    assert flaws(system) == ["DSA-1"]
    made = receive(viewer, system.name, bom({"purl": openssl}), file="b", now=LATER)
    assert (made.components, made.unidentified_count) == (1, 1)
    assert made.unidentified[0]["name"] == "openssl"
    [one], _ = queries.exposures_of(viewer)
    assert (one.flaw, one.answer, one.detected_at) == ("DSA-1", "undecided", NOW)
    fixed = {"purl": "pkg:deb/debian/openssl@3.0.20-1?arch=source&distro=debian-12"}
    receive(viewer, system.name, bom(fixed), file="c", now=LATER)
    assert flaws(system) == []


def test_a_list_of_built_packages_without_their_sources_ends_nothing() -> None:
    """As another tool lists the same machine."""
    viewer = hospital()
    system = a_system(viewer)
    take_in_documents([OPENSSL], now=NOW)
    built = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12"
    first = receive(
        viewer, system.name, bom({"purl": f"{built}&upstream=openssl"}), file="a", now=NOW
    )
    assert (flaws(system), first.unidentified_count) == (["DSA-1"], 0)
    made = receive(viewer, system.name, bom({"purl": built}), file="b", now=LATER)
    assert "of which source" in made.unidentified[0]["reason"]
    [one], _ = queries.exposures_of(viewer)
    assert (one.flaw, one.answer, one.detected_at) == ("DSA-1", "undecided", NOW)
    fixed = f"{built.replace('3.0.11', '3.0.20')}&upstream=openssl"
    receive(viewer, system.name, bom({"purl": fixed}), file="c", now=LATER)
    assert flaws(system) == []


def test_a_release_of_which_no_record_is_known_ends_nothing() -> None:
    viewer = hospital()
    system = a_system(viewer)

    def about(release: str, fixed: str, package: str = "openssl") -> None:
        entry = {
            "package": {"ecosystem": f"Debian:{release}", "name": package},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }
        frame = {"id": f"DSA-{release}-{package}", "aliases": ["CVE-2026-1"], "affected": [entry]}
        take_in_documents([documented(frame | {"modified": "2026-11-01T00:00:00Z"})], now=NOW)

    def installed(release: str, version: str, now: datetime) -> None:
        purl = f"pkg:deb/debian/openssl@{version}?arch=source&distro=debian-{release}"
        receive(viewer, system.name, bom({"purl": purl}), file="f", now=now)

    about("12", "3.0.20-1")
    installed("12", "3.0.11-1", NOW)
    installed("13", "3.5.0-1", LATER)
    [one], _ = queries.exposures_of(viewer)
    assert (one.flaw, one.answer, one.detected_at) == ("CVE-2026-1", "undecided", NOW)
    assert "Debian:13" in one.found[0]["because"]
    about("13", "3.6.0-1")
    look_again(LATER)
    work_off(LATER)
    [one], _ = queries.exposures_of(viewer)
    assert (one.answer, one.detected_at) == ("affected", NOW)
    installed("13", "3.6.0-1", LATER)
    assert flaws(system) == []


def test_a_list_of_nothing_but_what_it_is_of_ends_nothing() -> None:
    """As tools write it that could not resolve what the application needs."""
    viewer = hospital()
    take_in_documents([JINJA], now=NOW)
    system = a_system(viewer)
    frame = json.loads(bom({"name": "jinja2", "purl": "pkg:pypi/jinja2@3.1.3"}))
    frame["metadata"] = {"component": {"name": "app", "purl": "pkg:pypi/app@1.0"}}
    receive(viewer, system.name, json.dumps(frame).encode(), file="a", now=NOW)
    assert flaws(system) == ["CVE-2026-1"]
    made = receive(
        viewer, system.name, json.dumps(frame | {"components": []}).encode(), file="b", now=LATER
    )
    assert [one["ecosystem"] for one in made.lacks] == ["PyPI"]
    [one], _ = queries.exposures_of(viewer)
    assert (one.flaw, one.answer) == ("CVE-2026-1", "undecided")


def test_an_ecosystem_of_which_no_record_is_known_is_named() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    page = f"/exposure/systems/{system.name}/"
    assert "no advisory about any package" not in client_of(viewer).get(page).content.decode()
    receive(viewer, system.name, bom({"purl": "pkg:npm/a@1"}, REQUESTS), file="b", now=LATER)
    said = client_of(viewer).get(page).content.decode()
    assert "no advisory about any package of npm, of which the list has 1" in said
    assert "package of PyPI" not in said


def test_of_a_system_without_a_list_that_was_read_nothing_is_known() -> None:
    viewer = hospital()
    system = a_system(viewer)
    Inventory.objects.create(
        name="IN-1", system=system, at=NOW, by="x", file="f", blob="0", size=1, entry=0,
        state=Inventory.State.REFUSED,
    )  # fmt: skip
    [summary] = queries.systems_of(viewer)
    assert summary.listed_at is None
    page = client_of(viewer).get("/exposure/").content.decode()
    assert "Of 1 system nothing is known" in page
    assert "Nothing touches your systems" not in page


def test_it_is_affected_again_or_over_as_soon_as_a_list_says_so() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    receive(viewer, system.name, b"jinja2>=3\nrequests==2.0\n", file="r.txt", now=LATER)
    receive(viewer, system.name, b"jinja2==3.1.2\n", file="r.txt", now=LATER)
    one = Exposure.objects.get()
    assert (one.answer, one.detected_at, one.gone_at) == ("affected", NOW, None)
    receive(viewer, system.name, b"jinja2>=3\nrequests==2.0\n", file="r.txt", now=LATER)
    receive(viewer, system.name, b"jinja2==3.1.4\n", file="r.txt", now=LATER)
    assert flaws(system) == []


def test_a_withdrawn_record_ends_what_cannot_be_told_too() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    receive(viewer, system.name, b"jinja2>=3\nrequests==2.0\n", file="r.txt", now=LATER)
    gone = json.loads(JINJA.raw) | {"modified": "2026-11-20T00:00:00Z"}
    take_in_documents([documented(gone | {"withdrawn": "2026-11-20T00:00:00Z"})], now=LATER)
    match_system(system, now=LATER)
    assert flaws(system) == []


def test_a_list_is_looked_at_again_as_soon_as_what_it_may_name_is_withdrawn() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    receive(viewer, system.name, b"jinja2>=3\nrequests==2.0\n", file="r.txt", now=LATER)
    gone = json.loads(JINJA.raw) | {"modified": "2026-11-20T00:00:00Z"}
    take_in_documents([documented(gone | {"withdrawn": "2026-11-20T00:00:00Z"})], now=LATER)
    assert look_again(LATER) == 1
    work_off(LATER)
    assert flaws(system) == []


def test_an_entry_without_identity_makes_no_flaw_come() -> None:
    viewer = hospital()
    take_in_documents([JINJA], now=NOW)
    system = a_system(viewer)
    receive(viewer, system.name, bom({"name": "jinja2", "version": "3"}), file="b", now=NOW)
    assert flaws(system) == []


def test_of_two_packages_of_one_flaw_the_one_that_may_be_there_keeps_it() -> None:
    viewer = hospital()
    affected = [
        {
            "package": {"ecosystem": "PyPI", "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}],
        }
        for name in ("one", "two")
    ]
    take_in_documents([record("PYSEC-3", "one", affected=affected)], now=NOW)
    system = a_system(viewer)
    receive(viewer, system.name, b"one==1\ntwo==1\n", file="r.txt", now=NOW)
    receive(viewer, system.name, b"one==1\ntwo>=1\n", file="r.txt", now=LATER)
    one = Exposure.objects.get()
    assert (one.answer, [f["answer"] for f in one.found]) == ("affected", ["affected", "undecided"])
    receive(viewer, system.name, b"one==2\ntwo>=1\n", file="r.txt", now=LATER)
    assert flaws(system) == ["PYSEC-3"]
    receive(viewer, system.name, b"one==2\ntwo==2\n", file="r.txt", now=LATER)
    assert flaws(system) == []


def test_a_list_of_another_kind_ends_nothing_until_it_is_believed() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    debian = b"salt\t3006-1\n"

    def push(raw: bytes, days: int) -> Inventory:
        now = LATER + timedelta(days=days)
        return receive(
            viewer, system.name, raw, file="d", distribution="Debian:12", now=now
        )  # fmt: skip

    made = push(debian, 0)
    assert made.lacks == [
        {"ecosystem": "PyPI", "packages": 2, "since": LATER.isoformat()},
    ]
    assert flaws(system) == ["CVE-2026-1"]
    assert Exposure.objects.get().answer == "undecided"
    push(debian, 0)
    push(b"salt\t3006-2\n", 6)
    assert flaws(system) == ["CVE-2026-1"], "a nightly job sends the wrong list again"
    assert push(bom({"name": "mystery"}), 8).lacks, "it identifies nothing"
    assert flaws(system) == ["CVE-2026-1"]
    push(debian, 9)
    assert [one["ecosystem"] for one in Inventory.objects.get(is_current=True).lacks] == []
    assert flaws(system) == []


def test_a_list_with_the_ecosystem_says_at_once_what_is_gone() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    receive(viewer, system.name, b"salt\t1-1\n", file="d", distribution="Debian:12", now=LATER)
    made = receive(viewer, system.name, b"requests==2.1\n", file="r.txt", now=LATER)
    assert [one["ecosystem"] for one in made.lacks] == ["Debian"]
    assert flaws(system) == []


def test_a_system_that_is_retired_has_nothing_open_and_no_names() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    receive(viewer, system.name, b"jinja2>=3\nrequests==2.0\n", file="r.txt", now=LATER)
    assert LooseName.objects.exists()
    retire_system(viewer, system.name, now=LATER)
    assert flaws(system) == []
    assert not LooseName.objects.exists()


def test_of_a_list_with_very_many_that_are_unknown_everything_stays_open() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    many = "".join(f"p{n}>=1\n" for n in range(doubting.MOST_NAMES + 5))
    raw = f"requests==2.0\njinja2==3.1.4\n{many}jinja2>=3\n".encode()
    made = receive(viewer, system.name, raw, file="r.txt", now=LATER)
    assert (made.state, len(made.unidentified)) == ("received", 0)
    work_off(LATER)
    assert flaws(system) == ["CVE-2026-1"]
    assert LooseName.objects.count() == doubting.MOST_NAMES + 1
    one = Exposure.objects.get()
    assert one.answer == "undecided"


_LINES = st.sampled_from(
    ["jinja2==3.1.3", "jinja2==3.1.4", "Jinja2>=3", "flask==2.0", "flask==3.1", "Flask", "-e .",
     "requests==2.0", "other>=1", "-e git+https://example.org/x#egg=flask"]
)  # fmt: skip
_DPKG = st.sampled_from(["salt\t1-1", "flask\t1-1", "jinja2"])


def _may_name(lines: list[str], package: str) -> bool:
    """Whether a list may name a package without identifying it; shares no code with the office."""
    low = [one.lower() for one in lines]
    pinned = any(one.startswith(f"{package}==") for one in low)
    loose = any(one in (package, f"{package}>=3") or one.endswith(f"egg={package}") for one in low)
    nameless = any(one == "-e ." for one in low) or (
        any("\t" in one for one in low) and any("\t" not in one for one in low)
    )
    return loose or (nameless and not pinned)


@pytest.mark.slow
@given(
    st.lists(
        st.lists(_LINES, min_size=1, max_size=4) | st.lists(_DPKG, min_size=1, max_size=2),
        min_size=1, max_size=6,
    )
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_flaw_ends_by_a_list_that_may_name_its_package(lists: list[list[str]]) -> None:
    with rolled_back():
        viewer = hospital()
        take_in_documents([JINJA, FLASK], now=NOW)
        system = a_system(viewer)
        receive(viewer, system.name, b"jinja2==3.1.3\nflask==2.0\n", file="r", now=NOW)
        for day, lines in enumerate(lists, 1):
            is_dpkg = any("\t" in one for one in lines)
            ordered = sorted(lines, key=lambda one: "\t" not in one and "==" not in one)
            if not is_dpkg and not any("==" in one for one in lines):
                continue  # no list: nothing has a version
            now = NOW + timedelta(days=3 * day)
            before = set(flaws(system))
            receive(
                viewer, system.name, ("\n".join(ordered) + "\n").encode(), file="l",
                distribution="Debian:12" if is_dpkg else "", now=now,
            )  # fmt: skip
            after = set(flaws(system))
            for flaw, package in (("CVE-2026-1", "jinja2"), ("PYSEC-2", "flask")):
                if flaw in before and _may_name(lines, package):
                    assert flaw in after, (lines, flaw)
        for one in Exposure.objects.exclude(gone_at=None):
            assert one.gone_because


def test_beside_every_zero_stands_what_could_not_be_identified() -> None:
    viewer = hospital()
    system = a_system(viewer)
    receive(viewer, system.name, bom({"name": "mystery"}, REQUESTS), file="b.json", now=NOW)
    client = client_of(viewer)
    page = client.get("/exposure/").content.decode()
    assert "1 entry of your lists could not be identified" in page
    assert "Nothing touches" not in page
    assert "1 not identified" in page
    page = client.get(f"/exposure/systems/{system.name}/").content.decode()
    assert "Nothing touches it" not in page
    assert "Nothing that could be identified touches it" in page
    [one] = queries.systems_of(viewer)
    assert (one.exposures, one.unidentified) == (0, 1)
    assert queries.unidentified_of(viewer, system=system.name) == 1
    receive(viewer, system.name, bom(REQUESTS), file="b.json", now=LATER)
    assert "Nothing touches it" in client.get(f"/exposure/systems/{system.name}/").content.decode()
    assert queries.unidentified_of(viewer) == 0


def test_what_may_be_the_wrong_file_is_said_when_it_is_handed_in_and_on_the_page() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    client = client_of(viewer)
    sent = SimpleUploadedFile("dpkg.txt", b"salt\t1-1\n")
    place = f"/exposure/systems/{system.name}/"
    answered = client.post(
        f"{place}upload/", {"file": sent, "distribution": "Debian:12"}, follow=True
    )  # fmt: skip
    page = answered.content.decode()
    assert page.count("The list before had 2 packages of PyPI, and this one has none") == 2
    again = client.get(place).content.decode()
    assert "Is it the right file?" in again
    assert "Cannot be told" in again


def test_what_was_told_stands_as_long_as_it_cannot_be_told() -> None:
    viewer = hospital()
    system = with_jinja(viewer)
    work_off(NOW)

    def standing() -> int:
        return Notice.objects.filter(topic=f"exposure:{system.name}", ended_at=None).count()

    told = standing()
    assert told
    receive(viewer, system.name, b"jinja2>=3\nrequests==2.0\n", file="r.txt", now=LATER)
    assert standing() == told
    receive(viewer, system.name, b"jinja2==3.1.4\n", file="r.txt", now=LATER)
    assert standing() == 0
