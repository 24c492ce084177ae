"""Items: what a model under test is given, what it has to hand in, and what judges it.

An item is a folder::

    item.toml       name, family, canary, date of the fix, digests of all that follows
    given/0/...     what every attempt is given: harness, benign inputs, a way to try inputs
    given/1/...     from level 1 also a description, from 2 a trace, from 3 the fix (CyberGym,
                    Wang 2025, section 3.2)
    judge/...       the bundle, with the reference input: never where the agent works

The target is not in the folder: it is brought here from the registry, and checked against the
digest in ``item.toml``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Final

from clearhouse.benchmark import prompts
from clearhouse.benchmark.families import Family
from clearhouse.benchmark.item_file import (
    GIVEN,
    HANDED_IN,
    ITEM_FILE,
    JUDGE,
    Masked,
    Record,
    digest_of,
    listing,
    parse,
)
from clearhouse.benchmark.masks import Mask, masked_bundle
from clearhouse.benchmark.targets import target_folder
from clearhouse.errors import Invalid, Refused
from clearhouse.proof.bundle import Bundle, Input, Language
from clearhouse.proof.bundle import digest_of as bundle_digest
from clearhouse.proof.door import read_folder
from clearhouse.proof.effects import Effect
from clearhouse.proof.manifest import MANIFEST, parse_bundle
from clearhouse.proof.members import BUNDLE_LIMITS, Limits
from clearhouse.proof.text import printable

#: Of knowledge: 0 code only, 1 a description, 2 a trace, 3 the fix.
LEVELS: Final = (0, 1, 2, 3)
#: Where an attempt leaves the one input that is judged.
ANSWER: Final = prompts.ANSWER
#: The same limit as for an input of a bundle.
ANSWER_BYTES: Final = BUNDLE_LIMITS.member_bytes

#: An item holds its bundle and what was made of it.
_LIMITS: Final = Limits(total_bytes=2 * BUNDLE_LIMITS.total_bytes)


@dataclass(frozen=True, slots=True)
class Item:
    """One item, read and checked.

    ``record`` is its ``item.toml``, whose digest is the item's.
    ``published`` is the day of the release in which the flaw is fixed, None where the registry
    does not say.  ``digest`` covers every file of the item.  ``bundle`` is the judge's, with the
    reference input: nothing of it goes where an agent works.
    """

    name: str
    family: Family
    effect: Effect
    language: Language
    canary: str
    published: date | None
    digest: str
    masked: Masked
    target_digest: str
    bundle: Bundle = field(repr=False)
    mask: Mask = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    record: bytes = field(repr=False)

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels of knowledge at which this item can be given, 0 first."""
        return tuple(
            level
            for level in LEVELS
            if any(name.startswith(f"{GIVEN}{level}/") for name in self.files)
        )

    def given(self, level: int) -> Mapping[str, bytes]:
        """The files that go into the agent's ``/work/task``, by their names there.

        ``try`` is to be executable.  Raises Invalid for a level that the item does not have.
        """
        self._check(level)
        found = {}
        for known in range(level + 1):
            prefix = f"{GIVEN}{known}/"
            for name, data in self.files.items():
                if name.startswith(prefix):
                    found[name.removeprefix(prefix)] = data
        return MappingProxyType(found)

    def prompt(self, level: int) -> str:
        """What the agent is told; it names no package and no flaw.  Raises as :meth:`given`."""
        given = self.given(level)
        return prompts.prompt(masked_bundle(self.bundle, self.mask), given)

    def target_folder(self) -> Path | None:
        """The vulnerable target on this machine, to be bound read-only at ``/target``.

        Python: ``site/``; JavaScript: ``node_modules/``; C and C++: the source tree, and in
        ``built-harness/`` the harness ready to run.  Brought from the registry, and built, where
        it is not here yet.  Raises what bringing it raises, and Unavailable where what comes is
        not what the item was made with.
        """
        return target_folder(self.bundle, self.mask, self.target_digest)

    def bundle_with(self, handed_in: bytes) -> Bundle:
        """The item's bundle with ``handed_in`` for its only input: what the judge is to prove.

        Where the item renames its package, names in the input are given back first: old and new
        ones are equally long, so that no length inside the input changes.  Raises Refused for an
        input that is larger than any bundle's may be.
        """
        if len(handed_in) > ANSWER_BYTES:
            raise Refused(f"the input is larger than {ANSWER_BYTES >> 20} MiB")
        data = self.mask.taken_off(handed_in)
        reference = {poc.name for poc in self.bundle.pocs}
        files = {name: held for name, held in self.bundle.files.items() if name not in reference}
        files[HANDED_IN] = data
        return replace(
            self.bundle,
            pocs=(Input(HANDED_IN, data),),
            files=MappingProxyType(files),
            digest=bundle_digest(files),
        )

    def run_digest(self, handed_in: bytes) -> str:
        """The SHA-256 of what is run where ``handed_in`` is judged, in hexadecimal."""
        return hashlib.sha256(self.mask.taken_off(handed_in)).hexdigest()

    def _check(self, level: int) -> None:
        if level not in self.levels:
            has = ", ".join(map(str, self.levels))
            raise Invalid(f"has no level {level}, only {has}", where=self.name)


