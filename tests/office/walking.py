"""Somebody at a browser who clicks and types, and what the browser complains about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response

#: Machines that run tests are busy at times.
_MILLISECONDS = 45_000
_ERROR = 400


@dataclass
class Person:
    """A person with a browser of their own.

    ``complaints`` are errors and warnings of the console, which has what the content security
    policy stopped, errors of scripts, and answers that are errors.
    """

    name: str
    url: str
    page: Page
    complaints: list[str] = field(default_factory=list)

    def goes(self, path: str) -> None:
        """Type an address."""
        self.page.goto(path if path.startswith("http") else self.url + path)

    def clicks(self, text: str, *, inside: str = "body") -> None:
        """Click a link or a button by its words; what is folded away is unfolded by its own."""
        place = self.page.locator(inside)
        # A slash ends the expression where the browser reads it.
        named = re.compile("^" + re.escape(text).replace("/", ".") + r"\b")
        found = place.get_by_role("link", name=named).or_(place.get_by_role("button", name=named))
        found.locator("visible=true").first.click()

    def unfolds(self, text: str, *, inside: str = "body") -> None:
        """Open what is folded away under a heading."""
        self.page.locator(inside).locator("summary", has_text=text).first.click()

    def types(self, label: str, text: str, *, inside: str = "body") -> None:
        """Type into a field by its label."""
        self._field(label, inside).fill(text)

    def selects(self, label: str, text: str, *, inside: str = "body") -> None:
        """Choose from a list by its label."""
        options = self._field(label, inside).locator("option")
        value = options.filter(has_text=text).first.get_attribute("value")
        self._field(label, inside).select_option(value)

    def ticks(self, label: str, *, inside: str = "body") -> None:
        """Tick a box, or choose one of several, by the words beside it."""
        place = self.page.locator(inside).locator("label").filter(has_text=label)
        place.locator("visible=true").first.click()

    def attaches(self, label: str, file: Path, *, inside: str = "body") -> None:
        """Choose a file; the design system writes a name of its own upon such a field."""
        place = self.page.locator(inside)
        field = place.locator("label", has_text=label).first.get_attribute("for")
        place.locator(f"[id='{field}']").set_input_files(file)

    def downloads(self, text: str, to: Path, *, inside: str = "body") -> Path:
        """Click a download; the file."""
        with self.page.expect_download() as coming:
            self.clicks(text, inside=inside)
        path = to / coming.value.suggested_filename
        coming.value.save_as(path)
        return path

    def reads(self, text: str, *, inside: str = "main", seconds: float = 45) -> None:
        """Wait until the words are on the page; fail if they do not come."""
        found = self.page.locator(inside).get_by_text(text).locator("visible=true").first
        found.wait_for(timeout=seconds * 1000)

    def does_not_read(self, text: str) -> None:
        """Fail if the words are on the page."""
        assert text not in self.page.inner_text("body"), f"{self.name} reads {text!r}"

    def _field(self, label: str, inside: str) -> Locator:
        return self.page.locator(inside).get_by_label(label).locator("visible=true").first


def somebody_at(chromium: Browser, url: str, name: str) -> Person:
    """A person with a fresh browser, at the office's first page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_MILLISECONDS)
    made = Person(name, url, context.new_page())

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            made.complaints.append(f"{made.page.url}: {message.type}: {message.text}")

    def on_response(response: Response) -> None:
        if response.status >= _ERROR:
            made.complaints.append(f"{response.url}: {response.status}")

    made.page.on("console", on_console)
    made.page.on("pageerror", lambda error: made.complaints.append(f"{made.page.url}: {error}"))
    made.page.on("response", on_response)
    made.goes("/")
    return made
