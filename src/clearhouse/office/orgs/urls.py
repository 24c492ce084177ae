"""The addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.orgs import organisation_page, pages

app_name = "orgs"
urlpatterns = [
    path("start/", pages.start, name="start"),
    path("join/", pages.join, name="join"),
    path("join/<str:token>/", pages.open_invitation, name="invitation"),
    path("organisation/", pages.own, name="own"),
    path("organisation/all/", pages.everyone, name="all"),
    path("organisation/switch/", pages.switch, name="switch"),
    path("organisation/profile/", pages.profile, name="profile"),
    path("organisation/<slug:slug>/", organisation_page.show, name="organisation"),
    path("organisation/<slug:slug>/<slug:what>/", organisation_page.change, name="change"),
    path("organisation/<slug:slug>/<slug:what>/<int:pk>/", organisation_page.press, name="press"),
    # Before the library's own: an address changes by invitation, and nobody signs up.
    path("account/", pages.own),
    path("account/email/", pages.closed),
    path("account/confirm-email/", pages.closed),
    path("account/confirm-email/<str:key>/", pages.closed),
    path("account/3rdparty/signup/", pages.closed),
    path("account/oidc/<str:provider_id>/login/", pages.leave_for_provider),
]
