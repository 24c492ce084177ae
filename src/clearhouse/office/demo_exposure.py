"""Deployers of the demonstration office: five sectors, what they run, and what touches it.

Made by the same actions that people use, from the lists and advisories in ``samples/exposure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from clearhouse.office.directives.actions import deriving, issuing
from clearhouse.office.inventories.actions import feeding, receiving, systems
from clearhouse.office.inventories.models import System
from clearhouse.office.queue.inline import work_off
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Role
from clearhouse.protocol.sectors import Sector

#: Who takes part: name, short name, roles, first name of its person.
ORGANISATIONS: Final = (
    ("Clear Creek Water District", "clear-creek", (Role.DEPLOYER,), "walt"),
    ("Farmers Community Bank", "farmers-bank", (Role.DEPLOYER,), "bea"),
    ("Marlow County Clerk", "marlow-county", (Role.DEPLOYER,), "cody"),
    ("Plains Power Cooperative", "plains-power", (Role.DEPLOYER,), "pat"),
    ("National Cyber Authority", "authority", (Role.AUTHORITY,), "tova"),
)


@dataclass(frozen=True, slots=True)
class _Described:
    """A system: whose it is, what is known of it, and the list of what is installed."""

    owner: str
    title: str
    sector: Sector
    answers: Mapping[str, str]
    file: str
    upgraded_in: timedelta | None = None
    """How soon its next upgrade is planned, where one is."""


_SYSTEMS: Final = (
    _Described(
        "valley-hospital", "Patient portal", Sector.HEALTHCARE,
        {"exposure": "internet", "mission": "one-service-stops", "safety": "no"},
        "laravel-7.12.0.cdx.json",
    ),
    _Described(
        "valley-hospital", "Sign-in of the wards", Sector.HEALTHCARE,
        {"exposure": "protected", "mission": "everything-stops", "safety": "injured"},
        "sign-in.txt",
    ),
    _Described(
        "clear-creek", "Configuration of the pumping stations", Sector.WATER,
        {"exposure": "protected", "mission": "everything-stops", "safety": "many-deaths"},
        "configuration-server.txt", timedelta(days=21),
    ),
    _Described("clear-creek", "Readings database", Sector.WATER, {}, "postgres-stretch.cdx.json"),
    _Described(
        "farmers-bank", "Mail gateway", Sector.FINANCIAL_SERVICES,
        {"exposure": "internet", "mission": "for-a-while", "safety": "no"},
        "proton-bridge-1.8.0.cdx.json",
    ),
    _Described(
        "marlow-county", "Citizens' portal", Sector.GOVERNMENT, {"exposure": "internet"},
        "juice-shop-11.1.2.cdx.json",
    ),
    _Described(
        "plains-power", "Meter readings", Sector.ENERGY,
        {"exposure": "isolated", "mission": "goes-on", "safety": "no"},
        "metering.txt", timedelta(days=45),
    ),
)  # fmt: skip
#: What is brought up to date later, in which list: the old line and the new one.
_UPDATED: Final = {
    "sign-in.txt": (b"idna==3.6", b"idna==3.10"),
    "configuration-server.txt": (b"requests==2.22.0", b"requests==2.32.3"),
    "metering.txt": (b"requests==2.25.1", b"requests==2.32.3"),
}


def begin(viewers: Mapping[str, Viewer], samples: Path, now: datetime) -> None:
    """The public records, the deployers' systems, and a first list of each."""
    folder = samples / "exposure"
    for name in ("advisories.ndjson", "kev.json"):
        feeding.load(folder / name, clock=lambda: now)
    for one in _SYSTEMS:
        made = systems.add_system(
            viewers[one.owner], one.title, sector=one.sector.value, answers=one.answers, now=now
        )
        _hand_in(viewers[one.owner], made, (folder / one.file).read_bytes(), one.file, now)


def direct(viewers: Mapping[str, Viewer], now: datetime) -> None:
    """BOD 26-04 for everybody in the office, and what follows from it for each system."""
    authority = viewers["authority"]
    everybody = issuing.audience_of(everybody="yes")
    made = issuing.draft(authority, "CISA-BOD-26-04", everybody, now=now)
    issuing.issue(authority, made.name, now=now)
    work_off(now, only=[issuing.SPREAD, deriving.DERIVE])


def go_on(viewers: Mapping[str, Viewer], samples: Path, now: datetime) -> None:
    """Some have planned an upgrade; some have updated, and handed in what they have now."""
    for one in _SYSTEMS:
        if one.upgraded_in is not None:
            systems.describe_system(
                viewers[one.owner], _named(one).name, one.title, sector=one.sector.value,
                answers=one.answers, next_upgrade=(now + one.upgraded_in).date(), now=now,
            )  # fmt: skip
        if one.file in _UPDATED:
            raw = (samples / "exposure" / one.file).read_bytes().replace(*_UPDATED[one.file])
            _hand_in(viewers[one.owner], _named(one), raw, one.file, now)


def _named(one: _Described) -> System:
    return System.objects.get(title=one.title, organisation__slug=one.owner)


def _hand_in(viewer: Viewer, system: System, raw: bytes, file: str, now: datetime) -> None:
    distribution = "Debian:9" if file.startswith("postgres") else ""
    receiving.receive(viewer, system.name, raw, file=file, distribution=distribution, now=now)
