"""Where a callable comes from, whatever type Python gave it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from clearhouse.proof.warden.homes_python import Homes, Whose

METHODS: dict[str, Callable[..., Any]] = {
    "builtins.str.lower": "A".lower,
    "builtins.dict.fromkeys": dict.fromkeys,
    "re.Pattern.search": re.compile("a").search,
    "zlib.Decompress.decompress": zlib.decompressobj().decompress,
    "zlib.Compress.compress": zlib.compressobj().compress,
    "builtins.len": len,
}


@pytest.mark.parametrize("name", METHODS)
def test_a_compiled_method_is_its_class_s_even_when_it_is_told_its_class(name: str) -> None:
    home = Homes(("target",), "/harness/harness.py").of(METHODS[name])
    assert (home.whose, home.full, home.native) == (Whose.STANDARD, name, True)


def test_a_call_spelled_as_a_method_is_that_of_what_is_called() -> None:
    home = Homes(("target",), "/harness/harness.py").of(re.compile("a").search.__call__)  # type: ignore[operator]
    assert home.full == "re.Pattern.search"
