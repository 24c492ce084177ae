"""The addresses of the ledger; those for verifiers are as C2SP tlog-tiles names them."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.ledgerbook import pages

app_name = "ledgerbook"
urlpatterns = [
    path("", pages.ledger, name="ledger"),
    path("checkpoint", pages.checkpoint, name="checkpoint"),
    path("key", pages.key, name="key"),
    path("tile/<path:path>", pages.tile, name="tile"),
    path("proof/inclusion", pages.inclusion, name="inclusion"),
    path("proof/consistency", pages.consistency, name="consistency"),
]
