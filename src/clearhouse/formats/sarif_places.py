"""Where a SARIF result points: files relative to the source root, functions, lines.

Sections are those of SARIF 2.1.0 (OASIS Standard, 2020).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from clearhouse.formats.json_value import JsonValue
from clearhouse.formats.report import Location
from clearhouse.formats.report_schema import LAST_LINE, LINE_CHARACTERS

#: Longest chain of base identifiers that is followed; a circle has no end.
_BASES: Final = 10
_DRIVE: Final = re.compile(r"/?[A-Za-z]:[/\\]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
#: Kinds of logical locations inside which code runs (section 3.33.7).
_FUNCTIONS: Final = frozenset({"function", "member", "method", "constructor", "declaration"})
_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str, most: int) -> str:
    """``text`` on one line, without what hides, cut to ``most`` characters with an ellipsis."""
    line = " ".join(_CONTROL.sub(" ", text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


class Places:
    """The locations of one run: what its tables of artifacts and logical locations stand for."""

    def __init__(self, run: JsonValue) -> None:
        self._artifacts = tuple(run.listed("artifacts"))
        self._logical = tuple(run.listed("logicalLocations"))
        self._steps = tuple(run.listed("threadFlowLocations"))
        bases = run.get("originalUriBaseIds")
        self._bases: dict[str, JsonValue] = {}
        for name in bases.table() if bases is not None else ():
            found = bases.get(name) if bases is not None else None
            if found is not None:
                self._bases[name] = found
        self._roots = tuple(
            root for one in self._bases.values() if (root := _absolute(one.text_at("uri")))
        )

    def of(self, result: JsonValue) -> Iterator[Location]:
        """A result's own locations, then the steps of its code flows, then related ones."""
        yield from self._all(result.listed("locations"))
        for flow in result.listed("codeFlows"):
            for thread in flow.listed("threadFlows"):
                yield from self._all(self._step(one) for one in thread.listed("locations"))
        for stack in result.listed("stacks"):
            yield from self._all(frame.get("location") for frame in stack.listed("frames"))
        yield from self._all(result.listed("relatedLocations"))

    def artifact(self, location: JsonValue) -> JsonValue | None:
        """The entry of the run's artifacts that an artifactLocation names by its index."""
        return _entry(self._artifacts, location.integer_at("index"))

    def file(self, location: JsonValue) -> str | None:
        """The path that an artifactLocation stands for (section 3.4), below its outermost base."""
        uri = location.text_at("uri")
        base = location.text_at("uriBaseId")
        if uri is None:
            artifact = self.artifact(location)
            inner = artifact.get("location") if artifact is not None else None
            if inner is None:
                return None
            uri, base = inner.text_at("uri"), inner.text_at("uriBaseId")
        if uri is None:
            return None
        # Bases are joined until one that no other contains: where a checkout lay is no part.
        parts = [uri]
        for _ in range(_BASES):
            outer = self._bases.get(base or "")
            if outer is None:
                break
            stated = outer.text_at("uri") or ""
            if _SCHEME.match(stated) or stated.startswith("/"):
                break
            parts.insert(0, stated if stated.endswith("/") or not stated else f"{stated}/")
            base = outer.text_at("uriBaseId")
        return self._relative("".join(parts)) or None

    def _relative(self, uri: str) -> str:
        path = _absolute(uri)
        if path is None:
            return visible(unquote(uri), LINE_CHARACTERS).removeprefix("./")
        root = max((root for root in self._roots if path.startswith(root)), key=len, default="")
        return visible(path[len(root) :], LINE_CHARACTERS)

    def _step(self, step: JsonValue) -> JsonValue | None:
        """The location of a threadFlowLocation, which may stand in the run's table (3.38.2)."""
        index = step.integer_at("index")
        found = _entry(self._steps, index) if index is not None else step
        return (found or step).get("location")

    def _all(self, locations: Iterator[JsonValue | None]) -> Iterator[Location]:
        for location in locations:
            found = None if location is None else self._location(location)
            if found is not None:
                yield found

    def _location(self, location: JsonValue) -> Location | None:
        function = self._function(location)
        physical = location.get("physicalLocation")
        artifact = physical.get("artifactLocation") if physical is not None else None
        file = self.file(artifact) if artifact is not None else None
        if physical is None or file is None:
            return None
        region = physical.get("region") or physical.get("contextRegion")
        line = region.integer_at("startLine") if region is not None else None
        # Some tools write 0 where they know no line.
        return Location(file, function, line if line and 1 <= line <= LAST_LINE else None)

    def _function(self, location: JsonValue) -> str | None:
        """The function that a logical location names (section 3.33), the innermost first."""
        named: list[tuple[str, str | None]] = []
        for stated in location.listed("logicalLocations"):
            kept = _entry(self._logical, stated.integer_at("index"))
            for one in (stated, kept) if kept is not None else (stated,):
                text = one.text_at("fullyQualifiedName") or one.text_at("name")
                if text and visible(text, LINE_CHARACTERS):
                    named.append((visible(text, LINE_CHARACTERS), one.text_at("kind")))
        inside = [text for text, kind in named if kind is None or kind in _FUNCTIONS]
        return inside[0] if inside else None


def _entry(table: tuple[JsonValue, ...], index: int | None) -> JsonValue | None:
    """The entry at ``index``; -1 says that there is none (section 3.4.5)."""
    return table[index] if index is not None and 0 <= index < len(table) else None


def _absolute(uri: str | None) -> str | None:
    """The path of an absolute URI or of a path with a drive; None for a relative reference."""
    if uri is None:
        return None
    if _DRIVE.match(uri) or uri.startswith("/"):
        return unquote(uri)
    if not _SCHEME.match(uri):
        return None
    try:
        split = urlsplit(uri)
    except ValueError:
        return unquote(uri)
    path = unquote(split.path)
    return path[1:] if _DRIVE.match(path) and path.startswith("/") else path


def distinct(locations: Iterator[Location]) -> tuple[Location, ...]:
    """Each location once, in order."""
    found: Mapping[Location, None] = dict.fromkeys(locations)
    return tuple(found)
