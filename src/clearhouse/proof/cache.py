"""Where clearhouse keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """Return the folder of all of clearhouse's caches: $CLEARHOUSE_CACHE, or the XDG place."""
    if own := os.environ.get("CLEARHOUSE_CACHE"):
        return Path(own)
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "clearhouse"
    return Path.home() / ".cache" / "clearhouse"
