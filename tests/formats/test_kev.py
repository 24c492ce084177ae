"""CISA's catalogue, as it is published and as it is not."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clearhouse.errors import Invalid
from clearhouse.formats import kev
from clearhouse.formats.json_value import JsonValue
from tests.exposure.advisories import SHARED

ENTRY: dict[str, Any] = {
    "cveID": "CVE-2025-48384",
    "vendorProject": "Git",
    "product": "Git",
    "vulnerabilityName": "Git Link Following Vulnerability",
    "dateAdded": "2025-08-25",
    "shortDescription": "Git contains a flaw.",
    "requiredAction": "Apply mitigations.",
    "dueDate": "2025-09-15",
    "knownRansomwareCampaignUse": "Known",
    "notes": "",
    "cwes": ["CWE-59", "CWE-436"],
}


def read(**more: Any) -> kev.Listing:
    return kev.read(JsonValue(ENTRY | more, "kev.json"))


def published(name: str) -> Path:
    path = SHARED / "data" / "kev" / name
    if not path.is_file():
        pytest.skip(f"no {name}: set CLEARHOUSE_SHARED to the folder of shared test data")
    return path


def test_an_entry_has_its_dates_and_what_is_to_be_done() -> None:
    found = read()
    assert (found.added, found.due) == (date(2025, 8, 25), date(2025, 9, 15))
    assert (found.in_ransomware, found.action) == (True, "Apply mitigations.")
    assert found.cwe_ids == ("CWE-59", "CWE-436")


def test_what_is_unknown_of_ransomware_is_not_no() -> None:
    assert read(knownRansomwareCampaignUse="Unknown").in_ransomware is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"cveID": "CVE-1"}, "expected cveID as a CVE identifier"),
        ({"cveID": 7}, "expected a text, found a number"),
        ({"dateAdded": "25.08.2025"}, "expected dateAdded as a day"),
        ({"dateAdded": "2025-02-30"}, "expected dateAdded as a day"),
        ({"product": " "}, "expected product as text"),
        ({"cwes": "CWE-1"}, "expected a list"),
    ],
)
def test_a_malformed_entry_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        read(**more)


def test_the_published_catalogue_says_the_same_in_json_and_in_csv() -> None:
    whole = json.loads(published("known_exploited_vulnerabilities.json").read_bytes())
    document = JsonValue(whole, "kev.json")
    assert kev.is_kev(document)
    assert kev.edition(document).version == "2025.08.25"
    by_json = [kev.read(one) for one in kev.entries(document)]
    with published("known_exploited_vulnerabilities.csv").open(newline="") as lines:
        rows = list(kev.rows(lines))
    by_csv = [kev.from_row(row) for row in rows if not isinstance(row, Invalid)]
    assert len(by_json) == whole["count"] == len(by_csv)

    def plain(one: kev.Listing) -> kev.Listing:
        return replace(one, description="", notes="", name="", action="")

    assert [plain(one) for one in by_json] == [plain(one) for one in by_csv]


def test_a_row_that_is_no_csv_takes_nothing_with_it() -> None:
    header = ",".join(ENTRY)
    row = 'CVE-2025-48384,Git,Git,"A name",2025-08-25,"a, b",Act,,Unknown,,"CWE-1, CWE-2"'
    wide = "x" * (csv.field_size_limit() + 1)
    first, second = list(kev.rows([f"\ufeff{header}\n", f"{wide}\n", row]))
    assert isinstance(first, Invalid)
    assert not isinstance(second, Invalid)
    found = kev.from_row(second)
    assert (found.description, found.due, found.cwe_ids) == ("a, b", None, ("CWE-1", "CWE-2"))
