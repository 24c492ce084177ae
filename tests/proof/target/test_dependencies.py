"""Dependencies of a Python target are those of the time of its release."""

from __future__ import annotations

import pytest

from clearhouse.proof.target import (
    Installed,
    TargetNotFound,
    Targets,
)
from tests.proof.target.making import LocalIndex, day, sdist, wheel


def _versions(installed: Installed) -> dict[str, str]:
    return {
        name.removeprefix("pkg:pypi/"): version
        for name, _, version in (one.purl.partition("@") for one in installed.packages)
    }


def test_dependencies_are_those_of_the_time(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("lib>=1",)), day("2018-01-10"))
    for version, date in (("1.0", "2017-01-01"), ("1.5", "2018-06-01"), ("2.0", "2021-01-01")):
        index.add("lib", wheel("lib", version), day(date))
    assert _versions(targets.install("pkg:pypi/demo@1.0"))["lib"] == "1.5"
    earlier = targets.install("pkg:pypi/demo@1.0", as_of=day("2018-01-01"))
    assert _versions(earlier)["lib"] == "1.0"
    later = targets.install("pkg:pypi/demo@1.0", as_of=day("2022-01-01"))
    assert _versions(later)["lib"] == "2.0"


def test_dependencies_of_a_pinned_package_may_be_as_late_as_it(
    index: LocalIndex, targets: Targets
) -> None:
    index.add("demo", wheel("demo", "1.0"), day("2018-01-10"))
    index.add("helper", wheel("helper", "1.0", requires=("lib",)), day("2021-02-01"))
    for version, date in (("1.0", "2017-01-01"), ("2.0", "2021-01-01"), ("3.0", "2023-01-01")):
        index.add("lib", wheel("lib", version), day(date))
    installed = targets.install("pkg:pypi/demo@1.0", requires=["pkg:pypi/helper@1.0"])
    assert _versions(installed)["lib"] == "2.0"


def test_where_nothing_of_the_time_runs_the_next_that_does_is_taken_with_a_note(
    index: LocalIndex, targets: Targets
) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("lib",)), day("2012-01-01"))
    index.add("lib", wheel("lib", "1.0", tag="cp27-cp27m-linux_x86_64"), day("2011-01-01"))
    index.add("lib", sdist("lib", "1.1", {"lib.py": "print 'two'"}), day("2011-06-01"))
    index.add("lib", wheel("lib", "2.0"), day("2020-01-01"))
    index.add("lib", wheel("lib", "3.0"), day("2021-01-01"))
    installed = targets.install("pkg:pypi/demo@1.0")
    assert _versions(installed)["lib"] == "2.0"
    assert [note for note in installed.notes if note.startswith("lib")] == [
        "lib 2.0 is later than 2012-07-01: nothing earlier runs here"
    ]


def test_a_source_with_a_way_around_its_extension_is_good_enough(
    index: LocalIndex, targets: Targets
) -> None:
    setup = "setup(packages=['lib'], ext_modules=[Extension('lib._fast', ['f.c'])])"
    around = "try:\n    from lib._fast import f\nexcept ImportError:\n    f = None\n"
    index.add("demo", wheel("demo", "1.0", requires=("lib",)), day("2018-01-01"))
    index.add(
        "lib",
        sdist("lib", "1.0", {"setup.py": setup, "lib/__init__.py": around}),
        day("2017-01-01"),
    )
    index.add(
        "lib",
        sdist("lib", "1.1", {"setup.py": setup, "lib/__init__.py": "import lib._fast"}),
        day("2017-02-01"),
    )
    index.add("lib", wheel("lib", "2.0"), day("2020-01-01"))
    assert _versions(targets.install("pkg:pypi/demo@1.0"))["lib"] == "1.0"


def test_dependencies_of_dependencies_extras_and_markers_are_followed(
    index: LocalIndex, targets: Targets
) -> None:
    index.add(
        "demo",
        wheel(
            "demo",
            "1.0",
            requires=(
                "lib[fast]",
                "win ; sys_platform == 'win32'",
                "tests ; extra == 'dev'",
            ),
        ),
    )
    index.add("lib", wheel("lib", "1.0", requires=("base", "quick ; extra == 'fast'")))
    for name in ("base", "quick", "win", "tests"):
        index.add(name, wheel(name, "1.0"))
    assert set(_versions(targets.install("pkg:pypi/demo@1.0"))) == {"demo", "lib", "base", "quick"}


