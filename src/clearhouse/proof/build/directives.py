"""What a C or C++ harness asks of the preprocessor, read from its text.

Frames are told apart by the file and line that the compiler notes for them, so a harness must not
be able to say that its lines are the target's, nor change the target's headers on their way into
its own object.  Both can only be done by directives, and those cannot come out of macros.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

_TRIGRAPH = re.compile(r"\?\?[=/'()!<>-]")
_SPLICE = re.compile(r"\\[ \t\f\v]*\r?\n")
_RAW_TEXT = re.compile(r'(?<!\w)(?:u8|[uUL])?R"')
_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*)"""
    r"""|(?P<text>(?:"(?:\\.|[^"\\\n])*(?:"|(?=\n)|\Z))|(?:(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*(?:'|(?=\n)|\Z)))""",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"^[ \t\f\v]*(?:#|%:)[ \t\f\v]*(?P<name>\w*)(?P<rest>.*)$")
_INCLUDE = re.compile(r'^\s*(?:<(?P<angled>[^<>"\n]+)>|"(?P<quoted>[^"<>\n]+)")\s*$')
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER = re.compile(r"\(?\s*-?(?:0[xX][0-9A-Fa-f]+|[0-9]+)[uUlL]*\s*\)?|")
_HARMLESS_PRAGMA = re.compile(r"\s*(?:once|(?:GCC|clang)\s+diagnostic\b.*|STDC\b.*|mark\b.*)\s*$")
_PLATFORM = frozenset(
    {
        "defined", "__cplusplus", "__GNUC__", "__clang__", "_WIN32", "WIN32", "_MSC_VER",
        "__linux__", "__APPLE__", "__unix__", "__FreeBSD__", "__STDC_VERSION__", "__x86_64__",
        "FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION", "__SANITIZE_ADDRESS__", "__has_feature",
        "address_sanitizer",
    }
)  # fmt: skip
_VERSION = re.compile(r"[A-Z0-9_]*(?:VERSION|VERNUM)[A-Z0-9_]*")


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A construct that costs the harness its attribution: where it stands and why."""

    line: int
    what: str

    def __str__(self) -> str:
        """As verdicts show it."""
        return f"line {self.line}: {self.what}" if self.line else self.what


@dataclass(frozen=True, slots=True)
class Define:
    """A macro that the harness defines: its name, its value, and whether it takes arguments."""

    line: int
    name: str
    value: str
    takes_arguments: bool


@dataclass(frozen=True, slots=True)
class Include:
    """A file that the harness includes."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Directives:
    """What the preprocessor is told by a harness, in order."""

    violations: tuple[Violation, ...]
    defines: tuple[Define, ...]
    includes: tuple[Include, ...]

    def defines_before(self, line: int) -> tuple[Define, ...]:
        """The macros that are defined above a line."""
        return tuple(d for d in self.defines if d.line < line)


def read_directives(source: str) -> Directives:
    """Read a harness's text."""
    reader = _Reader()
    reader.read(source)
    return Directives(
        tuple(sorted(reader.violations)), tuple(reader.defines), tuple(reader.includes)
    )


class _Reader:
    def __init__(self) -> None:
        self.violations: set[Violation] = set()
        self.defines: list[Define] = []
        self.includes: list[Include] = []
        self._own: set[str] = set()

    def read(self, source: str) -> None:
        for pattern, what in (
            (_TRIGRAPH, "a trigraph"),
            (_RAW_TEXT, "a raw string literal"),
        ):
            for match in pattern.finditer(source):
                self._bad(source.count("\n", 0, match.start()) + 1, f"uses {what}")
        lines = list(logical_lines(source))
        self._own = {
            m[1]
            for _, text in lines
            if (m := re.match(r"[ \t]*(?:#|%:)[ \t]*define[ \t]+([\w$]+)", text))
        }
        for number, text in lines:
            directive = _DIRECTIVE.match(text)
            if directive is not None:
                self._directive(number, directive["name"], directive["rest"])
            for name in _IDENTIFIER.findall(text):
                if _VERSION.fullmatch(name) and name not in self._own | _PLATFORM:
                    self._bad(number, f"asks for the target's version ({name})")

    def _bad(self, line: int, what: str) -> None:
        self.violations.add(Violation(line, what))

    def _directive(self, line: int, name: str, rest: str) -> None:
        match name:
            case "include":
                self._include(line, rest)
            case "define":
                self._define(line, rest)
            case "undef":
                if rest.strip() not in self._own:
                    self._bad(line, f"takes away a macro that is not its own ({rest.strip()[:60]})")
            case "if" | "ifdef" | "ifndef" | "elif" | "elifdef" | "elifndef":
                asked = set(_IDENTIFIER.findall(rest)) - _PLATFORM - self._own
                if asked:
                    self._bad(line, f"is another harness depending on {min(asked)}")
            case "pragma":
                if not _HARMLESS_PRAGMA.match(rest):
                    self._bad(line, f"uses #pragma {rest.strip()[:40]}")
            case "else" | "endif" | "error" | "warning" | "":
                if rest.strip() and not name:
                    self._bad(line, "uses a directive that is not understood")
            case _ if name == "line" or name.isdigit():
                self._bad(line, "changes the line or file that the compiler notes (#line)")
            case _:
                self._bad(line, f"uses #{name[:20]}")

    def _include(self, line: int, rest: str) -> None:
        match = _INCLUDE.match(rest)
        if match is None:
            self._bad(line, "includes a file that a macro or an odd name stands for")
            return
        name = match["angled"] or match["quoted"]
        if name.startswith("/") or "/*" in name or "//" in name:
            self._bad(line, f"includes a file by an absolute or odd name ({name[:60]})")
        self.includes.append(Include(line, name))

    def _define(self, line: int, rest: str) -> None:
        match = re.match(r"[ \t]+([\w$]+)(\([^)]*\))?(.*)$", rest)
        if match is None:
            self._bad(line, "defines a macro by an odd name")
            return
        self.defines.append(Define(line, match[1], match[3].strip(), match[2] is not None))


