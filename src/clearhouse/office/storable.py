"""Text from outside as every database takes it.

PostgreSQL stores neither NUL nor lone surrogates, which JSON can say (RFC 8259, section 8.2): what
comes in with one is kept, and shows that something was there.
"""

from __future__ import annotations

import re
from typing import Any, Final

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_SHOWN: Final = "\ufffd"


def storable(text: str) -> str:
    """The text with a replacement character for what no database stores."""
    return _UNSTORABLE.sub(_SHOWN, text)


def storable_json(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same for each text in what JSON can say."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list | tuple):
        return [storable_json(one) for one in value]
    if isinstance(value, dict):
        return {storable(str(key)): storable_json(one) for key, one in value.items()}
    return value
