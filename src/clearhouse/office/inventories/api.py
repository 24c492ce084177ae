"""Systems, inventories and exposure in the API."""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from pydantic import Field

from clearhouse.formats.inventory import MOST_BYTES
from clearhouse.office.inventories import queries
from clearhouse.office.inventories.actions.receiving import receive as take
from clearhouse.office.inventories.actions.stating import MOST_BYTES as VEX_BYTES
from clearhouse.office.inventories.actions.stating import (
    hand_in_statements,
    withdraw_statements,
)
from clearhouse.office.inventories.actions.systems import (
    add_system,
    describe_system,
    retire_system,
)
from clearhouse.office.inventories.documents import (
    ExposureOut,
    ExposurePage,
    InventoryOut,
    Name,
    StatementsOut,
    SystemIn,
    SystemOut,
    Text,
    TouchedOut,
)
from clearhouse.office.inventories.sight import exposure_seen, system_seen
from clearhouse.office.inventories.touched import who_has
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.uploads import form_file, is_form, whole_body

systems = Router(tags=["systems"])
exposures = Router(tags=["exposure"])

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_LIST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _BINARY,
            "application/xml": _BINARY,
            "text/plain": _BINARY,
            "text/csv": _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}
_JSON_FILE: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": _BINARY}}
}


@systems.post("", response={201: SystemOut})
def add(request: HttpRequest, demand: SystemIn) -> Status[SystemOut]:
    """Add a system of your organisation.  What you do not know, leave out."""
    made = add_system(
        viewer_in(request), demand.title, sector=demand.sector, answers=demand.answers,
        next_upgrade=demand.next_upgrade, now=timezone.now(),
    )  # fmt: skip
    return Status(201, SystemOut.of(made))


@systems.get("", response=list[SystemOut])
def listed(request: HttpRequest) -> list[SystemOut]:
    """Your systems, the most urgent first."""
    return [SystemOut.summed(one) for one in queries.systems_of(viewer_in(request))]


@systems.get("/{name}", response=SystemOut)
def system(request: HttpRequest, name: Name) -> SystemOut:
    """One of your systems."""
    return SystemOut.of(system_seen(viewer_in(request), name))


@systems.put("/{name}", response=SystemOut)
def describe(request: HttpRequest, name: Name, demand: SystemIn) -> SystemOut:
    """Say anew what is known of a system."""
    changed = describe_system(
        viewer_in(request), name, demand.title, sector=demand.sector, answers=demand.answers,
        next_upgrade=demand.next_upgrade, now=timezone.now(),
    )  # fmt: skip
    return SystemOut.of(changed)


@systems.post("/{name}/retire", response=SystemOut)
def retire(request: HttpRequest, name: Name) -> SystemOut:
    """Say that a system is no longer there."""
    return SystemOut.of(retire_system(viewer_in(request), name, now=timezone.now()))


@systems.post("/{name}/inventories", response={201: InventoryOut}, openapi_extra=_LIST)
def receive(
    request: HttpRequest, name: Name, file: Text = "inventory", distribution: Text = ""
) -> Status[InventoryOut]:
    """Hand in what is installed on a system: the file as the body, or as `file` of a form.

    CycloneDX, SPDX, package-lock.json, requirements.txt, CSV, or what dpkg-query -W and rpm -qa
    print; these two need `distribution`, such as Debian:12.  A small file is answered read and
    matched, a large one waits in the state `received`.
    """
    viewer = viewer_in(request)
    system_seen(viewer, name)
    if is_form(request):
        raw, file = form_file(request, ("file",), MOST_BYTES)
    else:
        raw = whole_body(request, MOST_BYTES)
    made = take(viewer, name, raw, file=file, distribution=distribution, now=timezone.now())
    return Status(201, InventoryOut.of(made))


@systems.post("/{name}/statements", response={201: StatementsOut}, openapi_extra=_JSON_FILE)
def state(request: HttpRequest, name: Name, file: Text = "statements") -> Status[StatementsOut]:
    """Hand in a VEX document for a system: OpenVEX, CSAF or CycloneDX.

    What it says to be not affected stays in sight, with the reason.
    """
    viewer = viewer_in(request)
    system_seen(viewer, name)
    if is_form(request):
        raw, file = form_file(request, ("file",), VEX_BYTES)
    else:
        raw = whole_body(request, VEX_BYTES)
    made = hand_in_statements(viewer, name, raw, file=file, now=timezone.now())
    return Status(201, StatementsOut.of(made))


@systems.get("/{name}/statements", response=list[StatementsOut])
def statements(request: HttpRequest, name: Name) -> list[StatementsOut]:
    """The VEX documents that were handed in for a system, the newest first."""
    seen = system_seen(viewer_in(request), name)
    return [StatementsOut.of(one) for one in queries.statements_of(seen)]


@systems.post("/statements/{name}/withdraw", response=StatementsOut)
def withdraw(request: HttpRequest, name: Name) -> StatementsOut:
    """Take a VEX document back."""
    return StatementsOut.of(withdraw_statements(viewer_in(request), name, now=timezone.now()))


@systems.get("/{name}/inventories", response=list[InventoryOut])
def inventories(request: HttpRequest, name: Name) -> list[InventoryOut]:
    """The lists that came in for a system, the newest first."""
    seen = system_seen(viewer_in(request), name)
    return [InventoryOut.of(one) for one in queries.inventories_of(seen)]


@exposures.get("", response=ExposurePage)
def touching(
    request: HttpRequest,
    system: Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")] = "",
    after: Annotated[str, Field(max_length=20, pattern=r"^[A-Z0-9-]*$")] = "",
) -> ExposurePage:
    """What touches your systems, what is due first at the top."""
    viewer = viewer_in(request)
    found, following = queries.exposures_of(viewer, system=system, after=after)
    return ExposurePage(
        exposures=[ExposureOut.of(one) for one in found], next=following,
        unidentified=queries.unidentified_of(viewer, system=system),
    )  # fmt: skip


@exposures.get("/of-case/{case}", response=TouchedOut)
def of_case(request: HttpRequest, case: Annotated[str, Field(max_length=20)]) -> TouchedOut:
    """Who has what a case is about: for the office."""
    return TouchedOut.of(who_has(viewer_in(request), case))


@exposures.get("/{name}", response=ExposureOut)
def exposure(request: HttpRequest, name: Name) -> ExposureOut:
    """One flaw on one of your systems."""
    return ExposureOut.of(exposure_seen(viewer_in(request), name))
