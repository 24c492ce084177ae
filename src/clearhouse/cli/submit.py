"""``clearhouse submit`` and ``known``: hand findings in to an office, and ask it blind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import click
from packageurl import PackageURL

from clearhouse.cli.answers import unknown_form
from clearhouse.cli.exits import ExitCode
from clearhouse.cli.office_client import URL_VARIABLE, OfficeClient, key_from
from clearhouse.cli.parcels import KINDS, Parcel, Unsendable, parcels
from clearhouse.cli.progress import Working
from clearhouse.errors import ClearhouseError, Invalid, Refused, Unavailable
from clearhouse.proof.text import printable
from clearhouse.protocol.deconfliction import fingerprint

#: What is left of a file became no finding and was never going to.
GOOD: Final = frozenset({"accepted", "repeated", "sent-before", "left"})
_DEFAULT_URL: Final = "http://localhost:8600"
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item."""

    where: str
    status: str
    name: str = ""
    reason: str = ""


def office_options(command: Any) -> Any:  # noqa: ANN401 - click's decorators
    """The options that say which office, and who asks."""
    for option in (
        click.option(
            "--to", envvar=URL_VARIABLE, default=_DEFAULT_URL, show_default=True,
            help="Address of the office.",
        ),
        click.option(
            "--key-file", type=click.Path(path_type=Path),
            help="File with the API key; by default the variable CLEARHOUSE_API_KEY.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("submit")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@office_options
@click.option("--commitment", metavar="NAME:KEYFILE", help="The commitment that PATH opens.")
@click.option("--kind", type=click.Choice(KINDS), default="auto", show_default=True)
@click.option("--target", help="Package URL of what a scanner or a reasoning system looked at.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that remembers what was sent; what stands in it is not sent again.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, nothing else.")
def submit(
    paths: tuple[Path, ...], *, to: str, key_file: Path | None, commitment: str | None, kind: str,
    target: str | None, resume: Path | None, as_json: bool,
) -> ExitCode:  # fmt: skip
    """Hand in what is at each PATH: bundles (folders, archives), reports, SARIF, lines of reports.

    It is safe to run again: what the office has already it answers as repeated.
    Exit code 0 when everything is there, 2 when something was refused, 3 when the office could not
    be reached.
    """
    if commitment and len(paths) != 1:
        raise Invalid("a commitment is opened by one path", key="--commitment")
    promise = _promise(commitment) if commitment else {}
    with Working() as progress:
        client = OfficeClient(to, key_from(key_file), say=lambda text: progress.say("office", text))
        memory = Memory(resume)
        gravest = ExitCode.HOLDS
        try:
            for path in paths:
                for result in send(client, path, kind, memory, promise, target, progress.say):
                    _show(result, as_json=as_json)
                    if result.status not in GOOD:
                        gravest = ExitCode.BAD_INPUT
        finally:
            memory.close()
    return gravest


def send(
    client: OfficeClient, path: Path, kind: str, memory: Memory,
    promise: dict[str, str] | None = None, target: str | None = None,
    say: Callable[[str, str], None] = lambda *_: None,
) -> Iterator[Result]:  # fmt: skip
    """Hand in what is at a path, and say of each item what became of it.

    Raises :class:`Refused` and :class:`Unavailable` for what is about the key or the office.
    """
    for one in parcels(path, kind):
        say(one.where, "sending")
        yield from _sent(client, one, promise or {}, target, memory)


def _sent(
    client: OfficeClient, one: Parcel | Unsendable, promise: dict[str, str], target: str | None,
    memory: Memory,
) -> Iterator[Result]:  # fmt: skip
    if isinstance(one, Unsendable):
        yield Result(one.where, "refused", reason=str(one.wrong))
        return
    if promise and one.kind not in ("bundle", "report"):
        raise Invalid("a commitment is opened by one bundle or report", key="--commitment")
    if one.digest in memory:
        yield Result(one.where, "sent-before")
        return
    query = {"target": target} if target and one.kind in ("sarif", "aixcc") else {}
    try:
        answer = client.post(one.path, one.data, one.media_type, query=query, headers=promise)
    except (Refused, Unavailable):
        raise  # about the key or the office, not about this item
    except ClearhouseError as error:
        yield Result(one.where, "refused", reason=str(error))
        return
    results = list(_results(one, answer.status, answer.body, answer.content))
    yield from results
    if all(result.status in GOOD for result in results):
        memory.add(one.digest)


def _results(one: Parcel, status: int, body: bytes, content: Any) -> Iterator[Result]:  # noqa: ANN401 - JSON
    try:
        if one.kind == "bulk":
            for line in body.splitlines():
                said = json.loads(line)
                number = one.first_line + int(said["line"]) - 1
                yield Result(
                    f"{one.where}, line {number}", str(said["status"]),
                    str(said.get("name", "")), str(said.get("reason", "")),
                )  # fmt: skip
        elif one.kind in ("bundle", "report"):
            yield Result(one.where, "accepted" if status == 201 else "repeated", content["name"])
        else:
            for made in content["accepted"]:
                state = "accepted" if made["is_new"] else "repeated"
                yield Result(one.where, state, str(made["name"]))
            for left in content["left"]:
                yield Result(str(left["where"]), "left", reason=str(left["reason"]))
    except (ValueError, TypeError, KeyError):
        raise unknown_form() from None


def _show(result: Result, *, as_json: bool) -> None:
    if as_json:
        found = {key: value for key, value in asdict(result).items() if value}
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    texts = (printable(text, limit=_SHOWN) for text in (result.name, result.where, result.reason))
    click.echo("  ".join([f"{result.status:<11}", *(text for text in texts if text)]))


def _promise(text: str) -> dict[str, str]:
    """The headers that open a commitment."""
    name, _, file = text.partition(":")
    if not name or not file:
        raise Invalid("expected NAME:KEYFILE", key="--commitment")
    try:
        key = bytes.fromhex(Path(file).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise Invalid(
            "expected a file with the key in hexadecimal", where=printable(file),
            key="--commitment",
        ) from None  # fmt: skip
    return {"Commitment": name, "Commitment-Key": key.hex()}


class Memory:
    """What was sent and taken, one digest a line; a line that was cut off is none."""

    def __init__(self, path: Path | None) -> None:
        self._digests: set[str] = set()
        self._stream: IO[str] | None = None
        if path is None:
            return
        try:
            if path.exists():
                self._digests = set(path.read_text(encoding="ascii").splitlines())
            self._stream = path.open("a", encoding="ascii")
        except (OSError, ValueError):
            raise Invalid("cannot be read and written", where=printable(str(path))) from None

    def __contains__(self, digest: str) -> bool:
        return digest in self._digests

    def add(self, digest: str) -> None:
        """Remember it at once: the next request may be the one that breaks off."""
        self._digests.add(digest)
        if self._stream is not None:
            self._stream.write(f"{digest}\n")
            self._stream.flush()

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            self._stream.close()


@click.command("known")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@office_options
@click.option("--signature", help="Signature of a verdict, as 'clearhouse prove --json' has it.")
@click.option("--package", help="Package URL; its version does not matter.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")
def known(
    bundle: Path | None, *, to: str, key_file: Path | None, signature: str | None,
    package: str | None, as_json: bool,
) -> ExitCode:  # fmt: skip
    """Ask whether a flaw is known to the office, without telling it which.

    BUNDLE is run here for its signature.  Only keyed fingerprints leave this machine, and all that
    comes back is known, being-scanned or not-known.  Exit code 0 for known, 1 otherwise.
    """
    if bundle is not None:
        if signature or package:
            raise Invalid("expected a bundle, or --signature and --package", key="BUNDLE")
        signature, package = _facts_of(bundle)
    if not signature and not package:
        raise Invalid("expected a bundle, --signature or --package", key="BUNDLE")
    client = OfficeClient(to, key_from(key_file))
    key = bytes.fromhex(str(client.get("/known/key").content["key"]))
    question = {}
    if signature:
        question["signature"] = fingerprint(key, signature)
    if package:
        question["package"] = fingerprint(key, _without_version(package))
    found = client.post("/known", json.dumps(question).encode(), "application/json").content
    answer = printable(str(found["answer"]), limit=20)
    click.echo(json.dumps({"answer": answer}) if as_json else answer)
    return ExitCode.HOLDS if answer == "known" else ExitCode.DOES_NOT_HOLD


def _facts_of(path: Path) -> tuple[str | None, str | None]:
    """Signature and package of a bundle, by running it here."""
    from clearhouse.cli.prove import proven_documents
    from clearhouse.proof.door import open_bundle

    target = open_bundle(path).target.purl
    [(_, document)] = list(proven_documents((path,), jobs=1))
    signature = str(document["signature"]) if document.get("signature") else None
    if signature is None:
        click.echo("not proven here, so only its package is asked for", err=True)
    return signature, str(target) if target is not None else None


def _without_version(text: str) -> str:
    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        raise Invalid("expected a package URL such as pkg:pypi/ecdsa", key="--package") from None
    return str(PackageURL(type=purl.type, namespace=purl.namespace, name=purl.name))
