"""All addresses: one list for each room."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("clearhouse.office.front.urls")),
    path("", include("clearhouse.office.orgs.urls")),
    path("account/", include("allauth.urls")),
    path("ledger/", include("clearhouse.office.ledgerbook.urls")),
    path("findings/", include("clearhouse.office.findings.urls")),
    path("scans/", include("clearhouse.office.scans.urls")),
    path("exposure/", include("clearhouse.office.inventories.urls")),
    path("directives/", include("clearhouse.office.directives.urls")),
    path("notices/", include("clearhouse.office.notices.urls")),
    path("", include("clearhouse.office.advisories.urls")),
    path("reviews/endpoints/", include("clearhouse.office.access.urls")),
    path("reviews/", include("clearhouse.office.reviews.urls")),
    path("assessments/", include("clearhouse.office.assessments.urls")),
    path("", include("clearhouse.office.oversight.urls")),
    path("api/", include("clearhouse.office.api.urls")),
    path("", include("clearhouse.office.cases.urls")),
]

handler400 = "clearhouse.office.edge.unreadable"
handler403 = "clearhouse.office.edge.forbidden"
handler404 = "clearhouse.office.edge.not_found"
handler500 = "clearhouse.office.edge.broken"
