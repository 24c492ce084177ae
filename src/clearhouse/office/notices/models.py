"""Channels to organisations, what they are told, and how it went."""

from __future__ import annotations

from django.db import models


class Channel(models.Model):
    """A way to tell an organisation.

    ``address`` is a mail address or a receiver's URL; a mail channel without one goes to the
    contact that the organisation names, else to its managers.  ``sealed_secret`` opens only with
    the office's key; ``sealed_previous`` is valid beside it until ``previous_until``.
    ``token_digest`` is of a feed's address; the secret of a mail address is the code that confirms
    it, gone once it has, and ``tries`` how often a wrong one was given.
    ``agreed_at`` is since when TLP:AMBER may go there; ``held_until`` until when nothing is looked
    for, as the day has had its messages.
    """

    class Kind(models.TextChoices):
        """How it is told."""

        MAIL = "mail", "mail"
        WEBHOOK = "webhook", "webhook"
        FEED = "feed", "Atom feed"

    class State(models.TextChoices):
        """Whether anything goes there."""

        UNCONFIRMED = "unconfirmed", "to be confirmed"
        ACTIVE = "active", "active"
        PAUSED = "paused", "paused"

    name = models.CharField(max_length=20, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.CASCADE)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    address = models.CharField(max_length=500, blank=True)
    sealed_secret = models.BinaryField(default=b"")
    sealed_previous = models.BinaryField(default=b"")
    previous_until = models.DateTimeField(null=True)
    token_digest = models.BinaryField(max_length=32, null=True, unique=True)
    tries = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=12, choices=State.choices)
    reason = models.CharField(max_length=300, blank=True)
    agreed_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organisation"], name="channel_of_organisation")]


class Rhythm(models.Model):
    """The hour of the day (UTC) at which an organisation wants what is not urgent."""

    organisation = models.OneToOneField(
        "orgs.Organisation", on_delete=models.CASCADE, primary_key=True
    )
    hour = models.PositiveSmallIntegerField()


class Notice(models.Model):
    """One matter for one organisation; ``topic`` is what makes it the same when it is told again.

    ``revision`` counts what was told differently; ``due_at`` is when the organisation must have
    acted, where somebody has said so.  ``entry`` is the ledger's on its last revision.
    """

    name = models.CharField(max_length=20, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.CASCADE)
    topic = models.CharField(max_length=200)
    urgency = models.CharField(max_length=10)
    tlp = models.CharField(max_length=20)
    headline = models.CharField(max_length=300)
    what = models.TextField()
    where = models.TextField()
    by_when = models.TextField()
    to_do = models.TextField()
    if_not = models.TextField()
    due_at = models.DateTimeField(null=True)
    page = models.CharField(max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=1)
    told_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey("orgs.User", null=True, on_delete=models.SET_NULL)
    ended_at = models.DateTimeField(null=True)
    entry = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "topic"], name="notice_by_topic")
        ]
        indexes = [models.Index(fields=["organisation", "-changed_at"], name="notice_by_change")]


class Message(models.Model):
    """What goes out together on a channel.  ``name`` is its identity wherever it arrives.

    Its text is made from the notices each time it is sent: what is over, or may be read by fewer
    meanwhile, is not sent any more.
    """

    class State(models.TextChoices):
        """Where it stands."""

        SENDING = "sending"
        DELIVERED = "delivered"
        FAILED = "failed"
        DROPPED = "dropped"

    name = models.CharField(max_length=20, unique=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="messages")
    is_test = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.SENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    next_try = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["channel", "-made_at"], name="message_by_channel")]


class Delivery(models.Model):
    """A notice on its way to a channel: it waits without a message, and goes with one.

    ``is_listed``: whether it stands in the message, or is one of those that it counts.  ``is_end``:
    whether it tells that the matter is over, to whom its beginning was told.
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    message = models.ForeignKey(
        Message, null=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    revision = models.PositiveIntegerField()
    since = models.DateTimeField()
    due_at = models.DateTimeField()
    is_listed = models.BooleanField(default=True)
    is_end = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "channel"],
                condition=models.Q(message=None),
                name="waits_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(message=None), name="delivery_waiting"
            )
        ]
