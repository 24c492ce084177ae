"""What the header of each page is given of the account that is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from clearhouse.office.look.frame import Account, Choice, Link
from clearhouse.office.orgs.middleware import viewer_in
from clearhouse.office.orgs.models import User
from clearhouse.office.orgs.queries import own_organisations


def account_context(request: HttpRequest) -> Mapping[str, Any]:
    """The menu of the account, or the way to sign in."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        path = request.get_full_path()
        query = "" if path.startswith("/account/") else f"?{urlencode({'next': path})}"
        return {"sign_in_url": reverse("account_login") + query}
    viewer = viewer_in(request)
    mine = own_organisations(user.pk)
    acting = next((one for one in mine if one.pk == viewer.organisation), None)
    places = [("Your profile", reverse("orgs:profile"))]
    if acting is not None:
        places.insert(0, (acting.name, reverse("orgs:organisation", args=[acting.slug])))
    if viewer.coordinates:
        places.append(("All organisations", reverse("orgs:all")))
    return {
        "account": Account(
            name=user.name,
            organisation=acting.name if acting else "",
            organisations=tuple(Choice(one.slug, one.name, one == acting) for one in mine)
            if len(mine) > 1
            else (),
            switch_url=reverse("orgs:switch"),
            sign_out_url=reverse("account_logout"),
            links=tuple(Link(text, url, request.path == url) for text, url in places),
        )
    }
