"""Advisories: drafts, revisions, and the documents that are served."""

from __future__ import annotations

from django.db import models


class Advisory(models.Model):
    """What is said in public about one case.  ``name`` is the case's own number.

    The editorial fields are written by people; packages, versions, scores and credits come from
    the case each time the documents are made, and are typed by nobody.
    """

    name = models.CharField(max_length=20, unique=True)
    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, related_name="advisory")
    title = models.CharField(max_length=300)
    summary = models.CharField(max_length=1000)
    details = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    references = models.JSONField(default=list)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-published_at", "-id"], name="advisory_published")]


class Revision(models.Model):
    """A published state, with its documents exactly as they were served."""

    advisory = models.ForeignKey(Advisory, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    summary = models.CharField(max_length=300)
    csaf = models.JSONField(null=True)
    vex = models.JSONField(null=True)
    osv = models.JSONField(null=True)
    cve = models.JSONField(null=True)
    missing = models.JSONField(default=dict)
    shown = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["advisory", "number"], name="revision_once")]


class ServedFile(models.Model):
    """A file of the CSAF provider, by its path; made anew after each publication."""

    path = models.CharField(max_length=300, primary_key=True)
    data = models.BinaryField()
    digest = models.CharField(max_length=64)
    is_public = models.BooleanField(default=True)
