"""The bundle of an organisation, signed by this office."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from clearhouse.ledger.note import SigningKey
from clearhouse.office.config import Config
from clearhouse.office.notices.bundle import SIGNER, pack
from clearhouse.office.notices.letters import bundle_of
from clearhouse.office.notices.queries import every_notice
from clearhouse.office.orgs.queries import acting_as
from clearhouse.office.viewer import Viewer

FILE_NAME = "notices.zip"


def signing_key() -> SigningKey:
    """The key that signs bundles: the ledger's, under a name of its own.

    Raises :class:`Unavailable` where it cannot be read.
    """
    config: Config = settings.CONFIG
    return SigningKey(f"{config.host}/{SIGNER}", config.ledger_seed())


def bundle_for(viewer: Viewer) -> bytes:
    """What waits for the viewer's organisation, what it has read, what is over, to carry along."""
    rows = every_notice(viewer, now=timezone.now())
    return pack(bundle_of(acting_as(viewer).name, rows), signing_key())
