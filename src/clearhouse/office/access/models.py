"""Developers' endpoints, grants on them, what gateways hold and have used, and alerts."""

from __future__ import annotations

from django.db import models


class Endpoint(models.Model):
    """A developer's endpoint.

    ``sealed_credential`` opens only with the office's key, and is wiped when the endpoint closes.
    ``prices`` are by model; ``consequences`` by rule; ``recipients`` are age keys of the developer.
    ``hours`` are those of the day, in UTC, in which use is not unusual: all where none is named.
    """

    name = models.CharField(max_length=20, unique=True)
    owner = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    address = models.URLField(max_length=500)
    keyed = models.CharField(max_length=20)
    sealed_credential = models.BinaryField()
    sealed_canaries = models.BinaryField()
    prices = models.JSONField(default=dict)
    consequences = models.JSONField(default=dict)
    hours = models.JSONField(default=list)
    recipients = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)


class AccessGrant(models.Model):
    """What one party may do with an endpoint, and until when.

    ``holder`` is the one person of the party whom it is for; without one it is for all of them.
    ``window`` names what the grant is a part of: a review's window, and ``held_at`` is since when
    that is paused; ``paused_at`` is the grant's own pause.  ``changed`` is the number of
    the last change, by which gateways learn of it.  ``seen_at`` is the latest time at which a
    gateway looked at it.  ``lent`` and ``spent`` are what of the budget is gone; ``minute`` is the
    minute of the clock that the rates were last counted in.
    """

    name = models.CharField(max_length=20, unique=True)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="grants")
    party = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    holder = models.ForeignKey("orgs.User", null=True, on_delete=models.PROTECT)
    window = models.CharField(max_length=40)
    token_digest = models.BinaryField(max_length=32)
    models_allowed = models.JSONField(default=list)
    calls = models.JSONField(default=list)
    networks = models.JSONField(default=list)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    requests = models.BigIntegerField()
    tokens = models.BigIntegerField()
    micros = models.BigIntegerField()
    requests_a_minute = models.BigIntegerField()
    tokens_a_minute = models.BigIntegerField()
    streams = models.BigIntegerField()
    spent_requests = models.BigIntegerField(default=0)
    spent_tokens = models.BigIntegerField(default=0)
    spent_micros = models.BigIntegerField(default=0)
    minute = models.BigIntegerField(default=0)
    minute_requests = models.BigIntegerField(default=0)
    minute_tokens = models.BigIntegerField(default=0)
    issued_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    changed = models.BigIntegerField()
    entry = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["changed"], name="grant_by_change"),
            models.Index(fields=["window"], name="grant_by_window"),
        ]


class AccessChange(models.Model):
    """The number of the last change: one row, held by whoever changes a grant."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)


class GatewayJournal(models.Model):
    """A journal of a gateway process, as far as it was taken: lines, and the hash of the last.

    ``step`` is the last settlement; ``noted`` how many lines the ledger has the hash of.
    """

    name = models.CharField(max_length=40, unique=True)
    step = models.BigIntegerField(default=0)
    lines = models.BigIntegerField(default=0)
    head = models.CharField(max_length=64)
    noted = models.BigIntegerField(default=0)
    noted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)


class JournalLines(models.Model):
    """Lines of a journal that were taken together, as they were written and chained.

    ``first`` is the number of the first; ``raw`` has them one after the other, each with its end.
    """

    journal = models.ForeignKey(GatewayJournal, on_delete=models.PROTECT, related_name="taken")
    first = models.BigIntegerField()
    raw = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["journal", "first"], name="lines_once")]


class Loan(models.Model):
    """What of a grant's budget a process holds, and the streams that it may run."""

    journal = models.ForeignKey(GatewayJournal, on_delete=models.CASCADE)
    grant = models.ForeignKey(AccessGrant, on_delete=models.CASCADE, related_name="loans")
    requests = models.BigIntegerField(default=0)
    tokens = models.BigIntegerField(default=0)
    micros = models.BigIntegerField(default=0)
    streams = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["journal", "grant"], name="loan_once")]


class AccessUse(models.Model):
    """One use of a grant: who, when, how much, digests; contents as sealed for the developer."""

    name = models.CharField(max_length=24, unique=True)
    grant = models.ForeignKey(AccessGrant, on_delete=models.PROTECT, related_name="uses")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    call = models.CharField(max_length=20)
    model = models.CharField(max_length=200)
    outcome = models.CharField(max_length=60)
    address = models.CharField(max_length=45)
    requests = models.BigIntegerField()
    tokens = models.BigIntegerField()
    micros = models.BigIntegerField()
    request_digest = models.CharField(max_length=64)
    response_digest = models.CharField(max_length=64)
    contents = models.BinaryField(null=True)

    class Meta:
        indexes = [models.Index(fields=["grant", "begun_at"], name="use_by_grant")]


class AccessHour(models.Model):
    """How much of a grant was used in one hour (since 1970)."""

    grant = models.ForeignKey(AccessGrant, on_delete=models.CASCADE)
    hour = models.BigIntegerField()
    requests = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "hour"], name="hour_once")]


class AccessAlert(models.Model):
    """Unusual use of a grant, told to both sides; ``cut`` where it ended access by rule."""

    grant = models.ForeignKey(AccessGrant, on_delete=models.CASCADE, related_name="alerts")
    rule = models.CharField(max_length=20)
    says = models.CharField(max_length=300)
    at = models.DateTimeField()
    cut = models.BooleanField()
    entry = models.BigIntegerField()
