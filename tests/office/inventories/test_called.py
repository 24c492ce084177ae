"""What a flaw is called, where CISA's catalogue has words for it and its record has none."""

from __future__ import annotations

import pytest
from django.utils import timezone

from clearhouse.office.inventories import told
from clearhouse.office.inventories.models import Exposure
from clearhouse.office.inventories.shown import row_of
from clearhouse.office.queue.inline import work_off
from tests.office.directives.made import a_system, hospital, installed, known, record
from tests.office.inventories.made import documented

pytestmark = pytest.mark.django_db


def test_a_listed_flaw_has_the_catalogues_name_and_what_it_says_of_it() -> None:
    now = timezone.now()
    deployer = hospital()
    installed(deployer, a_system(deployer), "salt==3000", now=now)
    listed = {
        "cveID": "CVE-2020-11652", "vendorProject": "SaltStack", "product": "Salt",
        "dateAdded": "2021-11-03", "vulnerabilityName": "SaltStack Salt Path Traversal",
        "shortDescription": "Salt lets signed-in users read any folder.",
    }  # fmt: skip
    known(record("PYSEC-1", "salt", "3001", aliases=["CVE-2020-11652"], summary=""), now=now)
    work_off(now)
    assert row_of(Exposure.objects.get(), now).words == "CVE-2020-11652"
    known(documented({"catalogVersion": "1", "vulnerabilities": [listed]}), now=now)
    work_off(now)
    found = Exposure.objects.get()
    assert row_of(found, now).words == "SaltStack Salt Path Traversal"
    assert told.of(found, now=now).words.what == (
        "SaltStack Salt Path Traversal. Salt lets signed-in users read any folder."
        " Its identifier is CVE-2020-11652."
    )
