"""What ``look/base.html`` is handed: who is here and where they can go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Office:
    """The organisation that runs this office, by the name it gives itself."""

    name: str
    contact: str = ""  # an e-mail address or a telephone number


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to go."""

    text: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """An organisation that an account can act for; ``value`` is what the form sends."""

    value: str
    text: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in, for whom they act, and what their menu offers.

    Switching and signing out change something, so that both are forms that post.
    """

    name: str
    organisation: str = ""
    organisations: tuple[Choice, ...] = ()
    switch_url: str = ""
    sign_out_url: str = ""
    links: tuple[Link, ...] = ()
