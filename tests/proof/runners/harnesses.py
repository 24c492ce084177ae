"""Harnesses in C and small libraries for them, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.verdict import Verdict
from tests.proof.runners import box

pytestmark = pytest.mark.sandbox

C_HEAD = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
"""


def harness(body: str, *, before: str = "", head: str = C_HEAD, include: str = "box.h") -> str:
    """A harness whose entry point has this body."""
    entry = "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)"
    return f"{head}#include <{include}>\n{before}{entry}\n{{\n{body}\nreturn 0;\n}}\n"


def library(signature: str, body: str, *, head: str = "") -> dict[str, str]:
    """A target that is one function."""
    return {
        "part.h": f"#include <stddef.h>\n{signature};\n",
        "part.c": f'#include "part.h"\n{head}{signature}\n{{\n{body}\n}}\n',
    }


PART = "int part(const unsigned char *data, size_t size)"
CALL_PART = harness("part(data, size);", include="part.h")


def verdict(workshop: Workshop, text: str, **more: Any) -> Verdict:
    return prove(box.bundle(text, **more), workshop)


def where(found: Verdict) -> list[tuple[str, str]]:
    return [(frame.file, frame.name) for frame in found.judgement.frames]
