"""SemVer precedence and npm's ranges, the latter against npm's own implementation."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clearhouse.versions import OutsideGrammar, npm
from tests.versions.fixtures import assertions

small = st.integers(min_value=0, max_value=3)
identifier = st.sampled_from(["0", "1", "10", "a", "alpha", "b-1", "rc"])
version = st.builds(
    lambda a, b, c, pre, build: (
        f"{a}.{b}.{c}" + (f"-{'.'.join(pre)}" if pre else "") + (f"+{build}" if build else "")
    ),
    small,
    small,
    small,
    st.lists(identifier, max_size=3),
    st.none() | st.sampled_from(["1", "sha.5114f85"]),
)
anything = version | st.text(alphabet="0123.-+vx", max_size=10)
partial = version | st.builds(
    lambda parts: ".".join(parts),
    st.one_of(
        st.tuples(st.sampled_from(["0", "1", "2", "x", "*"])),
        st.tuples(st.sampled_from("012"), st.sampled_from(["0", "1", "2", "x", "*"])),
        st.tuples(st.sampled_from("012"), st.sampled_from("012"), st.sampled_from(["1", "x", "*"])),
    ),
)
comparator = st.builds(
    lambda operator, gap, one: f"{operator}{gap if operator else ''}{one}",
    st.sampled_from(["", "", "<", "<=", ">", ">=", "=", "~", "~>", "^"]),
    st.sampled_from(["", " "]),
    partial,
)
alternative = st.lists(comparator, min_size=1, max_size=2).map(" ".join) | st.builds(
    "{} - {}".format, partial, partial
)
range_text = st.lists(alternative, min_size=1, max_size=2).map(" || ".join)


@pytest.mark.parametrize("name", ["semver", "npm-node-semver"])
def test_published_orderings_hold_both_ways_round(name: str) -> None:
    wrong = [
        one
        for one in assertions(name)
        if npm.compare(one.left, one.right) != one.sign
        or npm.compare(one.right, one.left) != -one.sign
    ]
    assert wrong == []


@given(anything, anything)
def test_comparing_the_other_way_round_gives_the_opposite(left: str, right: str) -> None:
    assert npm.compare(left, right) == -npm.compare(right, left)


@given(anything, anything, anything)
def test_the_order_is_total(a: str, b: str, c: str) -> None:
    low, middle, high = sorted((a, b, c), key=npm.sort_key)
    assert npm.compare(low, middle) <= 0
    assert npm.compare(middle, high) <= 0
    assert npm.compare(low, high) <= 0


@given(version, st.sampled_from(["1", "a.b", "001"]))
def test_build_metadata_does_not_count(one: str, build: str) -> None:
    plain = one.partition("+")[0]
    assert npm.compare(plain, f"{plain}+{build}") == 0


@given(version)
def test_a_prerelease_comes_before_its_release(one: str) -> None:
    released = one.partition("+")[0].partition("-")[0]
    assert npm.compare(f"{released}-0", released) == -1


@pytest.mark.parametrize("text", ["1.2", "1.2.3.4", "01.2.3", "1.2.3-01", "1.2.3-", "", "x" * 300])
def test_a_version_outside_the_grammar_is_named_as_such(text: str) -> None:
    assert npm.parse(text) == OutsideGrammar(text, "SemVer 2.0.0")


@pytest.mark.parametrize(
    ("one", "text", "expected"),
    [
        ("1.9.9", "^1.2.3", True),
        ("2.0.0", "^1.2.3", False),
        ("2.0.0-alpha", "^1.2.3", False),
        ("0.2.9", "^0.2.3", True),
        ("0.3.0", "^0.2.3", False),
        ("0.0.4", "^0.0.3", False),
        ("1.2.9", "~1.2.3", True),
        ("1.3.0", "~1.2.3", False),
        ("2.3.9", "1.2.3 - 2.3", True),
        ("2.4.0", "1.2.3 - 2.3", False),
        ("1.2.4-beta", ">=1.2.3", False),
        ("1.2.3-beta.2", ">=1.2.3-beta.1", True),
        ("5.0.0", "*", True),
        ("5.0.0", "", True),
        ("1.0.0", "<1 || >=1.0.0 <2", True),
        ("1.0.0", "latest", False),
        ("1.0.0", "git+ssh://example/x.git", False),
        ("odd", "*", False),
        ("1.2.0-b", "~1.2.0-a", True),
        ("1.2.0-b", "~1.2.0-a || x", False),
    ],
)
def test_ranges_take_what_their_table_says(one: str, text: str, expected: bool) -> None:
    assert npm.satisfies(one, text) is expected


def _semver_of_npm() -> Path:
    found = shutil.which("npm")
    if found is None:
        pytest.skip("npm is not installed, and with it its semver library")
    folder = Path(found).resolve()
    for parent in folder.parents:
        if (parent / "node_modules" / "semver" / "package.json").is_file():
            return parent / "node_modules" / "semver"
    pytest.skip("this npm does not carry its semver library where it could be found")


# One process for each example: few examples, each of many cases.
@settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.large_base_example],
)
@given(st.lists(st.tuples(version, range_text), min_size=50, max_size=300))
def test_ranges_are_read_as_npm_reads_them(cases: list[tuple[str, str]]) -> None:
    script = """
        const semver = require(process.argv[1]);
        const cases = JSON.parse(require("fs").readFileSync(0));
        console.log(JSON.stringify(cases.map(([one, text]) => semver.satisfies(one, text))));
    """
    answer = subprocess.run(
        ["node", "-e", script, str(_semver_of_npm())],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(answer.stdout)
    wrong = [
        (case, theirs)
        for case, theirs in zip(cases, expected, strict=True)
        if npm.satisfies(*case) is not theirs
    ]
    assert wrong == []
