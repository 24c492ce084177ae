"""From a case to advisories in every format, and to everybody at one instant."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft7Validator

from clearhouse.errors import Conflict, Invalid, NotFound
from clearhouse.formats.advisory import Reference
from clearhouse.formats.csaf.mandatory import problems, schema_problems
from clearhouse.office.advisories import actions, queries
from clearhouse.office.cases.actions import people, severity
from clearhouse.office.cases.actions.naming import set_cve
from clearhouse.office.cases.models import PublicAdvisory
from clearhouse.office.cases.queries import view
from clearhouse.office.viewer import PUBLIC, Viewer
from clearhouse.protocol.roles import Role
from tests.formats.csaf.official import FOLDER, cvss_schemas, official
from tests.office.story import NOW, dated, proven, somebody

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def office() -> Viewer:
    return somebody("office", Role.COORDINATOR)


@pytest.fixture
def case(office: Viewer) -> str:
    return dated(office)


def drafted(office: Viewer, case: str) -> str:
    made = actions.draft(
        office, case, title="Malformed signatures crash ecdsa", summary="Update to 0.13.3.",
        details="An IndexError escapes.", now=NOW + DAY,
        references=[Reference("https://example.org/a", "Fix", "FIX")],
    )  # fmt: skip
    return made.name


def test_a_draft_is_nobodys_but_the_offices(office: Viewer, case: str, client: Client) -> None:
    name = drafted(office, case)
    for viewer in (PUBLIC, somebody("hexfind", Role.FINDER), somebody("other", Role.SUPPLIER)):
        with pytest.raises(NotFound):
            queries.advisory(viewer, name)
    assert client.get(f"/advisories/{name}/").status_code == 404
    assert name not in client.get("/advisories/").content.decode()
    with pytest.raises(NotFound):
        actions.publish(somebody("hexfind", Role.FINDER), name, now=NOW + DAY)


def test_without_versions_nothing_is_published(office: Viewer) -> None:
    name = drafted(office, proven(somebody("hexfind", Role.FINDER)))
    with pytest.raises(Invalid, match="affected versions are not known"):
        actions.publish(office, name, now=NOW + DAY)
    assert view(office, name, now=NOW).case.public_at is None


def test_publishing_ends_the_embargo_for_everybody_at_that_instant(
    office: Viewer, case: str, client: Client
) -> None:
    somebody("ecdsa-team", Role.SUPPLIER)
    people.tell(office, case, "ecdsa-team", now=NOW)
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + 2 * DAY)
    seen = view(office, case, now=NOW + 2 * DAY).case
    assert seen.public_at == NOW + 2 * DAY
    assert seen.embargo == "exited"
    assert seen.embargo_ends_at == NOW + 2 * DAY
    page = client.get(f"/advisories/{name}/").content.decode()
    assert "Malformed signatures crash ecdsa" in page
    assert "0.13.3" in page


def test_what_the_case_becomes_later_is_not_shown_before_a_revision(
    office: Viewer, case: str, client: Client
) -> None:
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"
    severity.assess(office, case, vector, now=NOW + 2 * DAY)
    assert vector not in client.get(f"/advisories/{name}/").content.decode()
    actions.publish(office, name, "Severity added.", now=NOW + 3 * DAY)
    assert vector in client.get(f"/advisories/{name}/").content.decode()
    csaf = queries.document(PUBLIC, name, "csaf")
    assert csaf["document"]["tracking"]["version"] == "2"


def test_each_format_says_the_same_and_is_valid(office: Viewer, case: str) -> None:
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    csaf = queries.document(PUBLIC, name, "csaf")
    assert problems(csaf) == []
    osv = queries.document(PUBLIC, name, "osv")
    events = osv["affected"][0]["ranges"][0]["events"]
    assert events == [{"introduced": "0"}, {"fixed": "0.13.3"}]
    with pytest.raises(NotFound, match="no CVE identifier is assigned"):
        queries.document(PUBLIC, name, "cve")


def test_the_provider_serves_what_is_public_hashed_and_signed(
    office: Viewer, case: str, client: Client
) -> None:
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    actions.rebuild(NOW + DAY)
    metadata = client.get("/.well-known/csaf/provider-metadata.json").json()
    assert metadata["role"] == "csaf_trusted_provider"
    index = client.get("/.well-known/csaf/white/index.txt").content.decode().split()
    assert f"2026/{name.lower()}.json" in index
    for path in index:
        assert client.get(f"/.well-known/csaf/white/{path}").status_code == 200
        signature = client.get(f"/.well-known/csaf/white/{path}.asc").content
        assert signature.startswith(b"-----BEGIN PGP SIGNATURE")
    before = client.get(f"/.well-known/csaf/white/{index[0]}.asc").content
    actions.rebuild(NOW + 2 * DAY)
    assert client.get(f"/.well-known/csaf/white/{index[0]}.asc").content == before


def test_a_drafts_rebuild_serves_nothing_of_it(office: Viewer, case: str, client: Client) -> None:
    name = drafted(office, case)
    actions.rebuild(NOW + DAY)
    assert client.get("/.well-known/csaf/white/index.txt").content == b""
    assert client.get(f"/osv/x_{name}.json").status_code == 404


def test_the_osv_feed_holds_every_record(office: Viewer, case: str, client: Client) -> None:
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    archive = zipfile.ZipFile(BytesIO(client.get("/osv/all.zip").content))
    [member] = archive.namelist()
    assert json.loads(archive.read(member)) == client.get(f"/osv/x_{name}.json").json()
    assert f"x_{name}" in client.get("/osv/modified_id.csv").content.decode()


def test_a_published_advisory_is_known_to_later_reports(office: Viewer, case: str) -> None:
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    assert PublicAdvisory.objects.filter(advisory=name, package="pkg:pypi/ecdsa").exists()


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the CSAF schemas are not on this machine")
def test_documents_are_valid_by_their_schemas(office: Viewer, case: str) -> None:
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    schema = official("schema/csaf_json_schema.json")
    document = queries.document(PUBLIC, name, "csaf")
    assert schema_problems(document, schema, referenced=cvss_schemas()) == []


def test_only_a_cna_writes_cve_records(office: Viewer, case: str, settings: Any) -> None:
    settings.CONFIG = replace(
        settings.CONFIG, cna_org_id="8254265b-2729-46b6-b9e3-3dfca2d5bfca", cna_short_name="office"
    )
    with pytest.raises(Invalid):
        set_cve(office, case, "CVE-1", now=NOW)
    set_cve(office, case, "CVE-2026-12345", now=NOW)
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    record = queries.document(PUBLIC, name, "cve")
    schema = files("cvelib").joinpath("schemas/CVE_JSON_bundled_5.1.1.json").read_text()
    assert list(Draft7Validator(json.loads(schema)).iter_errors(record)) == []
    assert record["cveMetadata"]["cveId"] == "CVE-2026-12345"


def test_a_published_advisory_is_not_thrown_away(office: Viewer, case: str) -> None:
    name = drafted(office, case)
    actions.withdraw_draft(office, name, now=NOW + DAY)
    name = drafted(office, case)
    actions.publish(office, name, now=NOW + DAY)
    with pytest.raises(Conflict, match="published"):
        actions.withdraw_draft(office, name, now=NOW + DAY)
