"""What a report names is looked up in the release; what cannot be judged is never called absent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from packageurl import PackageURL

from clearhouse.formats.report import Location
from clearhouse.proof.grounding import Absent, Found, GroundedLocation, Grounding, Undecided, ground
from clearhouse.proof.target import Targets, default_targets
from tests.proof.target.making import (
    LocalIndex,
    LocalRegistry,
    Server,
    sdist,
    serving,
    targets_of,
    wheel,
)

CODEC = """\
class Parser:
    def feed(self, data):
        return data


def parse(text):
    return 1
"""
#: Written so that whoever imports it is caught.
TRAP = "raise SystemExit('executed')\n"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def targets(tmp_path: Path, server: Server) -> Targets:
    index, registry = LocalIndex(server), LocalRegistry(server)
    source = {
        "setup.py": TRAP,
        "PKG-INFO": "Metadata-Version: 2.1\nName: codec\nVersion: 1.0\n",
        "src/codec/__init__.py": TRAP,
        "src/codec/core.py": CODEC,
        "src/codec/_fast.c": "int fast(int a)\n{\n  return a;\n}\n",
    }
    index.add("codec", sdist("codec", "1.0", source))
    index.add("codec", wheel("codec", "1.0", {"codec/core.py": CODEC, "codec/made.py": "A = 1\n"}))
    index.add("codec", sdist("codec", "1.1", source))
    index.add(
        "binary", wheel("binary", "2.0", {"binary/__init__.py": "", "binary/_x.so": b"\x7fELF"})
    )
    broken = ("broken-1.0.tar.gz", b"not an archive")
    index.add("broken", broken)
    registry.add("ini", "1.3.5", files={"ini.js": "exports.decode = function (s) {}\n"})
    registry.add("@s/built", "1.0.0", files={"dist/index.min.js": "var a;" * 1000})
    return targets_of(tmp_path, index, registry)


def grounded(purl: str, targets: Targets, *locations: Location) -> Grounding:
    return ground(PackageURL.from_string(purl), locations, targets)


def only(purl: str, targets: Targets, location: Location) -> GroundedLocation:
    return grounded(purl, targets, location).locations[0]


def test_what_is_there_is_found_and_nothing_of_it_is_run(targets: Targets) -> None:
    found = grounded(
        "pkg:pypi/codec@1.0",
        targets,
        Location("src/codec/core.py", "Parser.feed", 2),
        Location("codec\\core.py", "codec.core.parse", 7),
        Location("codec-1.0/src/codec/_fast.c", "fast", 1),
    )
    assert all(isinstance(one, Found) for one in found.outcomes)
    assert (found.absent, found.undecided) == ((), ())
    assert found.archives == ("codec-1.0.tar.gz",)


def test_each_thing_that_is_absent_gets_a_sentence_with_the_nearest(targets: Targets) -> None:
    found = grounded(
        "pkg:pypi/codec@1.0",
        targets,
        Location("src/codec/cor.py", "parse", 1),
        Location("src/codec/core.py", "Parser.fed", 99),
    )
    assert found.absent == (
        "codec 1.0 has no file src/codec/cor.py; did you mean src/codec/core.py?",
        "src/codec/core.py of codec 1.0 defines no Parser.fed; did you mean Parser.feed?",
        "src/codec/core.py of codec 1.0 has 7 lines and no line 99",
    )


def test_a_grounding_is_told_in_words(targets: Targets) -> None:
    place = Location("src/codec/core.py", "feed", 99)
    assert grounded("pkg:pypi/codec@1.0", targets, place).as_json() == {
        "purl": "pkg:pypi/codec@1.0",
        "absent": ["src/codec/core.py of codec 1.0 has 7 lines and no line 99"],
        "found": ["codec", "1.0", "src/codec/core.py, Parser.feed"],
        "undecided": [],
        "archives": ["codec-1.0.tar.gz", "codec-1.0-py3-none-any.whl"],
    }


def test_what_only_the_wheel_has_is_found_there(targets: Targets) -> None:
    place = only("pkg:pypi/codec@1.0", targets, Location("codec/made.py", "A", 1))
    assert place.outcomes == (Found("codec/made.py"), Found("A"), Found("1"))


def test_a_version_that_was_never_released_is_absent(targets: Targets) -> None:
    found = grounded("pkg:pypi/codec@1.01.7", targets, Location("codec/core.py"))
    assert isinstance(found.version, Absent)
    assert found.version.nearest
    assert isinstance(found.locations[0].file, Undecided)
    newest = grounded("pkg:pypi/codec@77", targets).absent
    assert newest == ("codec has no release 77; its newest is 1.1",)


def test_another_spelling_of_a_version_is_that_version(targets: Targets) -> None:
    assert grounded("pkg:pypi/Codec@1.0.0", targets).version == Found("1.0")


@pytest.mark.parametrize(
    "purl", ["pkg:pypi/no-such@1", "pkg:npm/no-such@1.0.0", "pkg:npm/%40s/no@1.0.0"]
)
def test_a_package_that_no_registry_has_is_absent(targets: Targets, purl: str) -> None:
    found = grounded(purl, targets, Location("a.py"))
    assert isinstance(found.package, Absent)
    assert isinstance(found.version, Undecided)
    assert len(found.absent) == 1


def test_a_name_that_no_package_can_have_is_absent(targets: Targets) -> None:
    assert "cannot be a package's name" in grounded("pkg:pypi/a%20b@1", targets).absent[0]


def test_an_npm_package_is_looked_into(targets: Targets) -> None:
    found = grounded(
        "pkg:npm/ini@1.3.5",
        targets,
        Location("package/ini.js", "exports.decode", 1),
        Location("lib/decode.js"),
    )
    assert found.locations[0].function == Found("decode")
    assert found.absent == ("ini 1.3.5 has no file lib/decode.js",)


@pytest.mark.parametrize(
    ("purl", "location"),
    [
        ("pkg:pypi/binary@2.0", Location("src/fast.c", "fast")),
        ("pkg:pypi/binary@2.0", Location("binary/_x.so", "fast")),
        ("pkg:npm/%40s/built@1.0.0", Location("src/parser.js")),
        ("pkg:npm/%40s/built@1.0.0", Location("dist/index.min.js", "parse", 50)),
        ("pkg:pypi/codec@1.0", Location("tests/test_core.py")),
        ("pkg:pypi/codec", Location("codec/core.py", "nothing", 1)),
        ("pkg:pypi/broken@1.0", Location("broken/core.py", "nothing", 1)),
        ("pkg:golang/example.com/x@v1.0.0", Location("x.go", "Nothing", 1)),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_undecided(
    targets: Targets, purl: str, location: Location
) -> None:
    found = grounded(purl, targets, location)
    assert found.absent == ()
    assert found.undecided


def test_a_registry_that_cannot_be_reached_decides_nothing(tmp_path: Path) -> None:
    with serving() as server:
        targets = targets_of(tmp_path, LocalIndex(server), LocalRegistry(server))
    found = grounded("pkg:pypi/codec@1.0", targets, Location("codec/core.py", "parse", 1))
    assert found.absent == ()
    assert isinstance(found.package, Undecided)


def test_the_second_time_no_registry_is_asked(targets: Targets, server: Server) -> None:
    location = Location("src/codec/core.py", "parse", 1)
    first = grounded("pkg:pypi/codec@1.0", targets, location)
    asked = len(server.asked)
    assert grounded("pkg:pypi/codec@1.0", targets, location) == first
    assert len(server.asked) == asked


@pytest.fixture
def registries() -> Targets:
    found = grounded("pkg:pypi/markdown-it-py@2.1.0", default_targets(), Location("setup.cfg"))
    if isinstance(found.package, Undecided):
        pytest.skip(f"no registry: {found.package.reason}")
    return default_targets()


#: Versions and places of the samples' bundles.
REAL = [
    ("pkg:pypi/markdown-it-py@2.1.0", Location("markdown_it/main.py", "MarkdownIt.render", 100)),
    ("pkg:pypi/django@3.1.5", Location("django/utils/archive.py", "TarArchive.extract", 10)),
    ("pkg:pypi/ruamel.yaml@0.15.5", Location("ext/scanner.c", "yaml_parser_scan", 10)),
    ("pkg:pypi/mistune@2.0.2", Location("mistune/inline_parser.py", "InlineParser", 5)),
    ("pkg:npm/ini@1.3.5", Location("ini.js", "decode", 10)),
    ("pkg:npm/marked@4.0.9", Location("src/Tokenizer.js", "Tokenizer.paragraph", 10)),
]


@pytest.mark.network
@pytest.mark.parametrize(("purl", "location"), REAL)
def test_real_places_are_found_in_real_releases(
    registries: Targets, purl: str, location: Location
) -> None:
    found = grounded(purl, registries, location)
    assert all(isinstance(one, Found) for one in found.outcomes), found


@pytest.mark.network
@pytest.mark.parametrize(("purl", "location"), REAL)
def test_made_up_names_are_not_found_in_real_releases(
    registries: Targets, purl: str, location: Location
) -> None:
    place = only(purl, registries, Location(location.file, "frobnicate_quux", 9_000_000))
    assert isinstance(place.function, Absent)
    assert isinstance(place.line, Absent)


@pytest.mark.network
def test_a_release_that_was_read_is_grounded_again_at_once(registries: Targets) -> None:
    purl, location = REAL[1]
    grounded(purl, registries, location)
    before = time.process_time()
    grounded(purl, registries, location)
    # Measured: 3 ms for Django.
    assert time.process_time() - before < 1
