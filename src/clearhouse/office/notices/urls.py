"""The addresses of the room."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.notices import channel_pages, feeds, pages

app_name = "notices"
_CHANNEL = "channels/<str:channel>/"
urlpatterns = [
    path("", pages.listed, name="list"),
    path("bundle/", pages.bundle, name="bundle"),
    path("delivery/", pages.delivery, name="delivery"),
    path("channels/", channel_pages.channels, name="channels"),
    path("channels/hour/", channel_pages.hour, name="hour"),
    path("feed/<str:address>/", feeds.feed, name="feed"),
    *(
        path(f"{_CHANNEL}{deed}/", channel_pages.act, {"deed": deed}, name=deed)
        for deed in channel_pages.DEEDS
    ),
    path("<str:notice>/", pages.one, name="notice"),
    path("<str:notice>/acknowledge/", pages.acknowledge, name="acknowledge"),
]
