"""Archives and registries for tests: real files, served by a real server on loopback."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

from clearhouse.proof.target import Store, Targets
from clearhouse.proof.target.npm_settings import NpmSettings
from clearhouse.proof.target.pip_settings import PipSettings
from clearhouse.proof.target.web import Access

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def zip_bytes(files: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


Members: TypeAlias = Mapping[str, bytes | str | tarfile.TarInfo]
"""Content by name; a ready header stands for itself, whatever its key."""


def tar_bytes(members: Members, mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            raw = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            info.mode = 0o644
            archive.addfile(info, io.BytesIO(raw))
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def metadata(name: str, version: str, requires: tuple[str, ...] = ()) -> str:
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    lines.extend(f"Requires-Dist: {one}\n" for one in requires)
    return "".join(lines)


def wheel(
    name: str,
    version: str,
    files: Mapping[str, bytes | str] | None = None,
    requires: tuple[str, ...] = (),
    tag: str = "py3-none-any",
) -> tuple[str, bytes]:
    """Return the file name and content of a wheel."""
    module = name.replace("-", "_").replace(".", "_")
    content = dict(files) if files is not None else {f"{module}/__init__.py": "VALUE = 1\n"}
    content[f"{module}-{version}.dist-info/METADATA"] = metadata(name, version, requires)
    content[f"{module}-{version}.dist-info/WHEEL"] = f"Wheel-Version: 1.0\nTag: {tag}\n"
    return f"{module}-{version}-{tag}.whl", zip_bytes(content)


def sdist(name: str, version: str, files: Mapping[str, bytes | str]) -> tuple[str, bytes]:
    """Return the file name and content of a source distribution."""
    top = f"{name}-{version}"
    return f"{top}.tar.gz", tar_bytes({f"{top}/{path}": one for path, one in files.items()})


def npm_package(
    name: str, version: str, files: Mapping[str, bytes | str] | None = None, **manifest: Any
) -> bytes:
    content = dict(files or {"index.js": f"module.exports = {json.dumps(version)};\n"})
    content["package.json"] = json.dumps({"name": name, "version": version, **manifest})
    return tar_bytes({f"package/{path}": one for path, one in content.items()})


@dataclass
class Server:
    """Routes that tests fill, and what was asked for."""

    url: str
    routes: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def put(self, path: str, body: bytes | str, kind: str = "application/octet-stream") -> None:
        self.routes[path] = (200, kind, body.encode() if isinstance(body, str) else body)


@contextmanager
def serving() -> Iterator[Server]:
    state = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            state.asked.append(path)
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, kind, body = state.routes.get(path, (404, "text/plain", b""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class LocalIndex:
    """A Python index in the forms that real ones have."""

    server: Server
    form: str = "json"
    """``json`` (PEP 691 and 700), ``companion`` (HTML, and a JSON description beside), ``html``."""
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    empty: dict[str, list[str]] = field(default_factory=dict)

    def add(
        self,
        project: str,
        file: tuple[str, bytes],
        uploaded: datetime | None = EPOCH,
        *,
        requires_python: str | None = None,
        yanked: bool = False,
        digest: str | None = None,
    ) -> None:
        name, content = file
        self.server.put(f"/files/{name}", content)
        self.files.setdefault(project, []).append(
            {
                "filename": name,
                "url": f"{self.server.url}/files/{name}",
                "hashes": {"sha256": digest or hashlib.sha256(content).hexdigest()},
                "requires-python": requires_python,
                "yanked": yanked,
                "upload-time": uploaded.isoformat().replace("+00:00", "Z") if uploaded else None,
            }
        )
        self.publish(project)

    def publish(self, project: str) -> None:
        files = self.files.get(project, [])
        if self.form == "json":
            page: Any = {
                "meta": {"api-version": "1.1"},
                "name": project,
                "versions": [*self.empty.get(project, [])],
                "files": [
                    {key: value for key, value in file.items() if value is not None}
                    for file in files
                ],
            }
            kind = "application/vnd.pypi.simple.v1+json"
            self.server.put(f"/simple/{project}/", json.dumps(page), kind)
            return
        links = "".join(
            f'<a href="{file["url"]}#sha256={file["hashes"]["sha256"]}">{file["filename"]}</a>'
            for file in files
        )
        self.server.put(f"/simple/{project}/", f"<html><body>{links}</body></html>", "text/html")
        if self.form == "companion":
            described: dict[str, list[dict[str, Any]]] = {
                version: [] for version in self.empty.get(project, [])
            }
            for file in files:
                version = file["filename"].removesuffix(".tar.gz").split("-")[1]
                described.setdefault(version, []).append(
                    {
                        "filename": file["filename"],
                        "upload_time_iso_8601": file["upload-time"],
                        "yanked": file["yanked"],
                    }
                )
            body = json.dumps({"releases": described})
            self.server.put(f"/pypi/{project}/json", body, "application/json")

    def settings(self, **access: Any) -> PipSettings:
        return PipSettings((f"{self.server.url}/simple/",), (), Access(timeout=10, **access))


@dataclass
class LocalRegistry:
    """An npm registry."""

    server: Server
    packuments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(
        self,
        name: str,
        version: str,
        uploaded: datetime = EPOCH,
        *,
        content: bytes | None = None,
        files: Mapping[str, bytes | str] | None = None,
        **manifest: Any,
    ) -> None:
        archive = content or npm_package(name, version, files, **manifest)
        path = f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        self.server.put(path, archive)
        packument = self.packuments.setdefault(
            name,
            {
                "name": name,
                "dist-tags": {},
                "versions": {},
                "time": {"created": EPOCH.isoformat(), "modified": EPOCH.isoformat()},
            },
        )
        integrity = base64.b64encode(hashlib.sha512(archive).digest()).decode()
        packument["versions"][version] = {
            "name": name,
            "version": version,
            **manifest,
            "dist": {"tarball": f"{self.server.url}{path}", "integrity": f"sha512-{integrity}"},
        }
        packument["dist-tags"]["latest"] = version
        packument["time"][version] = uploaded.isoformat()
        self.publish(name)

    def publish(self, name: str) -> None:
        body = json.dumps(self.packuments[name])
        self.server.put(f"/{name.replace('/', '%2F')}", body, "application/json")

    def settings(self, **access: Any) -> NpmSettings:
        return NpmSettings(f"{self.server.url}/", (), Access(timeout=10, **access))


def targets_of(
    folder: Path, index: LocalIndex | None = None, registry: LocalRegistry | None = None
) -> Targets:
    return Targets(
        Store(folder / "cache"),
        pip=index.settings() if index else None,
        npm=registry.settings() if registry else None,
    )
