"""The one family of errors that clearhouse raises on purpose.

Everything the world can do wrong is one of these; anything else that escapes is a bug of ours.
A message is a sentence for the person who has to act. It is safe to show: identifiers, file and
key names, and what was expected, never proof bytes or the text of an embargoed finding.
Status codes live at the API's edge, exit codes at the command line's (``clearhouse.cli.exits``).
"""

from __future__ import annotations


class ClearhouseError(Exception):
    """Base of the family; raise one of its members."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(ClearhouseError):
    """What came in is malformed.

    ``where`` names the file (or archive member) and ``key`` the key inside it, as the person who
    wrote it knows them; the text of the error leads with both.
    """

    def __init__(self, message: str, *, where: str | None = None, key: str | None = None) -> None:
        super().__init__(message)
        self.where = where
        self.key = key

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


class Refused(ClearhouseError):
    """Well formed, but a rule says no."""


class Conflict(ClearhouseError):
    """The state moved since the caller looked."""


class NotFound(ClearhouseError):
    """The thing named does not exist, or may not be known to the caller."""


class Unavailable(ClearhouseError):
    """Something needed is missing or failed here; the message says what and how to get it."""
