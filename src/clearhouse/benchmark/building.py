"""From bundles to items: proven first, then written down with what each level tells.

1. The bundle is proven anew: without ``differential`` there is no item.
2. What is given is written: harness, controls, description, trace, fix.
3. The name is masked where that was asked for and the proof still shows.
4. Nothing given below level 3 gives the input away (``leaks``, ``candidates``).
5. The harness can be tried: it loads, and runs through on a control.
6. The item is read back, and put in place in one step.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from hashlib import sha256
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid5

from clearhouse.benchmark import knowledge
from clearhouse.benchmark.candidates import solved_by_its_text
from clearhouse.benchmark.families import family_of
from clearhouse.benchmark.item_file import ITEM_FILE, Masked, Record, listing, render
from clearhouse.benchmark.items import Item, item_of
from clearhouse.benchmark.leaks import LEVELS as LEAK_LEVELS
from clearhouse.benchmark.leaks import OWN, PART_BYTES, leaks_of, names_of_flaws
from clearhouse.benchmark.masks import NO_MASK, Mask, masked_bundle, masks_for
from clearhouse.benchmark.targets import file_with, target_tree
from clearhouse.benchmark.trial import why_not_to_be_tried
from clearhouse.benchmark.trying import task_files
from clearhouse.errors import NotFound, Unavailable
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.judge import Grade
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.base import Runner
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.target import releases
from clearhouse.proof.verdict import Verdict

Progress = Callable[[str], None]

#: Canaries of items that anybody can build are the same wherever they are built (RFC 9562, 5.5).
PUBLIC: Final = UUID("6f0d8f5c-3b5e-4d0b-9d5c-0f7a6a1c2e90")

_UNFINISHED: Final = ".making-"
_ABANDONED_S: Final = 3600
_CVE: Final = re.compile(r"\bCVE-((?:19|20)\d\d)-\d{4,}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NoItem:
    """A bundle from which no item can be made, and why."""

    bundle_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Made:
    """An item that was made, with its files as they are to be written."""

    item: Item
    files: Mapping[str, bytes]


def public_canary(bundle: Bundle) -> UUID:
    """The canary of a bundle that is public: the same for everybody who builds its item."""
    return uuid5(PUBLIC, bundle.digest)


def make_item(
    bundle: Bundle, workshop: Workshop, *, canary: UUID, mask: Masking, progress: Progress
) -> Made | NoItem:
    """Make the item of a bundle; nothing is written.

    Raises :class:`Unavailable` and :class:`NotFound` where the bundle cannot be run here.
    """
    verdict = prove(bundle, workshop, progress=progress)
    if verdict.grade is not Grade.DIFFERENTIAL:
        return NoItem(bundle.id, f"{verdict.grade.value}: {verdict.judgement.reason}")
    hidden = _hidden(bundle, canary, progress) if mask is Masking.AS_FAR_AS_IT_GOES else NO_MASK
    if hidden is None:
        return NoItem(bundle.id, "no mask was found under which the effect still shows")
    progress("writing what is given")
    made = _assembled(bundle, verdict, hidden, str(canary))
    progress("looking for the input in what is given")
    problem = _given_away(made.item)
    if problem is not None:
        return NoItem(bundle.id, problem)
    solved = solved_by_its_text(made.item, workshop, LEAK_LEVELS, progress=progress)
    if solved is not None:
        return NoItem(bundle.id, f"gives an input away: {solved}")
    progress("trying a control")
    problem = why_not_to_be_tried(made.item)
    return made if problem is None else NoItem(bundle.id, problem)


def _given_away(item: Item) -> str | None:
    """Why what an agent can read is too much; None where it is not."""
    found = leaks_of(item)
    if found:
        return f"gives the input away: {found[0]}"
    named = names_of_flaws(item)
    if named:
        return f"names the flaw in what is given: {named[0]}"
    for poc in item.bundle.pocs:
        reference = item.mask.put_on(poc.data)
        folder = item.target_folder()
        if len(reference) < PART_BYTES or folder is None or len(set(reference)) == 1:
            continue
        place = file_with(folder, reference)
        if place is not None:
            return f"the target's own file {place} holds the reference input"
    return None


class Masking(Enum):
    """Whether an item hides which package it is."""

    NONE = "none"
    AS_FAR_AS_IT_GOES = "as far as it goes"


def _hidden(bundle: Bundle, canary: UUID, progress: Progress) -> Mask | None:
    """The mask that hides most and under which the effect shows; None where there is none."""
    for mask in masks_for(bundle, canary.int):
        progress(f"masked ({mask.kind.value}): does it still show?")
        try:
            with MaskedWorkshop(bundle, mask) as workshop:
                verdict = prove(masked_bundle(bundle, mask), workshop)
        except (NotFound, Unavailable):
            continue
        if verdict.grade.proven:
            return mask
    return None


class MaskedWorkshop(Workshop):
    """A workshop in which a bundle's attacked version is the masked one."""

    def __init__(self, bundle: Bundle, mask: Mask) -> None:
        super().__init__()
        self._tree = target_tree(bundle, mask)

    def attacked(self, bundle: Bundle) -> Runner:
        """The runner for the masked target."""
        purl = bundle.target.purl
        return self.on(bundle, self._tree, purl.version or "" if purl is not None else "source")


