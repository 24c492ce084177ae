"""Drafting, publishing and revising advisories."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from clearhouse.errors import Conflict, Invalid, NotFound
from clearhouse.formats.advisory import Advisory as Value
from clearhouse.formats.advisory import Publisher, Reference, Status
from clearhouse.formats.advisory import Revision as Numbered
from clearhouse.formats.csaf import provider
from clearhouse.formats.csaf.writer import file_name
from clearhouse.office.advisories import signing
from clearhouse.office.advisories.assemble import Words, assemble
from clearhouse.office.advisories.documents import Documents, documents_of
from clearhouse.office.advisories.models import Advisory, Revision, ServedFile
from clearhouse.office.advisories.queries import published_documents
from clearhouse.office.advisories.shown import shown
from clearhouse.office.authorisation import Deed
from clearhouse.office.batches import batches
from clearhouse.office.cases.account import account
from clearhouse.office.cases.actions.journal import locked_case
from clearhouse.office.cases.actions.public import PublicRecord, note_public
from clearhouse.office.cases.actions.states import publish_case
from clearhouse.office.inventories.actions.feeding import announce
from clearhouse.office.ledgerbook.actions import record
from clearhouse.office.queue.actions import enqueue, set_lane
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope
from clearhouse.protocol.tlp import Tlp

REBUILD: Final = "advisories.rebuild"
_TITLE, _SUMMARY, _TEXT = 300, 1000, 20_000
_SIGNATURE: Final = ".asc"
_FILES_AT_ONCE: Final = 200


def draft(
    viewer: Viewer, case: str, *, title: str, summary: str, details: str = "", remedy: str = "",
    references: Sequence[Reference] = (), now: datetime,
) -> Advisory:  # fmt: skip
    """Write the words of a case's advisory, or write them anew; nothing is public by it."""
    viewer.must_coordinate()
    viewer.needs(Scope.ADVISORIES_WRITE)
    for key, text, most in (
        ("title", title, _TITLE), ("summary", summary, _SUMMARY), ("details", details, _TEXT),
        ("remedy", remedy, _TEXT),
    ):  # fmt: skip
        if len(text) > most:
            raise Invalid(f"at most {most} characters", key=key)
    if not title.strip() or not summary.strip():
        raise Invalid("an advisory needs a title and a summary", key="title")
    with transaction.atomic():
        row, _ = locked_case(viewer, case, Deed.RUN)
        made, is_new = Advisory.objects.select_for_update().get_or_create(
            case=row, defaults={"name": row.name, "made_at": now, "changed_at": now}
        )
        made.title, made.summary = title.strip(), summary.strip()
        made.details, made.remedy, made.changed_at = details.strip(), remedy.strip(), now
        made.references = [
            {"url": one.url, "summary": one.summary, "kind": one.kind} for one in references
        ]
        made.save()
        if is_new:
            record("advisory.drafted", made.name, {}, now=now)
        return made


def publish(viewer: Viewer, name: str, summary: str = "", *, now: datetime) -> Revision:
    """Publish an advisory, or a new revision of it.

    1. The documents are made from the case as it stands, and each is judged.  2. The revision is
    stored, 3. the case becomes public and its embargo ends for everybody, 4. and the ledger says
    so: all in one transaction, so that nobody sees one without the other.
    """
    viewer.must_coordinate()
    viewer.needs(Scope.ADVISORIES_WRITE)
    with transaction.atomic():
        made = _locked(viewer, name)
        number = made.revisions.count() + 1
        said = summary.strip()[:300] or ("Initial version." if number == 1 else "Revised.")
        revision = Numbered(number, now, said)
        value = value_of(viewer, made, [*_published(made), revision])
        documents = _documents(value)  # 1
        stored = Revision.objects.create(
            advisory=made, number=number, at=now, summary=said, csaf=documents.csaf,
            vex=documents.vex, osv=documents.osv, cve=documents.cve,
            missing=dict(documents.missing), shown=shown(value),
        )  # fmt: skip  # 2
        made.changed_at = now
        made.published_at = made.published_at or now
        made.save(update_fields=["changed_at", "published_at"])
        publish_case(viewer, made.name, now=now)  # 3
        note_public(_to_compare_with(value))
        if documents.osv is not None:
            announce(documents.osv, key=f"{made.name}:{number}", now=now)
        entry = record(
            "advisory.published",
            made.name,
            {"revision": number, "documents": digests_of(stored)},
            now=now,
        )  # 4
        # Last, as it holds the lane until the transaction is over.
        set_lane(REBUILD, most_running=1)
        enqueue(REBUILD, {}, lane=REBUILD, key=f"{REBUILD}:{entry.index}", now=now)
        return stored


def digests_of(stored: Revision) -> dict[str, str]:
    """SHA-256 of each document of a revision, as its file."""
    return {
        kind: _digest(provider.as_bytes(document))
        for kind in ("csaf", "vex", "osv", "cve")
        if (document := getattr(stored, kind)) is not None
    }


