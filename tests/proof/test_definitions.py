"""What a source file defines, told without running it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.proof.definitions import (
    Defined,
    NotDefined,
    Sources,
    Unclear,
    name_parts,
)
from clearhouse.proof.target import Store
from clearhouse.proof.target.interpreter import running_interpreter

PYTHON = """
from .core import dump as save
import os.path
raise SystemExit("this module must not be executed")

LIMIT = 3
quick = lambda data: data

def parse(text):
    def inner():
        hidden = 1
    return inner

async def stream(): ...

class Base:
    def shared(self): ...

class Parser(Base):
    def feed(self, data): ...
    class State:
        def reset(self): ...

class Foreign(elsewhere.Thing):
    def own(self): ...

if LIMIT:
    def conditional(): ...
"""
JAVASCRIPT = """
'use strict'
const decode = (str) => str
exports.parse = exports.decode = decode
var safe = function (val) { return later(val) }
function* walk (x) {}
class Tokenizer {
  constructor (options) { this.rules = options }
  static async paragraph(src) {
    if (src) { return 1 }
  }
}
module.exports = { encode: function (a) {}, short (b) { return b } }
String.prototype.trimAll = function () {}
"""
NATIVE = """
#define YAML_INIT(x) x
#define JOIN(a) static int a(void) { return 0; }
static int
parse_value(struct state *s, int (*call)(int))
{
  return helper(s);
}
int old_style(a, b)
  int a; char *b;
{
}
bool Parser::next(Token &t) const { return true; }
JOIN(made)
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources(Store(tmp_path_factory.mktemp("cache")), running_interpreter())


def look(sources: Sources, folder: Path, name: str, text: str, named: str) -> object:
    path = folder / name.replace("/", "_")
    path.write_text(text, encoding="utf-8")
    return sources.look_up(named, path, name)


@pytest.mark.parametrize(
    "named",
    [
        "parse", "parse()", "def parse(text)", "parse.<locals>.inner", "inner", "stream", "quick",
        "save", "os", "LIMIT", "Parser", "Parser.feed", "Parser::feed", "Parser#feed", "feed",
        "Parser.State.reset", "State.reset", "codec.parse", "pkg.codec.Parser.feed", "conditional",
        "Parser.shared", "<module>", "pkg.codec.Base",
    ],
)  # fmt: skip
def test_python_names_are_found(sources: Sources, tmp_path: Path, named: str) -> None:
    assert isinstance(look(sources, tmp_path, "pkg/codec.py", PYTHON, named), Defined)


@pytest.mark.parametrize(
    ("named", "near"),
    [
        ("pasre", "parse"), ("Parser.fed", "Parser.feed"), ("Parzer.feed", "Parser.feed"),
        ("Base.shard", "Base.shared"), ("other.parse", "parse"), ("hidden", None), ("dump", None),
        ("Parser.missing", None),
    ],
)  # fmt: skip
def test_python_names_that_are_not_there_are_told_with_the_nearest(
    sources: Sources, tmp_path: Path, named: str, near: str | None
) -> None:
    found = look(sources, tmp_path, "pkg/codec.py", PYTHON, named)
    assert isinstance(found, NotDefined)
    assert near is None or found.nearest[0] == near


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (PYTHON, "Foreign.inherited"),
        (PYTHON, "the parse function and others"),
        (PYTHON, "save.inner"),
        ("from .core import *\n", "anything"),
        ("def __getattr__(name): ...\n", "anything"),
        ("exec('x = 1')\n", "x"),
        ("class A(metaclass=M): ...\n", "A.added"),
        ("print 'two'\n", "anything"),
        ("(" * 3000, "anything"),
    ],
)
def test_python_that_may_have_it_all_the_same_is_undecided(
    sources: Sources, tmp_path: Path, text: str, named: str
) -> None:
    assert isinstance(look(sources, tmp_path, "m.py", text, named), Unclear)


