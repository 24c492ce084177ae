"""Who is scanning what, so that two do not dig in one place without knowing."""

from __future__ import annotations

from django.db import models


class ScanClaim(models.Model):
    """An organisation says that it looks at a package until a day; only the office sees whose."""

    name = models.CharField(max_length=20, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.CASCADE)
    package = models.CharField(max_length=300)
    since = models.DateTimeField()
    until = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["package", "until"], name="claim_by_package")]