def preview(viewer: Viewer, name: str, *, now: datetime) -> Documents:
    """The documents as they would be published now.  Raises what publishing would raise."""
    viewer.must_coordinate()
    made = Advisory.objects.filter(name=name).first()
    if made is None:
        raise NotFound("there is no such advisory")
    number = made.revisions.count() + 1
    value = value_of(viewer, made, [*_published(made), Numbered(number, now, "Preview.")])
    return _documents(value)


def _to_compare_with(value: Value) -> list[PublicRecord]:
    """What later reports are held against."""
    return [
        PublicRecord(
            advisory=value.id,
            aliases=tuple(filter(None, (value.cve, *value.aliases))),
            package=str(package.purl),
            summary=f"{value.title} {value.summary}",
            weaknesses=value.weaknesses,
        )
        for package in value.packages
    ]


def _published(made: Advisory) -> list[Numbered]:
    rows = made.revisions.order_by("number").values_list("number", "at", "summary")
    return [Numbered(*one) for one in rows]


def _locked(viewer: Viewer, name: str) -> Advisory:
    """An advisory, locked for this transaction.

    Its case is locked first, by whoever writes either, so that nobody waits for one while the
    other is waited for; and what is read of the case then is what it is.
    """
    locked_case(viewer, name, Deed.RUN)
    made = Advisory.objects.select_for_update().filter(name=name).first()
    if made is None:
        raise NotFound("there is no such advisory")
    return made


def value_of(viewer: Viewer, made: Advisory, revisions: Sequence[Numbered]) -> Value:
    """The advisory as a value, from the case as it stands."""
    words = Words(
        title=made.title,
        summary=made.summary,
        details=made.details,
        remedy=made.remedy,
        references=tuple(
            Reference(one["url"], one["summary"], one["kind"]) for one in made.references
        ),
    )
    return assemble(
        account(viewer, made.name),
        words,
        publisher=publisher(),
        page=settings.CONFIG.url + reverse("advisories:advisory", args=[made.name]),
        revisions=revisions,
        status=Status.FINAL,
        label=Tlp.CLEAR,
    )


def _documents(value: Value) -> Documents:
    folder = f"{base_url()}/white/{value.released.year}"
    return documents_of(
        value,
        csaf_url=f"{folder}/{file_name(value.id)}",
        vex_url=f"{folder}/{file_name(value.id + '-VEX')}",
    )


def publisher() -> Publisher:
    """The office as the publisher of its advisories."""
    config = settings.CONFIG
    return Publisher(
        name=config.office,
        namespace=config.url,
        contact=config.contact,
        cna_org_id=config.cna_org_id,
        cna_short_name=config.cna_short_name,
    )


def base_url() -> str:
    """Where the CSAF provider is.  The standard knows https only; so do the documents."""
    return "https://" + settings.CONFIG.url.partition("://")[2] + "/.well-known/csaf"


def rebuild(now: datetime) -> int:
    """Lay out the CSAF provider's files anew.  How many there are.

    One at a time, which the lane of its jobs sees to: one that read before a publication and
    wrote after the next would take the newer files away.  What is signed already is not signed
    again: a signature differs each time, and caches hold it.
    """
    with transaction.atomic():
        there = dict(ServedFile.objects.values_list("path", "digest"))
        signatures = _signatures(there)

        def sign(data: bytes) -> bytes:
            known = signatures.get(_digest(data))
            return known if known is not None else signing.detached(data)

        tree = provider.layout(
            published_documents(),
            provider=provider.Provider(
                base_url(), publisher(), signing.public_key(), signing.fingerprint()
            ),
            sign=sign,
            now=now,
        )
        changed = [
            ServedFile(path=path, data=data, digest=digest, is_public=True)
            for path, data in tree.public.items()
            if there.get(path) != (digest := _digest(data))
        ]
        ServedFile.objects.bulk_create(
            changed, batch_size=_FILES_AT_ONCE, update_conflicts=True, unique_fields=["path"],
            update_fields=["data", "digest", "is_public"],
        )  # fmt: skip
        gone = sorted(there.keys() - tree.public.keys())
        for some in batches(gone):
            ServedFile.objects.filter(path__in=some).delete()
    return len(tree.public)


def _signatures(there: Mapping[str, str]) -> dict[str, bytes]:
    """The signatures that are served, by the digest of what each one signs."""
    rows = ServedFile.objects.filter(path__endswith=_SIGNATURE).values_list("path", "data")
    return {
        there[signed]: bytes(data)
        for path, data in rows
        if (signed := path.removesuffix(_SIGNATURE)) in there
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def withdraw_draft(viewer: Viewer, name: str, *, now: datetime) -> None:
    """Throw a draft away; what was published stays."""
    viewer.must_coordinate()
    viewer.needs(Scope.ADVISORIES_WRITE)
    with transaction.atomic():
        made = _locked(viewer, name)
        if made.published_at is not None:
            raise Conflict("it is published; revise it instead")
        made.delete()
        record("advisory.draft-withdrawn", name, {}, now=now)
