"""The ledger's name and its key, as this office is configured."""

from __future__ import annotations

from django.conf import settings

from clearhouse.ledger.note import SigningKey
from clearhouse.office.config import Config


def log_name(config: Config) -> str:
    """The name under which the ledger signs: the office's host, and which log of it."""
    return f"{config.host}/ledger"


def signing_key() -> SigningKey:
    """The key that signs checkpoints.  Raises :class:`Unavailable` where it cannot be read."""
    config: Config = settings.CONFIG
    return SigningKey(log_name(config), config.ledger_seed())
