"""Masks: another version and another name for a package, wherever an item shows them.

What was published of a flaw names the package and its versions.  A model that only remembers it
does not find it under another name; one that understands the code does.  A word and the one that
stands for it are equally long, so that an input in which lengths are counted stays well formed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from packageurl import PackageURL

from clearhouse.benchmark.item_file import Masked
from clearhouse.proof.bundle import Bundle, Input, digest_of

#: Shorter names stand inside of others (``ip`` in ``zip``): they are replaced as words only.
_LONG: Final = 5
#: Letters that no name is told by.
_LETTERS: Final = "bcdfghjklmnpqrstvwxz"
_VOWELS: Final = "aeiou"


@dataclass(frozen=True, slots=True)
class Mask:
    """How far a package is masked, and which words stand for which.

    ``words`` maps the package's own words to others of the same length, both in lower case; where
    a text has capitals, the other word has them too.  ``versions`` maps its version.
    """

    kind: Masked
    words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def put_on(self, data: bytes) -> bytes:
        """``data`` (text, in an encoding that has ASCII) with the other words and versions."""
        for old, new in self.words.items():
            data = _replaced(data, old, new)
        for old, new in self.versions.items():
            pattern = rb"(?<![\w.])" + re.escape(old.encode()) + rb"(?![\w]|\.\d)"
            data = re.sub(pattern, new.encode(), data)
        return data

    def put_on_name(self, name: str) -> str:
        """The same for the name of a file, a module or a folder."""
        return self.put_on(name.encode("utf-8", "surrogateescape")).decode(
            "utf-8", "surrogateescape"
        )

    def taken_off(self, data: bytes) -> bytes:
        """``data`` with the package's own words again; versions stay as they are."""
        for old, new in self.words.items():
            data = _replaced(data, new, old)
        return data


NO_MASK: Final = Mask(Masked.NO)


def _replaced(data: bytes, old: str, new: str) -> bytes:
    return _pattern(old).sub(lambda match: _spelled_as(match[0], new.encode()), data)


@cache
def _pattern(word: str) -> re.Pattern[bytes]:
    """Where a word stands: anywhere, or for a short one where a word begins and ends.

    In names of code words also begin with a capital: ``YAMLError``, ``loadYaml``.
    """
    low, first, high = (
        re.escape(spelled.encode()) for spelled in (word, word.capitalize(), word.upper())
    )
    if len(word) >= _LONG:
        return re.compile(low, re.IGNORECASE)
    return re.compile(
        rb"(?<![A-Za-z0-9])%b(?![a-z0-9])|(?<![A-Z])%b(?![a-z0-9])|"
        rb"(?<![A-Z])%b(?![A-Z](?![a-z])|[0-9])" % (low, first, high)
    )


def _spelled_as(seen: bytes, word: bytes) -> bytes:
    """``word`` with capitals where what was seen has them."""
    return bytes(
        letter - 32 if 65 <= old <= 90 and 97 <= letter <= 122 else letter
        for old, letter in zip(seen, word, strict=True)
    )


def masks_for(bundle: Bundle, seed: int) -> tuple[Mask, ...]:
    """Masks to be tried for a bundle, the one that hides most first.

    The same for the same ``seed``.  C and C++ targets are re-versioned only: what they are is in
    every name of their sources, and those are part of what harness and build refer to.
    """
    purl = bundle.target.purl
    if purl is None or not purl.version:
        return ()
    chance = random.Random(seed)  # noqa: S311 - a name, no secret
    versions = {purl.version: _other_version(purl.version, chance)}
    found = [Mask(Masked.VERSION, versions=versions)]
    if not bundle.harness.language.is_native:
        found.insert(0, Mask(Masked.NAME, _other_names(purl, bundle, chance), versions))
    return tuple(found)


def _other_version(version: str, chance: random.Random) -> str:
    """Another version of the same length, its zeros kept: ``0.15.5`` might become ``0.38.2``."""

    def other(match: re.Match[str]) -> str:
        digit = match[0]
        return digit if digit == "0" else chance.choice([d for d in "123456789" if d != digit])

    return re.sub(r"\d", other, version)


def _other_names(purl: PackageURL, bundle: Bundle, chance: random.Random) -> dict[str, str]:
    """Names of the package in the spellings that code has them in, and what stands for them.

    Longer ones first, for they may hold the shorter.
    """
    names = {purl.name, re.sub(r"[-.]", "_", purl.name), re.sub(r"[-_.]", "", purl.name)}
    names |= {module for module in _imported(bundle) if _is_akin(module, purl.name)}
    if purl.namespace:
        names.add(purl.namespace.removeprefix("@"))
    words: dict[str, str] = {}
    for name in sorted({name.lower() for name in names}, key=lambda one: (-len(one), one)):
        words[name] = _other_word(name, words, chance)
    return words


def _imported(bundle: Bundle) -> set[str]:
    """First parts of the modules that a harness imports or requires."""
    code = bundle.harness_code
    found = re.findall(rb"^\s*(?:from|import)\s+(\w+)", code, re.MULTILINE)
    found += re.findall(rb"""require\(\s*['"]([\w.-]+)""", code)
    return {name.decode("utf-8", "replace") for name in found}


def _is_akin(module: str, package: str) -> bool:
    """Whether a module's name is the package's, or part of it (``yaml`` of ``pyyaml``)."""
    folded = re.sub(r"[-_.]", "", package.lower())
    return re.sub(r"[-_.]", "", module.lower()) in folded


def _other_word(word: str, taken: Mapping[str, str], chance: random.Random) -> str:
    """A word of the same length that can be said; what is no letter stays."""
    while True:
        letters = [
            chance.choice(_VOWELS if place % 2 else _LETTERS) if letter.isalpha() else letter
            for place, letter in enumerate(word)
        ]
        found = "".join(letters)
        if found != word and found not in taken.values():
            return found


def masked_bundle(bundle: Bundle, mask: Mask) -> Bundle:
    """The bundle against the masked target, by which it is proven that the effect still shows.

    It names no fixed version: that one is not masked.
    """
    files = dict(bundle.files)
    files[bundle.harness.file] = mask.put_on(bundle.harness_code)
    exception = bundle.expect.exception
    if exception is not None:
        exception = mask.put_on_name(exception)
    return replace(
        bundle,
        target=replace(bundle.target, fixed=None),
        pocs=tuple(Input(poc.name, mask.put_on(poc.data)) for poc in bundle.pocs),
        controls=tuple(Input(one.name, mask.put_on(one.data)) for one in bundle.controls),
        expect=replace(bundle.expect, exception=exception),
        files=MappingProxyType(files),
        digest=digest_of(files),
    )