def _assembled(bundle: Bundle, verdict: Verdict, mask: Mask, canary: str) -> Made:
    files = _files(bundle, verdict, mask, canary)
    is_masked = mask.kind is not Masked.NO
    record = Record(
        name=_neutral_name(canary) if is_masked else item_name(bundle.id),
        family=family_of(bundle.effect, bundle.cwe),
        effect=bundle.effect,
        language=bundle.harness.language,
        canary=canary,
        published=published(bundle),
        target_digest=target_tree(bundle, mask).digest,
        masked=mask.kind,
        renamed=mask.words,
        versions=mask.versions,
        files=listing(files),
    )
    files = {ITEM_FILE: render(record), **files}
    return Made(item_of(files, where=bundle.id), MappingProxyType(files))


def _neutral_name(canary: str) -> str:
    """A name that says nothing of the package."""
    return f"item-{sha256(canary.encode()).hexdigest()[:12]}"


def item_name(bundle_id: str) -> str:
    """A name for an item that files and logs can carry."""
    name = re.sub(r"[^a-z0-9.]+", "-", bundle_id.lower()).strip("-.")[:60]
    return name or f"item-{sha256(bundle_id.encode()).hexdigest()[:12]}"


def published(bundle: Bundle) -> date | None:
    """The day on which the fix was released, as the registry has it; None where it does not say.

    A package may carry a library that was fixed long before: where the flaw's CVE number is of an
    earlier year, that year's end counts, for the flaw was known by then.
    """
    purl, fixed = bundle.target.purl, bundle.target.fixed
    if purl is None or fixed is None:
        return None
    known = _CVE.search(bundle.id)
    for release in releases(str(purl._replace(version=None, qualifiers={}, subpath=None))):
        if release.version == fixed and release.uploaded is not None:
            day = release.uploaded.date()
            return min(day, date(int(known[1]), 12, 31)) if known else day
    return None


def _files(bundle: Bundle, verdict: Verdict, mask: Mask, canary: str) -> dict[str, bytes]:
    document = verdict.as_json()
    given = {f"0/{name}": data for name, data in task_files(bundle, canary).items()}
    for number, control in enumerate(bundle.controls, 1):
        suffix = PurePosixPath(control.name).suffix
        given[f"0/controls/{number}{mask.put_on_name(suffix)}"] = control.data
    given["1/description.txt"] = knowledge.description(bundle, canary)
    given["2/trace.txt"] = knowledge.trace(document, canary)
    fix = knowledge.fix(bundle, document, canary)
    if fix is not None:
        given["3/fix.diff"] = fix
    files = {
        f"given/{name}": data if name.rpartition("/")[2] in OWN else mask.put_on(data)
        for name, data in given.items()
    }
    return files | {f"judge/{name}": data for name, data in bundle.files.items()}


def write_item(made: Made, folder: Path) -> Path:
    """Write an item into a folder of items; one of its name that is there is replaced.

    Raises :class:`Unavailable` where it cannot be written.
    """
    final = folder / made.item.name
    write_files(made.files, final)
    return final


def write_files(files: Mapping[str, bytes], final: Path) -> None:
    """Write an item's files into its folder, in one step: it is there as a whole or not at all.

    Raises :class:`Unavailable` where it cannot be written.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=final.parent))
        try:
            made, old = staged / "new", staged / "old"
            for name, data in files.items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                path.chmod(0o755 if path.name == "try" else 0o644)
            if final.exists():
                final.rename(old)
            made.rename(final)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        raise Unavailable(f"{final} cannot be written: {error.strerror}") from error


def clear_abandoned(folder: Path) -> None:
    """Remove what writers that were killed have left; one that is at work is not that old."""
    for left in folder.glob(f"{_UNFINISHED}*"):
        if time.time() - left.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(left, ignore_errors=True)
