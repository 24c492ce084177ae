"""Directives, the obligations that follow from them, and the evidence that they are met."""

from __future__ import annotations

from django.db import models

from clearhouse.protocol.directives.directive import Way
from clearhouse.protocol.directives.events import State
from clearhouse.protocol.directives.selection import Applies

_NAME = 20
_FLAW = 200
#: States in which something is still asked.
ACTIVE = (State.OPEN.value, State.HANDED_IN.value)
#: States after which nothing can happen.
FINAL = (State.CLOSED.value, State.WITHDRAWN.value)


class DirectiveRow(models.Model):
    """A directive; ``document`` is it, as ``formats/directive.py`` writes it.

    ``template`` is the key of what it was made from, or ``own``; ``delay_days`` is how long after
    its issue nothing is due yet, where its dates are set by the issue.
    """

    class State(models.TextChoices):
        """What has become of it."""

        DRAFT = "draft", "draft"
        ISSUED = "issued", "in force"
        ENDED = "ended", "ended"

    name = models.CharField(max_length=_NAME, unique=True)
    issuer = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    template = models.CharField(max_length=60)
    delay_days = models.IntegerField(null=True)
    tlp = models.CharField(max_length=20)
    document = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    issued_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=1000, blank=True)
    entry = models.BigIntegerField(null=True)
    end_entry = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "ends_at"], name="directive_by_state")]

    def __str__(self) -> str:
        return str(self.document["title"])


class ObligationRow(models.Model):
    """What a directive asks of an organisation for one flaw on one of its systems.

    The columns from ``state`` to ``moves`` are those of the state machine
    (:class:`clearhouse.protocol.directives.obligation.Obligation`); ``next_at`` is when time alone
    makes news again, and ``rank`` sorts by the due date.  ``entry`` is the last of its entries.
    """

    name = models.CharField(max_length=_NAME, unique=True)
    directive = models.ForeignKey(
        DirectiveRow, on_delete=models.PROTECT, related_name="obligations"
    )
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    system = models.ForeignKey("inventories.System", on_delete=models.PROTECT, related_name="+")
    exposure = models.ForeignKey("inventories.Exposure", on_delete=models.PROTECT, related_name="+")
    flaw = models.CharField(max_length=_FLAW)
    ids = models.JSONField(default=list)
    applies = models.CharField(max_length=5, choices=[(one.value, one.value) for one in Applies])
    state = models.CharField(max_length=20, choices=[(one.value, one.value) for one in State])
    start = models.DateTimeField()
    due = models.DateTimeField(null=True)
    handed_in_at = models.DateTimeField(null=True)
    way = models.CharField(max_length=10, blank=True)
    reminded = models.JSONField(default=list)
    moves = models.JSONField(default=list)
    next_at = models.DateTimeField(null=True)
    rank = models.CharField(max_length=40)
    because = models.CharField(max_length=500)
    unanswered = models.JSONField(default=list)
    forensic = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    entry = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["directive", "system", "flaw"],
                condition=models.Q(state__in=ACTIVE),
                name="obligation_open_once",
            ),
            models.UniqueConstraint(fields=["directive", "exposure"], name="obligation_once"),
        ]
        indexes = [
            models.Index(fields=["organisation", "state", "rank"], name="obligation_by_owner"),
            models.Index(fields=["directive", "organisation"], name="obligation_by_directive"),
            models.Index(fields=["state", "next_at"], name="obligation_by_clock"),
        ]


class Evidence(models.Model):
    """That an obligation is met, as somebody says or as a rule found, and what came of it.

    ``reference`` names what it rests on: an inventory, the system, or a case with the digest of
    what running its proofs gave; ``document`` is where that is kept.
    """

    class Verdict(models.TextChoices):
        """What came of it."""

        WAITING = "waiting", "waits to be examined"
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused"
        OVERTAKEN = "overtaken", "no longer needed"

    obligation = models.ForeignKey(ObligationRow, on_delete=models.PROTECT, related_name="evidence")
    way = models.CharField(max_length=10, choices=[(one.value, one.meaning) for one in Way])
    text = models.CharField(max_length=2000, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    document = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=200)
    entry = models.BigIntegerField()
    verdict = models.CharField(max_length=10, choices=Verdict.choices, default=Verdict.WAITING)
    reason = models.CharField(max_length=1000, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=200, blank=True)
    answer_entry = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["obligation", "verdict"], name="evidence_waiting")]

    @property
    def is_by_rule(self) -> bool:
        """Whether nobody's judgement was needed."""
        return Way(self.way).is_decided_by_rule


class ProofRun(models.Model):
    """That the owner of a system has asked to run proofs of a flaw on just what is installed.

    ``cases`` are the published cases whose proofs are run, ``proofs`` what tells those from others,
    and ``installed`` what they are run on; ``key`` is the digest of the three.  ``document`` is
    where what was run is kept, ``digest`` its digest, and ``outcomes`` what it says of each of
    ``installed``.  ``may_differ`` is whether another time it may come out otherwise.
    """

    class State(models.TextChoices):
        """What came of it."""

        WAITING = "waiting", "asked for"
        SHOWN = "shown", "the effect shows"
        NOT_SHOWN = "not-shown", "the effect does not show"
        UNTOLD = "untold", "it cannot be told"
        DROPPED = "dropped", "nothing asks for it any more"

    name = models.CharField(max_length=_NAME, unique=True)
    obligation = models.ForeignKey(ObligationRow, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    key = models.CharField(max_length=80)
    cases = models.JSONField()
    proofs = models.JSONField()
    installed = models.JSONField()
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)
    outcomes = models.JSONField(default=list)
    may_differ = models.BooleanField(default=False)
    document = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["obligation"], condition=models.Q(state="waiting"), name="proof_run_waiting"
            )
        ]
        indexes = [models.Index(fields=["obligation", "state"], name="proof_run_of")]


class Following(models.Model):
    """How far the obligations of a system follow what is known of it.

    ``wanted`` counts what may have changed something, ``derived`` says up to which of these it was
    looked at.
    """

    system = models.OneToOneField("inventories.System", on_delete=models.CASCADE, related_name="+")
    wanted = models.BigIntegerField(default=0)
    derived = models.BigIntegerField(default=0)


class Untold(models.Model):
    """That somebody has to be told how a directive stands; ``to`` is as what."""

    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.CASCADE)
    directive = models.ForeignKey(DirectiveRow, on_delete=models.CASCADE, related_name="+")
    to = models.CharField(max_length=10)
    urgency = models.CharField(max_length=10)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "directive", "to"], name="untold_once")
        ]
