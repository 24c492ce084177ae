"""Bytes in the database, so that they are kept in the transaction that names them."""

from __future__ import annotations

from django.db import models


class Blob(models.Model):
    """Sealed bytes.  ``digest`` is keyed: it says nothing to whom the key is not given."""

    digest = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    sealed = models.BinaryField()
