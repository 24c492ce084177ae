"""JavaScript targets installed from a local registry, by Node's own rules and without npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clearhouse.proof.target import Installed, Reason, TargetNotFound, Targets, TargetUnavailable
from tests.proof.target.making import LocalRegistry, Server, day, link, npm_package, tar_bytes

node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


def _tree(installed: Installed) -> dict[str, str]:
    """Return the version of the package in each folder."""
    return {
        str(path.parent.relative_to(installed.root)): json.loads(path.read_text())["version"]
        for path in installed.root.rglob("package.json")
    }


def _require(installed: Installed, name: str) -> object:
    answer = subprocess.run(
        ["node", "-p", f"JSON.stringify(require({json.dumps(name)}))"],
        cwd=installed.root,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


@node
def test_a_package_is_installed_and_can_be_required(
    registry: LocalRegistry, targets: Targets
) -> None:
    registry.add("demo", "1.0.0", files={"index.js": "module.exports = 'hello';\n"})
    installed = targets.install("pkg:npm/demo@1.0.0")
    assert _require(installed, "demo") == "hello"
    assert installed.importable == ("demo",)
    (package,) = installed.packages
    assert (package.purl, package.prefixes) == ("pkg:npm/demo@1.0.0", ("node_modules/demo/",))
    assert package.is_target


@node
def test_a_scoped_package_is_installed(registry: LocalRegistry, targets: Targets) -> None:
    registry.add("@corp/demo", "1.0.0")
    installed = targets.install("pkg:npm/%40corp/demo@1.0.0")
    assert _require(installed, "@corp/demo") == "1.0.0"
    owner = installed.owner("node_modules/@corp/demo/index.js")
    assert owner is not None
    assert owner.purl == "pkg:npm/%40corp/demo@1.0.0"


@node
def test_each_package_finds_the_version_it_asks_for(
    registry: LocalRegistry, targets: Targets
) -> None:
    needs = "module.exports = [require('base')].concat(require('left') || []);\n"
    registry.add(
        "demo", "1.0.0", files={"index.js": needs}, dependencies={"base": "^1.0.0", "left": "*"}
    )
    registry.add(
        "left",
        "1.0.0",
        files={"index.js": "module.exports = require('base');\n"},
        dependencies={"base": "^2.0.0"},
    )
    registry.add("base", "1.5.0")
    registry.add("base", "2.1.0")
    registry.add("base", "3.0.0")
    installed = targets.install("pkg:npm/demo@1.0.0")
    assert _tree(installed) == {
        "node_modules/demo": "1.0.0",
        "node_modules/base": "1.5.0",
        "node_modules/left": "1.0.0",
        "node_modules/left/node_modules/base": "2.1.0",
    }
    assert _require(installed, "demo") == ["1.5.0", "2.1.0"]
    inner = installed.owner("node_modules/left/node_modules/base/index.js")
    outer = installed.owner("node_modules/left/index.js")
    assert inner is not None
    assert outer is not None
    assert (inner.purl, outer.purl) == ("pkg:npm/base@2.1.0", "pkg:npm/left@1.0.0")


def test_the_version_npm_would_take_is_taken(registry: LocalRegistry, targets: Targets) -> None:
    for version in ("1.0.0", "1.2.0", "2.0.0-beta.1", "2.0.0"):
        registry.add("lib", version)
    registry.add("lib", "1.3.0", deprecated="broken")
    registry.packuments["lib"]["dist-tags"] = {"latest": "2.0.0"}
    registry.publish("lib")
    registry.add("tagged", "1.0.0")
    registry.add("tagged", "1.1.0")
    registry.packuments["tagged"]["dist-tags"] = {"latest": "1.0.0", "next": "1.1.0"}
    registry.publish("tagged")
    registry.add("demo", "1.0.0", dependencies={"lib": "^1.0.0", "tagged": "^1.0.0"})
    registry.add("demo", "2.0.0", dependencies={"lib": "latest", "tagged": "next"})
    registry.add("demo", "3.0.0", dependencies={"lib": "^2.0.0-beta.0", "alias": "npm:lib@1.0.0"})
    assert _tree(targets.install("pkg:npm/demo@1.0.0")) == {
        "node_modules/demo": "1.0.0",
        "node_modules/lib": "1.2.0",
        "node_modules/tagged": "1.0.0",
    }
    assert _tree(targets.install("pkg:npm/demo@2.0.0")) == {
        "node_modules/demo": "2.0.0",
        "node_modules/lib": "2.0.0",
        "node_modules/tagged": "1.1.0",
    }
    assert _tree(targets.install("pkg:npm/demo@3.0.0")) == {
        "node_modules/demo": "3.0.0",
        "node_modules/lib": "2.0.0",
        "node_modules/alias": "1.0.0",
    }


def test_dependencies_are_those_of_the_time(registry: LocalRegistry, targets: Targets) -> None:
    registry.add("demo", "1.0.0", day("2018-01-10"), dependencies={"lib": "^1.0.0", "new": "*"})
    for version, date in (
        ("1.0.0", "2017-01-01"),
        ("1.1.0", "2018-05-01"),
        ("1.2.0", "2020-01-01"),
    ):
        registry.add("lib", version, day(date))
    registry.add("new", "1.0.0", day("2022-01-01"))
    registry.add("new", "2.0.0", day("2023-01-01"))
    installed = targets.install("pkg:npm/demo@1.0.0")
    tree = _tree(installed)
    assert (tree["node_modules/lib"], tree["node_modules/new"]) == ("1.1.0", "1.0.0")
    assert installed.notes == ("new 1.0.0 is later than the date asked for",)
    later = _tree(targets.install("pkg:npm/demo@1.0.0", as_of=day("2021-01-01")))
    assert later["node_modules/lib"] == "1.2.0"


def test_dates_that_run_backwards_are_not_believed(
    registry: LocalRegistry, targets: Targets
) -> None:
    for number in range(8):
        registry.add("demo", f"1.0.{number}", day("2026-01-01") - timedelta(days=number * 37 % 100))
    registry.add("good", "1.0.0", day("2020-01-01"))
    assert {one.uploaded for one in targets.releases("pkg:npm/demo")} == {None}
    assert [one.uploaded for one in targets.releases("pkg:npm/good")] == [day("2020-01-01")]


def test_dates_of_a_registry_without_the_time_of_creation_are_not_believed(
    registry: LocalRegistry, targets: Targets
) -> None:
    registry.add("demo", "1.0.0", day("2020-01-01"))
    registry.packuments["demo"]["time"] = {"1.0.0": day("2026-01-01").isoformat()}
    registry.publish("demo")
    assert [one.uploaded for one in targets.releases("pkg:npm/demo")] == [None]


def test_releases_are_in_semver_order_and_odd_versions_by_date(
    registry: LocalRegistry, targets: Targets
) -> None:
    for version, date in (
        ("1.0.0", "2020-01-01"),
        ("1.10.0", "2020-03-01"),
        ("1.9.0", "2020-02-01"),
        ("2.0.0-rc.1", "2020-04-01"),
        ("2.0.0", "2020-05-01"),
        ("1.9.x", "2020-02-15"),
    ):
        registry.add("demo", version, datetime.fromisoformat(f"{date}T00:00:00+00:00"))
    found = targets.releases("pkg:npm/demo")
    assert [(one.version, one.ordered) for one in found] == [
        ("1.0.0", True),
        ("1.9.0", True),
        ("1.9.x", False),
        ("1.10.0", True),
        ("2.0.0-rc.1", True),
        ("2.0.0", True),
    ]


def test_peers_are_installed_beside_and_optional_ones_are_not(
    registry: LocalRegistry, targets: Targets
) -> None:
    registry.add(
        "demo",
        "1.0.0",
        dependencies={"plugin": "*", "extra": "*"},
        optionalDependencies={"extra": "*"},
    )
    registry.add(
        "plugin",
        "1.0.0",
        peerDependencies={"host": "^1.0.0", "maybe": "*"},
        peerDependenciesMeta={"maybe": {"optional": True}},
    )
    for name in ("host", "maybe", "extra"):
        registry.add(name, "1.0.0")
    assert set(_tree(targets.install("pkg:npm/demo@1.0.0"))) == {
        "node_modules/demo",
        "node_modules/plugin",
        "node_modules/host",
    }


def test_bundled_dependencies_are_those_in_the_archive(
    registry: LocalRegistry, targets: Targets
) -> None:
    registry.add("inner", "9.9.9")
    files = {"index.js": "", "node_modules/inner/package.json": '{"version": "1.0.0"}'}
    registry.add(
        "demo", "1.0.0", files=files, dependencies={"inner": "*"}, bundledDependencies=["inner"]
    )
    tree = _tree(targets.install("pkg:npm/demo@1.0.0"))
    assert tree == {"node_modules/demo": "1.0.0", "node_modules/demo/node_modules/inner": "1.0.0"}


def test_packages_that_need_each_other_end(registry: LocalRegistry, targets: Targets) -> None:
    registry.add("demo", "1.0.0", dependencies={"lib": "*"})
    registry.add("lib", "1.0.0", dependencies={"demo": "^1.0.0", "lib": "^1.0.0"})
    assert set(_tree(targets.install("pkg:npm/demo@1.0.0"))) == {
        "node_modules/demo",
        "node_modules/lib",
    }


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("absent", "*"),
        ("lib", "^9.0.0"),
        ("lib", "git+ssh://git@a.invalid/x.git"),
        ("lib", "file:../../../../etc"),
        ("lib", "https://a.invalid/x.tgz"),
        ("lib", "user/repo"),
        ("../../evil", "*"),
        ("/etc", "*"),
        ("node_modules", "*"),
        ("alias", "npm:../../evil@1.0.0"),
    ],
)
def test_what_cannot_be_had_from_the_registry_is_a_note(
    registry: LocalRegistry, targets: Targets, name: str, wanted: str
) -> None:
    registry.add("lib", "1.0.0")
    registry.add("../../evil", "1.0.0")
    registry.add("demo", "1.0.0", dependencies={name: wanted})
    installed = targets.install("pkg:npm/demo@1.0.0")
    assert set(_tree(installed)) == {"node_modules/demo"}
    assert installed.notes == (f"the dependency {name} {wanted} of demo cannot be had",)


def test_a_dependency_whose_archive_is_broken_is_a_note(
    registry: LocalRegistry, targets: Targets
) -> None:
    registry.add("demo", "1.0.0", dependencies={"lib": "*"})
    registry.add("lib", "1.0.0", content=b"no archive")
    installed = targets.install("pkg:npm/demo@1.0.0")
    assert set(_tree(installed)) == {"node_modules/demo"}
    assert any("lib cannot be had" in note for note in installed.notes)


def test_install_scripts_are_not_run_but_noted(
    registry: LocalRegistry, targets: Targets, tmp_path: Path
) -> None:
    scripts = {"preinstall": f"touch {tmp_path}/ran", "postinstall": f"touch {tmp_path}/ran"}
    registry.add("demo", "1.0.0", scripts=scripts)
    installed = targets.install("pkg:npm/demo@1.0.0")
    assert installed.notes == ("its install scripts were not run (preinstall, postinstall)",)
    assert not (tmp_path / "ran").exists()


def test_an_addon_that_is_not_built_is_noted(registry: LocalRegistry, targets: Targets) -> None:
    registry.add("demo", "1.0.0", files={"binding.gyp": "{}"}, scripts={"install": "node-gyp"})
    assert targets.install("pkg:npm/demo@1.0.0").notes == ("its compiled addon was not built",)


def test_links_and_other_top_folders_in_an_archive_do_no_harm(
    registry: LocalRegistry, targets: Targets
) -> None:
    content = tar_bytes(
        {
            "odd/package.json": '{"version": "1.0.0"}',
            "odd/index.js": "",
            "1": link("odd/l", "/etc"),
        }
    )
    registry.add("demo", "1.0.0", content=content)
    installed = targets.install("pkg:npm/demo@1.0.0")
    assert (installed.root / "node_modules/demo/index.js").is_file()
    assert installed.notes == ("symbolic links left out: l",)


def test_pinned_packages_are_exactly_those(registry: LocalRegistry, targets: Targets) -> None:
    registry.add("demo", "1.0.0", dependencies={"lib": "*"})
    for version in ("1.0.0", "2.0.0"):
        registry.add("lib", version)
        registry.add("helper", version)
    installed = targets.install(
        "pkg:npm/demo@1.0.0", requires=["pkg:npm/lib@1.0.0", "pkg:npm/helper@1.0.0"]
    )
    assert _tree(installed) == {
        "node_modules/demo": "1.0.0",
        "node_modules/lib": "1.0.0",
        "node_modules/helper": "1.0.0",
    }
    assert [one.is_target for one in installed.packages] == [True, False, False]


def test_a_file_that_is_not_the_listed_one_is_refused(
    registry: LocalRegistry, targets: Targets, server: Server
) -> None:
    registry.add("demo", "1.0.0")
    server.put("/demo/-/demo-1.0.0.tgz", npm_package("demo", "1.0.0", {"index.js": "evil"}))
    with pytest.raises(TargetUnavailable) as caught:
        targets.install("pkg:npm/demo@1.0.0")
    assert caught.value.reason is Reason.DIGEST_MISMATCH


def test_an_old_archive_is_checked_by_its_sha1(
    registry: LocalRegistry, targets: Targets, server: Server
) -> None:
    registry.add("demo", "1.0.0")
    registry.packuments["demo"]["versions"]["1.0.0"]["dist"] = {
        "tarball": f"{server.url}/demo/-/demo-1.0.0.tgz",
        "shasum": "0" * 40,
    }
    registry.publish("demo")
    with pytest.raises(TargetUnavailable) as caught:
        targets.install("pkg:npm/demo@1.0.0")
    assert caught.value.reason is Reason.DIGEST_MISMATCH


def test_unknown_packages_and_releases_are_not_found(
    registry: LocalRegistry, targets: Targets
) -> None:
    registry.add("demo", "1.0.0")
    with pytest.raises(TargetNotFound) as caught:
        targets.install("pkg:npm/demo@2.0.0")
    assert caught.value.reason is Reason.NO_SUCH_RELEASE
    with pytest.raises(TargetNotFound) as caught:
        targets.releases("pkg:npm/absent")
    assert caught.value.reason is Reason.NO_SUCH_PACKAGE


def test_an_install_is_the_same_the_second_time_without_asking(
    registry: LocalRegistry, targets: Targets, server: Server
) -> None:
    registry.add("demo", "1.0.0", dependencies={"lib": "*"})
    registry.add("lib", "1.0.0")
    first = targets.install("pkg:npm/demo@1.0.0")
    asked = len(server.asked)
    assert targets.install("pkg:npm/demo@1.0.0") == first
    assert len(server.asked) == asked


def test_the_source_of_a_package_is_unpacked(registry: LocalRegistry, targets: Targets) -> None:
    registry.add("demo", "1.0.0", files={"deps/main.c": "int main;"})
    tree = targets.unpack_source("pkg:npm/demo@1.0.0")
    assert (tree.src / "deps/main.c").read_text() == "int main;"
