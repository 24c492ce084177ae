"""A provider's files hold what section 7 asks for, and nothing restricted is public."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL
from pysequoia import Sig, SignatureMode, Tsk, sign, verify

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.advisory import Advisory, Claim, Revision, Status
from clearhouse.formats.csaf.mandatory import schema_problems
from clearhouse.formats.csaf.provider import Provider, Tree, as_bytes, document_path, layout
from clearhouse.formats.csaf.writer import Statement, security_advisory, vex
from clearhouse.protocol.tlp import Tlp
from tests.formats.csaf.advisories import ADVISORY, START, advisories
from tests.formats.csaf.official import official

BASE = "https://clearinghouse.example/.well-known/csaf"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = Tsk.generate("Example Clearinghouse <csaf@clearinghouse.example>")
CERTIFICATE = KEY.extract_certificate()
PROVIDER = Provider(BASE, ADVISORY.publisher, str(CERTIFICATE).encode(), CERTIFICATE.fingerprint)
LABELLED = {
    label: security_advisory(replace(ADVISORY, id=f"CH-2026-{number:04}", tlp=label))
    for number, label in enumerate([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED])
}


def signed(raw: bytes) -> bytes:
    return bytes(sign(KEY.signer(), raw, mode=SignatureMode.DETACHED))


def tree(*documents: dict[str, Any], provider: Provider = PROVIDER) -> Tree:
    return layout(documents, provider=provider, sign=signed, now=NOW)


def dated(number: str, *, year: int, days: int) -> dict[str, Any]:
    """A document first released in ``year`` and changed ``days`` after the start of 2026."""
    first = Revision(1, START.replace(year=year), "First.")
    second = Revision(2, START + timedelta(days=days), "Second.")
    return security_advisory(replace(ADVISORY, id=number, revisions=(first, second)))


def test_the_metadata_are_valid_and_name_what_is_there() -> None:
    found = tree(LABELLED[Tlp.CLEAR])
    metadata = json.loads(found.public["provider-metadata.json"])
    schema = official("schema/provider_json_schema.json")
    referenced = {
        official("schema/csaf_json_schema.json")["$id"]: official("schema/csaf_json_schema.json")
    }
    assert schema_problems(metadata, schema, referenced=referenced) == []
    assert metadata["role"] == "csaf_trusted_provider"
    assert metadata["canonical_url"] == f"{BASE}/provider-metadata.json"
    rolie, directory = metadata["distributions"]
    below = len(BASE) + 1
    (feed,) = rolie["rolie"]["feeds"]
    named = [feed["url"], *rolie["rolie"]["services"], *rolie["rolie"]["categories"]]
    named.append(metadata["public_openpgp_keys"][0]["url"])
    assert {url[below:] for url in named} <= set(found.public)
    assert directory["directory_url"] == f"{BASE}/white/"
    assert PROVIDER.security_txt_line() == f"CSAF: {BASE}/provider-metadata.json\n"


def test_every_link_of_a_feed_leads_to_a_file_and_every_file_has_its_link() -> None:
    found = tree(*LABELLED.values())
    everything = {**found.public, **found.restricted}
    feeds = {path: raw for path, raw in everything.items() if "/csaf-feed-" in path}
    assert len(feeds) == 4
    for path, raw in feeds.items():
        feed = json.loads(raw)["feed"]
        assert feed["link"][0] == {"rel": "self", "href": f"{BASE}/{path}"}
        (entry,) = feed["entry"]
        links = [(link["rel"], link["href"].removeprefix(f"{BASE}/")) for link in entry["link"]]
        assert [rel for rel, _ in links] == ["self", "hash", "hash", "signature"]
        folder = path.partition("/")[0]
        assert {href for _, href in links} == {
            each for each in everything if each.startswith(f"{folder}/2026/")
        }
        document = json.loads(everything[links[0][1]])
        assert document["document"]["tracking"]["id"] == entry["id"]
        assert entry["content"]["src"] == entry["link"][0]["href"]
        assert entry["updated"] == document["document"]["tracking"]["current_release_date"]


def test_hashes_and_signatures_are_those_of_the_bytes() -> None:
    found = tree(LABELLED[Tlp.CLEAR]).public
    path = "white/2026/ch-2026-0000.json"
    raw = found[path]
    assert json.loads(raw) == LABELLED[Tlp.CLEAR]
    for algorithm in ("sha256", "sha512"):
        digest, name = found[f"{path}.{algorithm}"].decode().split()
        assert digest == hashlib.new(algorithm, raw).hexdigest()
        assert name == "ch-2026-0000.json"
    signature = Sig.from_bytes(found[f"{path}.asc"])
    verified = verify(raw, store=lambda _: [CERTIFICATE], signature=signature)
    assert [one.certificate for one in verified.valid_sigs] == [CERTIFICATE.fingerprint]
    assert found[PROVIDER.key_path].startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")


def test_lists_name_each_document_the_latest_change_first() -> None:
    documents = [
        dated("CH-2024-0001", year=2024, days=5),
        dated("CH-2026-0002", year=2026, days=9),
        dated("CH-2025-0003", year=2025, days=1),
    ]
    found = tree(*documents).public
    rows = list(csv.reader(io.StringIO(found["white/changes.csv"].decode())))
    assert rows == [
        ["2026/ch-2026-0002.json", "2026-03-10T09:00:00Z"],
        ["2024/ch-2024-0001.json", "2026-03-06T09:00:00Z"],
        ["2025/ch-2025-0003.json", "2026-03-02T09:00:00Z"],
    ]
    assert found["white/index.txt"].decode().splitlines() == [row[0] for row in rows]
    feed = json.loads(found["white/csaf-feed-tlp-white.json"])["feed"]
    assert feed["updated"] == rows[0][1]
    assert {f"white/{path}" for path, _ in rows} <= set(found)


@given(st.lists(advisories(), max_size=4))
def test_only_what_is_labelled_white_is_public(several: list[Advisory]) -> None:
    marked = [
        replace(one, id=f"{one.tlp.name}-{number}", status=Status.FINAL)
        for number, one in enumerate(several)
    ]
    documents = [security_advisory(one) for one in marked]
    found = layout(documents, provider=PROVIDER, sign=lambda _: b"signature", now=NOW)
    for one in marked:
        hidden = one.tlp is not Tlp.CLEAR
        mark = one.id.encode()
        assert any(mark in raw for raw in found.public.values()) is not hidden
        assert any(mark in raw for raw in found.restricted.values()) is hidden
    assert all(not path.startswith("white/") for path in found.restricted)


def test_what_is_under_embargo_changes_nothing_that_is_public() -> None:
    without, beside = tree(LABELLED[Tlp.CLEAR]), tree(*LABELLED.values())
    signatures = {path for path in without.public if path.endswith(".asc")} - {PROVIDER.key_path}
    same = set(without.public) - signatures
    assert set(beside.public) == set(without.public)
    assert {path: beside.public[path] for path in same} == {p: without.public[p] for p in same}


def test_an_announced_feed_is_there_before_its_first_document() -> None:
    found = tree(provider=replace(PROVIDER, announced=("WHITE", "GREEN")))
    assert json.loads(found.public["white/csaf-feed-tlp-white.json"])["feed"]["entry"] == []
    green = json.loads(found.restricted["green/csaf-feed-tlp-green.json"])["feed"]
    assert (green["entry"], green["updated"]) == ([], "2026-06-01T00:00:00Z")
    service = json.loads(found.public["service.json"])["service"]
    assert [one["href"] for one in service["workspace"][0]["collection"]] == [
        f"{BASE}/white/csaf-feed-tlp-white.json",
        f"{BASE}/green/csaf-feed-tlp-green.json",
    ]


def test_the_category_document_names_kinds_vendors_and_products() -> None:
    statement = Statement(purl_of("1.0"), Claim.FIXED)
    found = tree(LABELLED[Tlp.CLEAR], vex(ADVISORY, [statement])).public
    terms = json.loads(found["white/category.json"])["categories"]["category"]
    assert [one["term"] for one in terms] == [
        "Demo Project",
        "csaf_security_advisory",
        "csaf_vex",
        "demo (pypi)",
    ]


def purl_of(version: str) -> PackageURL:
    return PackageURL("pypi", None, "demo", version)


def test_the_year_is_as_the_document_writes_it() -> None:
    document = json.loads(as_bytes(LABELLED[Tlp.CLEAR]))
    document["document"]["tracking"]["initial_release_date"] = "2026-01-01T00:30:00+02:00"
    assert document_path(document) == "white/2026/ch-2026-0000.json"


def test_what_is_not_for_everybody_yet_is_refused() -> None:
    draft = replace(ADVISORY, status=Status.DRAFT)
    with pytest.raises(Refused, match="draft"):
        tree(security_advisory(draft))
    assert tree(security_advisory(replace(draft, tlp=Tlp.AMBER))).restricted


def test_invalid_unlabelled_and_twofold_documents_are_refused() -> None:
    broken = json.loads(as_bytes(LABELLED[Tlp.CLEAR]))
    broken["document"]["tracking"]["version"] = "7"
    with pytest.raises(Invalid, match=r"6\.1\.16"):
        tree(broken)
    unlabelled = json.loads(as_bytes(LABELLED[Tlp.CLEAR]))
    del unlabelled["document"]["distribution"]
    with pytest.raises(Invalid, match="label"):
        tree(unlabelled)
    with pytest.raises(Invalid, match="file name"):
        tree(LABELLED[Tlp.CLEAR], LABELLED[Tlp.CLEAR])


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://clearinghouse.example/csaf"},
        {"base_url": f"{BASE}/"},
        {"fingerprint": "ABCD"},
        {"announced": ("GREEN",)},
        {"announced": ("WHITE", "CLEAR")},
    ],
)
def test_a_provider_that_cannot_be_one_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(PROVIDER, **wrong)


@pytest.mark.parametrize("name", ["id", "initial_release_date", "current_release_date"])
def test_a_document_that_cannot_be_placed_is_refused(name: str) -> None:
    broken = json.loads(as_bytes(LABELLED[Tlp.CLEAR]))
    del broken["document"]["tracking"][name]
    with pytest.raises(Invalid, match=name):
        tree(broken)


def test_contact_details_go_into_the_metadata() -> None:
    publisher = replace(ADVISORY.publisher, contact="csaf@clearinghouse.example")
    found = tree(provider=replace(PROVIDER, publisher=publisher)).public
    metadata = json.loads(found["provider-metadata.json"])
    assert metadata["publisher"]["contact_details"] == "csaf@clearinghouse.example"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(Invalid, match="zone"):
        layout([], provider=PROVIDER, sign=signed, now=datetime(2026, 6, 1))  # noqa: DTZ001
