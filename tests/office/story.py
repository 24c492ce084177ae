"""People of a small office, and the samples that they hand in."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from clearhouse.office.cases.actions import opening, versions
from clearhouse.office.findings import actions as findings
from clearhouse.office.findings import queries as found
from clearhouse.office.findings.intake import of_bundle
from clearhouse.office.orgs.models import Membership, Organisation, User
from clearhouse.office.orgs.queries import viewer_of
from clearhouse.office.queue import inline
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role

SAMPLES = Path(__file__).parents[2] / "samples"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
#: A day in a year from now, as a page's form sends it: for what looks at the real clock.
IN_A_YEAR = f"{datetime.now(UTC) + timedelta(days=365):%Y-%m-%dT00:00}"


def somebody(slug: str, *roles: Role) -> Viewer:
    """A person of an organisation with those roles, made where it is not there yet."""
    acting, _ = Organisation.objects.get_or_create(
        slug=slug, defaults={"name": slug.title(), "roles": [one.value for one in roles]}
    )
    user = User.objects.filter(email=f"ada@{slug}.example").first()
    if user is None:
        user = User.objects.create_user(f"ada@{slug}.example", name=f"Ada of {slug.title()}")
        Membership.objects.create(user=user, organisation=acting, is_manager=True)
    return viewer_of(user, acting.pk)


def packed(name: str, kind: str = "proofs") -> bytes:
    """A sample bundle as the archive that a finder sends."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(SAMPLES / kind / name, arcname=name)
    return out.getvalue()


def work_off(now: datetime = NOW, *, only: Sequence[str] | None = None) -> int:
    """Do the jobs that wait, in this process, of some kinds or of all.  How many there were.

    All of them is for tests marked ``network``: dating a proof asks an index for releases.
    """
    return inline.work_off(now, only=only)


def verdict(signature: str = "sha256:aa", *, grade: str = "differential") -> dict[str, Any]:
    """A verdict as the engine writes it, as far as the office reads it: for rules, not for runs."""
    frame = {"file": "ecdsa/der.py", "function": "remove_integer", "line": 100}
    return {
        "format": 1,
        "bundle": {"id": "sample", "digest": "sha256:00"},
        "title": "A sample",
        "target": "pkg:pypi/ecdsa@0.13.2",
        "fixed": "0.13.3",
        "grade": grade,
        "proven": grade in ("attributed", "differential"),
        "reason": "recorded",
        "effect": {
            "kind": "exception",
            "observed": {"type": "IndexError"},
            "attributed_to": [frame],
            "stack": [],
        },
        "hit_rate": {"hits": 3, "runs": 3, "rate": 1.0, "interval95": [0.4, 1.0]},
        "runs": [],
        "signature": signature if grade in ("attributed", "differential") else None,
        "environment": {},
        "notes": [],
        "digest": "sha256:11",
    }


def dated(office: Viewer) -> str:
    """A case of which somebody has said which versions are affected; its name."""
    name = proven(somebody("hexfind", Role.FINDER))
    versions.declare(office, name, "0", "0.13.3", now=NOW)
    return name


def proven(finder: Viewer, *, sample: str = "CVE-2019-14853", now: datetime = NOW) -> str:
    """A finding that was decided by a recorded verdict and joined its case; the case's name."""
    [one] = findings.submit(finder, [of_bundle(packed(sample), where=sample)], now=now)
    with transaction.atomic():
        findings.decide(one.name, verdict(f"sha256:{sample}"), now=now)
    opening.place(one.name, now=now)
    return found.case_of(one.name)
