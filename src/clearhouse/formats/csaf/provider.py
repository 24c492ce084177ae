"""A trusted provider's files (CSAF 2.0, section 7): documents in, paths and bytes out.

Requirement by requirement of section 7.1:

1. each document is valid (``mandatory.problems`` finds nothing; the caller has the schema);
2. and has its file name;
4. what is TLP:WHITE is under the public path;
5. what has another label is under a path of its own, which the caller protects;
7. provider-metadata.json, which also serves 9 where the base is ``/.well-known/csaf``;
8. the line for security.txt;
11. a folder for each year;
12. index.txt;
13. changes.csv;
15. a ROLIE feed for each label, with 16 a service and 17 a category document;
18. hashes;
19. signatures;
20. the public OpenPGP key.

The web server owes 3 (TLS), 6 (no redirects), 14 (directory listings) and 10 (the DNS name).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.advisory import Publisher
from clearhouse.formats.csaf.document import branches, member, text
from clearhouse.formats.csaf.mandatory import problems
from clearhouse.formats.csaf.writer import file_name
from clearhouse.formats.instants import instant

Document = Mapping[str, Any]
Sign = Callable[[bytes], bytes]
"""Makes a detached, armoured OpenPGP signature."""

PUBLIC: Final = "WHITE"
LABELS: Final = ("WHITE", "GREEN", "AMBER", "RED")
_HASHES: Final = ("sha256", "sha512")
_SCHEMA: Final = "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json"
_INFORMATION_TYPE: Final = {
    "scheme": "urn:ietf:params:rolie:category:information-type",
    "term": "csaf",
}
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40,}")


@dataclass(frozen=True, slots=True)
class Provider:
    """Who publishes, below which address, and with which OpenPGP key.

    ``announced`` are the labels whose feeds the public metadata names, empty feeds included: what
    is announced must not tell that there is something under embargo.
    """

    base_url: str
    publisher: Publisher
    public_key: bytes
    fingerprint: str
    announced: tuple[str, ...] = (PUBLIC,)
    listed_by_aggregators: bool = True
    mirrored_by_aggregators: bool = True

    def __post_init__(self) -> None:
        if not self.base_url.startswith("https://") or self.base_url.endswith("/"):
            raise Invalid("expected an https address without a slash at its end", key="base_url")
        if not _FINGERPRINT.fullmatch(self.fingerprint.upper()):
            raise Invalid("expected 40 or more hexadecimal digits", key="fingerprint")
        if PUBLIC not in self.announced or not set(self.announced) <= set(LABELS):
            raise Invalid("expected WHITE, and labels of TLP 1.0", key="announced")

    @property
    def metadata_url(self) -> str:
        """Where provider-metadata.json is."""
        return f"{self.base_url}/provider-metadata.json"

    @property
    def key_path(self) -> str:
        """Where the public key is, below the base."""
        return f"openpgp/{self.fingerprint.upper()}.asc"

    def security_txt_line(self) -> str:
        """The field for security.txt (requirement 8; RFC 9116)."""
        return f"CSAF: {self.metadata_url}\n"


@dataclass(frozen=True, slots=True)
class Tree:
    """Files by their path below the base.

    Everything in ``public`` is for everybody; each path of ``restricted`` begins with the label
    it is under, in lower case, and has to be protected.
    """

    public: Mapping[str, bytes]
    restricted: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One document, judged: its label, its path below the label's folder, and its bytes."""

    label: str
    path: str
    raw: bytes
    document: Document
    released: datetime
    current: datetime


