"""Wheels laid out as an installer would, and the choice among a release's files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clearhouse.proof.target import (
    Artifact,
    Interpreter,
    Reason,
    Release,
    Store,
    TargetUnavailable,
    running_interpreter,
)
from clearhouse.proof.target.choice import NoneFits, best_artifact, source_artifact
from clearhouse.proof.target.wheel import wheel_unit
from tests.proof.target.making import wheel, zip_bytes

PYTHON = replace(
    running_interpreter(),
    environment=tuple(
        {
            **running_interpreter().markers,
            "python_version": "3.11",
            "python_full_version": "3.11.4",
        }.items()
    ),
    tags=(
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp311-abi3-manylinux_2_17_x86_64",
        "py311-none-any",
        "py3-none-any",
    ),
)


def _wheel_unit(tmp_path: Path, file: tuple[str, bytes]) -> Path:
    archive = tmp_path / file[0]
    archive.write_bytes(file[1])
    return wheel_unit(Store(tmp_path / "cache"), archive).folder


def test_the_data_folder_is_spread_as_the_format_says(tmp_path: Path) -> None:
    data = "demo-1.0.data"
    folder = _wheel_unit(
        tmp_path,
        wheel(
            "demo",
            "1.0",
            {
                "demo/__init__.py": "",
                f"{data}/purelib/pure.py": "",
                f"{data}/platlib/plat.py": "",
                f"{data}/scripts/demo": "#!python\n",
                f"{data}/data/etc/demo.conf": "",
                f"{data}/headers/demo.h": "",
                f"{data}/strange/x": "",
            },
        ),
    )
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {name for name in files if ".dist-info" not in name} == {
        "site/demo/__init__.py",
        "site/pure.py",
        "site/plat.py",
        "bin/demo",
        "data/etc/demo.conf",
        "include/demo.h",
    }


def test_names_come_from_top_level_txt_where_it_tells_the_truth(
    store: Store, tmp_path: Path
) -> None:
    files = {
        "demo/__init__.py": "",
        "bonus/__init__.py": "",
        "_ext.cpython-311-x86.so": "",
        "demo-1.0.dist-info/top_level.txt": "demo\n_ext\nmissing\n",
    }
    name, content = wheel("demo", "1.0", files)
    (tmp_path / name).write_bytes(content)
    assert wheel_unit(store, tmp_path / name).importable == ("_ext", "demo")


def test_namespace_packages_are_importable_and_data_folders_are_not(
    store: Store, tmp_path: Path
) -> None:
    files = {"google/cloud/demo.py": "", "share/x.txt": "", "not-a-name/x.py": ""}
    name, content = wheel("demo", "1.0", files)
    (tmp_path / name).write_bytes(content)
    assert wheel_unit(store, tmp_path / name).importable == ("google",)


def test_a_wheel_without_metadata_is_corrupt(store: Store, tmp_path: Path) -> None:
    archive = tmp_path / "demo-1.0-py3-none-any.whl"
    archive.write_bytes(zip_bytes({"demo.py": ""}))
    with pytest.raises(TargetUnavailable) as caught:
        wheel_unit(store, archive)
    assert caught.value.reason is Reason.CORRUPT_ARCHIVE


def _release(*filenames: str, requires_python: str | None = None) -> Release:
    def artifact(name: str) -> Artifact:
        sdist = name.endswith((".gz", ".zip", ".Z"))
        kind = "wheel" if name.endswith(".whl") else "sdist" if sdist else "other"
        return Artifact(name, f"/{name}", kind, requires_python=requires_python)  # type: ignore[arg-type]

    return Release("1.0", None, yanked=False, artifacts=tuple(map(artifact, filenames)))


@pytest.mark.parametrize(
    ("filenames", "expected"),
    [
        (("d-1.0.tar.gz", "d-1.0-py3-none-any.whl"), "d-1.0-py3-none-any.whl"),
        (
            ("d-1.0-py3-none-any.whl", "d-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"),
            "d-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        ),
        (("d-1.0-cp38-abi3-manylinux_2_17_x86_64.whl", "d-1.0.tar.gz"), "d-1.0.tar.gz"),
        (
            ("d-1.0-cp311-abi3-manylinux_2_17_x86_64.whl", "d-1.0.tar.gz"),
            "d-1.0-cp311-abi3-manylinux_2_17_x86_64.whl",
        ),
        (("d-1.0-py2-none-any.whl", "d-1.0.zip", "d-1.0.tar.gz"), "d-1.0.tar.gz"),
        (("d-1.0-py2.py3-none-any.whl",), "d-1.0-py2.py3-none-any.whl"),
        (("broken.whl", "d-1.0.zip"), "d-1.0.zip"),
        (("d-1.0.egg", "d-1.0.tar.gz"), "d-1.0.tar.gz"),
    ],
)
def test_the_file_that_pip_would_take_is_taken(filenames: tuple[str, ...], expected: str) -> None:
    found = best_artifact(_release(*filenames), PYTHON)
    assert isinstance(found, Artifact)
    assert found.filename == expected


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        (_release(), Reason.NO_FILES),
        (_release("d-1.0-py2.7.egg", "d-1.0.win32.exe", "d-1.0.rpm"), Reason.OLD_FORMAT),
        (_release("d-1.0.tar.Z"), Reason.OLD_FORMAT),
        (_release("d-1.0-py2-none-any.whl", "d-1.0-cp27-none-any.whl"), Reason.PYTHON_2),
        (_release("d-1.0-cp311-cp311-win_amd64.whl"), Reason.WRONG_PLATFORM),
        (_release("d-1.0.tar.gz", requires_python=">=3.12"), Reason.NEEDS_PYTHON),
        (_release("d-1.0.tar.gz", requires_python="<3"), Reason.NEEDS_PYTHON),
    ],
)
def test_why_no_file_fits_is_told(release: Release, reason: Reason) -> None:
    found = best_artifact(release, PYTHON)
    assert isinstance(found, NoneFits)
    assert found.reason is reason


def test_a_requires_python_that_cannot_be_read_does_not_limit() -> None:
    release = _release("d-1.0.tar.gz", requires_python="three")
    assert isinstance(best_artifact(release, PYTHON), Artifact)


def test_the_source_archive_is_the_usual_one_or_none() -> None:
    found = source_artifact(_release("d-1.0.zip", "d-1.0.tar.gz", "d-1.0-py3-none-any.whl"))
    assert found is not None
    assert found.filename == "d-1.0.tar.gz"
    assert source_artifact(_release("d-1.0-py3-none-any.whl")) is None


@pytest.mark.parametrize(
    ("wanted", "takes", "is_newer"),
    [
        (">=3.8", True, False),
        ("<3.9", False, True),
        (">=2.7,!=3.0.*,<3.11", False, True),
        (">=3.12", False, False),
        ("<3", False, False),
        ("odd", True, False),
    ],
)
def test_a_limit_from_above_is_told_from_one_from_below(
    wanted: str, takes: bool, is_newer: bool
) -> None:
    assert PYTHON.takes(wanted) is takes
    if not takes:
        assert PYTHON.is_newer_than(wanted) is is_newer


def test_the_identity_of_a_python_does_not_depend_on_the_kernel() -> None:
    other = {**PYTHON.markers, "platform_release": "9.9", "platform_version": "x"}
    assert (
        replace(PYTHON, environment=tuple(sorted(other.items()))).identity
        == replace(PYTHON, environment=tuple(sorted(PYTHON.markers.items()))).identity
    )
    assert replace(PYTHON, tags=("py3-none-any",)).identity != PYTHON.identity


def test_another_python_can_be_described() -> None:
    from clearhouse.proof.target import interpreter_at

    found = interpreter_at(running_interpreter().executable)
    assert found == running_interpreter()
    with pytest.raises(TargetUnavailable) as caught:
        interpreter_at(Path("/no/such/python"))
    assert caught.value.reason is Reason.NO_CLIENT
    assert isinstance(found, Interpreter)