def test_an_older_release_is_taken_where_the_newest_ones_conflict(
    index: LocalIndex, targets: Targets
) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("a", "b<2")))
    index.add("a", wheel("a", "1.0", requires=("b<2",)))
    index.add("a", wheel("a", "2.0", requires=("b>=2",)))
    index.add("b", wheel("b", "1.0"))
    index.add("b", wheel("b", "2.0"))
    installed = targets.install("pkg:pypi/demo@1.0")
    assert _versions(installed) == {"demo": "1.0", "a": "1.0", "b": "1.0"}
    assert installed.notes == ()


def test_a_conflict_without_a_way_out_is_a_note(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("a", "b<2")))
    index.add("a", wheel("a", "1.0", requires=("b>=2",)))
    index.add("b", wheel("b", "1.0"))
    index.add("b", wheel("b", "2.0"))
    installed = targets.install("pkg:pypi/demo@1.0")
    assert set(_versions(installed)) == {"demo", "a", "b"}
    assert any("conflicts" in note for note in installed.notes)


def test_what_cannot_be_had_is_a_note(index: LocalIndex, targets: Targets) -> None:
    index.add(
        "demo",
        wheel(
            "demo",
            "1.0",
            requires=(
                "absent",
                "toonew>=9",
                "windows",
                "at @ https://a.invalid/x.whl",
                "bad requirement!",
            ),
        ),
    )
    index.add("toonew", wheel("toonew", "1.0"))
    index.add("windows", wheel("windows", "1.0", tag="cp311-cp311-win_amd64"))
    installed = targets.install("pkg:pypi/demo@1.0")
    assert set(_versions(installed)) == {"demo"}
    notes = "\n".join(installed.notes)
    for expected in (
        "absent cannot be had: no index has it",
        "toonew cannot be had: no release satisfies what is asked of it",
        "windows cannot be had: no wheel fits",
        "at is at an address",
        "'bad requirement!' cannot be read",
    ):
        assert expected in notes


def test_packages_that_need_each_other_are_both_there(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("lib",)))
    index.add("demo", wheel("demo", "2.0", requires=("lib",)))
    index.add("lib", wheel("lib", "1.0", requires=("demo>=2",)))
    assert _versions(targets.install("pkg:pypi/demo@1.0")) == {"demo": "1.0", "lib": "1.0"}


def test_pinned_packages_are_exactly_those(index: LocalIndex, targets: Targets) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("lib>=2",)))
    for version in ("1.0", "2.0"):
        index.add("lib", wheel("lib", version))
    index.add("helper", wheel("helper", "0.1"))
    index.add("helper", wheel("helper", "0.2"))
    installed = targets.install(
        "pkg:pypi/demo@1.0", requires=["pkg:pypi/lib@1.0", "pkg:pypi/helper@0.1"]
    )
    assert _versions(installed) == {"demo": "1.0", "lib": "1.0", "helper": "0.1"}
    assert [one.is_target for one in installed.packages] == [True, False, False]


def test_a_pinned_package_that_does_not_exist_is_an_error(
    index: LocalIndex, targets: Targets
) -> None:
    index.add("demo", wheel("demo", "1.0"))
    with pytest.raises(TargetNotFound, match="absent"):
        targets.install("pkg:pypi/demo@1.0", requires=["pkg:pypi/absent@1.0"])


def test_yanked_and_prereleases_are_only_taken_where_there_is_nothing_else(
    index: LocalIndex, targets: Targets
) -> None:
    index.add("demo", wheel("demo", "1.0", requires=("lib", "only")))
    index.add("lib", wheel("lib", "1.0"))
    index.add("lib", wheel("lib", "1.1"), yanked=True)
    index.add("lib", wheel("lib", "2.0rc1"))
    index.add("only", wheel("only", "1.0a1"))
    versions = _versions(targets.install("pkg:pypi/demo@1.0"))
    assert (versions["lib"], versions["only"]) == ("1.0", "1.0a1")