def as_bytes(document: Document) -> bytes:
    """The document as its file: keys sorted (section 5.3), UTF-8."""
    return (json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def document_path(document: Document) -> str:
    """Where a document is below the base: label, year of its initial release, file name.

    Raises Invalid for a document without a label or a time.
    """
    _initial(document)
    label = text(member(document, "document", "distribution", "tlp"), "label")
    if label not in LABELS:
        raise Invalid("a document has a TLP label", key="/document/distribution/tlp")
    # The year as the document writes it, whatever its zone (requirement 11).
    year = str(member(document, "document", "tracking")["initial_release_date"])[:4]
    return f"{label.lower()}/{year}/{_name(document)}"


def layout(documents: Iterable[Document], *, provider: Provider, sign: Sign, now: datetime) -> Tree:
    """Lay out all documents.  ``now`` is when the metadata are updated.

    Raises Invalid for a document that fails a mandatory test and for two of one name, Refused for
    a draft labelled TLP:WHITE, which is not for everybody yet.
    """
    entries = [_entry(document) for document in documents]
    names = [entry.path.rpartition("/")[2] for entry in entries]
    if len(set(names)) != len(names):
        raise Invalid("two documents have one file name", key="/document/tracking/id")
    public, restricted = dict[str, bytes](), dict[str, bytes]()
    for label in LABELS:
        members = [entry for entry in entries if entry.label == label]
        if members or label in provider.announced:
            into = public if label == PUBLIC else restricted
            into.update(_labelled(label, members, provider, sign, now))
    public["provider-metadata.json"] = as_bytes(_metadata(provider, now))
    public["service.json"] = as_bytes(_service(provider))
    public[provider.key_path] = provider.public_key
    return Tree(public, restricted)


def _entry(document: Document) -> _Entry:
    found = problems(document)
    if found:
        raise Invalid(f"fails test {found[0].test}: {found[0].text}", key=found[0].path)
    label, _, path = document_path(document).partition("/")
    tracking = member(document, "document", "tracking")
    if label.upper() == PUBLIC and tracking.get("status") == "draft":
        raise Refused(f"{_name(document)} is a draft, and labelled TLP:WHITE")
    current = instant(text(tracking, "current_release_date"))
    if current is None:
        raise Invalid("expected a time", key="/document/tracking/current_release_date")
    raw = as_bytes(document)
    return _Entry(label.upper(), path, raw, document, _initial(document), current)


def _name(document: Document) -> str:
    number = text(member(document, "document", "tracking"), "id")
    if not number:
        raise Invalid("a document has an identifier", key="/document/tracking/id")
    return file_name(number)


def _initial(document: Document) -> datetime:
    at = instant(text(member(document, "document", "tracking"), "initial_release_date"))
    if at is None:
        raise Invalid("expected a time", key="/document/tracking/initial_release_date")
    return at


def _labelled(
    label: str, entries: Sequence[_Entry], provider: Provider, sign: Sign, now: datetime
) -> dict[str, bytes]:
    """The folder of one label: documents by year, their lists, and the feed."""
    newest = sorted(entries, key=lambda one: (one.current, one.path), reverse=True)
    folder = label.lower()
    found: dict[str, bytes] = {}
    for entry in newest:
        found[f"{folder}/{entry.path}"] = entry.raw
        found[f"{folder}/{entry.path}.asc"] = sign(entry.raw)
        for algorithm in _HASHES:
            digest = hashlib.new(algorithm, entry.raw).hexdigest()
            line = f"{digest}  {entry.path.rpartition('/')[2]}\n"
            found[f"{folder}/{entry.path}.{algorithm}"] = line.encode()
    found[f"{folder}/index.txt"] = "".join(f"{one.path}\n" for one in newest).encode()
    changes = "".join(f'"{one.path}","{_time(one.current)}"\n' for one in newest)
    found[f"{folder}/changes.csv"] = changes.encode()
    found[_feed_path(label)] = as_bytes(_feed(label, newest, provider, now))
    found[_category_path(label)] = as_bytes(_categories(newest))
    return found


def _feed_path(label: str) -> str:
    return f"{label.lower()}/csaf-feed-tlp-{label.lower()}.json"


def _category_path(label: str) -> str:
    return f"{label.lower()}/category.json"


def _feed(
    label: str, newest: Sequence[_Entry], provider: Provider, now: datetime
) -> dict[str, Any]:
    """The ROLIE feed of a label (requirement 15; RFC 8322), every document with its links."""
    updated = newest[0].current if newest else now
    return {
        "feed": {
            "id": f"csaf-feed-tlp-{label.lower()}",
            "title": f"{provider.publisher.name}: CSAF documents labelled TLP:{label}",
            "link": [
                {"rel": "self", "href": f"{provider.base_url}/{_feed_path(label)}"},
                {"rel": "service", "href": f"{provider.base_url}/service.json"},
            ],
            "category": [_INFORMATION_TYPE],
            "updated": _time(updated),
            "entry": [_feed_entry(one, provider) for one in newest],
        }
    }


def _feed_entry(entry: _Entry, provider: Provider) -> dict[str, Any]:
    url = f"{provider.base_url}/{entry.label.lower()}/{entry.path}"
    about = member(entry.document, "document")
    hashes = [{"rel": "hash", "href": f"{url}.{algorithm}"} for algorithm in _HASHES]
    return {
        "id": text(member(about, "tracking"), "id"),
        "title": text(about, "title"),
        "link": [
            {"rel": "self", "href": url},
            *hashes,
            {"rel": "signature", "href": f"{url}.asc"},
        ],
        "published": _time(entry.released),
        "updated": _time(entry.current),
        "content": {"type": "application/json", "src": url},
        "format": {"schema": _SCHEMA, "version": "2.0"},
    }


def _categories(entries: Sequence[_Entry]) -> dict[str, Any]:
    """What the documents are about (requirement 17): their categories, vendors and products."""
    terms = {
        (branch.get("category"), branch.get("name"))
        for entry in entries
        for _, branch in branches(entry.document)
        if branch.get("category") in {"vendor", "product_name"}
    }
    kinds = {text(member(entry.document, "document"), "category") for entry in entries}
    named = sorted({str(name) for _, name in terms} | {str(kind) for kind in kinds})
    return {"categories": {"category": [{"term": name} for name in named]}}


def _service(provider: Provider) -> dict[str, Any]:
    """The ROLIE service document (requirement 16): the announced feeds."""
    collections = [
        {
            "title": f"CSAF documents labelled TLP:{label}",
            "href": f"{provider.base_url}/{_feed_path(label)}",
            "categories": {"category": [_INFORMATION_TYPE]},
        }
        for label in provider.announced
    ]
    workspace = {"title": provider.publisher.name, "collection": collections}
    return {"service": {"workspace": [workspace]}}


def _metadata(provider: Provider, now: datetime) -> dict[str, Any]:
    base = provider.base_url
    publisher = {
        "category": "coordinator",
        "name": provider.publisher.name,
        "namespace": provider.publisher.namespace,
    }
    if provider.publisher.contact:
        publisher["contact_details"] = provider.publisher.contact
    feeds = [
        {
            "summary": f"All documents labelled TLP:{label}.",
            "tlp_label": label,
            "url": f"{base}/{_feed_path(label)}",
        }
        for label in provider.announced
    ]
    rolie = {
        "categories": [f"{base}/{_category_path(PUBLIC)}"],
        "feeds": feeds,
        "services": [f"{base}/service.json"],
    }
    key = {"fingerprint": provider.fingerprint.upper(), "url": f"{base}/{provider.key_path}"}
    return {
        "canonical_url": provider.metadata_url,
        "distributions": [{"rolie": rolie}, {"directory_url": f"{base}/{PUBLIC.lower()}/"}],
        "last_updated": _time(now),
        "list_on_CSAF_aggregators": provider.listed_by_aggregators,
        "metadata_version": "2.0",
        "mirror_on_CSAF_aggregators": provider.mirrored_by_aggregators,
        "public_openpgp_keys": [key],
        "publisher": publisher,
        "role": "csaf_trusted_provider",
    }


def _time(at: datetime) -> str:
    if at.utcoffset() is None:
        raise Invalid("a time has a zone")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
