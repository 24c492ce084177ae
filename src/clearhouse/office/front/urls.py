"""The addresses of the front."""

from __future__ import annotations

from django.urls import path

from clearhouse.office.front import pages, plain

app_name = "front"
urlpatterns = [
    path("", pages.home, name="home"),
    path("accessibility/", pages.accessibility, name="accessibility"),
    path("contact/", pages.contact, name="contact"),
    path("contact", pages.contact),
    path("robots.txt", plain.robots, name="robots"),
    path("favicon.ico", plain.favicon, name="favicon"),
    path(".well-known/security.txt", plain.security, name="security"),
]
