"""What ``clearhouse match`` found, in lines for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from clearhouse.cli import match_vex
from clearhouse.cli.match_documents import Found
from clearhouse.exposure.inventories import Unidentified
from clearhouse.exposure.matching import Answer, Match
from clearhouse.exposure.vex import Stated
from clearhouse.proof.text import printable

_SHOWN: Final = 10
_LONGEST_SAID: Final = 300
#: Names of a flaw beside its first: all CVEs of a record have room, but for a few lists of many.
_NAMES: Final = 8


def show(found: Found) -> None:
    """Print a line for each match, and on standard error what was not compared."""
    files = {one.match.component.file for one in (*found.matches, *found.suppressed)}
    files |= {one.file for one in found.components}
    for one in (*found.matches, *found.suppressed):
        place = f"{_said(one.match.component.file)}: " if len(files) > 1 else ""
        click.echo(place + _line(one))
    for unknown in found.unidentified[:_SHOWN]:
        click.echo(f"not identified: {_unknown(unknown)}", err=True)
    _more(len(found.unidentified), "packages that could not be identified")
    for record in found.aside[:_SHOWN]:
        click.echo(f"set aside: {_said(record.where)}: {_said(record.reason)}", err=True)
    _more(len(found.aside), "records that were set aside")
    for ecosystem, count in found.uncovered.items():
        click.echo(
            f"not compared: {count} packages of {_said(ecosystem)}: no advisory is about it",
            err=True,
        )
    click.echo(_summary(found), err=True)


def _said(text: str) -> str:
    return printable(text, limit=_LONGEST_SAID)


def _unknown(one: Unidentified) -> str:
    name = _said(" ".join(filter(None, (one.listed.name, one.listed.version))))
    why = f"{_said(one.reason)}; {_said(one.suggestion)}"
    return ": ".join(filter(None, (_said(one.listed.place), name, why)))


def _summary(found: Found) -> str:
    matches = [one.match for one in found.matches]
    affected = [one for one in matches if one.answer is Answer.AFFECTED]
    touched = len({one.component for one in affected})
    parts = [f"known flaws: {len(affected)}, in {touched} of {found.compared} packages compared"]
    if undecided := len(found.matches) - len(affected):
        parts.append(f"cannot be decided: {undecided}")
    if found.suppressed:
        parts.append(f"not affected or fixed, as somebody states: {len(found.suppressed)}")
    if found.unidentified:
        parts.append(f"packages not identified: {len(found.unidentified)}")
    return "; ".join(parts)


def _more(count: int, what: str) -> None:
    if count > _SHOWN:
        click.echo(f"and {count - _SHOWN} more {what}; --json has them all", err=True)


def _line(stated: Stated) -> str:
    one = stated.match
    line = f"{_said(one.component.label)}  {_names(one)}  {one.answer.value}: " + _said(
        one.decision.because
    )
    if stated.statement is None:
        return line
    return f"{line}; {_said(match_vex.in_words(stated.statement))}"


def _names(one: Match) -> str:
    """The flaw by its first name, and by others: CVEs come first, and the record that decided."""
    others: Sequence[str] = one.ids[1:]
    shown = [*others[:_NAMES]]
    if one.vulnerability.id in others[_NAMES:]:
        shown.append(one.vulnerability.id)
    left = len(others) - len(shown)
    words = ", ".join(map(_said, shown)) + (f" and {left} more" if left else "")
    return f"{_said(one.ids[0])} ({words})" if words else _said(one.ids[0])