def read_items(folder: Path) -> tuple[Item, ...]:
    """Read every item of a folder, in the order of their names.

    Items are the folders in it that hold an ``item.toml``.  Raises Invalid for one that is
    malformed or was altered, for names that occur twice, and where there is none.
    """
    try:
        found = sorted(path.parent for path in folder.glob(f"[!.]*/{ITEM_FILE}"))
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=str(folder)) from None
    if not found:
        raise Invalid(
            "holds no items; 'clearhouse bench build BUNDLE... -o DIR' makes them",
            where=printable(str(folder)),
        )
    items = tuple(sorted((read_item(path) for path in found), key=lambda item: item.name))
    for first, second in pairwise(items):
        if first.name == second.name:
            raise Invalid(f"two items are called {first.name}", where=printable(str(folder)))
    return items


def read_item(folder: Path) -> Item:
    """Read and check the item in a folder.

    Raises Invalid where a file is missing, added or altered, or the bundle in it is no bundle.
    """
    return item_of(files_of_item(folder), where=printable(str(folder)))


def files_of_item(folder: Path) -> Mapping[str, bytes]:
    """Every file of an item by its name in its folder, not yet checked.

    Raises Invalid where it cannot be read, or holds what is no file.
    """
    where = printable(str(folder))
    try:
        return read_folder(folder, where=where, limits=_LIMITS)
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=where) from None


def item_of(files: Mapping[str, bytes], *, where: str) -> Item:
    """The item that ``files`` hold, by their names in its folder.  Raises as :func:`read_item`."""
    if ITEM_FILE not in files:
        raise Invalid(f"has no {ITEM_FILE}", where=where)
    raw = files[ITEM_FILE]
    record = parse(raw, where=f"{where}/{ITEM_FILE}")
    others = {name: data for name, data in files.items() if name != ITEM_FILE}
    _check_listed(record, others, where)
    judges = {
        name.removeprefix(JUDGE): data for name, data in others.items() if name.startswith(JUDGE)
    }
    if MANIFEST not in judges:
        raise Invalid(f"has no {JUDGE}{MANIFEST}", where=where)
    bundle = parse_bundle(judges, where=f"{where}/judge")
    if (bundle.effect, bundle.harness.language) != (record.effect, record.language):
        raise Invalid("effect or language are not those of the bundle", where=where, key="[item]")
    return Item(
        name=record.name,
        family=record.family,
        effect=record.effect,
        language=record.language,
        canary=record.canary,
        published=record.published,
        digest=digest_of(raw),
        masked=record.masked,
        target_digest=record.target_digest,
        bundle=bundle,
        mask=Mask(record.masked, record.renamed, record.versions),
        files=MappingProxyType(others),
        record=raw,
    )


def _check_listed(record: Record, files: Mapping[str, bytes], where: str) -> None:
    found = listing(files)
    for name in sorted(found.keys() | record.files.keys()):
        if found.get(name) == record.files.get(name):
            continue
        if name not in found:
            raise Invalid("is missing", where=where, key=name)
        if name not in record.files:
            raise Invalid(f"is not listed in {ITEM_FILE}", where=where, key=name)
        raise Invalid("was altered", where=where, key=name)


def after(items: Iterable[Item], day: date) -> tuple[Item, ...]:
    """The items whose fix was published after ``day``, such as the end of a model's training.

    One whose date is not known is left out: it may have been seen.
    """
    return tuple(item for item in items if item.published is not None and item.published > day)


def reference_input(item: Item) -> bytes:
    """An item's reference input as an agent would have to hand it in, under the item's names."""
    poc = item.bundle.pocs[0].data
    masked = item.mask.put_on(poc)
    return masked if item.mask.taken_off(masked) == poc else poc
