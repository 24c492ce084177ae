"""What is left of a harness after preprocessing: pragmas, and functions it declares by itself.

A declaration of the harness's own may give a function of the target other types than it has, and
so have the target take a number for a pointer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from clearhouse.proof.build.directives import Violation

_MARKER = re.compile(r'# (?P<line>\d+) "(?P<file>(?:[^"\\]|\\.)*)"(?P<flags>[ 0-9]*)$')
_PRAGMA = re.compile(r"\s*#\s*pragma\s+(?P<rest>.*)")
_HARMLESS = re.compile(r"(?:once|(?:GCC|clang)\s+diagnostic\b.*|STDC\b.*|mark\b.*)\s*$")
_TOKEN = re.compile(
    r"""[A-Za-z_$][\w$]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|0[xX][\w.]+|\d[\w.]*|\S"""
)
_NO_TYPE = frozenset(
    {
        "return", "else", "do", "goto", "case", "throw", "co_return", "co_await", "co_yield",
        "sizeof", "new", "delete", "default", "using", "operator",
    }
)  # fmt: skip
_DECLARING = frozenset(
    {
        "extern", "static", "typeof", "__typeof__", "__typeof", "decltype", "__attribute__",
        "alignas", "_Alignas", "auto", "register", "inline", "__inline", "__inline__",
        "_Noreturn", "constexpr", "__extension__",
    }
)  # fmt: skip
_BESIDE_TYPES = frozenset({"*", "&", '"C"', '"C++"'})


def preprocessed_violations(text: str, target: Collection[str]) -> list[Violation]:
    """Read the output of ``-E``.  ``target`` are names of the target that the harness refers to."""
    found: list[Violation] = []
    tokens: list[tuple[str, int]] = []
    for line, part in _own_lines(text, found):
        if (pragma := _PRAGMA.match(part)) is not None:
            if not _HARMLESS.match(pragma["rest"]):
                found.append(Violation(line, f"uses #pragma {pragma['rest'].strip()[:40]}"))
            continue
        tokens.extend((token, line) for token in _TOKEN.findall(part))
    found.extend(
        Violation(line, f"declares {name} itself instead of including the target's header")
        for name, line in _declared(tokens, target)
    )
    return sorted(set(found))


def _own_lines(text: str, found: list[Violation]) -> Iterator[tuple[int, str]]:
    """The lines that came out of the harness's own files, numbered as there.

    The compiler marks where a file is entered (1) and returned to (2); a marker without these
    that names another file comes from a ``#line``.
    """
    line, file = 0, ""
    for part in text.split("\n"):
        if (marker := _MARKER.match(part)) is not None:
            entered_or_left = {"1", "2"} & set(marker["flags"].split())
            if file.startswith("/harness/") and marker["file"] != file and not entered_or_left:
                found.append(Violation(line, "says that its lines are those of another file"))
            line, file = int(marker["line"]), marker["file"]
            continue
        if file.startswith("/harness/"):
            yield line, part
        line += 1


class _Statement:
    """What has been seen of a statement so far."""

    def __init__(self) -> None:
        self.words = 0  # at its start, before anything else than stars
        self.only_words = True
        self.depth = 0  # of parentheses
        self.declares = False  # begins with a word that only declarations begin with
        self.last = ""

    def declares_here(self) -> bool:
        """Whether a name that stands here is being declared."""
        if self.depth:
            return False
        after_comma = self.last == "," and self.words > 1
        return self.declares or after_comma or (self.only_words and self.words > 0)

    def take(self, word: str) -> None:
        if word in "([":
            self.depth += 1
        elif word in ")]":
            self.depth = max(0, self.depth - 1)
        if word[0].isalpha() or word[0] in "_$":
            self.declares = self.declares or (self.words == 0 and word in _DECLARING)
            self.words += self.only_words
            self.only_words = self.only_words and word not in _NO_TYPE
        elif word not in _BESIDE_TYPES:
            self.only_words = False
        if word not in {"*", "&"}:
            self.last = word


def _declared(tokens: list[tuple[str, int]], names: Collection[str]) -> Iterator[tuple[str, int]]:
    """Names that stand where declarations have them, and the lines of these."""
    statement = _Statement()
    for token, line in tokens:
        if token in {";", "{", "}"}:
            statement = _Statement()
            continue
        if token in names and statement.declares_here():
            yield token, line
        statement.take(token)
