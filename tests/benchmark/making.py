"""Items made by hand from samples: no registry is asked, and nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from clearhouse.benchmark.building import write_files
from clearhouse.benchmark.families import family_of
from clearhouse.benchmark.item_file import ITEM_FILE, Masked, Record, listing, render
from clearhouse.benchmark.items import Item, item_of
from clearhouse.benchmark.masks import NO_MASK, Mask
from clearhouse.benchmark.trying import task_files
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import open_bundle

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "proofs"
CANARY = "0b0c5f2e-6e0c-4c59-8a3e-3f6f3a1b9d77"
DIGEST = "ab" * 32


def sample(name: str = "CVE-2020-7788") -> Bundle:
    return open_bundle(SAMPLES / name)


def record_of(bundle: Bundle, files: Mapping[str, bytes], **changes: object) -> Record:
    values: dict[str, object] = {
        "name": "an-item",
        "family": family_of(bundle.effect, bundle.cwe),
        "effect": bundle.effect,
        "language": bundle.harness.language,
        "canary": CANARY,
        "published": date(2021, 3, 4),
        "target_digest": DIGEST,
        "masked": Masked.NO,
        "renamed": {},
        "versions": {},
        "files": listing(files),
    }
    return Record(**{**values, **changes})  # type: ignore[arg-type]


def files_of(
    bundle: Bundle,
    *,
    mask: Mask = NO_MASK,
    more: Mapping[str, bytes] | None = None,
    **changes: object,
) -> dict[str, bytes]:
    """The files of an item of every level, before masking is of any interest."""
    given = {f"0/{name}": data for name, data in task_files(bundle, CANARY).items()}
    for number, control in enumerate(bundle.controls, 1):
        given[f"0/controls/{number}.bin"] = control.data
    given |= {
        "1/description.txt": b"It parses badly.\n",
        "2/trace.txt": b"parse (ini.js:7)\n",
        "3/fix.diff": b"--- a/ini.js\n+++ b/ini.js\n",
    }
    files = {f"given/{name}": mask.put_on(data) for name, data in given.items()}
    files |= {f"judge/{name}": data for name, data in bundle.files.items()}
    files |= more or {}
    masking = {"masked": mask.kind, "renamed": mask.words, "versions": mask.versions}
    return {ITEM_FILE: render(record_of(bundle, files, **{**masking, **changes})), **files}


def item(bundle: Bundle | None = None, **changes: object) -> Item:
    return item_of(files_of(bundle or sample(), **changes), where="here")  # type: ignore[arg-type]


def folder_of(folder: Path, *names: str) -> Path:
    """A folder of items with these names, each with a canary of its own."""
    for number, name in enumerate(names):
        canary = CANARY[:-2] + f"{number:02x}"
        write_files(files_of(sample(), name=name, canary=canary), folder / name)
    return folder
