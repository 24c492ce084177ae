"""Who is named to whom in a case: the same thing is shown with its author's name or without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from clearhouse.office.authorisation import Standing, meets
from clearhouse.office.cases.models import CaseEvent, Participant
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.roles import Role

#: What stands in the place of a name.
_UNNAMED: Final = {role: f"{'an' if role.value[0] in 'ao' else 'a'} {role.value}" for role in Role}


#: What the office notes of a participant for its own work.
_OFFICE_ONLY: Final = ("invited_at", "answered_at", "heard_at", "silent_since")


class _Signed(Protocol):
    """Something in a case that has an author."""

    organisation_id: int | None
    by: str


Thing = TypeVar("Thing", bound=_Signed)


@dataclass(frozen=True, slots=True)
class Company:
    """The participants whom one viewer meets, and those who are there unnamed."""

    met: tuple[Participant, ...]
    unnamed: tuple[Participant, ...]

    @classmethod
    def of(
        cls, viewer: Viewer, standing: Standing | None, participants: Iterable[Participant]
    ) -> Company:
        """Divide them: oneself is met, others by their role, who declined by the office alone."""
        met: list[Participant] = []
        unnamed: list[Participant] = []
        for one in participants:
            is_own = one.organisation_id == viewer.organisation
            is_here = viewer.coordinates or one.consent != Consent.DECLINED
            is_met = is_own or (is_here and meets(viewer, standing, Role(one.role)))
            if is_met and not is_own and not viewer.coordinates:
                for field in _OFFICE_ONLY:
                    setattr(one, field, None)
            (met if is_met else unnamed).append(one)
        return cls(tuple(met), tuple(unnamed))

    def names(self, organisation: int) -> bool:
        """Whether an organisation's name is told; those outside the case are the office's own."""
        if any(one.organisation_id == organisation for one in self.met):
            return True
        return all(one.organisation_id != organisation for one in self.unnamed)

    def signed(self, things: Sequence[Thing]) -> list[Thing]:
        """The same things; whose author is not named is signed with its role.

        They are rows that were read for this viewer and are never stored again.
        """
        for one in things:
            author = one.organisation_id
            if author is not None and not self.names(author):
                one.by, one.organisation_id = self._role_of(author), None
        return list(things)

    def lines(self, events: Iterable[CaseEvent]) -> list[CaseEvent]:
        """Lines of the timeline, unsigned where their author is not named."""
        lines = list(events)
        for one in lines:
            if self._hides(one.by):
                one.by = ""
        return lines

    def declared(self, rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
        """Declarations of versions, signed with a role where their author is not named."""
        return [
            {**row, "by": _UNNAMED[Role(row["role"])]} if self._hides(row["by"]) else {**row}
            for row in rows
        ]

    def _hides(self, name: str) -> bool:
        hidden = {one.organisation.name for one in self.unnamed}
        hidden -= {one.organisation.name for one in self.met}
        # A machine signs as "Organisation (key)".
        return name in hidden or name.rpartition(" (")[0] in hidden

    def _role_of(self, organisation: int) -> str:
        role = next(one.role for one in self.unnamed if one.organisation_id == organisation)
        return _UNNAMED[Role(role)]