def logical_lines(source: str) -> Iterator[tuple[int, str]]:
    """Lines as the preprocessor sees them, numbered as in the source.

    Continued lines are joined (C17 section 5.1.1.2, phase 2), and a comment is one space, whatever
    line breaks it holds (phase 3).
    """
    text, numbers = _spliced(source)
    line: list[str] = []
    first = None
    for at, piece in _without_comments(text):
        for offset, character in enumerate(piece):
            if character == "\n":
                yield (first or numbers[at + offset]), "".join(line)
                line, first = [], None
            else:
                if first is None and not character.isspace():
                    first = numbers[at + offset]
                line.append(character)
    if line:
        yield (first or 1), "".join(line)


def _spliced(source: str) -> tuple[str, list[int]]:
    """The text with continued lines joined, and for every character the line it came from."""
    pieces: list[str] = []
    numbers: list[int] = []
    line, last = 1, 0
    for match in [*_SPLICE.finditer(source), None]:
        piece = source[last : match.start() if match else len(source)]
        pieces.append(piece)
        for character in piece:
            numbers.append(line)
            line += character == "\n"
        line += 1
        last = match.end() if match else last
    return "".join(pieces), numbers


def _without_comments(text: str) -> Iterator[tuple[int, str]]:
    """Pieces of the text and where they stand; each comment is a single space."""
    last = 0
    for match in _TOKEN.finditer(text):
        if match["comment"] is not None:
            yield last, text[last : match.start()]
            yield match.start(), " "
            last = match.end()
    yield last, text[last:]


_FEATURE_TESTS = frozenset(
    {
        "_GNU_SOURCE", "_DEFAULT_SOURCE", "_BSD_SOURCE", "_SVID_SOURCE", "_POSIX_SOURCE",
        "_POSIX_C_SOURCE", "_XOPEN_SOURCE", "_ISOC99_SOURCE", "_ISOC11_SOURCE", "_REENTRANT",
        "_THREAD_SAFE", "_LARGEFILE_SOURCE", "_LARGEFILE64_SOURCE", "_FILE_OFFSET_BITS",
        "_DARWIN_C_SOURCE", "_ALL_SOURCE", "__STDC_FORMAT_MACROS", "__STDC_LIMIT_MACROS",
        "__STDC_CONSTANT_MACROS", "NDEBUG",
    }
)  # fmt: skip


def is_setting(name: str, value: str, tested: Collection[str]) -> bool:
    """Whether a macro only sets what the target itself offers to be set.

    Such a macro has no value or a number, and the target asks for it in a directive (``#ifdef``,
    ``#if``); or it is one of the C library's feature tests (feature_test_macros(7)).
    """
    return _NUMBER.fullmatch(value) is not None and (name in _FEATURE_TESTS or name in tested)


_TEST = re.compile(r"^[ \t]*#[ \t]*(?:el)?if(?:n?def)?\b(.*)$", re.MULTILINE)


def macros_tested(text: str) -> set[str]:
    """Identifiers in the conditional directives of a source file."""
    joined = _SPLICE.sub(" ", text)
    return {name for rest in _TEST.findall(joined) for name in _IDENTIFIER.findall(rest)}


def identifiers(text: str) -> set[str]:
    """Every identifier of a source file, comments and texts included."""
    return set(_IDENTIFIER.findall(text))


def macro_violations(
    directives: Directives, included: Mapping[str, str], *, set_for_all: Collection[str]
) -> list[Violation]:
    """Macros with which the harness would change the target's headers on their way in.

    ``included`` are the texts of the target's files that end up in the harness's object, by path;
    ``set_for_all`` are macros that the harness may set, since every object of the target is
    compiled with them too, or because the target is nothing but these files.
    """
    if not included or not directives.includes:
        return []
    used = {name for text in included.values() for name in identifiers(text)}
    tested = {name for text in included.values() for name in macros_tested(text)}
    settable = tested & set(set_for_all)
    return [
        Violation(d.line, f"defines {d.name}, which the target's headers use")
        for d in directives.defines_before(directives.includes[-1].line)
        if d.name in used and (d.takes_arguments or not is_setting(d.name, d.value, settable))
    ]
