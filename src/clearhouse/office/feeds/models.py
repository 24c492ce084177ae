"""Public records of vulnerabilities, what is said of them elsewhere, and what was loaded when."""

from __future__ import annotations

from django.db import models

LONGEST_ID = 200
LONGEST_NAME = 300
#: In bytes: an index of PostgreSQL holds about 2,700 of a row.
LONGEST_PACKAGE = 1000
LONGEST_IDENTIFIER = 2000


class Record(models.Model):
    """An OSV record, the newest of its identifier; ``body`` is the document, compressed.

    ``source`` says who publishes it, by the prefix of its identifier or the office itself.
    """

    identifier = models.CharField(max_length=LONGEST_ID, unique=True)
    modified = models.CharField(max_length=40, blank=True)
    is_withdrawn = models.BooleanField(default=False)
    summary = models.CharField(max_length=LONGEST_NAME, blank=True)
    digest = models.CharField(max_length=64)
    body = models.BinaryField()
    loaded_at = models.DateTimeField()


class Subject(models.Model):
    """A package that a record is about, as matching names it."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="subjects")
    ecosystem = models.CharField(max_length=100)
    package = models.CharField(max_length=1024)

    class Meta:
        indexes = [models.Index(fields=["ecosystem", "package"], name="subject_by_package")]


class Signal(models.Model):
    """What a catalogue says of a flaw: that it is exploited, how likely that is, how it is used.

    ``kind`` is the catalogue's, ``at`` the day or time that it gives; a newer one takes the place
    of an older one of the same source.
    """

    class Kind(models.TextChoices):
        """The catalogues that are read."""

        KEV = "kev", "Known Exploited Vulnerabilities (CISA)"
        EPSS = "epss", "Exploit Prediction Scoring System (FIRST)"
        SSVC = "ssvc", "SSVC decision points"
        CVSS = "cvss", "CVSS scores"

    flaw = models.CharField(max_length=LONGEST_ID)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    source = models.CharField(max_length=120)
    at = models.CharField(max_length=40, blank=True)
    said = models.JSONField(default=dict)
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flaw", "kind", "source"], name="signal_once")
        ]


class Statements(models.Model):
    """A VEX document: what its author states of products and flaws; the newest of its identifier.

    ``body`` is the document as it came, compressed, and ``where`` the file that it came in.
    """

    kind = models.CharField(max_length=12)
    identifier = models.CharField(max_length=1024)
    modified = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64)
    where = models.CharField(max_length=LONGEST_NAME)
    body = models.BinaryField()
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "identifier"], name="statements_once")
        ]


class Stated(models.Model):
    """A flaw that a VEX document is about."""

    document = models.ForeignKey(Statements, on_delete=models.CASCADE, related_name="flaws")
    flaw = models.CharField(max_length=LONGEST_ID)

    class Meta:
        indexes = [models.Index(fields=["flaw"], name="stated_by_flaw")]


class Load(models.Model):
    """A file that is loaded: how far, and what of it was left out and why.

    ``file`` is its name and ``digest`` tells its content; a load that was cut off goes on at
    ``position``, the number of documents that are kept already.
    """

    file = models.CharField(max_length=LONGEST_NAME)
    digest = models.CharField(max_length=64)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    position = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    left_out = models.BigIntegerField(default=0)
    reasons = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["digest", "file"], name="load_by_file")]
