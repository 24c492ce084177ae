"""Responses from files: a matrix as CSV, systems as JSON, or what a run came to; several together.

The JSON of systems is::

    {"format": "clearhouse-responses/1",
     "families": {"item": "family", ...},
     "systems": [{"name": "...", "model": "...", "solved": ["item", ...], "failed": [...]}, ...]}

``families`` may be left out, ``model`` as well where the system is a model of its own.  What a run
came to is the document that ``clearhouse bench run --json`` prints: the first attempt at each item
counts, and an error says nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.responses import Responses, read_responses
from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode, shown

FORMAT: Final = "clearhouse-responses/1"
_MOST_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Given:
    """Responses, and the families of items as far as the file names them."""

    responses: Responses
    families: Mapping[str, str]


def read_given(raw: bytes, where: str, *, models: Mapping[str, str] | None = None) -> Given:
    """Read one file of responses: JSON where it begins with a brace, otherwise CSV.

    ``models`` says which model a system is, where the file does not.  Raises :class:`Invalid`.
    """
    if not raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return Given(read_responses(raw, where, models=models), {})
    document = JsonValue(decode(raw, where, most_bytes=_MOST_BYTES), where)
    table = document.table()
    if table.get("format") == FORMAT:
        return _systems(document, models or {})
    if "outcomes" in table and "items" in table:
        return _run(document, models or {})
    raise document.wrong(
        f"expected the format {FORMAT}, or what 'clearhouse bench run --json' prints"
    )


def together(given: Sequence[Given]) -> Given:
    """The systems of several files over the items of all of them; what was not run stays empty.

    Raises :class:`Invalid` for a system that stands in two files, and for two families of an item.
    """
    rows: dict[str, tuple[str, Mapping[str, bool]]] = {}
    families: dict[str, str] = {}
    items: dict[str, None] = {}
    for one in given:
        for system, model in zip(one.responses.systems, one.responses.models, strict=True):
            if system in rows:
                raise Invalid(f"the system {shown(system)} stands in two files")
            rows[system] = model, one.responses.of(system)
        items.update(dict.fromkeys(one.responses.items))
        for name, family in one.families.items():
            if families.setdefault(name, family) != family:
                raise Invalid(f"the item {shown(name)} has two families")
    cells = tuple(tuple(row.get(name) for name in items) for _, row in rows.values())
    models = tuple(model for model, _ in rows.values())
    return Given(Responses(tuple(rows), models, tuple(items), cells), families)


def read_column(raw: bytes, where: str, column: str) -> dict[str, str]:
    """A CSV's column by name, under what stands first in each line; empty cells are left out.

    Raises :class:`Invalid` with the line where there is no such column or a name stands twice.
    """
    try:
        lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"is not CSV in UTF-8: {error}", where=where) from None
    if not lines or column not in lines[0][1:]:
        raise Invalid(f"has no column '{column}' after the first", where=where, key="line 1")
    at = lines[0].index(column, 1)
    found: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        if len(line) <= at or line[0] in found:
            what = "stands twice" if line[0] in found else f"has no {column}"
            raise Invalid(f"{shown(line[0])} {what}", where=where, key=f"line {number}")
        if line[at]:
            found[line[0]] = line[at]
    return found


def _systems(document: JsonValue, models: Mapping[str, str]) -> Given:
    document.check_keys(("format", "systems"), ("families",))
    families = document.get("families")
    named: dict[str, str] = {}
    if families is not None:
        named = {key: JsonValue.text(_at(families, key)) for key in families.table()}
    given: list[Given] = []
    for one in document.listed("systems"):
        one.check_keys(("name",), ("model", "solved", "failed"))
        name = one.text_at("name") or ""
        cells: dict[str, bool] = {}
        for key in ("solved", "failed"):
            for item in one.listed(key):
                if item.text() in cells:
                    raise item.wrong(f"{shown(item.text())} stands twice")
                cells[item.text()] = key == "solved"
        given.append(Given(_row(name, one.text_at("model") or models.get(name), cells, one), {}))
    if not given:
        raise document.wrong("names no system")
    found = together(given)
    return Given(found.responses, named)


def _run(document: JsonValue, models: Mapping[str, str]) -> Given:
    name = document.text_at("system")
    if name is None:
        raise document.wrong("does not say which system ran: 'system' has to be there")
    cells: dict[str, bool] = {}
    families: dict[str, str] = {}
    for one in document.listed("items"):
        item, outcome = one.text_at("item") or "", one.text_at("outcome")
        if outcome not in list(Ending):
            raise one.wrong(f"an outcome is one of {', '.join(Ending)}")
        if one.text_at("family"):
            families[item] = one.text_at("family") or ""
        if one.integer_at("attempt") in {None, 1} and outcome != Ending.ERROR:
            cells.setdefault(item, outcome == Ending.SOLVED)
    return Given(_row(name, models.get(name), cells, document), families)


def _row(name: str, model: str | None, cells: Mapping[str, bool], at: JsonValue) -> Responses:
    if not name.strip() or not all(item.strip() for item in cells):
        raise at.wrong("a system or an item has no name")
    return Responses((name,), (model or name,), tuple(cells), (tuple(cells.values()),))


def _at(one: JsonValue, key: str) -> Any:  # noqa: ANN401 - the value under a key that is there
    found = one.get(key)
    if found is None:
        raise one.wrong(f"has no {shown(key)}")
    return found
