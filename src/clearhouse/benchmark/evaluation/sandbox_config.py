"""What a task may ask of the sandbox ``bwrap``: folders to be shown, and limits."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.room import RoomLimits

_MEGABYTE = 1 << 20
_ROOMS = ("target", "data")
# Neither these nor what they lie in: a bind of them would show the host.
_NEVER = ("/", "/etc", "/proc", "/sys", "/dev", "/run", "/boot", "/var", "/home", "/root", "/tmp")
_NEVER_BELOW = ("/etc", "/proc", "/sys", "/dev", "/run", "/boot")


class BoundFolder(BaseModel):
    """A folder of the host, shown read-only at a place in the sandbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    """An absolute path on the host."""
    place: str = "/target"
    """``/target``, ``/data``, or a folder below one of them."""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        place = PurePosixPath(self.place)
        parts = place.parts
        if str(place) != self.place or ".." in parts or parts[:1] != ("/",):
            raise ValueError(f"{self.place!r} is no plain absolute path")
        if len(parts) < 2 or parts[1] not in _ROOMS:
            raise ValueError(f"{self.place!r}: folders are shown below /target or /data only")
        source = Path(self.source)
        if not source.is_absolute() or not source.is_dir():
            raise ValueError(f"{self.source!r} is no folder with an absolute path")
        real = source.resolve()
        never = {Path(path) for path in _NEVER} | {Path.home().resolve()}
        if any(real == path or path.is_relative_to(real) for path in never) or any(
            real.is_relative_to(path) for path in _NEVER_BELOW
        ):
            raise ValueError(f"{self.source!r} would show the host to the sandbox")
        return self


class BubblewrapConfig(BaseModel):
    """Configuration of the sandbox ``bwrap``: ``sandbox=SandboxEnvironmentSpec("bwrap", ...)``.

    Frozen, because Inspect keeps one start for each distinct configuration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    binds: tuple[BoundFolder, ...] = ()
    memory_mb: int = Field(default=2048, ge=64, le=1 << 20)
    """Resident memory of everything in the sandbox."""
    disk_mb: int = Field(default=512, ge=16, le=1 << 20)
    """All that is written: it is kept in memory, beside ``memory_mb``."""
    file_mb: int = Field(default=256, ge=1, le=1 << 20)
    processes: int = Field(default=256, ge=8, le=4096)
    cpu_s: float = Field(default=4 * 3600.0, gt=0)
    """Processor time of everything that runs in the sandbox."""
    wall_s: float = Field(default=12 * 3600.0, gt=0)
    """From its start to its end."""

    @model_validator(mode="after")
    def _places_are_apart(self) -> Self:
        places = [PurePosixPath(bind.place) for bind in self.binds]
        for one in range(len(places)):
            for other in range(len(places)):
                if one != other and places[one].is_relative_to(places[other]):
                    raise ValueError(f"{places[one]} lies in {places[other]}: show it elsewhere")
        return self

    @classmethod
    def from_file(cls, path: Path) -> BubblewrapConfig:
        """Read the same keys from a TOML file.  Raises ``ValueError`` or ``OSError``."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))

    def as_limits(self) -> RoomLimits:
        """The limits as a room takes them."""
        return RoomLimits(
            cpu_s=self.cpu_s,
            wall_s=self.wall_s,
            memory_bytes=self.memory_mb * _MEGABYTE,
            processes=self.processes,
            file_bytes=self.file_mb * _MEGABYTE,
            disk_bytes=self.disk_mb * _MEGABYTE,
        )

    def as_binds(self) -> list[Bind]:
        """The folders as bubblewrap takes them, links followed."""
        return [Bind(Path(bind.source).resolve(), bind.place) for bind in self.binds]
