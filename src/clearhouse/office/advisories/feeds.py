"""What machines fetch: the CSAF provider's tree, and OSV records."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

from clearhouse.errors import NotFound
from clearhouse.office.advisories import queries
from clearhouse.office.viewer import PUBLIC

_TYPES: Final = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "asc": "application/pgp-signature",
    "sha256": "text/plain; charset=utf-8",
    "sha512": "text/plain; charset=utf-8",
}
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def _digest(request: HttpRequest, path: str) -> str | None:  # noqa: ARG001 - Django's
    try:
        return f'"{queries.served(path).digest}"'
    except NotFound:
        return None


@require_safe
@condition(etag_func=_digest)
def csaf(request: HttpRequest, path: str) -> HttpResponse:  # noqa: ARG001 - Django's
    """A file of the CSAF provider (CSAF 2.0, section 7)."""
    found = queries.served(path)
    kind = _TYPES.get(path.rpartition(".")[2], "application/octet-stream")
    return _public(HttpResponse(bytes(found.data), content_type=kind))


@require_safe
def osv_one(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001 - Django's
    """One OSV record, by its identifier or the advisory's."""
    record = queries.document(PUBLIC, name.removeprefix("x_"), "osv")
    return _public(_json(record))


@require_safe
def osv_changes(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """When each record was changed, newest first, as OSV's own exports have it."""
    text = "".join(f"{modified},{name}\n" for modified, name in queries.osv_changes())
    return _public(HttpResponse(text, content_type=_TYPES["csv"]))


@require_safe
def osv_archive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's
    """All records in one archive; the same records are the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in queries.osv_records():
            info = zipfile.ZipInfo(f"{one['id']}.json", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, json.dumps(one, ensure_ascii=False, sort_keys=True, indent=2))
    return _public(HttpResponse(out.getvalue(), content_type="application/zip"))


def _json(document: object) -> HttpResponse:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=2) + "\n"
    return HttpResponse(text, content_type="application/json")


def _public(response: HttpResponse) -> HttpResponse:
    """For everybody: caches may keep it for a while, pages of others may read it."""
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
