"""Who may see the entries about a subject: the rooms that the subjects belong to say it.

The ledger does not know what a finding or a case is.  The rooms of findings and of cases register
a rule for their subjects when they are loaded; what no rule allows is shown to nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from clearhouse.office.viewer import SYSTEM, Viewer

MaySee = Callable[[Viewer, str], bool]
"""Whether a viewer may see everything that the ledger says about a subject."""

_RULES: list[MaySee] = []


def may_see_by(rule: MaySee) -> MaySee:
    """Register a room's rule; a decorator.  It answers False for subjects of other rooms."""
    if rule not in _RULES:
        _RULES.append(rule)
    return rule


def may_see(viewer: Viewer, subject: str) -> bool:
    """Whether some room's rule allows it; the office itself may, when it acts by itself."""
    return viewer == SYSTEM or any(rule(viewer, subject) for rule in _RULES)
