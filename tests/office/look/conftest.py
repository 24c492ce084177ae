"""The look needs no database: the least settings that templates and static files ask for."""

from __future__ import annotations

from pathlib import Path

import django
from django.conf import settings

ASSETS = Path(__file__).parents[3] / "build" / "assets"

if not settings.configured:
    settings.configure(
        SECRET_KEY="of the tests",
        ALLOWED_HOSTS=["127.0.0.1", "testserver"],
        INSTALLED_APPS=["django.contrib.staticfiles", "django_htmx", "clearhouse.office.look"],
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
        ROOT_URLCONF="tests.office.look.gallery",
        STATIC_URL="/static/",
        STATICFILES_DIRS=[ASSETS] if ASSETS.is_dir() else [],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        USE_TZ=True,
    )
    django.setup()
