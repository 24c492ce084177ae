"""The page of channels: each with what can be done with it, and the form that adds one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from clearhouse.errors import Invalid, Refused, Unavailable
from clearhouse.office.look.fields import blame, status_of
from clearhouse.office.notices import actions, queries, shown
from clearhouse.office.notices.actions import MadeChannel
from clearhouse.office.notices.forms import ChannelForm, CodeForm, HourForm
from clearhouse.office.notices.letters import whole_address
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.notices import sends_mail
from clearhouse.office.orgs.queries import may_run
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.notices import Agreement

Deed = Callable[[Viewer, str, datetime], object]


def _agreed(agreement: Agreement) -> Deed:
    return lambda viewer, name, now: actions.agree(viewer, name, agreement, now=now)


#: What a button does to a channel, and what is said when it is done.
DEEDS: Final[Mapping[str, tuple[Deed | None, str]]] = {
    "confirm": (None, "Confirmed: notices go there from now on."),
    "test": (lambda v, n, now: actions.test(v, n, now=now), "A trial is on its way."),
    "pause": (lambda v, n, now: actions.pause(v, n, now=now), "Paused."),
    "resume": (lambda v, n, now: actions.resume(v, n, now=now), "Resumed."),
    "rotate": (lambda v, n, now: actions.rotate(v, n, now=now), "Changed."),
    "agree": (_agreed(Agreement.AMBER), "Noted: what is TLP:AMBER goes there."),
    "disagree": (_agreed(Agreement.NONE), "Noted: what is TLP:AMBER stays out of there."),
    "remove": (lambda v, n, now: actions.remove(v, n, now=now), "Removed."),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def channels(request: HttpRequest) -> HttpResponse:
    """How one's organisation is told, and for its managers the form that adds a way."""
    viewer = viewer_in(request)
    form = ChannelForm(request.POST or None)
    if request.method == "POST":
        _must_run(viewer)
        if form.is_valid():
            try:
                made = actions.add_channel(viewer, **form.cleaned_data, now=timezone.now())
            except (Invalid, Refused, Unavailable) as error:
                blame(form, error)
            else:
                return _page(request, {"add": ChannelForm()}, made=made, status=200)
    return _page(request, {"add": form}, status=status_of(request))


@login_required
@require_POST
def hour(request: HttpRequest) -> HttpResponse:
    """Name the hour of what is not urgent."""
    viewer = viewer_in(request)
    _must_run(viewer)
    form = HourForm(request.POST)
    if not form.is_valid():
        return _page(request, {"hour": form}, status=422)
    actions.set_hour(viewer, form.cleaned_data["hour"], now=timezone.now())
    messages.success(request, "Changed.")
    return redirect("notices:channels")


@login_required
@require_POST
def act(request: HttpRequest, channel: str, deed: str) -> HttpResponse:
    """One of the buttons of a channel, or the code that confirms it."""
    viewer, now = viewer_in(request), timezone.now()
    queries.channel(viewer, channel)
    _must_run(viewer)
    does, done = DEEDS[deed]
    try:
        if does is None:
            actions.confirm(viewer, channel, request.POST.get("code", "")[:40], now=now)
            made = None
        else:
            made = does(viewer, channel, now)
    except (Invalid, Refused) as error:
        messages.error(request, f"{error.message[:1].upper()}{error.message[1:]}.")
        return redirect("notices:channels")
    if isinstance(made, MadeChannel):
        return _page(request, {}, made=made, status=200)
    messages.success(request, done)
    return redirect("notices:channels")


def _must_run(viewer: Viewer) -> None:
    if not may_run(viewer, viewer.acting_for()):
        raise Refused("only a manager of the organisation can do this")


def _page(
    request: HttpRequest, forms: Mapping[str, Form], *, status: int,
    made: MadeChannel | None = None,
) -> HttpResponse:  # fmt: skip
    """The page; what ``made`` has of secrets stands on it this once."""
    viewer = viewer_in(request)
    rows = queries.channels(viewer)
    once: dict[str, Any] = {}
    if made is not None:
        address = reverse("notices:feed", args=[made.token]) if made.token else ""
        once = {
            "made": made.channel,
            "secret": made.secret,
            "feed": whole_address(address) if address else "",
        }
    context = {
        "title": "How you are told",
        "channels": [
            (one, shown.state_tag(one), shown.goes_to(one),
             shown.said_of(queries.last_message(viewer, one)))
            for one in rows
        ],
        "runs": may_run(viewer, viewer.acting_for()),
        "sends_mail": sends_mail(),
        "add": forms.get("add") or ChannelForm(),
        "hour": forms.get("hour") or HourForm(initial={"hour": queries.digest_hour(viewer)}),
        "code": CodeForm(),
        "once": once,
        "digest_hour": queries.digest_hour(viewer),
        "breadcrumb": [("Notices", reverse("notices:list")), ("How you are told", "")],
        "now": timezone.now(),
    }  # fmt: skip
    return render(request, "notices/channels.html", context, status=status)
