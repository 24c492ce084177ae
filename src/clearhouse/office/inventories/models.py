"""Systems, what is installed on them, and which flaws touch them since when."""

from __future__ import annotations

from django.db import models

from clearhouse.exposure.loose_names import LONGEST as LONGEST_LOOSE_NAME
from clearhouse.office.feeds.models import LONGEST_ID

_NAME = 20
#: Components of one flaw that are kept beside it, and characters of what each is named by.
MOST_FOUND = 200
LONGEST_FOUND_PACKAGE = 200
LONGEST_FOUND_VERSION = 100
LONGEST_FOUND_PURL = 500
#: No name that is read has no letter and no digit.
MORE_NAMES = "*"


class System(models.Model):
    """Something that a deployer runs and answers for: a server, a fleet, an application.

    ``answers`` are its owner's, by the keys of the questions; what is missing is not known, and
    ``next_upgrade`` is the day of the next planned upgrade, in UTC; ``past_upgrade`` is one that
    was over when another was planned: what waited for it is overdue still.
    ``revision`` counts what may have changed what touches it, and ``matched`` says up to which of
    these it was looked at.
    """

    name = models.CharField(max_length=_NAME, unique=True)
    organisation = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT)
    title = models.CharField(max_length=120)
    sector = models.CharField(max_length=60, blank=True)
    answers = models.JSONField(default=dict)
    next_upgrade = models.DateField(null=True)
    past_upgrade = models.DateField(null=True)
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    revision = models.BigIntegerField(default=0)
    matched = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["organisation", "title"], name="system_by_owner")]

    def __str__(self) -> str:
        return self.title


class Inventory(models.Model):
    """A list of packages as it came; the newest one that could be read is what is installed.

    ``unidentified`` are the first of those that cannot be matched, with what to do about each;
    ``lacks`` are the ecosystems of which the list before had packages and this one has none, until
    that is known to be meant; ``subject`` is the package URL of what the list is of, where it says
    so; ``blob`` names the file itself.
    """

    class State(models.TextChoices):
        """What has become of it."""

        RECEIVED = "received", "waits to be read"
        READ = "read", "read"
        REFUSED = "refused", "could not be read"

    name = models.CharField(max_length=_NAME, unique=True)
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="inventories")
    at = models.DateTimeField()
    by = models.CharField(max_length=200)
    file = models.CharField(max_length=200)
    distribution = models.CharField(max_length=60, blank=True)
    blob = models.CharField(max_length=64)
    size = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    reason = models.CharField(max_length=500, blank=True)
    format = models.CharField(max_length=60, blank=True)
    subject = models.CharField(max_length=2048, blank=True)
    components = models.IntegerField(default=0)
    unidentified_count = models.IntegerField(default=0)
    unidentified = models.JSONField(default=list)
    lacks = models.JSONField(default=list)
    is_current = models.BooleanField(default=False)
    entry = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["system"], condition=models.Q(is_current=True), name="one_current"
            )
        ]
        indexes = [models.Index(fields=["system", "-at"], name="inventory_newest")]


class Release(models.Model):
    """A version of a package, once for everybody who has it; matching looks at these."""

    ecosystem = models.CharField(max_length=100)
    package = models.CharField(max_length=1024)
    version = models.CharField(max_length=1024)
    lacks_epoch = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ecosystem", "package", "version", "lacks_epoch"], name="release_once"
            )
        ]


class Component(models.Model):
    """A package in the current inventory of a system, and where it stands in the file."""

    inventory = models.ForeignKey(Inventory, on_delete=models.CASCADE, related_name="packages")
    release = models.ForeignKey(Release, on_delete=models.PROTECT)
    purl = models.CharField(max_length=2048, blank=True)
    place = models.CharField(max_length=300, blank=True)


class LooseName(models.Model):
    """A name that the current inventory of a system has for what could not be identified.

    ``name`` is in the form in which two that may be one are equal; ``listed`` is how the first
    entry of that name spells it.  It is empty for an entry without a name, and ``MORE_NAMES``
    stands for those that are too many to be kept.
    """

    inventory = models.ForeignKey(Inventory, on_delete=models.CASCADE, related_name="loose_names")
    name = models.CharField(max_length=LONGEST_LOOSE_NAME)
    listed = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["inventory", "name"], name="loose_name_once")
        ]
        indexes = [models.Index(fields=["name"], name="loose_name")]


class OwnStatements(models.Model):
    """A VEX document that the owner of a system has handed in for it."""

    name = models.CharField(max_length=_NAME, unique=True)
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="statements")
    at = models.DateTimeField()
    by = models.CharField(max_length=200)
    file = models.CharField(max_length=200)
    blob = models.CharField(max_length=64)
    size = models.BigIntegerField()
    count = models.IntegerField()
    withdrawn_at = models.DateTimeField(null=True)
    entry = models.BigIntegerField()


class Exposure(models.Model):
    """A flaw that touches a system, from the day on which it was seen there.

    ``flaw`` is the most common of its identifiers and ``ids`` are all; few have a second CVE.
    ``found`` says which components and what decided, ``packages`` the packages of all of them,
    ``scores`` are CVSS vectors with the record that has each, and ``weaknesses`` numbers in CWE.
    ``due`` and ``rank`` are those of the judgement, which is made anew when something that it rests
    on changes.  ``statement`` is the VEX statement that takes all of it back, where there is one:
    what is taken back stays in sight.
    """

    class Answer(models.TextChoices):
        """What is known."""

        AFFECTED = "affected", "affected"
        UNDECIDED = "undecided", "cannot be told"

    name = models.CharField(max_length=_NAME, unique=True)
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="exposures")
    flaw = models.CharField(max_length=LONGEST_ID)
    ids = models.JSONField(default=list)
    has_second_cve = models.BooleanField(default=False)
    record = models.CharField(max_length=LONGEST_ID)
    summary = models.CharField(max_length=300, blank=True)
    answer = models.CharField(max_length=10, choices=Answer.choices)
    found = models.JSONField(default=list)
    packages = models.JSONField(default=list)
    scores = models.JSONField(default=list)
    weaknesses = models.JSONField(default=list)
    detected_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)
    gone_because = models.CharField(max_length=300, blank=True)
    judged = models.JSONField(default=dict)
    due = models.DateTimeField(null=True)
    rank = models.CharField(max_length=80, blank=True)
    statement = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["system", "flaw"],
                condition=models.Q(gone_at=None),
                name="exposure_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["system", "gone_at", "rank"], name="exposure_open"),
            models.Index(fields=["flaw"], name="exposure_by_flaw"),
            models.Index(
                fields=["system"],
                condition=models.Q(gone_at=None, has_second_cve=True),
                name="exposure_second_cve",
            ),
        ]

    @property
    def title(self) -> str:
        """What it is called: by CISA's catalogue, where it is listed, else by its record."""
        return str(self.judged.get("called") or self.summary)
