"""What a cyber reasoning system hands in, as the AI Cyber Challenge's competition API takes it.

The finals' API, version 1.4: ``POST /v1/task/{task_id}/pov/``, ``/patch/``, ``/submitted-sarif/``,
``/freeform/`` and ``/bundle/`` take one JSON object each, with the keys read here.  The harness
that ``fuzzer_name`` names is the task's and not in it.  What the API answers (``pov_id``,
``status``) may stand beside what was sent: systems keep both in one file.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clearhouse.errors import Invalid
from clearhouse.formats.json_value import JsonValue, decode, shown
from clearhouse.formats.sarif import LOG_BYTES

#: The competition refused larger inputs, patches (its limit for a request) and notes.
TESTCASE_BYTES: Final = 2 << 20
PATCH_BYTES: Final = 2 << 20
FREEFORM_BYTES: Final = 2 << 20
NAME_CHARACTERS: Final = 4096
DESCRIPTION_CHARACTERS: Final = 65_536
SUBMISSIONS: Final = 2000
_RECORD_BYTES: Final = 4 << 20
SANITIZERS: Final = ("address", "undefined", "memory", "none")
ENGINE: Final = "libfuzzer"
ARCHITECTURE: Final = "x86_64"
#: Keys of the API's answers, and the task that the path of the request names.
_ANSWERED: Final = ("status", "task_id", "functionality_tests_passing")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_JOINED: Final = (
    "pov_id",
    "patch_id",
    "submitted_sarif_id",
    "broadcast_sarif_id",
    "freeform_id",
)


@dataclass(frozen=True, slots=True)
class PovSubmission:
    """A proof of vulnerability: the input, the harness it is for, and how that was built."""

    id: str
    testcase: bytes = field(repr=False)
    fuzzer_name: str
    sanitizer: str
    architecture: str = ARCHITECTURE
    engine: str = ENGINE

    @classmethod
    def from_json(cls, raw: bytes, *, where: str) -> PovSubmission:
        """Parse a submission.  Raises :class:`Invalid` with the key that is at fault."""
        value = JsonValue(decode(raw, where, most_bytes=_RECORD_BYTES), where)
        return _pov(value, _identifier(value, "pov_id", where))


@dataclass(frozen=True, slots=True)
class PatchSubmission:
    """A patch as a unified diff."""

    id: str
    diff: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SarifSubmission:
    """A SARIF document, decoded and not yet read: ``formats.sarif.parse_log`` does."""

    id: str
    sarif: object = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FreeformSubmission:
    """Whatever a system wanted to say where a task had no harness for it."""

    id: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BundleSubmission:
    """What belongs together, by identifier; two or more of it."""

    id: str
    pov_id: str | None = None
    patch_id: str | None = None
    submitted_sarif_id: str | None = None
    broadcast_sarif_id: str | None = None
    freeform_id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A bundle with what it names.

    A part that was not handed in is None, and its key is in ``missing``.
    """

    bundle: BundleSubmission
    pov: PovSubmission | None
    patch: PatchSubmission | None
    sarif: SarifSubmission | None
    freeform: FreeformSubmission | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Submissions:
    """Everything of one folder or archive, by kind and identifier."""

    povs: Mapping[str, PovSubmission]
    patches: Mapping[str, PatchSubmission]
    sarifs: Mapping[str, SarifSubmission]
    freeforms: Mapping[str, FreeformSubmission]
    bundles: Mapping[str, BundleSubmission]
    ignored: tuple[str, ...]
    """Names of files that are no submission: not JSON, or a bare answer of the API."""

    def joined(self) -> tuple[Joined, ...]:
        """Each bundle with what it names, then each proof that no bundle names on its own."""
        found = [self._join(bundle) for bundle in self.bundles.values()]
        named = {one.bundle.pov_id for one in found}
        found += [
            self._join(BundleSubmission(pov.id, pov_id=pov.id))
            for pov in self.povs.values()
            if pov.id not in named
        ]
        return tuple(found)

    def _join(self, bundle: BundleSubmission) -> Joined:
        # A broadcast SARIF is the organisers': it may be in the folder, and need not be.
        sarif_id = bundle.submitted_sarif_id or bundle.broadcast_sarif_id
        pov = self.povs.get(bundle.pov_id or "")
        patch = self.patches.get(bundle.patch_id or "")
        sarif = self.sarifs.get(sarif_id or "")
        freeform = self.freeforms.get(bundle.freeform_id or "")
        sought = (
            ("pov_id", bundle.pov_id, pov),
            ("patch_id", bundle.patch_id, patch),
            ("submitted_sarif_id", bundle.submitted_sarif_id, sarif),
            ("freeform_id", bundle.freeform_id, freeform),
        )
        missing = tuple(key for key, named, found in sought if named and found is None)
        return Joined(bundle, pov, patch, sarif, freeform, missing)


def parse_submissions(files: Mapping[str, bytes], where: str) -> Submissions:
    """Read the submissions among ``files``, content by name, as a folder or archive has them.

    What a JSON file is shows in its keys.  Raises :class:`Invalid` with the file and the key.
    """
    if len(files) > SUBMISSIONS:
        raise Invalid(f"has {len(files)} files, more than {SUBMISSIONS}", where=where)
    kept: dict[str, dict[str, Any]] = {name: {} for name, _, _ in _KINDS.values()}
    ignored: list[str] = []
    for name in sorted(files):
        if not name.lower().endswith(".json"):
            ignored.append(name)
            continue
        place = f"{where}: {name}"
        value = JsonValue(decode(files[name], place, most_bytes=LOG_BYTES), place)
        kind = _kind(value)
        if kind is None:
            ignored.append(name)
            continue
        room, key, read = kind
        identifier = _identifier(value, key, name)
        if identifier in kept[room]:
            raise value.wrong(f"is the second of the identifier {shown(identifier)}")
        kept[room][identifier] = read(value, identifier)
    return Submissions(**kept, ignored=tuple(ignored))


