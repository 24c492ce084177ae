"""Patterns of ``[target]``, what is compiled without any, and names of functions."""

from __future__ import annotations

import time

import pytest

from clearhouse.errors import Unavailable
from clearhouse.proof.build.flags import Checks
from clearhouse.proof.build.patterns import matching
from clearhouse.proof.build.plan import make_plan
from clearhouse.proof.build.symbols import plain_name
from clearhouse.proof.bundle import Target
from clearhouse.proof.effects import Effect

NAMES = ["lua/lapi.c", "lua/lua.c", "lua/lundump.c", "a.c", "zlib-1.2.8/in/x.h", "."]


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["lua/l[a-t]*.c"], ["lua/lapi.c"]),
        (["lua/lu[nt]*.c", "lua/*.c"], ["lua/lundump.c", "lua/lapi.c", "lua/lua.c"]),
        (["*.c"], ["a.c"]),
        (["**/*.c"], ["lua/lapi.c", "lua/lua.c", "lua/lundump.c", "a.c"]),
        (["zlib-*/**"], ["zlib-1.2.8/in/x.h"]),
        (["**/in/**/x.h"], ["zlib-1.2.8/in/x.h"]),
        (["lua/lu?.c"], ["lua/lua.c"]),
        (["./lua/lua.c", "."], ["lua/lua.c", "."]),
        (["lua/l[!u]*.c"], ["lua/lapi.c"]),
        (["lua/["], []),
    ],
)
def test_patterns(patterns: list[str], found: list[str]) -> None:
    assert list(matching(patterns, NAMES)) == found


def test_a_pattern_made_to_take_for_ever_does_not() -> None:
    began = time.process_time()
    assert list(matching(["*a" * 100 + "b", "**/" * 100 + "q"], ["a" * 250, "a/" * 99 + "a"])) == []
    assert time.process_time() - began < 5


TREE = (
    "src/a.c", "src/b.cc", "src/a.h", "include/box/b.hpp", "tests/t.c", "examples/deep/e.c",
    "README", "fuzz/f.c",
)  # fmt: skip


def test_without_patterns_everything_but_tests_and_the_like_is_compiled() -> None:
    plan = make_plan(Target(purl=None, source="src"), Effect.CRASH, TREE)
    assert plan.sources == ("src/a.c", "src/b.cc")
    assert plan.include == ("src", "include/box", ".")
    assert not plan.chosen
    assert plan.checks == Checks(undefined_behaviour=True)


def test_with_patterns_their_order_is_kept() -> None:
    target = Target(
        purl=None, source="src", sources=("src/*.c", "src/*.cc", "none/*.c"),
        include=("src", "include/*", "nowhere"), defines=("A", "B=2"), standard="gnu99",
    )  # fmt: skip
    plan = make_plan(target, Effect.HANG, TREE)
    assert plan.sources == ("src/a.c", "src/b.cc")
    folders = ["-I/target/src", "-I/target/include/box", "-I/target"]
    assert plan.flags(cxx=False) == [*folders, "-DA", "-DB=2", "-std=gnu99"]
    assert plan.flags(cxx=True) == [*folders, "-DA", "-DB=2"]
    assert plan.checks.flags() == ["-fsanitize=address"]


def test_patterns_that_match_nothing_are_named() -> None:
    target = Target(purl=None, source="src", sources=("lib/*.c",))
    with pytest.raises(Unavailable, match=r"lib/\*\.c"):
        make_plan(target, Effect.CRASH, TREE)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("ares_create_query", "ares_create_query"),
        ("int box::Reader<char>::at(unsigned long) const", "box::Reader::at"),
        ("void a::G<a::U<char>, X>::parse<0u, Y<Z> >(A<B>&, C&)", "a::G::parse"),
        ("std::ostream& std::operator<< <T>(std::ostream&, char const*)", "std::operator<<"),
        ("(anonymous namespace)::helper(int)", "(anonymous namespace)::helper"),
        ("a::(anonymous namespace)::B::operator()(int) const",
         "a::(anonymous namespace)::B::operator()"),
        ("Foo::operator std::string<char>() const", "Foo::operator std::string"),
        ("box::Visitor::~Visitor()", "box::Visitor::~Visitor"),
        ("decltype(auto) f<int>(int)", "f"),
        ("cooperator(int)", "cooperator"),
    ],
)  # fmt: skip
def test_names_of_cxx_lose_what_an_instantiation_adds(name: str, plain: str) -> None:
    assert plain_name(name) == plain
