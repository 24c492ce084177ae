"""What a task may have bound into the sandbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from clearhouse.benchmark.evaluation.sandbox_config import BoundFolder, BubblewrapConfig


def test_a_configuration_is_hashable_and_survives_a_log(tmp_path: Path) -> None:
    config = BubblewrapConfig(binds=(BoundFolder(source=str(tmp_path)),), memory_mb=128)
    assert BubblewrapConfig.model_validate(config.model_dump(mode="json")) == config
    assert len({config, BubblewrapConfig.model_validate(config.model_dump())}) == 1


@pytest.mark.parametrize(
    "source", ["/", "/etc", "/etc/ssl", "/proc", "/sys/class", "/dev", "/run", "/home", "/root",
               "/var", "/tmp", "relative", "/no/such/folder"],
)  # fmt: skip
def test_what_would_show_the_host_is_refused(source: str) -> None:
    with pytest.raises(ValidationError):
        BoundFolder(source=source)


def test_a_link_does_not_hide_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(ValidationError, match="would show the host"):
        BoundFolder(source=str(tmp_path / "link"))
    (tmp_path / "home").symlink_to(Path.home())
    with pytest.raises(ValidationError, match="would show the host"):
        BoundFolder(source=str(tmp_path / "home"))


@pytest.mark.parametrize(
    "place", ["/", "/usr", "/work", "/etc", "target", "/target/../usr", "/targets", "/target/"]
)
def test_folders_are_shown_in_their_own_places_only(tmp_path: Path, place: str) -> None:
    with pytest.raises(ValidationError):
        BoundFolder(source=str(tmp_path), place=place)


def test_no_folder_is_shown_inside_another(tmp_path: Path) -> None:
    outer = BoundFolder(source=str(tmp_path), place="/data")
    inner = BoundFolder(source=str(tmp_path), place="/data/more")
    with pytest.raises(ValidationError, match="lies in"):
        BubblewrapConfig(binds=(outer, inner))
    with pytest.raises(ValidationError, match="lies in"):
        BubblewrapConfig(binds=(outer, outer))


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValidationError):
        BubblewrapConfig.model_validate({"network": True})


def test_a_file_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.toml"
    path.write_text(f'memory_mb = 100\n[[binds]]\nsource = "{tmp_path}"\nplace = "/data"\n')
    config = BubblewrapConfig.from_file(path)
    assert config.as_limits().memory_bytes == 100 << 20
    assert [(str(b.source), b.place) for b in config.as_binds()] == [
        (os.path.realpath(tmp_path), "/data")
    ]
