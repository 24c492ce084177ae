"""Jobs and the lanes they wait in."""

from __future__ import annotations

from django.db import models


class Lane(models.Model):
    """Where the jobs of one party wait.  Lanes take turns, however long each is.

    ``passed`` is the lane's virtual time: each turn moves it on by ``1 / weight``, and the lane
    that is least far goes next (``docs/decisions/0010-own-queue.md``).  ``most_running`` limits
    how many of its jobs run at once.  How many wait and run is counted from the jobs themselves.
    """

    name = models.CharField(max_length=120, unique=True)
    passed = models.FloatField(default=0)
    weight = models.FloatField(default=1)
    most_running = models.PositiveIntegerField(default=1000)

    class Meta:
        indexes = [models.Index(fields=["passed", "id"], name="lane_by_pass")]


class Clock(models.Model):
    """The virtual time of all lanes, in one row: whoever gives out a job holds it meanwhile.

    ``passed`` is where the lane served last stood at the start of its turn.  A lane that was
    idle takes its next turn from there, so that nobody saves up turns.
    """

    passed = models.FloatField(default=0)


class Job(models.Model):
    """Work to be done once.

    ``key`` makes a second request for the same work none; ``fence`` rises with each start, so that
    a worker which was given up on cannot finish what another has taken over.  ``attempts`` counts
    the starts that speak against the job: one given back or put off for want of something else
    does not.
    """

    class State(models.TextChoices):
        """Where a job stands."""

        WAITING = "waiting"
        DELAYED = "delayed"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=160, unique=True)
    payload = models.JSONField(default=dict)
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="jobs", db_index=False)
    priority = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    most_attempts = models.PositiveSmallIntegerField(default=3)
    not_before = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    leased_until = models.DateTimeField(null=True)
    progress = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["lane", "-priority", "id"],
                condition=models.Q(state="waiting"),
                name="job_next_in_lane",
            ),
            models.Index(
                fields=["lane", "leased_until"],
                condition=models.Q(state="running"),
                name="job_running",
            ),
            models.Index(
                fields=["not_before"], condition=models.Q(state="delayed"), name="job_delayed"
            ),
            models.Index(
                fields=["kind", "-ended_at"], condition=models.Q(state="done"), name="job_done"
            ),
        ]
