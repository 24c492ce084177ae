"""Proofs that bring their target along: no registry is asked, and all of them show one flaw."""

from __future__ import annotations

from tests.proof.making import zip_of

_MANIFEST = """\
[proof]
format = 1
id = "{title}"
title = "{title}"
effect = "crash"
cwe = [787]

[target]
source = "target"
sources = ["*.c"]
include = ["."]

[harness]
language = "c"
file = "harness.c"

[input]
poc = "poc.txt"
controls = ["control.txt"]
"""
_HEADER = "#include <stddef.h>\n\nint last_of(const unsigned char *data, size_t size);\n"
_TARGET = """\
#include "last.h"
#include <stdlib.h>

int last_of(const unsigned char *data, size_t size) {
    unsigned char *room = malloc(16);
    for (size_t at = 0; at < size; at++)
        room[at] = data[at];
    int last = size ? room[size - 1] : 0;
    free(room);
    return last;
}
"""
_HARNESS = """\
#include "last.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    last_of(data, size);
    return 0;
}
"""


def bundle_of(title: str) -> bytes:
    """The archive of a proof with that title."""
    return zip_of(
        {
            "proof.toml": _MANIFEST.format(title=title).encode(),
            "harness.c": _HARNESS.encode(),
            "target/last.h": _HEADER.encode(),
            "target/last.c": _TARGET.encode(),
            "poc.txt": b"A" * 400,
            "control.txt": b"short",
        }
    )
