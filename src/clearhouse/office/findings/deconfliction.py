"""Answering whether something is known, and nothing else; asked too often, not at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from clearhouse.errors import Invalid, Refused
from clearhouse.office.findings import queries
from clearhouse.office.findings.models import KnownQuestion
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.orgs.queries import hold
from clearhouse.office.scans.queries import packages_scanned
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.deconfliction import Answer, answer, key_of, parse_fingerprint
from clearhouse.protocol.roles import Scope

PERIOD: Final = timedelta(hours=1)
#: A finder with a thousand candidates asks over a day or two; a guesser needs many more.
MOST_IN_PERIOD: Final = 60


def asking_key(viewer: Viewer) -> bytes:
    """The key under which the viewer's organisation makes its fingerprints."""
    viewer.needs(Scope.FINDINGS_READ)
    return key_of(settings.CONFIG.seal_key(), viewer.acting_for())


def ask(viewer: Viewer, *, signature: str | None, package: str | None, now: datetime) -> Answer:
    """Say whether a signature is known here, or its package is being scanned by others.

    1. The question is well formed.  2. It is counted before it is answered, so that no answer is
    free.  3. That it was asked stands in the ledger, what was asked nowhere.
    """
    asker = viewer.acting_for()
    key = asking_key(viewer)
    if not signature and not package:
        raise Invalid("ask for a signature, a package, or both", key="signature")
    asked = parse_fingerprint(signature, key="signature") if signature else None  # 1
    place = parse_fingerprint(package, key="package") if package else None
    with transaction.atomic():
        hold(asker)
        if queries.questions_since(asker, now, PERIOD) >= MOST_IN_PERIOD:  # 2
            raise Refused(f"at most {MOST_IN_PERIOD} questions an hour; ask again later")
        KnownQuestion.objects.create(organisation_id=asker, at=now)
        record("known.asked", f"organisation-{asker}", {}, now=now)  # 3
    return answer(
        key,
        signature=asked,
        package=place,
        known=queries.known_signatures(),
        scanned=packages_scanned(now=now, besides=asker),
    )