def test_python_2_is_searched_by_its_words(sources: Sources, tmp_path: Path) -> None:
    text = "def parse(x):\n    print 'two'\n"
    assert look(sources, tmp_path, "m.py", text, "parse") == Defined("parse")


@pytest.mark.parametrize(
    "named",
    ["decode", "exports.parse", "safe", "walk", "Tokenizer", "Tokenizer.paragraph", "encode",
     "short", "String.prototype.trimAll", "constructor"],
)  # fmt: skip
def test_javascript_names_are_found(sources: Sources, tmp_path: Path, named: str) -> None:
    assert isinstance(look(sources, tmp_path, "a.js", JAVASCRIPT, named), Defined)


def test_javascript_without_a_name_is_absent_and_with_a_mention_undecided(
    sources: Sources, tmp_path: Path
) -> None:
    absent = look(sources, tmp_path, "a.js", JAVASCRIPT, "decodeAll")
    assert absent == NotDefined(("decode", "encode"))
    assert isinstance(look(sources, tmp_path, "a.js", JAVASCRIPT, "later"), Unclear)
    assert isinstance(look(sources, tmp_path, "a.js", JAVASCRIPT, "if"), Unclear)
    minified = "var a=1;" * 2000
    assert isinstance(look(sources, tmp_path, "a.js", minified, "decode"), Unclear)
    assert isinstance(look(sources, tmp_path, "a.min.js", "var a", "decode"), Unclear)


@pytest.mark.parametrize("named", ["parse_value", "old_style", "Parser::next", "YAML_INIT"])
def test_c_names_are_found(sources: Sources, tmp_path: Path, named: str) -> None:
    assert isinstance(look(sources, tmp_path, "a.cc", NATIVE, named), Defined)


def test_c_that_only_calls_or_makes_a_name_is_undecided(sources: Sources, tmp_path: Path) -> None:
    assert isinstance(look(sources, tmp_path, "a.c", NATIVE, "helper"), Unclear)
    assert isinstance(look(sources, tmp_path, "a.c", NATIVE, "made"), Unclear)
    assert isinstance(look(sources, tmp_path, "a.c", NATIVE, "prefix_made"), Unclear)
    absent = look(sources, tmp_path, "a.c", NATIVE, "parse_values")
    assert isinstance(absent, NotDefined)
    assert absent.nearest[0] == "parse_value"


def test_other_kinds_of_files_are_undecided(sources: Sources, tmp_path: Path) -> None:
    for name in ("a.so", "a.rs", "Makefile"):
        assert isinstance(look(sources, tmp_path, name, "parse()", "parse"), Unclear)


@pytest.mark.parametrize(
    ("named", "parts"),
    [
        ("Parser.parse", ("Parser", "parse")),
        ("ns::Parser::~Parser()", ("ns", "Parser", "~Parser")),
        ("f.<locals>.<lambda>", ("f",)),
        ("<anonymous>", ()),
        ("async def go(a, b)", ("go",)),
        ("two words", None),
        ("$emit", ("$emit",)),
    ],
)
def test_names_are_read_as_reports_write_them(named: str, parts: tuple[str, ...] | None) -> None:
    assert name_parts(named) == parts


@given(st.text(max_size=40))
def test_any_name_is_read(named: str) -> None:
    parts = name_parts(named)
    assert parts is None or all(parts)


@pytest.mark.parametrize(
    "piece", ["a(", "a ", "x" * 100, "function ", "\n \t", "[({", "a=", "'a':("]
)
@pytest.mark.parametrize("name", ["a.js", "a.c"])
def test_a_hostile_file_costs_no_more_than_a_long_one(
    sources: Sources, tmp_path: Path, piece: str, name: str
) -> None:
    before = time.process_time()
    look(sources, tmp_path, name, piece * (400_000 // len(piece)), "parse_value")
    # Measured: at most 0.2 s for these; what grows with the square would take minutes.
    assert time.process_time() - before < 10
