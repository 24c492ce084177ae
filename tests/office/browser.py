"""Pages in a real browser: serve an application, open it, and ask axe-core what is wrong.

A test that uses this is slow, and reaches a registry for axe-core: mark it ``slow`` and
``network``.  Playwright's loop runs in the test's thread, where Django then refuses the database:
make rows before :func:`browser` is entered; the served application has threads of its own.
"""

from __future__ import annotations

import importlib.util
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from socketserver import ThreadingMixIn
from tarfile import open as open_tar
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from clearhouse.errors import Unavailable

AXE = "4.14.1"
AXE_INTEGRITY = (
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtu"
    "FooJpZe37OgudVGtQ=="
)
#: Levels A and AA of WCAG 2.0, 2.1 and 2.2, as axe-core tags its rules.
WCAG_2_2_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
#: A phone, a tablet on its side or a small window, a desk.
WIDTHS = (390, 1024, 1440)
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_TOOL = Path(__file__).parents[2] / "tools" / "static-assets"


@cache
def tool() -> Any:
    """``tools/static-assets`` as a module."""
    loader = SourceFileLoader("static_assets", str(_TOOL))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@cache
def _axe_text(folder: Path) -> str:
    try:
        archive = tool().pack("axe-core", AXE, AXE_INTEGRITY, folder)
    except Unavailable as error:
        pytest.skip(f"no axe-core: {error}")
    with open_tar(archive) as package:
        member = package.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def axe_source(folder: Path) -> str:
    """The text of axe-core, by way of npm; ``folder`` is an empty temporary one.

    Skips the test where no registry can be reached.
    """
    return _axe_text(folder)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        pass


@contextmanager
def served(application: Callable[..., Any]) -> Iterator[str]:
    """Serve a WSGI application on a free port of the loopback; gives its address, without ``/``."""
    with make_server("127.0.0.1", 0, application, _Server, _Silent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def browser() -> Iterator[Browser]:
    """This machine's Chromium without a window.  Skips the test where there is none."""
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        try:
            yield chromium
        finally:
            chromium.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """A page that is open, and what the browser complained about so far."""

    page: Page
    complaints: list[str]


@contextmanager
def opened(
    chromium: Browser, url: str, *, width: int, axe: str = "", script: bool = True
) -> Iterator[Seen]:
    """Open an address in a window of that width, with axe-core at hand where its text is given.

    ``script`` False is a browser that runs none.  Complaints are errors of the console, which has
    what the content security policy stopped, errors of scripts and answers that are errors.
    """
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=script
    )
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.type}: {message.text}")

    page = context.new_page()
    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    if axe:
        page.add_init_script(axe)
    try:
        page.goto(url, wait_until="load")
        yield Seen(page, complaints)
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What breaks a rule of WCAG 2.2 AA on a page opened with axe-core: rule, reason, place."""
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})"
        ".then(result => result.violations)",
        list(WCAG_2_2_AA),
    )
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found
        for node in one["nodes"]
    ]


def wider_than_window(page: Page) -> list[str]:
    """Elements that make the page scroll sideways (WCAG 2.2, 1.4.10)."""
    listed: list[str] = page.evaluate(
        """() => {
            const root = document.documentElement;
            if (root.scrollWidth <= root.clientWidth) return [];
            return [...document.body.querySelectorAll("*")]
                .filter(one => one.getBoundingClientRect().right > root.clientWidth + 1)
                .map(one => one.outerHTML.slice(0, 120));
        }"""
    )
    return listed
