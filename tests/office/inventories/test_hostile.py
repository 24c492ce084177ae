"""Lists from outside that are odd, long or wrong: taken as far as they can be, or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.office.inventories.actions.feeding import take_in_documents
from clearhouse.office.inventories.actions.receiving import (
    AT_ONCE_PACKAGES,
    MOST_VERSIONS,
    receive,
)
from clearhouse.office.inventories.actions.systems import add_system, retire_system
from clearhouse.office.inventories.models import Exposure, Inventory, System
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.inventories.made import documented
from tests.office.story import somebody

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ODD = "\x00\ud800\u202e\U0001f600"
WIDE = "".join(chr(0x4E00 + n) for n in range(2000))


def a_system() -> tuple[Viewer, System]:
    viewer = somebody("hospital", Role.DEPLOYER)
    return viewer, add_system(viewer, "Records", answers={}, now=NOW)


def cyclonedx(*components: dict[str, Any], **more: Any) -> bytes:
    """A list of components."""
    listed = [{"type": "library", "name": "x", "version": "1"} | one for one in components]
    frame = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": listed} | more
    return json.dumps(frame).encode()


def record(package: str = "jinja2") -> None:
    """A public record of every version of a package."""
    entry = {
        "package": {"ecosystem": "PyPI", "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
    }
    frame = {"id": "PYSEC-1", "modified": "2026-11-01T00:00:00Z", "affected": [entry]}
    take_in_documents([documented(frame)], now=NOW)


def test_signs_that_no_database_stores_are_shown_as_such() -> None:
    viewer, system = a_system()
    record()
    raw = cyclonedx(
        {"name": ODD},
        {"name": "jinja2", "version": ODD, "purl": "pkg:pypi/jinja2", "bom-ref": ODD},
        {"name": "jinja2", "purl": f"pkg:pypi/jinja2@1{ODD}?a={ODD}"},
        {"name": "jinja2", "purl": f"pkg:pypi/{ODD}@1"},
        {"purl": ODD},
        {"purl": f"pkg:deb/debian/x@1?distro={ODD}&epoch={ODD}"},
        metadata={"component": {"type": "application", "name": ODD, "purl": f"pkg:pypi/a@{ODD}"}},
    )
    made = receive(viewer, system.name, raw, file=ODD * 200, distribution="", now=NOW)
    assert made.components + made.unidentified_count >= 6
    assert Exposure.objects.exists()


def test_names_and_versions_longer_than_any_are_listed_and_not_matched() -> None:
    viewer, system = a_system()
    raw = cyclonedx(
        {"name": WIDE, "purl": f"pkg:pypi/{WIDE}@1"},
        {"name": "a", "purl": f"pkg:pypi/a@{'1.' * 30_000}1"},
        {"name": "a", "purl": f"pkg:deb/debian/a@1?distro={WIDE}"},
        {"name": "a", "purl": f"pkg:pypi/a@1?q={WIDE}"},
        {"name": "a", "version": "9" * 30_000, "purl": "pkg:pypi/a"},
    )
    made = receive(viewer, system.name, raw, file="sbom.json", now=NOW)
    assert (made.components, made.unidentified_count) == (2, 4)
    reasons = [one["reason"] for one in made.unidentified]
    assert sum("more than" in one for one in reasons) == 3
    assert sum("which release of Debian" in one for one in reasons) == 1


def test_what_is_matched_may_have_names_as_long_as_are_taken() -> None:
    viewer, system = a_system()
    name = "a" * 800
    record(name)
    raw = cyclonedx({"name": name, "purl": f"pkg:pypi/{name}@{'1' * 800}"})
    receive(viewer, system.name, raw, file="f" * 300, now=NOW)
    assert Exposure.objects.count() == 1


def test_a_rank_fits_its_column() -> None:
    viewer, system = a_system()
    record()
    receive(viewer, system.name, b"jinja2==1\n", file="r.txt", now=NOW)
    most = Exposure._meta.get_field("rank").max_length or 0
    assert len(Exposure.objects.get().rank) <= most


@pytest.mark.parametrize("file", ["f" * 300, "\u202e" * 300, ODD, "\n", "a/../b"])
def test_a_file_may_be_called_anything(file: str) -> None:
    viewer, system = a_system()
    made = receive(viewer, system.name, b"jinja2==1\n", file=file, now=NOW)
    made.refresh_from_db()
    assert made.file
    assert made.file.isprintable()


def test_a_distribution_that_is_none_is_refused() -> None:
    viewer, system = a_system()
    with pytest.raises(Invalid, match="distribution"):
        receive(viewer, system.name, cyclonedx({}), file="s", distribution="D" * 300, now=NOW)
    with pytest.raises(Invalid, match="distribution"):
        receive(viewer, system.name, cyclonedx({}), file="s", distribution="D\ud800", now=NOW)


def test_what_is_listed_again_and_again_is_matched_once_and_quickly() -> None:
    viewer, system = a_system()
    record()
    made = receive(viewer, system.name, b"jinja2==1\n" * 2000, file="r.txt", now=NOW)
    assert made.components == 2000
    assert 1 < len(Exposure.objects.get().found) <= 200


def test_more_versions_of_one_package_than_anybody_has_are_refused() -> None:
    viewer, system = a_system()
    raw = b"".join(b"jinja2==1.0.%d\n" % n for n in range(MOST_VERSIONS + 1))
    with pytest.raises(Invalid, match="versions of jinja2"):
        receive(viewer, system.name, raw, file="r.txt", now=NOW)


def test_many_packages_in_a_small_list_are_matched_by_a_job() -> None:
    viewer, system = a_system()
    raw = b"".join(b"p%d==1\n" % n for n in range(AT_ONCE_PACKAGES + 1))
    made = receive(viewer, system.name, raw, file="r.txt", now=NOW)
    assert made.state == "received"
    work_off(NOW)
    made.refresh_from_db()
    assert (made.state, made.components) == ("read", AT_ONCE_PACKAGES + 1)


def test_a_large_list_of_a_system_that_is_retired_meanwhile_says_so() -> None:
    viewer, system = a_system()
    raw = b"".join(b"p%d==1\n" % n for n in range(AT_ONCE_PACKAGES + 1))
    made = receive(viewer, system.name, raw, file="r.txt", now=NOW)
    retire_system(viewer, system.name, now=NOW)
    work_off(NOW)
    made.refresh_from_db()
    assert (made.state, made.reason) == ("refused", "the system was retired")


_XML = b'<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components>'


@pytest.mark.parametrize(
    "raw",
    [
        b'<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY c "&a;&a;">]><bom>&c;</bom>',
        _XML + b"<component>" * 100_000,
        '<?xml version="1.0" encoding="UTF-16"?><bom/>'.encode("utf-16"),
        b'{"bomFormat":"CycloneDX","bomFormat":"CycloneDX","components":[]}',
        b'{"bomFormat":"CycloneDX","components":{"a":1}}',
        b'{"bomFormat":"CycloneDX","specVersion":1e400,"components":[]}',
        b'{"bomFormat":"CycloneDX","components":[' + b"9" * 10_000 + b"]}",
        b'{"spdxVersion":"SPDX-2.3","packages":7}',
        b'{"@graph":[[],1,null]}',
        b'{"lockfileVersion":3,"packages":[]}',
        b"\xef\xbb\xbf\xef\xbb\xbf{",
        b"jinja2==1\n\xff",
        b"a" * 1_000_000,
        b"a-" * 500_000,
        b"1." * 500_000,
        b"=" * 1_000_000,
        b"a[" * 500_000,
        b"a;" * 500_000,
        b'"' * 500_001,
        b"name,version\n" + b'"' * 300_000,
        b"\t" * 1_000_000,
    ],
)
def test_what_is_no_list_is_refused_in_words_and_soon(raw: bytes) -> None:
    viewer, system = a_system()
    said = ""
    try:
        receive(viewer, system.name, raw, file="list", now=NOW)
    except ClearhouseError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 1000
    assert Inventory.objects.exists() is (not said)
