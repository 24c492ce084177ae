"""Requests that may be sent again: with an ``Idempotency-Key`` they are done once.

The answer is kept in the transaction of what was done (draft-ietf-httpapi-idempotency-key-header,
section 2): after a crash either both are there or neither is.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from clearhouse.errors import Conflict, Invalid
from clearhouse.office.api.models import KeptAnswer
from clearhouse.office.viewer import Viewer

HEADER: Final = "Idempotency-Key"
KEPT: Final = timedelta(hours=24)
_SHAPE: Final = re.compile(r"[\x21-\x7e]{1,255}")
_ERROR: Final = 400


def key_in(request: HttpRequest) -> str | None:
    """The key that a request came with.  Raises :class:`Invalid` for one that is none."""
    text = request.headers.get(HEADER)
    if text is None:
        return None
    if not _SHAPE.fullmatch(text):
        raise Invalid("expected 1 to 255 visible ASCII characters", key=HEADER)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(request: HttpRequest) -> str:
    """What is asked: method, address and body."""
    digest = hashlib.sha256()
    for part in (request.method or "", request.get_full_path(), request.content_type or ""):
        digest.update(part.encode() + b"\n")
    digest.update(request.body)
    return digest.hexdigest()


def once(
    viewer: Viewer,
    key: str,
    request: HttpRequest,
    act: Callable[[], HttpResponse],
    *,
    now: datetime,
) -> HttpResponse:
    """Act, or give the answer of the time before.

    1. Whoever writes the row first acts; who comes at the same time waits for its end.  2. The
    same key for something else is a conflict, and so is a key of fewer scopes.  3. What was done
    and its answer are kept together; what failed is undone, and may be tried again.
    """
    asked, attempt = digest_of(request), secrets.token_hex(16)
    organisation = viewer.acting_for()
    scopes = sorted(scope.value for scope in viewer.scopes)
    with transaction.atomic():
        mine = KeptAnswer.objects.filter(organisation=organisation, key=key)
        mine.filter(at__lte=now - KEPT).delete()
        KeptAnswer.objects.bulk_create(  # 1
            [
                KeptAnswer(
                    organisation_id=organisation, key=key, request=asked, attempt=attempt,
                    scopes=scopes, at=now,
                )
            ],
            ignore_conflicts=True,
        )  # fmt: skip
        row = mine.select_for_update().get()
        if row.attempt != attempt:
            return _again(row, asked, scopes)  # 2
        response = act()
        if response.status_code >= _ERROR:  # 3
            transaction.set_rollback(True)
            return response
        row.status = response.status_code
        row.content_type = response.headers.get("Content-Type", "")
        row.location = response.headers.get("Location", "")
        row.body = response.content
        row.save()
        return response


def _again(row: KeptAnswer, asked: str, scopes: list[str]) -> HttpResponse:
    if row.request != asked:
        raise Conflict(f"this {HEADER} was used for another request")
    if not set(row.scopes) <= set(scopes):
        raise Conflict(f"this {HEADER} was used by an API key that may do more")
    response = HttpResponse(
        bytes(row.body), status=row.status, content_type=row.content_type or None
    )
    if row.location:
        response.headers["Location"] = row.location
    response.headers["Idempotency-Replayed"] = "true"
    return response


def forget(*, now: datetime) -> int:
    """Remove answers that are too old to be asked for.  How many there were."""
    count, _ = KeptAnswer.objects.filter(at__lte=now - KEPT).delete()
    return count
