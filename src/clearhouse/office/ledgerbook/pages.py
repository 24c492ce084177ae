"""The ledger as it is served: to people a page, to verifiers tiles and checkpoints (C2SP)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clearhouse.errors import ClearhouseError, Invalid, NotFound
from clearhouse.ledger.tiles import Tile
from clearhouse.office.edge import status_of
from clearhouse.office.ledgerbook import queries
from clearhouse.office.ledgerbook.keys import signing_key
from clearhouse.office.ledgerbook.proofs import (
    ConsistencyDocument,
    InclusionDocument,
    consistency_document,
    inclusion_document,
    text_of,
)

#: What never changes may be kept by any cache for good (C2SP tlog-tiles, "Merkle Tree").
_FOREVER: Final = "public, max-age=31536000, immutable"
_NOW: Final = "no-cache"
_SHOWN: Final = 10
_NUMBER: Final = re.compile(r"\d{1,15}", re.ASCII)

Page = Callable[..., HttpResponse]


def _for_verifiers(page: Page) -> Page:
    """Answer with errors in plain text: programs ask here."""

    @wraps(page)
    def answer(request: HttpRequest, **arguments: str) -> HttpResponse:
        try:
            return page(request, **arguments)
        except ClearhouseError as error:
            status, _ = status_of(error)
            return _plain(f"{error}\n", _NOW, status=status)

    return require_safe(answer)


@_for_verifiers
def checkpoint(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """The last signed checkpoint."""
    signed = queries.latest_checkpoint()
    if signed is None:
        raise NotFound("no checkpoint has been signed yet")
    return _plain(signed.note, _NOW)


@_for_verifiers
def key(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """The verifier key of the ledger; to be compared with where else the office publishes it."""
    return _plain(f"{signing_key().verifier}\n", _NOW)


@_for_verifiers
def tile(request: HttpRequest, path: str) -> HttpResponse:  # noqa: ARG001 - Django's
    """A tile of hashes.  Bundles of entries are sealed: they are not found."""
    try:
        content = queries.tile_content(Tile.parse(f"tile/{path}"))
    except Invalid as error:
        raise NotFound("there is no such tile") from error
    return HttpResponse(
        content, content_type="application/octet-stream", headers={"Cache-Control": _FOREVER}
    )


@_for_verifiers
def inclusion(request: HttpRequest) -> HttpResponse:
    """The proof that an entry is in the log of a size."""
    return _json(inclusion_document(_number(request, "index"), _number(request, "size")))


@_for_verifiers
def consistency(request: HttpRequest) -> HttpResponse:
    """The proof that the log of one size begins with that of another."""
    return _json(consistency_document(_number(request, "old"), _number(request, "new")))


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    """What the ledger is, how far it goes, how to verify it."""
    checkpoints = queries.latest_checkpoints(_SHOWN)
    context = {
        "title": "Ledger",
        "latest": checkpoints[0] if checkpoints else None,
        "root": text_of(checkpoints[0].root) if checkpoints else "",
        "checkpoints": [(one.size, text_of(one.root), one.at) for one in checkpoints],
        "key": str(signing_key().verifier),
    }
    return render(request, "ledgerbook/ledger.html", context)


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise Invalid("expected a whole number", key=name)
    return int(text)


def _plain(text: str, caching: str, *, status: int = 200) -> HttpResponse:
    kind = "text/plain; charset=utf-8"
    headers = {"Cache-Control": caching}
    return HttpResponse(text, content_type=kind, headers=headers, status=status)


def _json(document: InclusionDocument | ConsistencyDocument) -> HttpResponse:
    # Sizes are named in the question: its answer never changes.
    return JsonResponse(document, headers={"Cache-Control": _FOREVER})
