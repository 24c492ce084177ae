"""The files of pages, collected once: named by their content, so that browsers keep them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from django.contrib.staticfiles.finders import get_finders
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage, MissingFileError

from clearhouse.errors import Unavailable

#: Without it pages have no look; what is collected without it would be kept for nothing.
_NEEDED: Final = "uswds/css/uswds.min.css"
_STAMP: Final = "stamp"


def collect(root: Path) -> bool:
    """Make ``root`` hold this version's files.  Whether it does: not where the assets are missing.

    1. The stamp tells what it was made from; the same again is left as it is.  2. What it was made
    from is not there any more: it goes, for pages name their files by what is in it.  3. It is made
    beside and then put in place, so that an interrupted call leaves no half of it.
    Raises :class:`Unavailable` where it cannot be written.
    """
    files = dict(_files())
    stamp = _stamp(files)
    told = root / _STAMP
    try:
        if told.is_file() and told.read_text() == stamp:  # 1
            return True
        shutil.rmtree(root, ignore_errors=True)  # 2
        root.mkdir(parents=True)
        if _NEEDED not in files:
            return False
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".static-") as made:  # 3
            fresh = Path(made) / "static"
            _write(files, fresh)
            (fresh / _STAMP).write_text(stamp)
            fresh.rename(root)
    except MissingFileError as error:
        raise Unavailable(
            f"a file of the pages is not there: {str(error).split(chr(10))[0]}"
        ) from None
    except OSError as error:
        raise Unavailable(f"{root} cannot be written: {error.strerror}") from None
    return True


def _files() -> Iterator[tuple[str, Path]]:
    """Every file by its name; of two with one name the first is served."""
    seen = set()
    for finder in get_finders():
        for name, storage in finder.list([]):
            prefix = getattr(storage, "prefix", None)
            named = f"{prefix}/{name}" if prefix else name
            if named not in seen and isinstance(storage, FileSystemStorage):
                seen.add(named)
                yield named, Path(storage.path(name))


def _stamp(files: Mapping[str, Path]) -> str:
    """What the folder is made from: each file's bytes, and what makes it."""
    found = hashlib.sha256(f"{version('django')} {version('whitenoise')}".encode())
    for name, path in sorted(files.items()):
        found.update(f"\n{name} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return found.hexdigest()


def _write(files: Mapping[str, Path], root: Path) -> None:
    for name, path in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, root / name)
    storage = CompressedManifestStaticFilesStorage(location=root)
    for _, _, done in storage.post_process({name: (storage, name) for name in files}):
        if isinstance(done, Exception):
            raise done
