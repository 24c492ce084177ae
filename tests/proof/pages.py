"""An HTML page taken apart, with a complaint for whatever is not as it must be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "col", "input", "wbr", "br"}
#: Elements that may stand with a slash at their end; in SVG they close by it.
SVG = {"circle", "line", "rect", "use", "path"}
#: The document's own words: what stands in these is no text of the page.
UNSEEN = {"style", "head"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    parent: Element | None
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, name: str | None = None, **wanted: str) -> list[Element]:
        """Elements below this one, in order; ``class_`` matches one of the classes."""
        found = []
        for child in self.children:
            if name in (None, child.name) and all(child.has(k, v) for k, v in wanted.items()):
                found.append(child)
            found += child.all(name, **wanted)
        return found

    def has(self, key: str, value: str) -> bool:
        mine = self.attributes.get(key.rstrip("_"))
        return mine is not None and (value in mine.split() if key == "class_" else mine == value)

    def one(self, name: str | None = None, **wanted: str) -> Element:
        found = self.all(name, **wanted)
        assert len(found) == 1, f"{len(found)} elements {name} {wanted}"
        return found[0]

    @property
    def text(self) -> str:
        """All text in it, spaces as a reader sees them."""
        return " ".join("".join(self.texts).split())


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {}, None)
        self.now = self.root
        self.complaints: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, times in Counter(key for key, _ in attrs).items():
            if times > 1:
                self.complaints.append(f"{tag} has {key} {times} times")
        element = Element(tag, dict(attrs), self.now)
        self.now.children.append(element)
        if tag not in VOID:
            self.now = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SVG:
            self.complaints.append(f"{tag} closes itself")
        self.now.children.append(Element(tag, dict(attrs), self.now))

    def handle_endtag(self, tag: str) -> None:
        if tag != self.now.name:
            self.complaints.append(f"</{tag}> closes <{self.now.name}> at {self.getpos()}")
        self.now = self.now.parent or self.root

    def handle_data(self, data: str) -> None:
        if self.now is self.root and data.strip():
            self.complaints.append(f"text outside of the page: {data!r}")
        if self.now.name in UNSEEN:
            self.now.texts.append(data)
            return
        above: Element | None = self.now
        while above is not None:
            above.texts.append(data)
            above = above.parent


def read(page: str) -> Element:
    """Parse a page; fails on anything that is opened and not closed, or closed and not opened."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert parser.complaints == []
    assert parser.now is parser.root, f"<{parser.now.name}> is not closed"
    return parser.root


def complaints(root: Element) -> list[str]:
    """What is wrong with ids, references, tables, inputs and headings."""
    return [*_references(root), *_tables(root), *_names(root), *_headings(root)]


def _references(root: Element) -> list[str]:
    elements = root.all()
    ids = Counter(str(e.attributes["id"]) for e in elements if "id" in e.attributes)
    found = [f"id {one} stands {times} times" for one, times in ids.items() if times > 1]
    for element in elements:
        told = element.attributes
        wanted = [*(told.get("aria-labelledby") or "").split(), *(told.get("for") or "").split()]
        href = told.get("href")
        if href is not None:
            found += [] if href.startswith("#") else [f"a reference leaves the page: {href}"]
            wanted.append(href.lstrip("#"))
        found += [f"{one} is referred to and not there" for one in wanted if one not in ids]
    return found


def _tables(root: Element) -> list[str]:
    found = []
    for table in root.all("table"):
        head = table.one("thead").all("th")
        if not head or any(th.attributes.get("scope") != "col" for th in head):
            found.append("a table without headers of its columns")
        for row in (row for body in table.all("tbody") for row in body.all("tr")):
            cells = [c for c in row.children if c.name in ("td", "th")]
            width = sum(int(c.attributes.get("colspan") or 1) for c in cells)
            if width != len(head):
                found.append(f"a row of {width} cells under {len(head)} headers: {row.text}")
            scopes = [c.attributes.get("scope") for c in cells if c.name == "th"]
            if len(scopes) != 1 or scopes[0] not in ("row", "rowgroup"):
                found.append(f"a row without its header: {row.text}")
    return found


def _names(root: Element) -> list[str]:
    labelled = {label.attributes.get("for") for label in root.all("label")}
    found = [
        f"an input without label: {box.attributes}"
        for box in root.all("input")
        if box.attributes.get("id") not in labelled
    ]
    for drawing in root.all("svg"):
        told = drawing.attributes
        if told.get("aria-hidden") != "true" and not (told.get("role") and told.get("aria-label")):
            found.append(f"a drawing without a name: {told}")
    found += ["a link without text" for link in root.all("a") if not link.text]
    return found


def _headings(root: Element) -> list[str]:
    levels = [int(e.name[1]) for e in root.all() if e.name in {"h1", "h2", "h3", "h4"}]
    if levels[:1] != [1] or levels.count(1) != 1:
        return ["not one first heading"]
    return [f"h{low} is followed by h{high}" for low, high in pairwise(levels) if high > low + 1]
