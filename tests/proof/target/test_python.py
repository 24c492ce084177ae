"""Python targets installed from a local index: files, dependencies of the time, failures."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from clearhouse.errors import Invalid
from clearhouse.proof.target import (
    Reason,
    TargetNotFound,
    Targets,
    TargetUnavailable,
    running_interpreter,
)
from tests.proof.target.making import LocalIndex, day, sdist, serving, targets_of, wheel


def test_a_pure_wheel_is_installed_and_importable(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0", {"demo/__init__.py": "VALUE = 42\n"}))
    installed = targets.install("pkg:pypi/demo@1.0")
    answer = subprocess.run(
        [sys.executable, "-S", "-c", "import demo; print(demo.VALUE, demo.__file__)"],
        env={"PYTHONPATH": str(installed.root / "site"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == f"42 {installed.root}/site/demo/__init__.py\n"
    assert installed.importable == ("demo",)
    assert installed.notes == ()
    (package,) = installed.packages
    assert package.is_target
    assert package.prefixes == ("site/demo/", "site/demo-1.0.dist-info/")


def test_installed_files_cannot_be_written(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0"))
    installed = targets.install("pkg:pypi/demo@1.0")
    files = [path for path in installed.root.rglob("*") if path.is_file()]
    assert files
    assert all(path.stat().st_mode & 0o222 == 0 for path in files)


def test_every_file_belongs_to_the_package_that_brought_it(
    index: LocalIndex, targets: Targets
) -> None:
    index.add(
        "demo",
        wheel(
            "demo",
            "1.0",
            {
                "space/demo/__init__.py": "",
                "space/demo.py": "",
                "shared.py": "demo",
            },
            ("lib",),
        ),
    )
    index.add(
        "lib",
        wheel(
            "lib",
            "2.0",
            {
                "space/lib/__init__.py": "",
                "shared.py": "lib",
                "libmod.py": "",
            },
        ),
    )
    installed = targets.install("pkg:pypi/demo@1.0")
    owners = {
        name: owner.purl if (owner := installed.owner(name)) else None
        for name in (
            "site/space/demo/__init__.py",
            "site/space/demo/deep/er.py",
            "site/space/demo.py",
            "site/space/lib/__init__.py",
            "site/libmod.py",
            "site/shared.py",
            "site/other.py",
            "site/space",
            "site",
        )
    }
    demo, lib = "pkg:pypi/demo@1.0", "pkg:pypi/lib@2.0"
    assert owners == {
        "site/space/demo/__init__.py": demo,
        "site/space/demo/deep/er.py": demo,
        "site/space/demo.py": demo,
        "site/space/lib/__init__.py": lib,
        "site/libmod.py": lib,
        "site/shared.py": demo,
        "site/other.py": None,
        "site/space": None,
        "site": None,
    }
    assert (installed.root / "site/shared.py").read_text() == "demo"


def test_nothing_of_an_sdist_is_run(index: LocalIndex, targets: Targets, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = f"open({str(marker)!r}, 'w').write('x')\n"
    backend = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    index.add(
        "demo",
        sdist(
            "demo",
            "1.0",
            {
                "setup.py": evil + "from setuptools import setup\nsetup(packages=['demo'])",
                "backend.py": evil,
                "pyproject.toml": backend,
                "demo/__init__.py": evil,
                "sitecustomize.py": evil,
                "setup.cfg": "[options]\npackages = demo\n",
            },
        ),
    )
    installed = targets.install("pkg:pypi/demo@1.0")
    assert installed.importable == ("demo",)
    assert not marker.exists()


def test_a_cap_on_python_is_passed_over_for_the_target_with_a_note(
    index: LocalIndex, targets: Targets
) -> None:
    index.add("demo", wheel("demo", "1.0"), requires_python=">=3.6,<3.9")
    installed = targets.install("pkg:pypi/demo@1.0")
    (note,) = installed.notes
    assert note.startswith("it needs Python >=3.6,<3.9")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], Reason.NO_FILES),
        ([("demo-1.0-py2.6.egg", b"")], Reason.OLD_FORMAT),
        ([wheel("demo", "1.0", tag="py2-none-any")], Reason.PYTHON_2),
        ([sdist("demo", "1.0", {"demo.py": "print 'two'\n"})], Reason.PYTHON_2),
        ([sdist("demo", "1.0", {"README": ""})], Reason.NOTHING_IMPORTABLE),
        ([("demo-1.0.tar.gz", b"no archive")], Reason.CORRUPT_ARCHIVE),
        ([sdist("demo", "1.0", {"../../../evil": ""})], Reason.UNSAFE_ARCHIVE),
    ],
)
def test_a_release_that_cannot_run_here_says_why_and_is_not_tried_twice(
    index: LocalIndex,
    targets: Targets,
    files: list[tuple[str, bytes]],
    reason: Reason,
    tmp_path: Path,
) -> None:
    index.empty["demo"] = ["1.0"]
    for file in files:
        index.add("demo", file)
    index.publish("demo")
    with pytest.raises(TargetUnavailable) as first:
        targets.install("pkg:pypi/demo@1.0")
    assert first.value.reason is reason
    # Without listing and files, only a remembered failure can be the same.
    index.server.routes.clear()
    for kind in ("listings", "files"):
        if targets.store.path(kind).is_dir():
            targets.store.path(kind).rename(tmp_path / kind)
    with pytest.raises(TargetUnavailable) as second:
        targets.install("pkg:pypi/demo@1.0")
    assert (second.value.reason, str(second.value)) == (reason, str(first.value))
    assert not list(targets.store.path("unfinished").glob("*/*"))


def test_what_lies_in_the_network_is_tried_again(index: LocalIndex, targets: Targets) -> None:
    name, content = wheel("demo", "1.0")
    index.add("demo", (name, content))
    index.server.routes[f"/files/{name}"] = (503, "text/plain", b"")
    with pytest.raises(TargetUnavailable) as caught:
        targets.install("pkg:pypi/demo@1.0")
    assert caught.value.reason is Reason.UNREACHABLE
    index.server.put(f"/files/{name}", content)
    assert targets.install("pkg:pypi/demo@1.0").importable == ("demo",)


@pytest.mark.parametrize(
    "purl",
    [
        "demo",
        "pkg:pypi/demo",
        "pkg:gem/demo@1.0",
        "pkg:pypi/..@1.0",
        "pkg:pypi/a%2Fb@1",
        "pkg:npm/..@1.0",
        "pkg:npm/node_modules@1.0",
        "pkg:npm/%40a%2Fb%2Fc@1.0",
        "pkg:npm/a%00@1",
    ],
)
def test_a_purl_that_cannot_be_installed_is_invalid(targets: Targets, purl: str) -> None:
    with pytest.raises(Invalid):
        targets.install(purl)


def test_a_required_package_of_another_ecosystem_is_invalid(targets: Targets) -> None:
    with pytest.raises(Invalid, match="no pkg:pypi package"):
        targets.install("pkg:pypi/demo@1.0", requires=["pkg:npm/lodash@4.17.21"])


def test_the_target_cannot_be_required_in_another_version(targets: Targets) -> None:
    with pytest.raises(Invalid, match="is the target"):
        targets.install("pkg:pypi/demo@1.0", requires=["pkg:pypi/demo@2.0"])


def test_a_release_with_thousands_of_dependencies_is_not_followed_to_the_end(
    index: LocalIndex, targets: Targets
) -> None:
    requires = tuple(f"lib{number} ; python_version < '3'" for number in range(1100))
    index.add("demo", wheel("demo", "1.0", requires=requires))
    (note,) = targets.install("pkg:pypi/demo@1.0").notes
    assert note == "more than 1000 dependencies: the rest was left out"


def test_an_unknown_release_is_not_found(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0"))
    with pytest.raises(TargetNotFound) as caught:
        targets.install("pkg:pypi/demo@2.0")
    assert caught.value.reason is Reason.NO_SUCH_RELEASE


def test_an_install_is_the_same_the_second_time_and_without_the_index(tmp_path: Path) -> None:
    with serving() as server:
        index = LocalIndex(server)
        index.add("demo", wheel("demo", "1.0", requires=("lib",)))
        index.add("lib", wheel("lib", "1.0"))
        first = targets_of(tmp_path, index).install("pkg:pypi/demo@1.0")
        asked = len(server.asked)
        assert targets_of(tmp_path, index).install("pkg:pypi/demo@1.0") == first
        assert len(server.asked) == asked
    assert targets_of(tmp_path, index).install("pkg:pypi/demo@1.0") == first


def test_the_digest_tells_the_content(index: LocalIndex, tmp_path: Path) -> None:
    index.add("demo", wheel("demo", "1.0"))
    digests = {
        targets_of(tmp_path / name, index).install("pkg:pypi/demo@1.0").digest for name in "ab"
    }
    assert len(digests) == 1
    index.add("demo", wheel("demo", "1.1"))
    other = targets_of(tmp_path / "c", index).install("pkg:pypi/demo@1.1").digest
    assert other not in digests


def test_a_tree_that_was_removed_is_made_again(
    index: LocalIndex, targets: Targets, tmp_path: Path
) -> None:
    index.add("demo", wheel("demo", "1.0"))
    installed = targets.install("pkg:pypi/demo@1.0")
    installed.root.rename(tmp_path / "gone")
    assert targets.install("pkg:pypi/demo@1.0") == installed
    assert (installed.root / "site/demo/__init__.py").is_file()


def test_one_resolution_serves_all_releases_that_ask_for_the_same(
    index: LocalIndex, targets: Targets
) -> None:
    for number in range(5):
        moment = day("2018-02-01") + timedelta(days=number)
        index.add("demo", wheel("demo", f"1.{number}", requires=("lib>=1",)), moment)
    index.add("lib", wheel("lib", "1.0"), day("2017-01-01"))
    for number in range(5):
        targets.install(f"pkg:pypi/demo@1.{number}")
    assert len(list(targets.store.path("resolutions").iterdir())) == 1


def test_prefetched_targets_need_the_index_no_more_for_their_files(
    index: LocalIndex, targets: Targets
) -> None:
    for number in range(6):
        index.add("demo", wheel("demo", f"1.{number}"))
    purls = [f"pkg:pypi/demo@1.{number}" for number in range(6)]
    targets.prefetch([*purls, "pkg:pypi/absent@1", "nonsense"])
    asked = len(index.server.asked)
    for purl in purls:
        targets.install(purl)
    assert len(index.server.asked) == asked


def test_releases_are_listed_by_purl(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0"))
    assert [one.version for one in targets.releases("pkg:pypi/Demo")] == ["1.0"]
    assert [one.version for one in targets.releases("pkg:pypi/demo@9.9")] == ["1.0"]


def test_the_source_of_a_release_is_unpacked(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", sdist("demo", "1.0", {"src/main.c": "int main;", "setup.py": "1/0"}))
    tree = targets.unpack_source("pkg:pypi/demo@1.0")
    assert (tree.src / "src/main.c").read_text() == "int main;"
    assert tree.filename == "demo-1.0.tar.gz"
    assert targets.unpack_source("pkg:pypi/demo@1.0") == tree


def test_a_release_without_source_has_none(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0"))
    with pytest.raises(TargetUnavailable) as caught:
        targets.unpack_source("pkg:pypi/demo@1.0")
    assert caught.value.reason is Reason.NO_FILES


_INSTALL = """
import json, sys
from pathlib import Path
from clearhouse.proof.target import Store, Targets
from clearhouse.proof.target.pip_settings import PipSettings
from clearhouse.proof.target.web import Access
targets = Targets(Store(Path(sys.argv[1])), pip=PipSettings((sys.argv[2],), (), Access()))
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(targets.install("pkg:pypi/demo@1.0").digest), flush=True)
"""


def _installing(cache: Path, index: LocalIndex) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", _INSTALL, str(cache), index.settings().indexes[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def test_processes_that_install_at_once_agree(index: LocalIndex, tmp_path: Path) -> None:
    many = {f"demo/m{number}.py": f"x = {number}\n" for number in range(300)}
    index.add("demo", wheel("demo", "1.0", {"demo/__init__.py": "", **many}, ("lib",)))
    index.add("lib", wheel("lib", "1.0"))
    children = [_installing(tmp_path, index) for _ in range(3)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    digests = {json.loads(child.communicate(timeout=60)[0]) for child in children}
    assert len(digests) == 1
    assert all(child.returncode == 0 for child in children)


def test_an_install_killed_at_any_moment_leaves_a_cache_that_works(
    index: LocalIndex, tmp_path: Path
) -> None:
    many = {f"demo/m{number}.py": f"x = {number}\n" for number in range(300)}
    index.add("demo", wheel("demo", "1.0", {"demo/__init__.py": "", **many}))
    for milliseconds in range(0, 120, 15):
        child = _installing(tmp_path, index)
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
        try:
            child.wait(milliseconds / 1000)
        except subprocess.TimeoutExpired:
            child.kill()
        child.communicate()
    targets = targets_of(tmp_path / "fresh", index)
    expected = targets.install("pkg:pypi/demo@1.0").digest
    survivor = _installing(tmp_path, index)
    assert json.loads(survivor.communicate("\n", timeout=60)[0]) == expected
    unfinished = tmp_path / "targets-1/unfinished"
    assert list(unfinished.iterdir()) == []


def test_the_running_interpreter_is_the_default(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0"))
    named = targets.install("pkg:pypi/demo@1.0", interpreter=running_interpreter())
    assert targets.install("pkg:pypi/demo@1.0") == named


def test_a_cache_written_in_another_form_is_written_anew(
    index: LocalIndex, targets: Targets, tmp_path: Path
) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("lib",)))
    index.add("lib", sdist("lib", "1.0", {"lib.py": ""}))
    installed = targets.install("pkg:pypi/demo@1.0")
    for path in targets.store.root.rglob("*.json"):
        if path.parent.name != "trees":
            path.write_text('{"unknown": []}')
    assert targets_of(tmp_path, index).install("pkg:pypi/demo@1.0") == installed
