"""The files of pages are collected once, whole, and never for another version than this one."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from pytest_django import Settings

from clearhouse.errors import Unavailable
from clearhouse.office.assets import collect

TOP = Path(__file__).parents[2]
NEEDED = "uswds/css/uswds.min.css"


@pytest.fixture
def assets(tmp_path: Path, settings: Settings) -> Path:
    """A design system in small: a style sheet that names a font."""
    folder = tmp_path / "assets"
    for name, text in ((NEEDED, "@font-face{src:url(../a.woff2)}" * 99), ("uswds/a.woff2", "a")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    settings.STATICFILES_DIRS = [folder]
    return folder


def served(root: Path, name: str) -> Path:
    """The file that pages name for that one."""
    manifest = json.loads((root / "staticfiles.json").read_text())
    return root / str(manifest["paths"][name])


def test_files_are_named_by_their_content_and_compressed(assets: Path, tmp_path: Path) -> None:
    root = tmp_path / "home" / "static"
    assert collect(root)
    sheet = served(root, NEEDED)
    assert sheet.name != "uswds.min.css"
    assert served(root, "uswds/a.woff2").name.encode() in sheet.read_bytes()
    assert gzip.decompress(Path(f"{sheet}.gz").read_bytes()) == sheet.read_bytes()
    assert served(root, "look/clearhouse.css").is_file()


def test_a_second_call_leaves_them_as_they_are(assets: Path, tmp_path: Path) -> None:
    root = tmp_path / "static"
    assert collect(root)
    before = served(root, NEEDED).stat()
    assert collect(root)
    assert served(root, NEEDED).stat() == before


def test_a_changed_file_gets_another_name(assets: Path, tmp_path: Path) -> None:
    root = tmp_path / "static"
    collect(root)
    before = served(root, NEEDED)
    (assets / NEEDED).write_text("body{}")
    assert collect(root)
    assert served(root, NEEDED).read_text() == "body{}"
    assert not before.exists()


def test_without_the_design_system_nothing_older_is_left(assets: Path, tmp_path: Path) -> None:
    root = tmp_path / "static"
    collect(root)
    (assets / NEEDED).unlink()
    assert not collect(root)
    assert list(root.iterdir()) == []


def test_a_style_sheet_that_names_a_missing_file_leaves_nothing_half_done(
    assets: Path, tmp_path: Path
) -> None:
    (assets / "uswds/a.woff2").unlink()
    root = tmp_path / "home" / "static"
    with pytest.raises(Unavailable, match=r"a\.woff2"):
        collect(root)
    assert list(root.parent.rglob("*")) == [root]


@pytest.mark.slow
def test_an_office_serves_what_was_collected(tmp_path: Path) -> None:
    if not (TOP / "build/assets" / NEEDED).is_file():
        pytest.skip("make assets was not run here")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    environment = {**os.environ, "CLEARHOUSE_HOME": str(tmp_path), "CLEARHOUSE_DATABASE": ""}
    server = subprocess.Popen(
        [sys.executable, "-m", "clearhouse", "serve", "--address", address, "--workers", "0"],
        env={**environment, "PYTHONPATH": str(TOP / "src")},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        page = _answer(f"http://{address}/account/login/")
        sheet = served(tmp_path / "static", NEEDED).relative_to(tmp_path / "static")
        assert f"/static/{sheet}" in page.text
        answer = requests.get(f"http://{address}/static/{sheet}", timeout=10)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "immutable" in answer.headers["Cache-Control"]
    finally:
        server.terminate()
        server.wait(30)


def _answer(url: str) -> requests.Response:
    for _ in range(300):
        try:
            return requests.get(url, timeout=10)
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")
