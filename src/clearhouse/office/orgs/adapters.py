"""Where sign-in follows this office's rules: accounts come by invitation."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from clearhouse.errors import Unavailable
from clearhouse.office.orgs.models import User

_PURPOSE: Final = b"clearhouse second factor\n"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # untyped library
    """Nobody signs up without an invitation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the library's
        """Never by the library's own page."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send the library's mails where the office sends mail at all."""
        if settings.CONFIG.mail:
            super().send_mail(template_prefix, email, context)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # untyped library
    """An identity provider lets in whom an organisation has invited."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ANN401, ARG002
        """Never: the account comes first, the provider signs in to it."""
        return False

    def authenticate_by_email(self, sociallogin: Any) -> Any:  # noqa: ANN401
        """The account with an address that the provider has confirmed: ``true``, no mere text."""
        sociallogin.email_addresses = [
            one for one in sociallogin.email_addresses if one.verified is True
        ]
        return super().authenticate_by_email(sociallogin)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:  # noqa: ANN401
        """Somebody signed in connects an identity only if its confirmed address is the account's.

        OpenID Connect Core 1.0, section 5.7: an address identifies nobody unless it is confirmed.
        """
        user = request.user
        if not isinstance(user, User) or sociallogin.is_existing:
            return
        confirmed = {
            one.email.lower() for one in sociallogin.email_addresses if one.verified is True
        }
        if user.email not in confirmed:
            raise PermissionDenied


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # untyped library
    """Seeds of codes are encrypted in the database: a copy of it alone signs nobody in."""

    def encrypt(self, text: str) -> str:
        """Seal with a key drawn from the office's secret."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open what :meth:`encrypt` sealed.  Raises :class:`Unavailable` after a lost secret."""
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            raise Unavailable(
                "the second factor was sealed with another secret key of this office; restore the"
                " key from the backup, or remove the person's second factors"
            ) from None


def _box() -> Fernet:
    secret = hashlib.sha256(_PURPOSE + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(secret))
