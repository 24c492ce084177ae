"""The pages of the room: what to do, systems, lists, one flaw; and who has what, for the office."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clearhouse.errors import Conflict, Invalid, Refused
from clearhouse.formats.inventory import MOST_BYTES
from clearhouse.office.headers import handed_out
from clearhouse.office.inventories import queries, shown, told
from clearhouse.office.inventories.actions.receiving import receive
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
from clearhouse.office.inventories.confidential import told_to
from clearhouse.office.inventories.forms import StateForm, SystemForm, UploadForm
from clearhouse.office.inventories.models import Inventory, System
from clearhouse.office.inventories.sight import exposure_seen, system_seen
from clearhouse.office.inventories.touched import who_has
from clearhouse.office.look.fields import blame, status_of
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.protocol.roles import Scope

_CHANGES: Final = ("GET", "HEAD", "POST")
_NAME: Final = 20
_NUMBER: Final = 7


@login_required
@require_safe
def todo(request: HttpRequest) -> HttpResponse:
    """What to do now, what is due first at the top; then everything else."""
    viewer = viewer_in(request)
    now = timezone.now()
    systems = queries.systems_of(viewer)
    after = _name_asked(request, "after")
    rows, following = queries.exposures_of(viewer, after=after)
    first, count = queries.remedies_of(viewer, most=0 if after else shown.FIRST)
    titles = {one.system.name: one.system.title for one in systems}
    context = {
        "title": "Exposure",
        "now": now,
        "systems": systems,
        "unlisted": sum(one.listed_at is None for one in systems),
        "confidential": told_to(viewer),
        "counts": queries.counts_of(viewer),
        "rows": [shown.row_of(one, now) for one in rows],
        "steps": [shown.step_of(one, titles, now) for one in first],
        "more": max(0, count - shown.FIRST),
        "next_url": f"?{urlencode({'after': following})}" if following else "",
    }
    return render(request, "inventories/todo.html", context)


@login_required
@require_safe
def systems(request: HttpRequest) -> HttpResponse:
    """The systems of one's organisation."""
    found = queries.systems_of(viewer_in(request))
    context = {"title": "Systems", "systems": found, "now": timezone.now()}
    return render(request, "inventories/systems.html", context)


@login_required
@require_http_methods(_CHANGES)
def add(request: HttpRequest) -> HttpResponse:
    """Add a system."""
    viewer = viewer_in(request)
    viewer.needs(Scope.INVENTORIES_WRITE)
    form = SystemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = add_system(viewer, **form.described(), now=timezone.now())
        except (Invalid, Refused) as error:
            blame(form, error)
        else:
            messages.success(request, f"Added {made.title}. Now hand in what is installed on it.")
            return redirect("inventories:system", made.name)
    context = {"title": "Add a system", "form": form, "system": None}
    return render(request, "inventories/describe.html", context, status=status_of(request))


@login_required
@require_http_methods(_CHANGES)
def describe(request: HttpRequest, system: str) -> HttpResponse:
    """Say anew what is known of a system."""
    viewer = viewer_in(request)
    seen = system_seen(viewer, system)
    initial = {
        "title": seen.title, "sector": seen.sector, "next_upgrade": seen.next_upgrade,
        **seen.answers,
    }  # fmt: skip
    form = SystemForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            describe_system(viewer, system, **form.described(), now=timezone.now())
        except (Invalid, Refused, Conflict) as error:
            blame(form, error)
        else:
            messages.success(request, "Kept. What touches the system was judged again by it.")
            return redirect("inventories:system", system)
    context = {"title": f"What is known of {seen.title}", "form": form, "system": seen}
    return render(request, "inventories/describe.html", context, status=status_of(request))


@login_required
@require_safe
def system(request: HttpRequest, system: str) -> HttpResponse:
    """One system: what touches it, since when, and what is installed."""
    return _system_page(request, system, UploadForm())


@login_required
@require_POST
def upload(request: HttpRequest, system: str) -> HttpResponse:
    """Hand in what is installed on a system."""
    viewer = viewer_in(request)
    system_seen(viewer, system)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        sent = form.cleaned_data["file"]
        given = form.cleaned_data["distribution"]
        try:
            made = receive(
                viewer, system, sent.read(MOST_BYTES + 1), file=str(sent.name), distribution=given,
                now=timezone.now(),
            )  # fmt: skip
        except (Invalid, Refused, Conflict) as error:
            form.add_error("file" if isinstance(error, Invalid) else None, str(error))
        else:
            say = messages.warning if made.lacks else messages.success
            say(request, shown.received(made))
            return redirect("inventories:system", system)
    return _system_page(request, system, form)


@login_required
@require_POST
def state(request: HttpRequest, system: str) -> HttpResponse:
    """Hand in a VEX document for a system."""
    viewer = viewer_in(request)
    system_seen(viewer, system)
    form = StateForm(request.POST, request.FILES)
    if form.is_valid():
        sent = form.cleaned_data["statements"]
        try:
            made = hand_in_statements(
                viewer, system, sent.read(VEX_BYTES + 1), file=str(sent.name), now=timezone.now()
            )
        except (Invalid, Refused, Conflict) as error:
            form.add_error("statements" if isinstance(error, Invalid) else None, str(error))
        else:
            many = "statement" if made.count == 1 else "statements"
            messages.success(request, f"Read {made.count:,} {many}.")
            return redirect("inventories:system", system)
    return _system_page(request, system, UploadForm(), form)


