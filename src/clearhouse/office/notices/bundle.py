"""Notices to carry along: readable without the office, without a network, and known to be its own.

A zip of ``notices.json``, ``notices.txt``, ``notices.html``, ``SHA256SUMS`` of these (as
``sha256sum -c`` reads them) and ``SIGNED``: a signed note (C2SP signed-note) over the digest of
``SHA256SUMS``.  The same notices are the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from clearhouse.errors import Invalid, Refused
from clearhouse.ledger.note import MOST_BYTES as MOST_NOTE_BYTES
from clearhouse.ledger.note import Note, SigningKey, VerifierKey, sign
from clearhouse.office.notices.words import Item, Letter, document, plain
from clearhouse.protocol.tlp import Tlp

SIGNER: Final = "notices"
"""What stands behind the office's host in the name of the key that signs bundles."""
MOST_BYTES: Final = 64 * 1024 * 1024
#: What a damaged archive, or one of a kind that the library lacks, makes it raise.
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, ValueError, OSError,
)  # fmt: skip
_SUMS, _SIGNED = "SHA256SUMS", "SIGNED"
_MEMBERS: Final = ("notices.json", "notices.txt", "notices.html")
_HEADING: Final = "clearhouse notices"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_SUM: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]{1,60})")
_PLAIN: Final = "Something waits that is not in this bundle on purpose. Sign in to read it."
_STYLE: Final = (
    "body{font:1rem/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "h1{font-size:1.6rem}h2{font-size:1.25rem;border-top:1px solid #a9aeb1;padding-top:1.5rem}"
    "h3{font-size:1rem;margin-bottom:0}p{margin-top:.25rem;white-space:pre-line}"
    "ul{list-style:none;padding:0;color:#3d4551}"
)


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that is as its office made it: by which key, for whom, how many notices."""

    signer: str
    organisation: str
    count: int
    as_of: str


def pack(letter: Letter, key: SigningKey) -> bytes:
    """A bundle.  ``letter.sealed`` says whether something is left out that may not be carried."""
    files = {
        "notices.json": _as_json(letter),
        "notices.txt": _as_text(letter),
        "notices.html": _as_html(letter),
    }
    sums = "".join(f"{_digest(files[name])}  {name}\n" for name in _MEMBERS).encode()
    note = sign(f"{_HEADING}\n{_digest(sums)}  {_SUMS}\n", key)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (*files.items(), (_SUMS, sums), (_SIGNED, bytes(note))):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def verify(raw: bytes, key: VerifierKey) -> Verified:
    """Check a bundle.

    1. It is a zip of these members and no others, each within limits.  2. The note is signed by
    the key.  3. It names the digest of the list of sums.  4. Each file has its sum.  Raises
    :class:`Invalid` for what is no bundle, :class:`Refused` for one that was altered or is not by
    that key.
    """
    files = _members(raw)  # 1
    note = Note.parse(files[_SIGNED])
    [signer, *_] = note.signed_by([key])  # 2
    if note.text != f"{_HEADING}\n{_digest(files[_SUMS])}  {_SUMS}\n":  # 3
        raise Refused(f"{_SUMS} is not the one that was signed")
    for name, sum_ in _sums(files[_SUMS]).items():  # 4
        if _digest(files[name]) != sum_:
            raise Refused(f"{name} was altered: its SHA-256 is another")
    told = json.loads(files["notices.json"])
    return Verified(signer.name, told["organisation"], len(told["notices"]), told["as_of"])


def key_of(text: str) -> VerifierKey:
    """The key that signs bundles, from its own written form or from the ledger's (``/ledger/key``).

    An office signs both with one key under two names.  Raises :class:`Invalid`.
    """
    key = VerifierKey.parse(text)
    host, _, log = key.name.rpartition("/")
    return VerifierKey(f"{host}/{SIGNER}", key.public) if log == "ledger" else key


def _members(raw: bytes) -> dict[str, bytes]:
    wanted = {*_MEMBERS, _SUMS, _SIGNED}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            infos = archive.infolist()
            names = [one.filename for one in infos]
            if len(names) != len(wanted) or set(names) != wanted:
                raise Invalid(f"expected exactly the members {', '.join(sorted(wanted))}")
            if sum(one.file_size for one in infos) > MOST_BYTES:
                raise Invalid(f"the bundle unpacks to more than {MOST_BYTES} bytes")
            found = {}
            for one in infos:
                with archive.open(one) as member:
                    most = MOST_NOTE_BYTES if one.filename == _SIGNED else MOST_BYTES
                    found[one.filename] = member.read(most + 1)
                    if len(found[one.filename]) > most:
                        raise Invalid(f"{one.filename} is larger than {most} bytes")
    except _BROKEN:
        raise Invalid("this is no bundle of notices: the zip cannot be read") from None
    return found


def _sums(raw: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in raw.decode("ascii", "replace").splitlines():
        read = _SUM.fullmatch(line)
        if read is None or read[2] in found:
            raise Invalid(f"{line[:80]!r} is no line of {_SUMS}")
        found[read[2]] = read[1]
    if set(found) != set(_MEMBERS):
        raise Invalid(f"{_SUMS} names other files than {', '.join(_MEMBERS)}")
    return found


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _as_of(items: Sequence[Item]) -> str:
    """The latest change, and no clock: the same notices are the same bundle."""
    times = [one.changed_at for one in items]
    times += [one.acknowledged_at for one in items if one.acknowledged_at is not None]
    times += [one.ended_at for one in items if one.ended_at is not None]
    latest: datetime | None = max(times, default=None)
    return "" if latest is None else latest.astimezone(UTC).isoformat(timespec="seconds")


def _label(letter: Letter) -> str:
    """What is put together carries the narrowest label of its parts; of nothing, it is for all."""
    labels = tuple(one.tlp for one in (*letter.items, *letter.over))
    return (Tlp.narrowest(labels) if labels else Tlp.CLEAR).value


def _as_json(letter: Letter) -> bytes:
    told = {
        "office": letter.office, "organisation": letter.organisation, "tlp": _label(letter),
        "as_of": _as_of([*letter.items, *letter.over]), "something_else_waits": bool(letter.sealed),
        "notices": [document(one) for one in letter.items],
        "over": [document(one) for one in letter.over],
    }  # fmt: skip
    return (json.dumps(told, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def _as_text(letter: Letter) -> bytes:
    line = "\n\n" + "-" * 72 + "\n\n"
    top = f"{letter.office}\nNotices for {letter.organisation}\n{_label(letter)}"
    blocks = [top, *map(plain, letter.items)]
    if letter.sealed:
        blocks.append(_PLAIN)
    if not letter.items and not letter.sealed:
        blocks.append("Nothing waits.")
    blocks += map(plain, letter.over)
    return (line.join(blocks) + "\n").encode()


def _as_html(letter: Letter) -> bytes:
    said = html.escape
    body = [
        f"<h1>Notices for {said(letter.organisation)}</h1>",
        f"<ul><li>{said(letter.office)}</li><li>{_label(letter)}</li></ul>",
    ]
    for one in (*letter.items, *letter.over):
        read = "read" if one.acknowledged_at is not None else "waits for you"
        if one.ended_at is not None:
            read = "over: there is nothing left to do"
        body.append(f"<h2>{said(one.title)}</h2>")
        body.append(f"<ul><li>{one.tlp.value}</li><li>{read}</li></ul>")
        body += [f"<h3>{called}</h3><p>{said(text)}</p>" for _, called, text in one.parts]
        body.append(f'<p><a href="{said(one.page)}">On the office&#39;s page</a></p>')
    if letter.sealed:
        body.append(f"<h2>And more</h2><p>{_PLAIN}</p>")
    if not letter.items and not letter.sealed:
        body.append("<p>Nothing waits.</p>")
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>Notices for {said(letter.organisation)}</title><style>{_STYLE}</style>"
    )
    text = "\n".join(body)
    page = f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{text}\n</body></html>\n'
    return page.encode()
