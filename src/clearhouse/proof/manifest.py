"""``proof.toml``: from the files of a bundle to a frozen :class:`Bundle`, or what is wrong with it.

The order of the checks, each of which names the file and the key:

1. the text is UTF-8 and TOML;
2. ``[proof] format`` is one that this version reads, before anything that a later one may change;
3. every section and key is known (the nearest known one is suggested), none needed is missing;
4. each value has its type and range, and every file named is in the bundle;
5. the values fit each other: effect and ``[expect]``, language and purl, pocs and controls.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Bundle, Harness, Input, Language, Target, digest_of
from clearhouse.proof.effects import (
    CPU_SECONDS_RANGE,
    EXPECT_KEYS,
    RSS_MB_RANGE,
    Effect,
    Expectation,
)
from clearhouse.proof.members import checked_name, shown
from clearhouse.proof.purls import VERSION, parse_package_purl, parse_target_purl, same_version
from clearhouse.proof.tables import TEXT_CHARACTERS, Section, described, either, nearest
from clearhouse.proof.text import printable

MANIFEST: Final = "proof.toml"
FORMAT: Final = 1

#: More than any honest manifest has; TOML text beyond it is not parsed.
MANIFEST_BYTES: Final = 64 << 10
#: Every input is at least three runs: this many keep one bundle from holding the queue.
INPUTS: Final = 64
#: Entries of the lists in [target].
ENTRIES: Final = 200

#: Section: the keys it must have, the keys it may have.
KEYS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "proof": (("format", "id", "title", "effect", "cwe"), ("finder",)),
    "target": (
        (),
        (
            *("purl", "fixed", "requires", "source", "build"),
            *("sources", "include", "defines", "standard"),
        ),
    ),
    "harness": (("language", "file"), ()),
    "input": (("poc", "controls"), ()),
    "expect": ((), ("cpu_seconds", "rss_mb", "type")),
}
_MAY_BE_ABSENT: Final = "expect"
_NATIVE_ONLY: Final = ("sources", "include", "defines", "standard")

_EXCEPTION: Final = re.compile(r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*)*")
_DEFINE: Final = re.compile(r"[A-Za-z_]\w*(?:=[\x20-\x7e]{0,200})?", re.ASCII)
_STANDARD: Final = re.compile(r"(?:c|gnu)(?:\+\+)?[0-9][0-9a-z]")


def parse_bundle(files: Mapping[str, bytes], *, where: str) -> Bundle:
    """Return the bundle that ``files`` (by clean relative names, ``proof.toml`` first) hold.

    ``where`` is what its finder called it, for the messages. Raises Invalid.
    """
    place = f"{where}/{MANIFEST}"
    document = _toml(files[MANIFEST], place)
    sections = _sections(document, place)
    reader = _Reader(files, sections)
    return reader.bundle()


def _toml(data: bytes, where: str) -> dict[str, Any]:
    if len(data) > MANIFEST_BYTES:
        raise Invalid(f"expected at most {MANIFEST_BYTES} bytes, found {len(data)}", where=where)
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise Invalid("expected UTF-8 without a byte order mark", where=where)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"expected UTF-8 text, found other bytes at byte {error.start}", where=where
        ) from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Invalid("expected TOML; this is nested too deeply", where=where) from None
    except ValueError as error:
        # A TOMLDecodeError ends in "(at line 3, column 7)"; int() and datetime raise plain ones.
        message = printable(str(error), limit=TEXT_CHARACTERS)
        raise Invalid(f"expected TOML: {message}", where=where) from None


def _sections(document: Mapping[str, Any], where: str) -> dict[str, Section]:
    proof = document.get("proof")
    if isinstance(proof, dict) and "format" in proof:
        version = proof["format"]
        if type(version) is not int or version != FORMAT:
            raise Section("proof", proof, where).wrong(
                "format",
                f"expected {FORMAT}, the format that this clearhouse reads,"
                f" found {described(version)}",
            )
    for name, value in document.items():
        if name not in KEYS:
            near = nearest(name, tuple(KEYS), cutoff=0.5)
            hint = f"did you mean '[{near}]'?" if near else f"expected {either(KEYS)}"
            shown_name = printable(name, limit=60)
            if isinstance(value, dict):
                raise Invalid(f"unknown section; {hint}", where=where, key=f"[{shown_name}]")
            raise Invalid(
                f"unknown key outside of the sections; {hint}", where=where, key=shown_name
            )
    sections = {}
    for name, (required, optional) in KEYS.items():
        table = document.get(name, {} if name == _MAY_BE_ABSENT else None)
        if not isinstance(table, dict):
            message = (
                "the section is missing"
                if table is None
                else f"expected a table, found {described(table)}"
            )
            raise Invalid(message, where=where, key=f"[{name}]")
        sections[name] = Section(name, table, where)
        sections[name].check_keys(required, optional)
    return sections


class _Reader:
    def __init__(self, files: Mapping[str, bytes], sections: Mapping[str, Section]) -> None:
        self._files = files
        self._proof = sections["proof"]
        self._target = sections["target"]
        self._harness = sections["harness"]
        self._input = sections["input"]
        self._expect = sections["expect"]

    def bundle(self) -> Bundle:
        proof = self._proof
        effect = Effect(proof.choice("effect", tuple(Effect)))
        language = Language(self._harness.choice("language", tuple(Language)))
        example = "a list of CWE numbers such as [79]"
        bundle = Bundle(
            id=proof.line("id"),
            title=proof.line("title"),
            effect=effect,
            cwe=tuple(proof.integers("cwe", example, low=1, high=99_999, most=INPUTS)),
            finder=proof.line("finder") if "finder" in proof else None,
            target=self._read_target(language),
            harness=self._read_harness(language),
            pocs=self._inputs("poc", self._poc_names()),
            controls=self._inputs(
                "controls",
                self._input.names(
                    "controls", 'a list of file names such as ["control.bin"]', most=INPUTS
                ),
            ),
            expect=self._expectation(effect),
            files=MappingProxyType(dict(self._files)),
            digest=digest_of(self._files),
        )
        self._check_inputs_differ(bundle)
        return bundle

    # --- [harness], [input], [expect] -------------------------------------------------------

    def _read_harness(self, language: Language) -> Harness:
        section = self._harness
        name = self._file(section, "file", section.string("file"))
        code = self._files[name]
        if not code.strip():
            raise section.wrong("file", f"expected code, but {shown(name)} is empty")
        try:
            code.decode("utf-8")
        except UnicodeDecodeError as error:
            raise section.wrong(
                "file",
                f"expected UTF-8 text, but {shown(name)} has other bytes at byte {error.start}",
            ) from None
        if b"\0" in code:
            raise section.wrong("file", f"expected text, but {shown(name)} has NUL bytes")
        return Harness(language=language, file=name)

    def _poc_names(self) -> list[str]:
        if isinstance(self._input.raw["poc"], str):
            return [self._input.string("poc")]
        return self._input.names("poc", "a file name or a list of them", most=INPUTS)

    def _inputs(self, key: str, names: list[str]) -> tuple[Input, ...]:
        clean = [self._file(self._input, key, name) for name in names]
        for index, name in enumerate(clean):
            if name in clean[:index]:
                raise self._input.wrong(key, f"{shown(name)} is listed twice")
            if name == MANIFEST:
                raise self._input.wrong(key, f"'{MANIFEST}' cannot be an input")
        return tuple(Input(name, self._files[name]) for name in clean)

    def _check_inputs_differ(self, bundle: Bundle) -> None:
        seen: dict[bytes, str] = {}
        for key, inputs in (("poc", bundle.pocs), ("controls", bundle.controls)):
            for item in inputs:
                if item.data in seen:
                    raise self._input.wrong(
                        key,
                        f"{shown(item.name)} has the same bytes as {shown(seen[item.data])};"
                        " expected inputs that differ",
                    )
                seen[item.data] = item.name

    def _expectation(self, effect: Effect) -> Expectation:
        section = self._expect
        fitting = EXPECT_KEYS.get(effect)
        for key in section.raw:
            if key != fitting:
                instead = f"only '{fitting}' does" if fitting else "no key of this section does"
                raise section.wrong(key, f"does not go with effect '{effect}'; {instead}")
        if "cpu_seconds" in section:
            seconds = section.number("cpu_seconds", *CPU_SECONDS_RANGE, "processor seconds")
            return Expectation(cpu_seconds=float(seconds))
        if "rss_mb" in section:
            mebibytes = section.number("rss_mb", *RSS_MB_RANGE, "MiB")
            if not isinstance(mebibytes, int):
                raise section.wrong("rss_mb", "expected a whole number of MiB")
            return Expectation(rss_mb=mebibytes)
        if "type" in section:
            name = section.line("type")
            if not _EXCEPTION.fullmatch(name):
                raise section.wrong(
                    "type",
                    "expected the name of an exception such as RecursionError, found"
                    f" {shown(name)}",
                )
            return Expectation(exception=name)
        return Expectation()

    def _file(self, section: Section, key: str, raw_name: str) -> str:
        """Return the clean name of a file that is in the bundle."""
        name = self._place(section, key, raw_name)
        if name not in self._files:
            near = difflib.get_close_matches(name, list(self._files)[:INPUTS], n=1)
            hint = f"; did you mean {shown(near[0])}?" if near else ""
            raise section.wrong(key, f"the bundle has no file {shown(name)}{hint}")
        return name

    def _place(self, section: Section, key: str, raw_name: str) -> str:
        """Return a clean relative name; the file need not be there."""
        try:
            return checked_name(raw_name, section.where)
        except Invalid as error:
            raise section.wrong(key, error.message) from None

    # --- [target] ---------------------------------------------------------------------------

    def _read_target(self, language: Language) -> Target:
        section = self._target
        if "source" not in section and "purl" not in section:
            raise section.wrong("purl", "the key is missing; expected 'purl' or 'source'")
        for key in _NATIVE_ONLY:
            if key in section and not language.is_native:
                raise section.wrong(
                    key, f"goes with languages 'c' and 'c++' only, not with '{language}'"
                )
        if "build" in section and "source" not in section and not language.is_native:
            raise section.wrong(
                "build", f"goes with 'source' only; packages of '{language}' are not built"
            )
        purl = self._purl("purl", language) if "purl" in section else None
        return Target(
            purl=purl,
            fixed=self._fixed(purl) if "fixed" in section else None,
            requires=self._requires(language, purl) if "requires" in section else (),
            source=self._source() if "source" in section else None,
            build=self._build() if "build" in section else (),
            sources=self._places("sources", 'a list of patterns such as ["src/*.c"]'),
            include=self._places("include", 'a list of folders such as ["include"]'),
            defines=self._defines() if "defines" in section else (),
            standard=self._standard() if "standard" in section else None,
        )

    def _purl(self, key: str, language: Language) -> PackageURL:
        text = self._target.string(key)
        try:
            if "source" in self._target:
                return parse_package_purl(text)
            return parse_target_purl(text, language)
        except Invalid as error:
            raise self._target.wrong(key, error.message) from None

    def _fixed(self, purl: PackageURL | None) -> str:
        version = self._target.string("fixed")
        if not VERSION.fullmatch(version):
            raise self._target.wrong(
                "fixed", f"expected a version such as 0.5.0, found {shown(version)}"
            )
        if purl is not None and same_version(purl, version):
            raise self._target.wrong(
                "fixed",
                f"expected another version than the one attacked, found the same: {shown(version)}",
            )
        return version

    def _requires(self, language: Language, purl: PackageURL | None) -> tuple[PackageURL, ...]:
        example = "a list of purls such as ['pkg:pypi/lxml@4.9.3']"
        taken = {} if purl is None else {(purl.type, purl.namespace, purl.name): "the target"}
        required = []
        for text in self._target.names("requires", example, most=INPUTS):
            try:
                package = parse_target_purl(text, language)
            except Invalid as error:
                raise self._target.wrong("requires", error.message) from None
            name = (package.type, package.namespace, package.name)
            if name in taken:
                raise self._target.wrong("requires", f"{shown(text)} names {taken[name]} once more")
            taken[name] = "a package"
            required.append(package)
        return tuple(required)

    def _source(self) -> str:
        """Return the name of an archive or of a folder in the bundle."""
        section = self._target
        name = self._place(section, "source", section.string("source"))
        if name in self._files:
            return name
        if any(file.startswith(f"{name}/") for file in self._files):
            return name
        return self._file(section, "source", name)

    def _build(self) -> tuple[str, ...]:
        section = self._target
        value = section.raw["build"]
        commands = (
            [section.string("build")]
            if isinstance(value, str)
            else section.strings("build", "a shell command or a list of them", most=ENTRIES)
        )
        for command in commands:
            if "\0" in command:
                raise section.wrong("build", "expected commands without NUL characters")
        return tuple(commands)

    def _places(self, key: str, example: str) -> tuple[str, ...]:
        if key not in self._target:
            return ()
        names = self._target.names(key, example, most=ENTRIES)
        return tuple(self._place(self._target, key, name) or "." for name in names)

    def _defines(self) -> tuple[str, ...]:
        example = 'a list of macros such as ["NDEBUG", "LIMIT=10"]'
        defines = self._target.names("defines", example, most=ENTRIES)
        for define in defines:
            if not _DEFINE.fullmatch(define):
                raise self._target.wrong("defines", f"expected {example}, found {shown(define)}")
        return tuple(defines)

    def _standard(self) -> str:
        standard = self._target.string("standard")
        if not _STANDARD.fullmatch(standard):
            raise self._target.wrong(
                "standard", f"expected a standard such as c11 or c++17, found {shown(standard)}"
            )
        return standard