def _kind(value: JsonValue) -> tuple[str, str, Callable[[JsonValue, str], Any]] | None:
    """How to read a submission; None for a bare answer of the API, such as a status."""
    table = value.table()
    for key, kind in _KINDS.items():
        if key in table:
            return kind
    if "status" in table and sum(key in table for key in (*_JOINED, "description")) < 2:
        return None
    if any(key in table for key in _JOINED):
        return _KINDS["bundle_id"]
    raise value.wrong(
        "is no submission: expected one with testcase, patch, sarif, submission, or the"
        f" identifiers of a bundle ({', '.join(_JOINED)})"
    )


def _identifier(value: JsonValue, key: str, name: str) -> str:
    """The identifier that the API gave, else the one in the file's name, else that name."""
    stated = value.get(key)
    if stated is not None:
        if not _UUID.fullmatch(stated.text()):
            raise stated.wrong(f"expected a UUID, found {shown(stated.text())}")
        return stated.text().lower()
    stem = name.rpartition("/")[2].removesuffix(".json")
    in_name = _UUID.search(stem)
    return in_name[0].lower() if in_name else stem[:200]


def _pov(value: JsonValue, identifier: str) -> PovSubmission:
    value.check_keys(
        ("testcase", "fuzzer_name", "sanitizer", "architecture"), ("engine", "pov_id", *_ANSWERED)
    )
    _choice(value, "engine", (ENGINE,))
    _choice(value, "architecture", (ARCHITECTURE,))
    _choice(value, "sanitizer", SANITIZERS)
    return PovSubmission(
        id=identifier,
        testcase=_base64(value, "testcase", TESTCASE_BYTES),
        fuzzer_name=_name(value, "fuzzer_name"),
        sanitizer=_name(value, "sanitizer"),
    )


def _patch(value: JsonValue, identifier: str) -> PatchSubmission:
    value.check_keys(("patch",), ("patch_id", *_ANSWERED))
    return PatchSubmission(identifier, _base64(value, "patch", PATCH_BYTES))


def _sarif(value: JsonValue, identifier: str) -> SarifSubmission:
    # Broadcast ones come with a metadata object.
    value.check_keys(("sarif",), ("submitted_sarif_id", "sarif_id", "metadata", *_ANSWERED))
    document = value.get("sarif")
    return SarifSubmission(identifier, None if document is None else document.table())


def _freeform(value: JsonValue, identifier: str) -> FreeformSubmission:
    value.check_keys(("submission",), ("freeform_id", *_ANSWERED))
    return FreeformSubmission(identifier, _base64(value, "submission", FREEFORM_BYTES))


def _bundle(value: JsonValue, identifier: str) -> BundleSubmission:
    value.check_keys((), (*_JOINED, "description", "bundle_id", *_ANSWERED))
    description = value.get("description")
    text = None if description is None else description.text()
    if description is not None and len(text or "") > DESCRIPTION_CHARACTERS:
        raise description.wrong(f"expected at most {DESCRIPTION_CHARACTERS} characters")
    parts = {key: _reference(value, key) for key in _JOINED}
    if sum(one is not None for one in (*parts.values(), text)) < 2:
        raise value.wrong("expected two or more of what a bundle joins")
    return BundleSubmission(identifier, **parts, description=text)


#: By the key that tells a submission: the name of its kind, the key of its identifier, its reader.
_KINDS: Final[Mapping[str, tuple[str, str, Callable[[JsonValue, str], Any]]]] = {
    "testcase": ("povs", "pov_id", _pov),
    "patch": ("patches", "patch_id", _patch),
    "sarif": ("sarifs", "submitted_sarif_id", _sarif),
    "submission": ("freeforms", "freeform_id", _freeform),
    "bundle_id": ("bundles", "bundle_id", _bundle),
}


def _reference(value: JsonValue, key: str) -> str | None:
    found = value.get(key)
    if found is None:
        return None
    if not _UUID.fullmatch(found.text()):
        # Where files are named by hand, their names serve.
        return _name(value, key)[:200]
    return found.text().lower()


def _name(value: JsonValue, key: str) -> str:
    found = value.get(key) or value
    text = found.text()
    if not text.strip() or len(text) > NAME_CHARACTERS or not text.isprintable():
        raise found.wrong(f"expected one line of 1 to {NAME_CHARACTERS} characters")
    return text


def _choice(value: JsonValue, key: str, known: tuple[str, ...]) -> None:
    found = value.get(key)
    if found is not None and found.text() not in known:
        raise found.wrong(f"expected {' or '.join(known)}, found {shown(found.text())}")


def _base64(value: JsonValue, key: str, most: int) -> bytes:
    found = value.get(key) or value
    try:
        data = base64.b64decode(found.text(), validate=True)
    except ValueError:
        raise found.wrong("expected base64 (RFC 4648, section 4)") from None
    if len(data) > most:
        raise found.wrong(f"has {len(data)} bytes, more than {most}")
    if not data:
        raise found.wrong("is empty")
    return data