@login_required
@require_POST
def withdraw(request: HttpRequest, statements: str) -> HttpResponse:
    """Take a VEX document back."""
    gone = withdraw_statements(viewer_in(request), statements, now=timezone.now())
    messages.success(request, f"{gone.file} counts no more.")
    return redirect("inventories:system", gone.system.name)


def _system_page(
    request: HttpRequest, name: str, form: UploadForm, stating: StateForm | None = None
) -> HttpResponse:
    viewer = viewer_in(request)
    seen = system_seen(viewer, name)
    now = timezone.now()
    places = {key: _name_asked(request, key) for key in ("after", "aside")}
    rows, following = queries.exposures_of(viewer, system=name, after=places["after"])
    aside, onward = queries.set_aside_of(viewer, name, after=places["aside"])
    lists = queries.inventories_of(seen)
    current = next((one for one in lists if one.is_current), None)
    context = {
        "title": seen.title,
        "system": seen,
        "now": now,
        "facts": shown.facts_of(seen),
        "form": form,
        "stating": stating or StateForm(),
        "statements": queries.statements_of(seen),
        "rows": [shown.row_of(one, now) for one in rows],
        "aside": [shown.row_of(one, now) for one in aside],
        "aside_url": _further(places, "aside", onward),
        "gone": queries.gone_of(viewer, name),
        "lists": lists,
        "current": current,
        "warnings": _warnings(seen, current),
        "chart": shown.chart_of(seen, now),
        "next_url": _further(places, "after", following),
    }
    return render(request, "inventories/system.html", context, status=status_of(request))


def _warnings(seen: System, current: Inventory | None) -> list[str]:
    if current is None:
        return []
    return [*shown.warnings_of(current), *shown.untold(queries.untold_of(seen))]


def _name_asked(request: HttpRequest, key: str) -> str:
    return request.GET.get(key, "")[:_NAME].replace("\0", "")


def _further(places: Mapping[str, str], key: str, following: str | None) -> str:
    """Where one list of a page goes on while the others stay where they are."""
    if following is None:
        return ""
    asked = {name: place for name, place in {**places, key: following}.items() if place}
    return f"?{urlencode(asked)}#{key}"


@login_required
@require_POST
def retire(request: HttpRequest, system: str) -> HttpResponse:
    """Say that a system is no longer there."""
    try:
        gone = retire_system(viewer_in(request), system, now=timezone.now())
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{gone.title} is retired.")
    return redirect("inventories:systems")


@login_required
@require_safe
def components(request: HttpRequest, system: str) -> HttpResponse:
    """What is installed on a system."""
    viewer = viewer_in(request)
    seen = system_seen(viewer, system)
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    asked = request.GET.get("after", "")[:_NUMBER]
    place = int(asked) if asked.isascii() and asked.isdigit() else 0
    rows, following = queries.components_page(viewer, system, after=place, text=text)
    context = {
        "title": f"Installed on {seen.title}",
        "system": seen,
        "rows": rows,
        "q": text,
        "next_url": f"?{urlencode({'q': text, 'after': following})}" if following else "",
    }
    return render(request, "inventories/components.html", context)


@login_required
@require_safe
def inventory(request: HttpRequest, inventory: str) -> HttpResponse:
    """One list that came in: what it is, and what on it could not be identified."""
    found = queries.inventory_seen(viewer_in(request), inventory)
    context = {"title": found.file, "found": found, "now": timezone.now()}
    return render(request, "inventories/inventory.html", context)


@login_required
@require_safe
def file(request: HttpRequest, inventory: str) -> HttpResponse:
    """A list as it came in."""
    found, raw = queries.file_of(viewer_in(request), inventory)
    return handed_out(raw, found.file, "application/octet-stream")


@login_required
@require_safe
def exposure(request: HttpRequest, exposure: str) -> HttpResponse:
    """One flaw on one system: what it is, where, by when, what to do, what if that cannot be."""
    found = exposure_seen(viewer_in(request), exposure)
    now = timezone.now()
    context = {
        "title": f"{found.flaw} on {found.system.title}",
        "found": found,
        "row": shown.row_of(found, now),
        "told": told.of(found, now=now),
        "now": now,
    }
    return render(request, "inventories/exposure.html", context)


@login_required
@require_safe
def touched(request: HttpRequest, case: str) -> HttpResponse:
    """Who has what a case is about: for the office."""
    viewer = viewer_in(request)
    context: dict[str, object] = {"title": "Who has this?", "case": case, "now": timezone.now()}
    try:
        found = who_has(viewer, case)
    except Invalid as error:
        context["problem"] = error.message
    else:
        context |= {
            "found": found,
            "organisations": shown.organisations_of(found),
            "sectors": shown.sectors_of(found.sectors),
            "named_sectors": shown.sectors_of(found.named_sectors),
        }
    return render(request, "inventories/touched.html", context)
