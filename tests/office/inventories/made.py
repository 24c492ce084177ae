"""Documents of feeds, as they are read from files."""

from __future__ import annotations

import json
from typing import Any

from clearhouse.exposure.documents import ALL, Document, of_json


def documented(content: dict[str, Any]) -> Document:
    """The one document that this is."""
    [found] = of_json(json.dumps(content).encode(), "made.json", ALL)
    assert isinstance(found, Document), found
    return found
