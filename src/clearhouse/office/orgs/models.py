"""Organisations, the people in them, and the keys of their machines."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from clearhouse.protocol.roles import Role


class UserManager(BaseUserManager["User"]):
    """Makes accounts; an address is one account however it is spelt."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:  # noqa: ANN401 - fields
        """An account; without a password it can be entered by another way only."""
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """The account of an address."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person's account.  What it may do follows from its organisations, not from the account."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name that others see."""
        return self.name


class Organisation(models.Model):
    """Somebody who takes part.  ``roles`` holds the values of :class:`Role`."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    roles = models.JSONField(default=list)
    contact = models.EmailField(blank=True)
    website = models.URLField(blank=True)
    sector = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name

    @property
    def role_set(self) -> frozenset[Role]:
        """The roles as values."""
        return frozenset(Role(one) for one in self.roles)


class Opening(models.Model):
    """The one row that says that the office was opened: of two who try at once, one fails."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()


class Membership(models.Model):
    """A person in an organisation; a manager may invite, remove and make keys."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships"
    )
    is_manager = models.BooleanField(default=False)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="one_membership")
        ]


class Invitation(models.Model):
    """A way in for one address, once.  Only the digest of its token is kept."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    email = models.EmailField()
    is_manager = models.BooleanField(default=False)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    invited_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    def stands(self, now: datetime) -> bool:
        """Whether somebody can still come in by it."""
        return self.accepted_at is None and now < self.expires_at


class ApiKey(models.Model):
    """A machine's key.  ``prefix`` finds it, only the digest of the whole is kept."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def works(self, now: datetime) -> bool:
        """Whether it lets somebody in at that time; at the moment of its end it does not."""
        return self.revoked_at is None and now < self.expires_at


class SupplierPolicy(models.Model):
    """How a supplier wants to hear of vulnerabilities; its stated way is obeyed.

    ``route`` says how reports reach it, ``embargo_days`` how long it asks for silence (0: publish
    at once, None: it does not say), ``pace`` how many cases it takes in a week (None: any number).
    """

    class Route(models.TextChoices):
        """How reports reach a supplier."""

        HERE = "here", "in this office"
        MAIL = "mail", "by mail to its address"
        PUBLIC = "public", "in its public tracker, at once"

    class Scale(models.TextChoices):
        """The severity scale that a supplier uses."""

        CVSS4 = "cvss4", "CVSS 4.0"
        CVSS31 = "cvss31", "CVSS 3.1"
        OWN = "own", "its own words"

    organisation = models.OneToOneField(
        Organisation, on_delete=models.CASCADE, related_name="policy", primary_key=True
    )
    route = models.CharField(max_length=10, choices=Route.choices, default=Route.HERE)
    embargo_days = models.PositiveIntegerField(null=True, blank=True)
    pace = models.PositiveIntegerField(null=True, blank=True)
    scale = models.CharField(max_length=10, choices=Scale.choices, default=Scale.CVSS4)
    proof_required = models.BooleanField(default=True)
    scope = models.TextField(blank=True)
    updated_at = models.DateTimeField(default=timezone.now)


class SuppliedPackage(models.Model):
    """A package that an organisation maintains, as a purl without version."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="packages"
    )
    purl = models.CharField(max_length=300)
    is_confirmed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "purl"], name="package_once")
        ]
        indexes = [models.Index(fields=["purl"], name="supplied_by_purl")]


class SharedCount(models.Model):
    """The table of Django's cache: what all processes count together, such as failed sign-ins.

    Its columns are those that ``createcachetable`` would make; as a model it comes with the
    migrations, so that no office runs without it.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "office_cache"
