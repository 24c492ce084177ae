"""``clearhouse bench build``: bundles proven and turned into items."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import click

from clearhouse.benchmark.building import (
    Masking,
    NoItem,
    clear_abandoned,
    make_item,
    public_canary,
    published,
    write_item,
)
from clearhouse.benchmark.item_file import Masked
from clearhouse.benchmark.items import Item, read_items
from clearhouse.cli.bench import after_option, echo_json
from clearhouse.cli.exits import ExitCode, exit_code_of
from clearhouse.cli.progress import Working
from clearhouse.cli.prove import Workers
from clearhouse.errors import ClearhouseError, Invalid
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import open_bundle
from clearhouse.proof.manifest import MANIFEST
from clearhouse.proof.text import printable

#: Folders of the source checkout whose bundles make the practice set: every folder in them that
#: holds a manifest.
PRACTICE: Final = ("proofs", "practice")
_ORDER: Final = (ExitCode.COULD_NOT_RUN, ExitCode.BAD_INPUT, ExitCode.DOES_NOT_HOLD)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one bundle; ``state`` is built, kept, left-out, refused or failed."""

    bundle: str
    state: str
    name: str | None = None
    family: str | None = None
    levels: tuple[int, ...] = ()
    published: str | None = None
    masked: str | None = None
    digest: str | None = None
    reason: str | None = None
    seconds: float = 0.0
    code: ExitCode = ExitCode.HOLDS


@dataclass(frozen=True, slots=True)
class _Order:
    """What every bundle is built with."""

    folder: Path
    masking: Masking
    is_public: bool
    after: date | None


@click.command("build")
@click.argument("bundles", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "folder", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder of items; those that are there and sound are kept.",
)  # fmt: skip
@click.option(
    "--practice", is_flag=True,
    help="Build the public practice set: every bundle of samples/proofs and samples/practice.",
)  # fmt: skip
@click.option(
    "--samples", type=click.Path(path_type=Path, file_okay=False), default=Path("samples"),
    show_default=True, help="The samples of a source checkout, for --practice.",
)  # fmt: skip
@click.option("--mask", is_flag=True, help="Give packages another version, and name where it goes.")
@after_option
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=os.cpu_count() or 1, show_default="processors"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def build(
    bundles: tuple[Path, ...], folder: Path, samples: Path, after: date | None, jobs: int, *,
    practice: bool, mask: bool, as_json: bool,
) -> ExitCode:  # fmt: skip
    """Prove each BUNDLE anew and make an item of it, into a folder of items.

    A bundle that is not differential, or whose texts give an input away, makes none; the reason is
    shown. Items of a practice set are the same wherever they are built; all others have a canary of
    their own. Exit code 0 when every bundle has its item.
    """
    paths = [*bundles, *(_practice(samples) if practice else ())]
    if not paths:
        raise Invalid("name bundles, or build the practice set with --practice", key="BUNDLE")
    masking = Masking.AS_FAR_AS_IT_GOES if mask else Masking.NONE
    order = _Order(folder, masking, practice, after)
    outcomes = []
    for outcome in _outcomes(paths, order, jobs):
        outcomes.append(outcome)
        if not as_json:
            _say(outcome)
    if as_json:
        echo_json({"format": 1, "items": [_as_json(one) for one in outcomes]})
    else:
        counts = {state: sum(o.state == state for o in outcomes) for state in
                  ("built", "kept", "left-out", "refused", "failed")}  # fmt: skip
        click.echo(", ".join(f"{count} {state}" for state, count in counts.items() if count))
    codes = {one.code for one in outcomes}
    return next((code for code in _ORDER if code in codes), ExitCode.HOLDS)


def _practice(samples: Path) -> list[Path]:
    found = [
        path.parent for name in PRACTICE for path in sorted((samples / name).glob(f"*/{MANIFEST}"))
    ]
    if not found:
        raise Invalid(
            "holds no practice set; it is part of a source checkout", where=str(samples),
            key="--samples",
        )  # fmt: skip
    return found


def _as_json(outcome: Outcome) -> dict[str, object]:
    document = asdict(outcome)
    del document["code"]
    return document


def _say(outcome: Outcome) -> None:
    parts = [f"{outcome.state:<9}{printable(outcome.bundle)}"]
    if outcome.name is not None:
        parts += [outcome.name, outcome.family or ""]
        if outcome.masked not in (None, Masked.NO.value):
            parts.append(str(outcome.masked))
    if outcome.reason:
        parts.append(printable(outcome.reason))
    click.echo(" · ".join(parts))


def _outcomes(paths: list[Path], order: _Order, jobs: int) -> Iterator[Outcome]:
    """Outcomes in the order asked for, worked on at once by as many threads as there are jobs."""
    there = _built_before(order.folder)
    with Workers(min(jobs, len(paths))) as workers, Working() as working:

        def work(path: Path) -> Outcome:
            try:
                return _outcome(open_bundle(path), order, there, workers, working)
            except ClearhouseError as error:
                return Outcome(str(path), "failed", reason=str(error), code=exit_code_of(error))

        futures: list[Future[Outcome]] = [workers.submit(work, path) for path in paths]
        for future in futures:
            yield future.result()


def _built_before(folder: Path) -> dict[str, Item]:
    """Items that are there, by the digest of their bundle.

    Raises Invalid for one that is not sound: its owner has to say what becomes of it.
    """
    if not folder.is_dir():
        return {}
    clear_abandoned(folder)
    if not any(folder.iterdir()):
        return {}
    return {item.bundle.digest: item for item in read_items(folder)}


def _outcome(
    bundle: Bundle, order: _Order, there: dict[str, Item], workers: Workers, working: Working
) -> Outcome:
    began = time.monotonic()
    known = there.get(bundle.digest)
    if known is not None and (known.masked is Masked.NO) is (order.masking is Masking.NONE):
        return _made(bundle, known, "kept", began)
    if order.after is not None:
        day = published(bundle)
        if day is None or day <= order.after:
            return Outcome(
                bundle.id, "left-out", reason=f"its fix was published {day or 'at an unknown time'}"
            )
    canary: UUID = public_canary(bundle) if order.is_public else uuid4()
    made = make_item(
        bundle, workers.workshop(), canary=canary, mask=order.masking,
        progress=lambda step: working.say(bundle.id, step),
    )  # fmt: skip
    if isinstance(made, NoItem):
        return Outcome(
            bundle.id, "refused", reason=made.reason, code=ExitCode.DOES_NOT_HOLD,
            seconds=_since(began),
        )  # fmt: skip
    write_item(made, order.folder)
    return _made(bundle, made.item, "built", began)


def _made(bundle: Bundle, item: Item, state: str, began: float) -> Outcome:
    return Outcome(
        bundle=bundle.id,
        state=state,
        name=item.name,
        family=item.family.value,
        levels=item.levels,
        published=item.published.isoformat() if item.published else None,
        masked=item.masked.value,
        digest=item.digest,
        seconds=_since(began),
    )


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
