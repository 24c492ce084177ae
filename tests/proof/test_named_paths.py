"""Paths in reports lead to the files of a release, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.named_paths import ReleasedFiles, parts_of

SDIST = ReleasedFiles(
    ["setup.py", "src/foo/__init__.py", "src/foo/bar.py", "src/foo/sub/bar.py", "ext/_fast.c"],
    package="Foo-Lib",
    is_source=True,
)
WHEEL = ReleasedFiles(["foo/__init__.py", "foo/bar.py", "six.py"], package="foo", is_source=False)
PLAIN_NPM = ReleasedFiles(["ini.js", "package.json"], package="ini", is_source=False)
BUILT_NPM = ReleasedFiles(
    ["dist/index.js", "dist/index.min.js", "package.json"], package="@s/p", is_source=False
)


@pytest.mark.parametrize(
    ("files", "named", "found"),
    [
        (SDIST, "src/foo/bar.py", ("src/foo/bar.py",)),
        (SDIST, "foo/bar.py", ("src/foo/bar.py",)),
        (SDIST, "bar.py", ("src/foo/bar.py", "src/foo/sub/bar.py")),
        (SDIST, "./src\\foo\\bar.py", ("src/foo/bar.py",)),
        (SDIST, "C:\\work\\foo-lib-1.2\\src\\foo\\bar.py", ("src/foo/bar.py",)),
        (SDIST, "/home/me/foo-lib/setup.py", ("setup.py",)),
        (SDIST, "foo_lib-1.2.3/setup.py", ("setup.py",)),
        (SDIST, "elsewhere/setup.py", ()),
        (SDIST, "file:///x/src/foo/sub/bar.py", ("src/foo/sub/bar.py",)),
        (SDIST, "foo.sub.bar", ("src/foo/sub/bar.py",)),
        (SDIST, "src/foo/baz.py", ()),
        (SDIST, "", ()),
        (WHEEL, "src/foo/bar.py", ("foo/bar.py",)),
        (WHEEL, "src/six.py", ("six.py",)),
        (WHEEL, "site-packages/six.py", ("six.py",)),
        (PLAIN_NPM, "package/ini.js", ("ini.js",)),
        (PLAIN_NPM, "node_modules/ini/ini.js", ("ini.js",)),
    ],
)
def test_a_path_leads_to_its_files(
    files: ReleasedFiles, named: str, found: tuple[str, ...]
) -> None:
    assert files.matching(parts_of(named)) == found


@pytest.mark.parametrize(
    ("files", "named", "undecided"),
    [
        (SDIST, "src/foo/baz.py", False),
        (SDIST, "src/foo/parser.c", False),
        (SDIST, "src/foo/parser.rs", False),
        (SDIST, "ext/_fast.pyx", True),
        (SDIST, "tests/test_bar.py", True),
        (WHEEL, "foo/baz.py", False),
        (WHEEL, "ext/fast.c", True),
        (PLAIN_NPM, "lib/decode.js", False),
        (PLAIN_NPM, "src/ini.ts", True),
        (PLAIN_NPM, "test/ini.js2", True),
        (BUILT_NPM, "src/parser.js", True),
        (BUILT_NPM, "dist/parser.js", False),
    ],
)
def test_a_file_that_a_release_may_leave_out_is_not_called_absent(
    files: ReleasedFiles, named: str, undecided: bool
) -> None:
    assert files.matching(parts_of(named)) == ()
    assert (files.why_undecided(parts_of(named)) is not None) is undecided


def test_the_nearest_names_are_suggested() -> None:
    assert SDIST.nearest(parts_of("src/foo/bra.py"))[0] == "src/foo/bar.py"
    assert SDIST.nearest(parts_of("lib/SETUP.py")) == ("setup.py",)
    assert SDIST.nearest(parts_of("nothing/alike.xyz")) == ()


NAMES = st.lists(st.sampled_from(["a", "b", "src", "x.py", "y.js"]), min_size=1, max_size=4)


@given(st.lists(NAMES, min_size=1, max_size=5), st.integers(0, 4), st.integers(0, 3))
def test_every_file_is_found_by_its_own_path_and_by_its_ends(
    paths: list[list[str]], which: int, cut: int
) -> None:
    names = ["/".join(one) for one in paths]
    files = ReleasedFiles(names, package="p", is_source=True)
    named = names[which % len(names)]
    assert files.matching(parts_of(named)) == (named,)
    end = named.split("/")[min(cut, named.count("/")) :]
    found = files.matching(end)
    assert found
    assert all(one == "/".join(end) or one.endswith("/" + "/".join(end)) for one in found)


@given(st.text(max_size=30), st.lists(st.text("ab./\\-", max_size=9), max_size=4))
def test_any_text_is_looked_for(named: str, names: list[str]) -> None:
    files = ReleasedFiles(names, package="p", is_source=False)
    parts = parts_of(named)
    assert set(files.matching(parts)) <= set(names)
    assert len(files.nearest(parts)) <= 3
