"""``clearhouse prove --with MODEL``: have a model show what reports claim."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import click

from clearhouse.cli.exits import ExitCode
from clearhouse.cli.model_options import Means, course, ended, evaluation, show_course, tell
from clearhouse.errors import Invalid
from clearhouse.proof.text import printable

#: More than any report that somebody reads.
REPORT_BYTES: Final = 1 << 20
_SARIF_BYTES: Final = 64 << 20
_REPORTS: Final = 200


def prove_with(
    model: str,
    paths: Sequence[Path],
    *,
    target: str | None,
    output: Path | None,
    finder: str | None,
    fixed: str | None,
    requires: Sequence[str],
    most: int,
    given: Means,
    as_json: bool,
) -> ExitCode:
    """Have a model show what each report claims; bundles that prove are written to ``output``.

    Exit code 0 when every report has one, 1 when some have none, 3 when an attempt could not be
    carried through.
    """
    from clearhouse.benchmark.hunt.quarry import quarry_of
    from clearhouse.benchmark.hunt.record import flaws
    from clearhouse.cli import found as out

    if target is None or output is None:
        raise click.UsageError("--with needs --target, the package URL, and --output")
    given.check()
    out.must_be_free(output)
    reports = dict(_reports(paths))
    proving = evaluation("hunting")
    settings = given.settings()
    quarry = quarry_of(target, finder=finder or model, fixed=fixed, requires=requires)
    click.echo(f"{len(reports)} report(s) on {printable(str(quarry))}", err=True)
    texts = {name: text for name, (_, text) in reports.items()}
    logs, judged = proving.prove_reports(quarry, texts, model, settings, most=most, say=tell)
    rows = []
    for name, (where, text) in reports.items():
        mine = [one for one in judged if one.errand == name]
        proven = flaws(mine)
        row: dict[str, Any] = {"report": where, "proven": bool(proven), **out.rejected(mine)}
        if proven:
            row["bundle"] = out.row_of(proven[0], out.write_flaw(proven[0], output))
            row["names_it"] = names_it(text, proven[0].best.verdict or {})
        rows.append(row)
    document = {"format": 1, "target": str(quarry), "reports": rows, **course(logs)}
    code = ended(document, holds=all(row["proven"] for row in rows))
    if as_json:
        out.emit(document)
    else:
        _show(document)
    return code


def names_it(report: bytes, verdict: Mapping[str, Any]) -> bool:
    """Whether a report names the place where the flaw that was shown arises.

    A model may have shown another flaw than the one that was reported: that a function and its file
    are named says that it is likely the same, and no more.
    """
    text = report.decode("utf-8", "replace")
    frames = verdict.get("effect", {}).get("attributed_to", [])
    for frame in frames[:1]:
        function = str(frame["function"]).rpartition(".")[2]
        file = Path(str(frame["file"] or "")).name
        return bool(function and function in text and (not file or file in text))
    return False


def _show(document: dict[str, Any]) -> None:
    for row in document["reports"]:
        where = printable(row["report"])
        if row["proven"]:
            bundle = row["bundle"]
            named = "names" if row["names_it"] else "does not name"
            click.echo(f"{bundle['grade']:<13} {printable(bundle['path'])}  shows {where}")
            click.echo(f"{'':<13} the report {named} the place where it arises")
            continue
        click.echo(f"{'not proven':<13} {where}")
        for one in row["reasons"][:3]:
            click.echo(f"{'':<13} {one['count']} x  {printable(one['reason'], limit=200)}")
    show_course(document)


# -- reports -----------------------------------------------------------------------------------


def _reports(paths: Sequence[Path]) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Each report by a name of its own: where it stands, and its text."""
    count = 0
    for path in paths:
        for where, text in _read(path):
            count += 1
            if count > _REPORTS:
                raise Invalid(f"expected at most {_REPORTS} reports", where=printable(str(path)))
            yield f"report-{sha256(text).hexdigest()[:16]}", (where, text)


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    """The reports of a file: every result of SARIF, one report in JSON, or a text as it is."""
    where = printable(str(path))
    try:
        with path.open("rb") as stream:
            raw = stream.read(_SARIF_BYTES + 1)
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", where=where) from None
    if raw.lstrip()[:1] == b"{":
        yield from _structured(raw, where)
        return
    if len(raw) > REPORT_BYTES:
        raise Invalid(f"is larger than {REPORT_BYTES >> 20} MiB", where=where)
    if not raw.strip():
        raise Invalid("is empty", where=where)
    if b"\0" in raw:
        raise Invalid("expected text, SARIF or a report in JSON", where=where)
    yield where, raw


def _structured(raw: bytes, where: str) -> Iterator[tuple[str, bytes]]:
    from clearhouse.formats.report import plain_report, read_report
    from clearhouse.formats.sarif import parse_sarif

    try:
        is_log = "runs" in json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("expected JSON, for it begins with '{'", where=where) from None
    if not is_log:
        yield where, _as_text(plain_report(read_report(raw, where)))
        return
    log = parse_sarif(raw, target=None, where=where)
    if not log.reports:
        raise Invalid("has no result that could be shown", where=where)
    for number, report in enumerate(log.reports, 1):
        yield f"{where}, result {number}", _as_text(plain_report(report))


def _as_text(report: dict[str, Any]) -> bytes:
    """A report for a model to read, in ASCII; of attached files that are too large the names."""
    text = json.dumps(report, indent=1).encode() + b"\n"
    if len(text) > REPORT_BYTES:
        report = {**report, "attachments": sorted(report.get("attachments", ()))}
        text = json.dumps(report, indent=1).encode() + b"\n"
    return text
