"""A deployer's system with what is installed on it and what touches it."""

from __future__ import annotations

import json
from typing import Any, Final

from django.utils import timezone

from clearhouse.office.inventories.actions.feeding import take_in_documents
from clearhouse.office.inventories.actions.receiving import receive
from clearhouse.office.inventories.actions.stating import hand_in_statements
from clearhouse.office.inventories.actions.systems import add_system
from clearhouse.office.inventories.models import (
    Component,
    Exposure,
    Inventory,
    OwnStatements,
    Release,
    System,
)
from clearhouse.office.viewer import Viewer
from tests.office.inventories.made import documented

#: Of a flaw that touches nothing here: what touches the system stays.
STATEMENTS: Final = json.dumps(
    {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1",
        "author": "Example", "timestamp": "2026-11-02T00:00:00Z", "version": 1,
        "statements": [
            {"vulnerability": {"name": "CVE-2020-0001"},
             "products": [{"@id": "pkg:pypi/example"}], "status": "fixed"}
        ],
    }
).encode()  # fmt: skip


def build(deployer: Viewer) -> dict[str, str]:
    """A system, a list and an exposure of that deployer."""
    now = timezone.now()
    document = {
        "id": "PYSEC-1",
        "modified": "2026-11-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "example"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            }
        ],
    }
    take_in_documents([documented(document)], now=now)
    system = add_system(deployer, "Records", answers={}, now=now)
    made = receive(deployer, system.name, b"example==1.0\n", file="list.txt", now=now)
    found = Exposure.objects.get(system=system)
    stated = hand_in_statements(deployer, system.name, STATEMENTS, file="vex.json", now=now)
    return {
        "system": system.name, "inventory": made.name, "exposure": found.name,
        "statements": stated.name,
    }  # fmt: skip


def mark(put: Any) -> None:
    """Put a mark of its own into what only the owner may read."""
    put(System.objects.all(), title="system title")
    put(Inventory.objects.all(), file="list name")
    put(Release.objects.all(), package="installed package")
    put(OwnStatements.objects.all(), file="statements name")
    put(Component.objects.all(), place="installed place")
    put(Exposure.objects.all(), summary="exposure summary")
    Exposure.objects.update(
        found=[
            {
                "label": "x", "ecosystem": "PyPI", "package": put.word("exposed package"),
                "version": "1", "place": "", "file": "", "purl": "", "answer": "affected",
                "because": "", "fixed": "",
                "record": "",
            }
        ]
    )  # fmt: skip
