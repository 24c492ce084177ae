"""Who is looking: every query takes one, and no query guesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clearhouse.errors import NotFound, Refused
from clearhouse.protocol.roles import Role, Scope

EVERY_SCOPE: Final = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person or a machine, acting for one organisation; or the public.

    ``person`` and ``organisation`` are database ids.  ``name`` is what others see beside its acts.
    A machine (``key``) has the scopes of its API key, a person all.
    """

    organisation: int | None
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    name: str
    person: int | None = None
    key: int | None = None

    @property
    def is_public(self) -> bool:
        """Whether nobody in particular is looking."""
        return self.organisation is None

    def has(self, role: Role) -> bool:
        """Whether it acts for an organisation with that role."""
        return role in self.roles

    @property
    def coordinates(self) -> bool:
        """Whether it runs this office."""
        return Role.COORDINATOR in self.roles

    def acting_for(self) -> int:
        """The organisation it acts for.  Raises :class:`Refused` for the public."""
        if self.organisation is None:
            raise Refused("sign in, or send an API key, to do this")
        return self.organisation

    def needs(self, scope: Scope) -> None:
        """Raise :class:`Refused` unless it may do what the scope names."""
        if not self.coordinates:
            self.acting_for()
        if scope not in self.scopes:
            raise Refused(f"this API key does not have the scope {scope.value}")

    def must_coordinate(self) -> None:
        """Raise :class:`NotFound` unless it runs this office: what exists there is no one else's.

        The answer is the same as for a thing that does not exist.
        """
        if not self.coordinates:
            raise NotFound("there is no such thing here")


PUBLIC: Final = Viewer(None, frozenset(), frozenset(), "the public")
"""Anybody, without signing in."""

SYSTEM: Final = Viewer(None, frozenset({Role.COORDINATOR}), EVERY_SCOPE, "clearhouse")
"""The office itself, when a clock or a job acts: never made from a request."""
