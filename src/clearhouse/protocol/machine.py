"""State machines as tables: every state and event either has a next state, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from clearhouse.errors import Refused

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[State, Event]):
    """A start, and what each event makes of each state; what is not in the table cannot happen.

    ``subject`` is what a person calls the thing that has the state: "the report", "the embargo".
    """

    subject: str
    start: State
    table: Mapping[tuple[State, Event], State]

    def after(self, state: State, event: Event) -> State:
        """The state that follows.  Raises :class:`Refused` where the event is not possible."""
        following = self.table.get((state, event))
        if following is None:
            possible = ", ".join(self.possible(state)) or "nothing"
            raise Refused(
                f"{self.subject} is {state.value}: {event.value} is not possible, but {possible} is"
            )
        return following

    def possible(self, state: State) -> tuple[Event, ...]:
        """The events that a state allows, in the order of the table."""
        return tuple(event for (before, event) in self.table if before is state)

    def is_final(self, state: State) -> bool:
        """Whether nothing can follow."""
        return not self.possible(state)
