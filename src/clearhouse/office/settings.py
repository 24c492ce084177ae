"""Django's settings, all from :mod:`clearhouse.office.config`."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from clearhouse.office.config import Config

CONFIG = Config.of(os.environ)
_TOP = Path(__file__).resolve().parents[3]

SECRET_KEY = CONFIG.session_secret()
DEBUG = False
ALLOWED_HOSTS = [CONFIG.host] + (["127.0.0.1", "localhost", "[::1]"] if CONFIG.is_local else [])
CSRF_TRUSTED_ORIGINS = [CONFIG.url]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "ninja",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "clearhouse.office.look",
    "clearhouse.office.queue",
    "clearhouse.office.blobs",
    "clearhouse.office.orgs",
    "clearhouse.office.ledgerbook",
    "clearhouse.office.access",
    "clearhouse.office.notices",
    "clearhouse.office.scans",
    "clearhouse.office.findings",
    "clearhouse.office.cases",
    "clearhouse.office.feeds",
    "clearhouse.office.inventories",
    "clearhouse.office.directives",
    "clearhouse.office.advisories",
    "clearhouse.office.reviews",
    "clearhouse.office.assessments",
    "clearhouse.office.oversight",
    "clearhouse.office.api",
    "clearhouse.office.front",
]
INSTALLED_APPS = [name for name in INSTALLED_APPS if find_spec(name)]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "clearhouse.office.headers.SecurityHeaders",
    "clearhouse.office.edge.FormsThatFit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "clearhouse.office.orgs.middleware.ViewerMiddleware",
    "clearhouse.office.edge.ErrorPages",
    "clearhouse.office.api.problems.Problems",
]

ROOT_URLCONF = "clearhouse.office.urls"
WSGI_APPLICATION = "clearhouse.office.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clearhouse.office.edge.office_context",
                "clearhouse.office.orgs.context.account_context",
            ],
        },
    }
]

DATABASES = {"default": dict(CONFIG.database)}
# What processes count together, failed sign-ins above all.  The database is the one place that all
# of them share, on however many machines, and its insert is atomic; files or memory are neither.
# More entries than these are culled: far more addresses than can be tried within the longest rate.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "office_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "orgs.User"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# Static files: collected into the home (clearhouse.office.assets), hashed and compressed, and
# served by the office itself; as they lie in the sources as long as nothing was collected.
STATIC_URL = "/static/"
STATIC_ROOT = CONFIG.static
_ASSETS = _TOP / "build/assets"
STATICFILES_DIRS = [_ASSETS] if _ASSETS.is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if (STATIC_ROOT / "staticfiles.json").is_file()
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").is_file()

# Who signs in, and how: e-mail and password, a second factor, passkeys, or an identity provider.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts come by invitation, sent to the address itself
ACCOUNT_ADAPTER = "clearhouse.office.orgs.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "clearhouse.office.orgs.adapters.SocialAccountAdapter"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_SESSION_REMEMBER = False
# Per address and per account, so that neither one source nor many get through a list of passwords
# (NIST SP 800-63B-4, section 3.2.2: at most 100 failures of an account). Passkeys stay open.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key,100/d/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
}
# The address that is counted: behind a proxy the one it adds, else the connection's own.
ALLAUTH_TRUSTED_PROXY_COUNT = int(CONFIG.is_behind_proxy)
SECOND_FACTOR_REQUIRED = CONFIG.needs_second_factor
MFA_ADAPTER = "clearhouse.office.orgs.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = CONFIG.is_local
MFA_TOTP_ISSUER = CONFIG.office
SOCIALACCOUNT_PROVIDERS = (
    {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": CONFIG.oidc["name"],
                    "client_id": CONFIG.oidc["client_id"],
                    "secret": CONFIG.oidc["secret"],
                    "settings": {"server_url": CONFIG.oidc["issuer"]},
                }
            ],
        }
    }
    if CONFIG.oidc
    else {}
)
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # to the account with the same confirmed address
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_STORE_TOKENS = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if CONFIG.mail
    else "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_HOST, EMAIL_PORT = CONFIG.mail or ("", 0)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = CONFIG.mail_from

# Limits of what is read from a request; bundles and bulk uploads have limits of their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "clearhouse.office.edge.forbidden"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not CONFIG.is_local
SECURE_SSL_REDIRECT = not CONFIG.is_local
SECURE_HSTS_SECONDS = 0 if CONFIG.is_local else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not CONFIG.is_local
SECURE_HSTS_PRELOAD = not CONFIG.is_local
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIG.is_behind_proxy else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"away": {"()": "clearhouse.office.edge.WithoutTraceOfAway"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": sys.stderr,
            "formatter": "line",
            "filters": ["away"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"clearhouse": {"level": "INFO"}},
}
TEST_RUNNER = "django.test.runner.DiscoverRunner"
