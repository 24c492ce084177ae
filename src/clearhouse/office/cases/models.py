"""Cases of coordinated disclosure, who takes part, and everything that is kept in them."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.utils.functional import cached_property

from clearhouse.protocol.embargo import Consent, EmbargoState
from clearhouse.protocol.report_management import ReportState

_LABEL = 20
_NAME = 20


def _choices(values: type[StrEnum]) -> list[tuple[str, str]]:
    return [(one.value, one.value) for one in values]


class Case(models.Model):
    """One flaw of one package, and its coordinated disclosure.

    ``signature`` is what proven findings of it share; a case made of reports without proof has
    none.  ``lead`` is the person of the office who looks after it.  The three things that happen in
    the world have a time each; those of suppliers stand with each supplier.
    """

    class State(models.TextChoices):
        """Whether it is being worked on."""

        OPEN = "open"
        CLOSED = "closed"

    name = models.CharField(max_length=_NAME, unique=True)
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True)
    package = models.CharField(max_length=300)
    signature = models.CharField(max_length=100, null=True, unique=True)
    weaknesses = models.JSONField(default=list)
    effect = models.CharField(max_length=20, blank=True)
    impact = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    closed_because = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField()
    lead = models.ForeignKey("orgs.User", null=True, on_delete=models.SET_NULL)
    cve = models.CharField(max_length=20, blank=True)

    embargo = models.CharField(
        max_length=10, choices=_choices(EmbargoState), default=EmbargoState.NONE
    )
    embargo_ends_at = models.DateTimeField(null=True)
    embargo_because = models.CharField(max_length=300, blank=True)
    told_at = models.DateTimeField(null=True)

    public_at = models.DateTimeField(null=True)
    exploit_public_at = models.DateTimeField(null=True)
    attacks_at = models.DateTimeField(null=True)

    history = models.CharField(max_length=64, blank=True)
    affected = models.JSONField(null=True)
    declared = models.JSONField(default=list)
    ssvc = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["state", "embargo_ends_at"], name="case_by_end"),
            models.Index(fields=["state", "-impact", "id"], name="case_by_impact"),
            models.Index(fields=["package"], name="case_by_package"),
        ]


class Participant(models.Model):
    """An organisation in a case: its role there, its consent, where it stands with the report."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="participants")
    organisation = models.ForeignKey(
        "orgs.Organisation", on_delete=models.PROTECT, related_name="participations"
    )
    role = models.CharField(max_length=20)
    consent = models.CharField(max_length=12, choices=_choices(Consent), default=Consent.NONE)
    report = models.CharField(max_length=10, choices=_choices(ReportState))
    invited_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    aware_at = models.DateTimeField(null=True)
    fix_ready_at = models.DateTimeField(null=True)
    fix_deployed_at = models.DateTimeField(null=True)
    credit_at = models.DateTimeField(null=True)
    credit_name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "organisation", "role"], name="part_once")
        ]
        indexes = [models.Index(fields=["organisation", "consent"], name="part_of_organisation")]


class CaseEvent(models.Model):
    """A line of a case's timeline.  ``part`` is what somebody has to see to see the line."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    text = models.CharField(max_length=1000)
    by = models.CharField(max_length=200)
    part = models.CharField(max_length=20)
    entry = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["case", "id"], name="event_of_case")]


class Proposal(models.Model):
    """Another end of the embargo that somebody wants."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="proposals")
    organisation = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    by = models.CharField(max_length=200)
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=1000)
    at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    decided_because = models.CharField(max_length=1000, blank=True)

    @cached_property
    def number(self) -> int:
        """Its place among those of its case, from 1.

        What is shown of it: the database's own number would tell how many other cases have.
        Who reads many of a case counts them (:func:`cases.queries.proposals_of`).
        """
        return Proposal.objects.filter(case=self.case_id, pk__lte=self.pk).count()


class Turn(models.Model):
    """Something that moved the deadline (:class:`clearhouse.protocol.disclosure_clock.Turn`)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="turns")
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    reason = models.CharField(max_length=1000)


class Message(models.Model):
    """What somebody says in a case; ``addressed`` is empty when it is said to all."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages")
    name = models.CharField(max_length=_NAME, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    text = models.TextField()
    tlp = models.CharField(max_length=_LABEL)
    addressed = models.ManyToManyField("orgs.Organisation", related_name="+")


class CaseFile(models.Model):
    """A file in a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=_NAME, unique=True)
    filename = models.CharField(max_length=200)
    size = models.BigIntegerField()
    blob = models.CharField(max_length=64)
    organisation = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    tlp = models.CharField(max_length=_LABEL)
    addressed = models.ManyToManyField("orgs.Organisation", related_name="+")


class Task(models.Model):
    """Something that has to be done in a case, by whom and until when."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tasks")
    name = models.CharField(max_length=_NAME, unique=True)
    title = models.CharField(max_length=300)
    assignee = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    due_at = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["assignee", "due_at"], name="task_by_due")]


class Assessment(models.Model):
    """How severe somebody thinks it is; the supplier's own counts, all stay visible."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="assessments")
    organisation = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    by = models.CharField(max_length=200)
    role = models.CharField(max_length=20)
    vector = models.CharField(max_length=300)
    score = models.FloatField()
    severity = models.CharField(max_length=20)
    reason = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()


class PublicAdvisory(models.Model):
    """What is public already, to hold reports against: one row for each package of a record."""

    advisory = models.CharField(max_length=60)
    aliases = models.JSONField(default=list)
    package = models.CharField(max_length=300)
    summary = models.CharField(max_length=1000, blank=True)
    weaknesses = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["advisory", "package"], name="public_once")]
        indexes = [models.Index(fields=["package"], name="public_by_package")]


class Suggestion(models.Model):
    """That a finding may belong to a case, or to a public advisory; a coordinator decides."""

    class State(models.TextChoices):
        """What the coordinator said."""

        OPEN = "open"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    name = models.CharField(max_length=_NAME, unique=True)
    finding = models.CharField(max_length=_NAME)
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="suggestions")
    advisory = models.CharField(max_length=60, blank=True)
    score = models.FloatField()
    reasons = models.JSONField(default=list)
    made_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "-score"], name="suggestion_open")]


class Patch(models.Model):
    """A candidate for a fix, and what running it showed."""

    class State(models.TextChoices):
        """How far it got."""

        QUEUED = "queued", "waiting to be run"
        ACCEPTED = "accepted", "accepted by its runs"
        REFUSED = "refused", "refused by its runs"
        UNRUNNABLE = "unrunnable", "could not be run here"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="patches")
    name = models.CharField(max_length=_NAME, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    by = models.CharField(max_length=200)
    role = models.CharField(max_length=20)
    made_by = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()
    digest = models.CharField(max_length=80)
    blob = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=1000, blank=True)
    levels = models.JSONField(default=dict)
    verdict = models.CharField(max_length=64, blank=True)
    verdict_digest = models.CharField(max_length=80, blank=True)
    chosen_at = models.DateTimeField(null=True)
    chosen_by = models.CharField(max_length=200, blank=True)
    distributed_at = models.DateTimeField(null=True)
    tlp = models.CharField(max_length=_LABEL, default="TLP:AMBER")
    note_signed = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "digest"], name="patch_once")]
