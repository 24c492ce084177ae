"""The ledger in the database: entries, full tiles, the head, signed checkpoints."""

from __future__ import annotations

from django.db import models


class LedgerEntry(models.Model):
    """One decision.  ``leaf`` is what is hashed: canonical JSON with a random salt.

    ``kind`` and ``subject`` repeat what the leaf says, to look entries up by.
    """

    index = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=80)
    at = models.DateTimeField()
    leaf = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "index"], name="entry_by_subject"),
            models.Index(fields=["kind", "at"], name="entry_by_kind"),
        ]


class LedgerTile(models.Model):
    """A full tile of 256 hashes, and the hash of the subtree it stands for."""

    level = models.PositiveSmallIntegerField()
    place = models.BigIntegerField()
    hashes = models.BinaryField()
    root = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "place"], name="tile_once")]


class LedgerHead(models.Model):
    """How far the ledger goes: one row, locked by whoever appends.

    ``peaks`` are the hashes of the complete subtrees that cover it, from the left, in one string.
    ``last_at`` is the time of the last entry: the next one is never earlier.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    peaks = models.BinaryField(default=b"")
    last_at = models.DateTimeField(null=True)


class SignedCheckpoint(models.Model):
    """A checkpoint that was signed and may be held by others: none may ever contradict another."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    at = models.DateTimeField()
