"""Claims of one organisation at once: each package once, and no more than there may be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clearhouse.errors import Refused
from clearhouse.office.scans import actions
from clearhouse.office.scans.models import ScanClaim
from clearhouse.protocol.roles import Role
from tests.office.racing import needs_postgresql, overtaken_by
from tests.office.story import NOW, somebody

pytestmark = [pytest.mark.django_db(transaction=True), needs_postgresql]
UNTIL = NOW + timedelta(days=3)


def test_a_package_that_is_claimed_twice_at_once_is_claimed_once() -> None:
    finder = somebody("hexfind", Role.FINDER)

    def claim() -> None:
        actions.claim(finder, "pkg:pypi/ecdsa", UNTIL, now=NOW)

    with overtaken_by(claim) as meanwhile:
        claim()
        claimed = meanwhile()
    assert claimed.error is None
    assert ScanClaim.objects.count() == 1


def test_two_claims_at_once_do_not_pass_the_limit() -> None:
    finder = somebody("hexfind", Role.FINDER)
    ScanClaim.objects.bulk_create(
        ScanClaim(
            name=f"SC-{number}", organisation_id=finder.acting_for(), since=NOW, until=UNTIL,
            package=f"pkg:pypi/p{number}",
        )
        for number in range(actions.MOST - 1)
    )  # fmt: skip
    with overtaken_by(lambda: actions.claim(finder, "pkg:pypi/other", UNTIL, now=NOW)) as meanwhile:
        actions.claim(finder, "pkg:pypi/ecdsa", UNTIL, now=NOW)
        claimed = meanwhile()
    assert isinstance(claimed.error, Refused)
    assert ScanClaim.objects.count() == actions.MOST
