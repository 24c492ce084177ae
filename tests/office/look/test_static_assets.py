"""The design system's assets: the package expected or none, and whole or not at all."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from clearhouse.errors import Invalid, Unavailable
from tests.office.browser import tool

FACES = (
    '@font-face{font-family:"Source Sans Pro Web";font-style:normal;font-weight:400;'
    'src:url(../fonts/a.woff2)format("woff2")}'
    '@font-face{font-family:"Source Sans Pro Web";font-style:normal;font-weight:300;'
    'src:url(../fonts/b.woff2)format("woff2")}'
)


def test_faces_photographs_and_source_maps_that_are_not_taken_are_not_named() -> None:
    css = f"{FACES}.usa-hero{{background:url(../img/hero.jpg)}}a{{mask:url()}}\n"
    trimmed = tool().trimmed(f"{css}/*# sourceMappingURL=uswds.min.css.map */\n")
    assert tool().named_files(trimmed) == {"fonts/a.woff2"}
    assert ".usa-hero{background:none}" in trimmed
    assert "sourceMappingURL" not in trimmed


def test_data_in_the_style_sheet_is_no_file() -> None:
    assert tool().named_files("a{b:url(data:image/gif;base64,R0)}c{d:url('../img/e.svg')}") == {
        "img/e.svg"
    }


def test_a_package_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz"):
        pass
    with pytest.raises(Invalid, match=re.escape("uswds.min.css")):
        tool().contents(archive)


def test_a_folder_that_is_as_it_would_be_made_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "uswds"
    folder.mkdir()
    (folder / "stamp").write_text(tool().stamp())
    assert tool().make(tmp_path) == folder
    assert [one.name for one in folder.iterdir()] == ["stamp"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assets = tmp_path_factory.mktemp("assets")
    (assets / "uswds").mkdir()
    (assets / "uswds" / "old").write_text("of an older version")
    try:
        folder = tool().make(assets)
    except Unavailable as error:
        pytest.skip(f"no package: {error}")
    assert isinstance(folder, Path)
    return folder


@pytest.mark.slow
@pytest.mark.network
def test_all_that_the_style_sheet_names_is_there_and_nothing_old(made: Path) -> None:
    css = (made / "css/uswds.min.css").read_text()
    named = tool().named_files(css)
    assert {one for one in named if not (made / one).is_file()} == set()
    assert {one for one in named if one.endswith(".woff2")} > set()
    kept = {str(one.relative_to(made)) for one in made.rglob("*") if one.is_file()}
    assert kept - named == {
        "LICENSE.md",
        "stamp",
        "css/uswds.min.css",
        "img/sprite.svg",
        "js/uswds-init.min.js",
        "js/uswds.min.js",
    }
    assert [one.name for one in made.parent.iterdir()] == ["uswds"]


@pytest.mark.slow
@pytest.mark.network
def test_the_whole_is_small(made: Path) -> None:
    assert sum(one.stat().st_size for one in made.rglob("*") if one.is_file()) < 1_500_000


@pytest.mark.slow
@pytest.mark.network
def test_another_archive_than_the_expected_one_is_refused(made: Path, tmp_path: Path) -> None:
    other: Any = "sha512-" + "A" * 86 + "=="
    with pytest.raises(Invalid, match="another @uswds/uswds"):
        tool().pack("@uswds/uswds", tool().VERSION, other, tmp_path)
