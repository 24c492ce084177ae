"""Findings, commitments to findings, and what was asked about known ones."""

from __future__ import annotations

from django.db import models


class Commitment(models.Model):
    """A keyed digest that a finder hands in before the finding itself, for its place in time."""

    name = models.CharField(max_length=20, unique=True)
    organisation = models.ForeignKey(
        "orgs.Organisation", on_delete=models.PROTECT, related_name="commitments"
    )
    value = models.CharField(max_length=64)
    at = models.DateTimeField()
    entry = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "value"], name="commitment_once")
        ]


class Finding(models.Model):
    """What somebody handed in: that a target has a flaw.

    ``content`` is the digest of what was handed in; the same content of one finder is one finding.
    ``purl`` is the target as its finder names it, ``package`` the purl without version.
    ``credit_at`` is when its finder committed to it, else when it came in.
    """

    class Kind(models.TextChoices):
        """The form it came in."""

        BUNDLE = "bundle", "proof bundle"
        REPORT = "report", "report without proof"
        SARIF = "sarif", "result of a scanner (SARIF)"
        AIXCC = "aixcc", "proof of vulnerability with patch (AIxCC)"

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", "waiting to be run"
        CHECKING = "checking", "being checked against the package"
        PROVEN = "proven", "proven"
        NOT_SHOWN = "not-shown", "run, and not shown"
        UNRUNNABLE = "unrunnable", "could not be run here"
        UNPROVEN = "unproven", "not proven: no proof was handed in"
        REFUSED = "refused", "refused: what it names does not exist"
        KNOWN = "known", "public already"
        WITHDRAWN = "withdrawn", "withdrawn by its finder"

    name = models.CharField(max_length=20, unique=True)
    organisation = models.ForeignKey(
        "orgs.Organisation", on_delete=models.PROTECT, related_name="findings"
    )
    filed_by = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=12, choices=State.choices)
    reason = models.CharField(max_length=1000, blank=True)
    received_at = models.DateTimeField()
    credit_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    commitment = models.OneToOneField(Commitment, null=True, on_delete=models.PROTECT)
    entry = models.BigIntegerField()
    content = models.CharField(max_length=80)
    title = models.CharField(max_length=300)
    purl = models.CharField(max_length=400, blank=True)
    package = models.CharField(max_length=300, blank=True)
    weaknesses = models.JSONField(default=list)
    locations = models.JSONField(default=list)
    found_by = models.CharField(max_length=200, blank=True)
    origin_id = models.CharField(max_length=200, blank=True)
    effect = models.CharField(max_length=20, blank=True)
    impact = models.SmallIntegerField(default=0)
    tlp = models.CharField(max_length=20, default="TLP:AMBER+STRICT")
    blob = models.CharField(max_length=64)
    grade = models.CharField(max_length=12, blank=True)
    signature = models.CharField(max_length=100, blank=True)
    verdict = models.CharField(max_length=64, blank=True)
    verdict_digest = models.CharField(max_length=80, blank=True)
    grounding = models.JSONField(null=True)
    case = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "content"], name="finding_once")
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="finding_of_finder"),
            models.Index(fields=["organisation", "state", "-id"], name="finding_of_finder_in"),
            models.Index(fields=["state", "case", "-impact", "id"], name="finding_by_state"),
            models.Index(fields=["signature"], name="finding_by_signature"),
            models.Index(fields=["package"], name="finding_by_package"),
            models.Index(fields=["case"], name="finding_by_case"),
        ]


class KnownQuestion(models.Model):
    """Somebody asked whether something is known: who and when, for the limit and for oversight."""

    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.CASCADE)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "at"], name="asked_by_when")]
