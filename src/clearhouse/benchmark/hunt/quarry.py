"""What is searched: one version of a package, or a folder of C and C++ sources.

The target is whoever's who searches, and never the model's: a finding that is handed in has to name
exactly this target, so that nothing else is fetched, run or proven because a model, or a text that
it has read, says so.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packageurl import PackageURL

from clearhouse.benchmark.hunt.words import CPU_SECONDS, INPUTS, SOURCE, skeleton
from clearhouse.errors import Invalid, Refused
from clearhouse.proof.authoring import LANGUAGE_OF_TYPE
from clearhouse.proof.build.sources import bundled_tree, registry_tree
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.door import read_archive
from clearhouse.proof.manifest import MANIFEST, parse_bundle
from clearhouse.proof.members import BUNDLE_LIMITS, Limits
from clearhouse.proof.purls import VERSION, parse_target_purl
from clearhouse.proof.target import install
from clearhouse.proof.text import is_plain_line, printable

#: What a model may hand in at once; the largest sample has a few kilobytes.
CANDIDATE_LIMITS: Final = Limits(total_bytes=16 << 20, members=200)

_NOT_SOURCE: Final = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules"})
_NATIVE: Final = {Language.C: (".c",), Language.CPP: (".cc", ".cpp", ".cxx")}
_SOURCE_FILES: Final = 20_000
_FINDER: Final = 200


@dataclass(frozen=True, slots=True)
class Quarry:
    """One target, and who searches it.

    ``fixed`` is a version that is believed free of what is looked for, ``requires`` are the further
    packages that a harness may need; both only where whoever searches says so.  ``source`` is the
    archive of a folder, with ``purl`` None.
    """

    language: Language
    purl: PackageURL | None
    finder: str
    fixed: str | None = None
    requires: tuple[PackageURL, ...] = ()
    source: bytes | None = field(default=None, repr=False)
    name: str = ""

    def __str__(self) -> str:
        """Return the purl, or the folder's name."""
        return str(self.purl) if self.purl is not None else f"folder {self.name}"

    @property
    def digest(self) -> str:
        """What tells one target from another, for whoever goes on with a search."""
        parts = [str(self), self.language.value, self.finder, self.fixed or ""]
        parts += [str(one) for one in self.requires]
        parts.append(hashlib.sha256(self.source or b"").hexdigest())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def folder(self) -> Path:
        """The target's files on this machine, brought here where they are not.

        Python: ``site/``; JavaScript: ``node_modules/``; C and C++: the source tree.  Raises as
        installing does.
        """
        if self.source is not None:
            return bundled_tree(self._with_source()).root
        if self.language.is_native:
            return registry_tree(str(self.purl)).root
        return install(str(self.purl), requires=[str(one) for one in self.requires]).root

    def _with_source(self) -> Bundle:
        return self._parsed(skeleton(self))

    def _parsed(self, files: dict[str, bytes]) -> Bundle:
        if self.source is not None:
            files[SOURCE] = self.source
        return parse_bundle(files, where="the finding")

    def admit(self, archive: bytes) -> Bundle:
        """The bundle in an archive that was handed in.

        1. It is an archive of few and small files with clean names, links and devices refused.
        2. It has a manifest, and not the source, which is not the model's.
        3. It is a bundle.
        4. Its target is this one, with nothing besides that was not allowed.
        5. It is by this finder, in a language of this target.
        6. To judge it costs no more than a finding may.

        Raises :class:`Invalid` for 1 to 3, :class:`Refused` for the others.
        """
        files = read_archive(archive, where="the finding", limits=CANDIDATE_LIMITS)  # 1
        if MANIFEST not in files:  # 2
            raise Invalid(f"has no {MANIFEST}", where="the finding")
        if SOURCE in files and self.source is not None:
            raise Refused(f"the finding: {SOURCE} is added by itself: leave it out")
        bundle = self._parsed(files)  # 3
        self._check_target(bundle)  # 4
        if bundle.finder != self.finder:  # 5
            raise Refused(f'the finding: [proof] finder has to be "{self.finder}"')
        if bundle.harness.language not in self.languages:
            raise Refused(f"the finding: [harness] language has to be {self._languages}")
        if len(bundle.pocs) + len(bundle.controls) > INPUTS:  # 6
            raise Refused(f"the finding: it has more than {INPUTS} inputs")
        if bundle.expect.cpu_seconds > CPU_SECONDS:
            raise Refused(f"the finding: [expect] cpu_seconds may be {CPU_SECONDS:g} at most")
        return bundle

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages that a harness for this target may have."""
        return tuple(_NATIVE) if self.language.is_native else (self.language,)

    @property
    def _languages(self) -> str:
        return " or ".join(f'"{one.value}"' for one in self.languages)

    def _check_target(self, bundle: Bundle) -> None:
        target = bundle.target
        if self.purl is not None and (target.purl != self.purl or target.source is not None):
            raise Refused(f'the finding: [target] has to be purl = "{self.purl}", and no source')
        if self.purl is None and (target.purl is not None or target.source != SOURCE):
            raise Refused(f'the finding: [target] has to be source = "{SOURCE}", and no purl')
        if target.fixed not in (None, self.fixed):
            asked = f'"{self.fixed}"' if self.fixed else "left out"
            raise Refused(f"the finding: [target] fixed has to be {asked}")
        if not set(target.requires) <= set(self.requires):
            allowed = ", ".join(str(one) for one in self.requires) or "none"
            raise Refused(f"the finding: [target] requires may name {allowed}")


def quarry_of(
    text: str,
    *,
    finder: str,
    language: str | None = None,
    fixed: str | None = None,
    requires: Sequence[str] = (),
) -> Quarry:
    """The target that a text names: a package URL with a version, or a folder.

    ``language`` is that of the harness, where the target does not say it.  Raises :class:`Invalid`.
    """
    if not is_plain_line(finder) or not 0 < len(finder.strip()) <= _FINDER:
        raise Invalid(f"expected one line of at most {_FINDER} characters", key="finder")
    if text.startswith("pkg:") or not text:
        return _of_package(text, finder.strip(), language, fixed, requires)
    if fixed or requires:
        raise Invalid("goes with a package URL, not with a folder", key="fixed or requires")
    return _of_folder(Path(text), finder.strip(), language)


def _of_package(
    text: str, finder: str, language: str | None, fixed: str | None, requires: Sequence[str]
) -> Quarry:
    if language is None:
        kind = text.removeprefix("pkg:").partition("/")[0]
        spoken = LANGUAGE_OF_TYPE.get(kind)
        if spoken is None:
            known = " or ".join(f"pkg:{one}/" for one in LANGUAGE_OF_TYPE)
            raise Invalid(f"expected a package URL that begins with {known}", key="target")
    else:
        spoken = Language(language)
    try:
        purl = parse_target_purl(text, spoken)
        needed = tuple(parse_target_purl(one, spoken) for one in requires)
    except Invalid as error:
        raise Invalid(error.message, key="target") from None
    if fixed is not None and not VERSION.fullmatch(fixed):
        raise Invalid("expected a version such as 1.2.3", key="fixed")
    return Quarry(spoken, purl, finder, fixed, needed)


def _of_folder(folder: Path, finder: str, language: str | None) -> Quarry:
    where = printable(str(folder))
    if not folder.is_dir():
        raise Invalid("expected a package URL such as pkg:pypi/ecdsa@0.13.2, or a folder",
                      where=where)  # fmt: skip
    files = dict(_source_files(folder, where))
    spoken = Language(language) if language else _language_of(files, where)
    if not spoken.is_native:
        raise Invalid(
            "Python and JavaScript are searched as released packages: give a package URL",
            where=where,
        )
    source = _packed(files)
    if len(source) > BUNDLE_LIMITS.member_bytes:
        raise Invalid(
            f"is larger than {BUNDLE_LIMITS.member_bytes >> 20} MiB when packed", where=where
        )
    name = printable(folder.resolve().name, limit=80)
    return Quarry(spoken, None, finder, source=source, name=name)


def _language_of(files: Mapping[str, bytes], where: str) -> Language:
    for language in (Language.CPP, Language.C):
        if any(name.endswith(_NATIVE[language]) for name in files):
            return language
    raise Invalid(
        "holds no C or C++ sources; Python and JavaScript are searched as released packages, by"
        " their package URL",
        where=where,
    )


def _source_files(folder: Path, where: str) -> Iterator[tuple[str, bytes]]:
    """The regular files below a folder, without what version control keeps; no link is followed."""
    count = total = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _NOT_SOURCE)
        for name in sorted(names):
            path = Path(place, name)
            if path.is_symlink() or not path.is_file():
                continue
            try:
                data = path.read_bytes()
            except OSError as error:
                shown = printable(str(path))
                raise Invalid(f"cannot be read: {error.strerror}", where=shown) from None
            count, total = count + 1, total + len(data)
            if count > _SOURCE_FILES or total > 4 * BUNDLE_LIMITS.total_bytes:
                raise Invalid("is larger than a source that can be shipped", where=where)
            yield path.relative_to(folder).as_posix(), data


def _packed(files: Mapping[str, bytes]) -> bytes:
    """A tar archive, the same bytes for the same files."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return gzip.compress(held.getvalue(), 9, mtime=0)
