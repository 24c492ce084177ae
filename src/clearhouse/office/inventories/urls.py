"""The addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.inventories import pages

app_name = "inventories"
urlpatterns = [
    path("", pages.todo, name="todo"),
    path("systems/", pages.systems, name="systems"),
    path("systems/new/", pages.add, name="add"),
    path("systems/<str:system>/", pages.system, name="system"),
    path("systems/<str:system>/describe/", pages.describe, name="describe"),
    path("systems/<str:system>/upload/", pages.upload, name="upload"),
    path("systems/<str:system>/retire/", pages.retire, name="retire"),
    path("systems/<str:system>/state/", pages.state, name="state"),
    path("statements/<str:statements>/withdraw/", pages.withdraw, name="withdraw"),
    path("systems/<str:system>/components/", pages.components, name="components"),
    path("inventories/<str:inventory>/", pages.inventory, name="inventory"),
    path("inventories/<str:inventory>/file/", pages.file, name="file"),
    path("cases/<str:case>/", pages.touched, name="touched"),
    path("<str:exposure>/", pages.exposure, name="exposure"),
]
