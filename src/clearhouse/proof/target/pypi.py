"""Releases from a Python package index, as the user's pip is configured to find them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name, canonicalize_version
from pypi_simple import DistributionPackage, ProjectPage, PyPISimple
from pypi_simple.errors import NoSuchProjectError, UnsupportedContentTypeError
from requests import RequestException
from requests.exceptions import HTTPError

from clearhouse.proof.target import downloads
from clearhouse.proof.target.model import Artifact, ArtifactKind, Reason, Release, TargetNotFound
from clearhouse.proof.target.pip_settings import PipSettings
from clearhouse.proof.target.store import Store, key_of
from clearhouse.proof.target.web import (
    Denied,
    NotThere,
    Web,
    check,
    local_path,
    unreachable,
    without_login,
)
from clearhouse.versions import OutsideGrammar
from clearhouse.versions import pypi as versions

_KINDS: dict[str | None, ArtifactKind] = {"wheel": "wheel", "sdist": "sdist"}
_SIMPLE = "/simple/"


class PythonIndex:
    """A registry of Python packages."""

    def __init__(self, settings: PipSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._web = Web(settings.access)

    @property
    def identity(self) -> str:
        """A short digest of the index addresses."""
        return self._settings.identity

    def releases(
        self, name: str, *, known: str | None = None, until: datetime | None = None
    ) -> tuple[Release, ...]:
        """Return every release of ``name`` in PEP 440 order; see ``Registry``.

        Raises TargetNotFound when no index has the name.
        """
        project = canonicalize_name(name)
        return downloads.listing(
            self._store,
            ("listings", "pypi", self.identity, f"{key_of(project)}.json"),
            lambda: self._read(project),
            known=known,
            until=until,
        )

    def fetch(self, artifact: Artifact) -> Path:
        """Return the file; see ``downloads.fetch``."""
        return downloads.fetch(self._store, self._web, artifact)

    def _read(self, project: str) -> tuple[Release, ...]:
        found: dict[str, _Files] = {}
        for index in self._settings.indexes:
            self._add_index(index, project, found)
        for place in self._settings.find_links:
            _add(found, self._linked(place, project), {})
        if not found:
            message = f"no configured index has a Python package named {project}"
            raise TargetNotFound(Reason.NO_SUCH_PACKAGE, message)
        return _in_order(files.release() for files in found.values())

    def _add_index(self, index: str, project: str, found: dict[str, _Files]) -> None:
        url = f"{index}{project}/"
        client = PyPISimple(index, session=self._web.session())
        try:
            page = client.get_project_page(project, timeout=self._settings.access.timeout)
        except NoSuchProjectError:
            return
        except HTTPError as error:
            if error.response is not None:
                check(error.response)
            raise unreachable(url, error) from error
        except (RequestException, UnsupportedContentTypeError) as error:
            raise unreachable(url, error) from error
        dated = all(package.upload_time is not None for package in page.packages)
        more = {} if dated else self._companion(index, project)
        _add(found, page.packages, more.get("by_file", {}))
        for version in (*(page.versions or ()), *more.get("versions", ())):
            found.setdefault(_same(version), _Files(version)).name_as(version)

    def _companion(self, index: str, project: str) -> dict[str, Any]:
        """Read the JSON description that stands beside many indexes without PEP 700 dates."""
        if not index.endswith(_SIMPLE):
            return {}
        url = f"{index.removesuffix(_SIMPLE)}/pypi/{project}/json"
        try:
            answer = self._web.get(url, accept="application/json").json()
            return {
                "versions": tuple(answer["releases"]),
                "by_file": {
                    file["filename"]: (_time(file.get("upload_time_iso_8601")), file.get("yanked"))
                    for files in answer["releases"].values()
                    for file in files
                },
            }
        except (NotThere, Denied, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _linked(self, place: str, project: str) -> list[DistributionPackage]:
        """Return the files of ``project`` in a folder or on a page of links."""
        folder = local_path(place)
        if folder is not None and folder.is_dir():
            html = "".join(
                f'<a href="{path.absolute().as_uri()}">{path.name}</a>'
                for path in sorted(folder.iterdir())
                if path.is_file() and '"' not in path.name and "<" not in path.name
            )
        elif folder is not None and folder.is_file():
            html = folder.read_text(encoding="utf-8", errors="replace")
            place = folder.absolute().as_uri()
        elif folder is not None:
            return []
        else:
            try:
                html = self._web.get(place, accept="text/html").text
            except NotThere:
                return []
        page = ProjectPage.from_html(project, html, base_url=place)
        return [
            package
            for package in page.packages
            if package.project and canonicalize_name(package.project) == project
        ]


class _Files:
    """The files of one version while they are gathered."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.artifacts: dict[str, Artifact] = {}
        self.yanked: list[bool] = []

    def name_as(self, version: str) -> None:
        """Take the spelling that the index itself uses, rather than that of a file name."""
        self.version = version

    def release(self) -> Release:
        artifacts = tuple(self.artifacts.values())
        times = [artifact.uploaded for artifact in artifacts if artifact.uploaded is not None]
        return Release(
            version=self.version,
            uploaded=min(times, default=None),
            yanked=bool(self.yanked) and all(self.yanked),
            artifacts=artifacts,
            ordered=not isinstance(versions.parse(self.version), OutsideGrammar),
        )


def _add(
    found: dict[str, _Files],
    packages: Iterable[DistributionPackage],
    dates: dict[str, tuple[datetime | None, bool | None]],
) -> None:
    """Add the files of one index; a file of the same name in an earlier index stays."""
    for package in packages:
        if package.version is None:
            continue
        uploaded, yanked = dates.get(package.filename, (None, None))
        files = found.setdefault(_same(package.version), _Files(package.version))
        if package.filename in files.artifacts:
            continue
        files.artifacts[package.filename] = _artifact(package, uploaded)
        files.yanked.append(package.is_yanked or bool(yanked))


def _artifact(package: DistributionPackage, uploaded: datetime | None) -> Artifact:
    digests = package.digests
    weaker = next((name for name in ("sha512", "sha384", "sha1", "md5") if name in digests), None)
    moment = package.upload_time or uploaded
    return Artifact(
        filename=package.filename,
        url=without_login(package.url),
        kind=_KINDS.get(package.package_type, "other"),
        sha256=digests.get("sha256"),
        integrity=downloads.sri(weaker, digests[weaker]) if weaker else None,
        requires_python=package.requires_python,
        uploaded=moment and moment.astimezone(UTC),
        size=package.size,
    )


def _same(version: str) -> str:
    """Return a key under which spellings of one version meet (``1.0``, ``1.0.0``)."""
    if isinstance(versions.parse(version), OutsideGrammar):
        return version.lower()
    return canonicalize_version(version)


def _in_order(releases: Iterable[Release]) -> tuple[Release, ...]:
    found = sorted(releases, key=lambda release: versions.sort_key(release.version))
    ordered = [release for release in found if release.ordered]
    return downloads.insert_unordered(ordered, [one for one in found if not one.ordered])


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
