"""Items as Inspect's samples."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.util import SandboxEnvironmentSpec

from clearhouse.benchmark.evaluation.sandbox_config import BoundFolder, BubblewrapConfig
from clearhouse.benchmark.items import Item
from clearhouse.errors import Unavailable

TASK, TARGET = "/work/task", "/target"
_ARCHIVE = "/tmp/target.tar.gz"
_READY = f"#!/bin/sh\nif [ -e {TASK}/try ]; then chmod 755 {TASK}/try; fi\n"
_UNPACK = f"mkdir -p {TARGET} && tar -xzf {_ARCHIVE} -C {TARGET} && rm {_ARCHIVE}\n"


def sample_of(item: Item, level: int, sandbox: str | BubblewrapConfig) -> Sample:
    """The sample for an item at a level of knowledge.

    ``sandbox`` is the configuration of ``bwrap``, which shows the target by a bind, or the name of
    another provider of Inspect's with its file (``k8s:values.yaml``), into which the target is
    copied.  Raises as bringing the target here does.
    """
    target = item.target_folder()
    if target is None:
        raise Unavailable(f"{item.name}: its target is not on this machine")
    return sample_with(
        item.name,
        item.prompt(level),
        {f"{TASK}/{name}": data for name, data in item.given(level).items()},
        target,
        sandbox,
        {
            "item": item.name,
            "level": level,
            "family": item.family.value,
            "language": item.language.value,
            "item_digest": item.digest,
            "published": item.published.isoformat() if item.published else None,
        },
    )


def sample_with(
    name: str,
    prompt: str,
    given: Mapping[str, bytes],
    target: Path,
    sandbox: str | BubblewrapConfig,
    metadata: dict[str, Any],
) -> Sample:
    """A sample with these files, by their places in the sandbox, and a target at ``/target``.

    ``try`` in the task's folder is made executable where it is given; ``sandbox`` is as above.
    """
    files = {place: _as_uri(data) for place, data in given.items()}
    setup = _READY
    if isinstance(sandbox, BubblewrapConfig):
        bound = BoundFolder(source=str(target.resolve()), place=TARGET)
        config = sandbox.model_copy(update={"binds": (*sandbox.binds, bound)})
        spec = SandboxEnvironmentSpec("bwrap", config)
    else:
        provider, _, file = sandbox.partition(":")
        spec = SandboxEnvironmentSpec(provider, file or None)
        files[_ARCHIVE] = _as_uri(_packed(target))
        setup += _UNPACK
    return Sample(
        id=name,
        input=prompt,
        files=files,
        setup=_as_uri(setup.encode()),
        sandbox=spec,
        metadata=metadata,
    )


def _as_uri(data: bytes) -> str:
    """Bytes as Inspect takes them without looking for a file of that name."""
    return "data:application/octet-stream;base64," + base64.b64encode(data).decode("ascii")


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as archive:
        archive.add(folder, arcname=".", filter=_as_nobodys)
    return buffer.getvalue()


def _as_nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
