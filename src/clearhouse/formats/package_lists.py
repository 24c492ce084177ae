"""Lists of packages that tools write: pip's requirements, npm's lock file, dpkg, rpm, and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from packageurl import PackageURL
from packaging.requirements import InvalidRequirement, Requirement

from clearhouse.errors import Invalid
from clearhouse.formats.inventory import Inventory, Listed, check_count
from clearhouse.formats.json_value import JsonValue

_ARCHITECTURES: Final = (
    "aarch64", "armv7hl", "i386", "i486", "i586", "i686", "noarch", "ppc64le", "riscv64", "s390x",
    "src", "x86_64",
)  # fmt: skip
_RPM: Final = re.compile(
    rf"(?P<name>[^\s/]+)-(?P<version>[^\s/-]+-[^\s/-]+)\.(?:{'|'.join(_ARCHITECTURES)})"
)
_DPKG: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]+)(?::[a-z0-9-]+)?\t(?P<version>\S*)")
_COLUMNS: Final = ("purl", "ecosystem", "name", "version")


def from_requirements(text: str) -> Inventory:
    """What pip reads: ``==`` gives a version, other requirements give none."""
    packages: list[Listed] = []
    for number, line in _logical_lines(text):
        if line.startswith("-"):
            continue  # an option; --hash and -r say nothing of what is installed
        place = f"line {number}"
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            packages.append(Listed(line[:200], place=place, problem="it is no requirement of pip"))
            continue
        pinned = [s.version for s in wanted.specifier if s.operator in ("==", "===")]
        if len(pinned) != 1 or len(wanted.specifier) != 1 or pinned[0].endswith(".*"):
            problem = "it names no single version; list what is installed with pip freeze"
            packages.append(Listed(wanted.name, place=place, problem=problem))
            continue
        purl = PackageURL("pypi", name=wanted.name, version=pinned[0]).to_string()
        packages.append(Listed(wanted.name, pinned[0], purl, place=place))
    return Inventory("requirements.txt", packages)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with what goes on behind a backslash, without comments and hashes."""
    held, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        whole = re.sub(r"(^|\s)#.*", "", held + line).partition(" --")[0].strip()
        if whole:
            yield start, whole
        held, start = "", 0


def from_package_lock(document: JsonValue) -> Inventory:
    """Npm's ``package-lock.json``, lock file versions 1 to 3."""
    packages: list[Listed] = []
    locked = document.get("packages")
    if locked is not None:
        for place, raw in locked.table().items():
            if place and not (isinstance(raw, dict) and raw.get("link")):
                one = locked.get(place)
                own = one.text_at("name") if one is not None else None
                packages.append(_npm(own or place.rpartition("node_modules/")[2], raw, place))
    else:
        waiting = [("", document)]
        while waiting:
            above, one = waiting.pop()
            found = one.get("dependencies")
            for name, raw in (found.table() if found is not None else {}).items():
                place = f"{above}/{name}".lstrip("/")
                packages.append(_npm(name, raw, place))
                inner = found.get(name) if found is not None else None
                if inner is not None and isinstance(raw, dict):
                    waiting.append((place, inner))
                check_count(len(packages), place)
    version = document.integer_at("lockfileVersion") or 1
    return Inventory(f"package-lock {version}", packages, document.text_at("name") or "")


def _npm(name: str, raw: object, place: str) -> Listed:
    version = raw.get("version") if isinstance(raw, dict) else None
    if not isinstance(version, str) or not re.match(r"\d", version):
        return Listed(name, place=place, problem="it names no version of the registry")
    namespace, _, bare = name.rpartition("/")
    purl = PackageURL("npm", namespace or None, bare, version).to_string()
    return Listed(name, version, purl, place=place)


def from_dpkg(text: str, distribution: str) -> Inventory:
    r"""``dpkg-query -W``: a name and a version behind a tab.

    Advisories of Debian and Ubuntu are about source packages; ask for those with
    ``dpkg-query -W -f '${source:Package}\t${source:Version}\n'``.
    """
    return Inventory("dpkg-query", _lines(text, _DPKG, distribution, "dpkg-query -W"))


def from_rpm(text: str, distribution: str) -> Inventory:
    """``rpm -qa``: name, version, release and architecture."""
    lines = "\n".join("" if one.startswith("gpg-pubkey-") else one for one in text.splitlines())
    return Inventory("rpm -qa", _lines(lines, _RPM, distribution, "rpm -qa"))


def _lines(text: str, pattern: re.Pattern[str], distribution: str, tool: str) -> list[Listed]:
    packages: list[Listed] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = pattern.fullmatch(line.rstrip())
        place = f"line {number}"
        if found is None:
            packages.append(Listed(line[:200], place=place, problem=f"it is no line of {tool}"))
        else:
            packages.append(
                Listed(found["name"], found["version"], ecosystem=distribution, place=place)
            )
        check_count(len(packages), place)
    return packages


def from_csv(text: str, where: str) -> Inventory:
    """A table with the columns ``purl``, or ``ecosystem``, ``name`` and ``version``."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    packages: list[Listed] = []
    try:
        columns = [one.strip().lower() for one in reader.fieldnames or ()]
        reader.fieldnames = columns
        if "purl" not in columns and not {"ecosystem", "name"} <= set(columns):
            raise Invalid(
                "expected the columns purl, or ecosystem, name and version; found"
                f" {', '.join(columns)[:200] or 'none'}",
                where=where,
            )
        for row in reader:
            values = {key: (row.get(key) or "").strip() for key in _COLUMNS}
            place = f"line {reader.line_num}"
            if any(values.values()):
                packages.append(Listed(place=place, **values))
            check_count(len(packages), place)
    except csv.Error as error:
        raise Invalid(f"is not CSV: {error} in line {reader.line_num}", where=where) from None
    return Inventory("CSV", packages)
