"""Browsers of every kind of viewer, and findings for them to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from clearhouse.formats.report import parse_report
from clearhouse.office.findings import actions
from clearhouse.office.findings.intake import of_bundle, of_report
from clearhouse.office.findings.models import Finding
from clearhouse.office.orgs.models import User
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from tests.office.story import packed, somebody

#: The office's, without the one for files that were built.
MIDDLEWARE = [one for one in settings.MIDDLEWARE if "whitenoise" not in one]
SAMPLE = "CVE-2019-14853"


@dataclass(frozen=True)
class People:
    """One viewer of each kind, with the finder whose findings are looked at."""

    finder: Viewer
    other: Viewer
    supplier: Viewer
    office: Viewer


def everybody() -> People:
    """All of them."""
    return People(
        finder=somebody("hexfind", Role.FINDER),
        other=somebody("otherlab", Role.FINDER),
        supplier=somebody("ecdsa-team", Role.SUPPLIER),
        office=somebody("office", Role.COORDINATOR),
    )


def client_of(viewer: Viewer | None) -> Client:
    """A browser in which that person has signed in, or nobody."""
    client = Client()
    if viewer is not None and viewer.person is not None:
        client.force_login(User.objects.get(pk=viewer.person))
    return client


def report(**changes: Any) -> dict[str, Any]:
    """A report of a package that no registry is asked about."""
    return {
        "title": "Signatures are not checked",
        "description": "The check of a signature accepts any.",
        "target": "pkg:generic/example@1.2.3",
        "locations": [{"file": "example/keys.py", "function": "verify", "line": 12}],
    } | changes


def lines(*reports: dict[str, Any]) -> bytes:
    """Reports as newline-delimited JSON."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in reports)


def handed_in(viewer: Viewer, now: datetime | None = None) -> Finding:
    """A proof bundle of that finder, waiting to be run."""
    item = of_bundle(packed(SAMPLE), where="bundle.tar.gz")
    [made] = actions.submit(viewer, [item], now=now or timezone.now())
    return Finding.objects.get(name=made.name)


def reported(viewer: Viewer, now: datetime | None = None, **changes: Any) -> Finding:
    """A report of that finder without a proof, waiting to be checked."""
    item = of_report(parse_report(report(**changes), "the report"))
    [made] = actions.submit(viewer, [item], now=now or timezone.now())
    return Finding.objects.get(name=made.name)
