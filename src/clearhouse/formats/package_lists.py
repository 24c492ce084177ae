"""Lists of packages that tools write: pip's requirements, npm's lock file, dpkg, rpm, and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
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
RPM: Final = re.compile(
    rf"(?P<name>[^\s/]+)-(?P<version>[^\s/-]+-[^\s/-]+)\.(?:{'|'.join(_ARCHITECTURES)})"
)
_DPKG: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]+)\t(?P<version>\S*)")
_BINARY: Final = re.compile(r"^[a-z0-9][a-z0-9+.-]+:[a-z0-9-]+\t", re.MULTILINE)
_COLUMNS: Final = ("purl", "ecosystem", "name", "version")


def from_requirements(text: str) -> Inventory:
    """What pip reads: ``==`` gives a version, other requirements give none."""
    packages: list[Listed] = []
    for number, line in _logical_lines(text):
        place = f"line {number}"
        check_count(len(packages), place)
        if line.startswith(_ELSEWHERE):
            problem = "it is listed elsewhere; list what is installed with pip freeze"
            packages.append(Listed(line[:200], place=place, problem=problem, is_line=True))
            continue
        if line.startswith("-"):
            continue  # an option of pip's
        try:
            wanted = Requirement(line)
        except (InvalidRequirement, RecursionError):
            problem = "it is no requirement of pip"
            packages.append(Listed(line[:200], place=place, problem=problem, is_line=True))
            continue
        pinned = [s.version for s in wanted.specifier if s.operator in ("==", "===")]
        if len(pinned) != 1 or len(wanted.specifier) != 1 or pinned[0].endswith(".*"):
            problem = "it names no single version; list what is installed with pip freeze"
            packages.append(Listed(wanted.name, place=place, problem=problem))
            continue
        purl = PackageURL("pypi", name=wanted.name, version=pinned[0]).to_string()
        packages.append(Listed(wanted.name, pinned[0], purl, place=place))
    return Inventory("requirements.txt", packages)


#: Options behind which there are packages.
_ELSEWHERE: Final = ("-e", "--editable", "-r", "--requirement")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with what goes on behind a backslash, without comments and hashes."""
    held, start = "", 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        start = start or number
        if line.endswith("\\") and number < len(lines):
            held += line[:-1] + " "
            continue
        whole = re.sub(r"(^|\s)#.*", "", held + line.removesuffix("\\"))
        whole = whole.partition(" --")[0].strip()
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
                check_count(len(packages), place)
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
    try:
        purl = PackageURL("npm", namespace or None, bare, version).to_string()
    except ValueError:
        return Listed(name[:200], place=place, problem="it is no name of npm's")
    return Listed(name, version, purl, place=place)


def from_dpkg(text: str, distribution: str, where: str) -> Inventory:
    r"""``dpkg-query``'s list of source packages: a name and a version behind a tab.

    Advisories of Debian and Ubuntu are about source packages, and a name may be a binary package's
    of another source.  A list that shows that it has binary ones is refused: Invalid tells how to
    ask for the others.
    """
    if _BINARY.search(text):
        raise Invalid(
            "lists binary packages, and advisories are about source packages; list those with"
            " dpkg-query -W -f '${source:Package}\\t${source:Version}\\n'",
            where=where,
        )
    return Inventory("dpkg-query", _lines(text, _DPKG, distribution, "dpkg-query"))


def from_rpm(text: str, distribution: str) -> Inventory:
    """``rpm -qa``: name, version, release and architecture; an epoch where the list was asked for.

    Without ``%{EPOCHNUM}`` in its format rpm leaves epochs out, and advisories may have them.
    """
    lines = "\n".join("" if one.startswith("gpg-pubkey-") else one for one in text.splitlines())
    packages = _lines(lines, RPM, distribution, "rpm -qa")
    if not any(":" in one.version for one in packages):
        packages = [replace(one, lacks_epoch=True) for one in packages]
    return Inventory("rpm -qa", packages)


def _lines(text: str, pattern: re.Pattern[str], distribution: str, tool: str) -> list[Listed]:
    packages: list[Listed] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = pattern.fullmatch(line.rstrip())
        place = f"line {number}"
        if found is None:
            problem = f"it is no line of {tool}"
            packages.append(Listed(line[:200], place=place, problem=problem, is_line=True))
        else:
            packages.append(
                Listed(found["name"], found["version"], ecosystem=distribution, place=place)
            )
        check_count(len(packages), place)
    return packages


def from_csv(text: str, where: str) -> Inventory:
    """A table with the columns ``purl``, or ``ecosystem``, ``name`` and ``version``."""
    body = text.lstrip("\r\n")
    skipped = text[: len(text) - len(body)].count("\n")
    delimiter = ";" if ";" in body.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
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
            place = f"line {reader.line_num + skipped}"
            if any(values.values()):
                name, version, purl = values["name"], values["version"], values["purl"]
                packages.append(Listed(name, version, purl, values["ecosystem"], place))
            check_count(len(packages), place)
    except csv.Error as error:
        line = reader.line_num + skipped
        raise Invalid(f"is not CSV: {error} in line {line}", where=where) from None
    return Inventory("CSV", packages)
