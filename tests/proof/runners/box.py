"""A small library in C with a real flaw, and bundles around it: what the native tests attack."""

from __future__ import annotations

from collections.abc import Mapping

from clearhouse.proof.bundle import Bundle
from clearhouse.proof.manifest import parse_bundle

HEADER = """\
#ifndef BOX_H
#define BOX_H
#include <stddef.h>
struct box;
struct box *box_new(void);
/* A record is a length, a name of that length, and a rest. Returns the length of the name. */
int box_read(struct box *box, const unsigned char *data, size_t size);
void box_each(struct box *box, void (*visit)(void *with, int value), void *with);
int box_sum(const unsigned char *data, size_t size);
int box_depth(const unsigned char *data, size_t size);
size_t box_length(const char *text);
void box_free(struct box *box);
extern int box_limit;
#endif
"""

SOURCE = """\
#include "box.h"
#include <stdlib.h>
#include <string.h>

struct box {
    char name[16];
    int count;
    int *values;
};

int box_limit = 64;

struct box *box_new(void)
{
    struct box *box = calloc(1, sizeof *box);
    box->values = calloc(4, sizeof *box->values);
    return box;
}

int box_read(struct box *box, const unsigned char *data, size_t size)
{
    if (size < 1 || data[0] >= size || data[0] > box_limit)
        return -1;
    memcpy(box->name, data + 1, data[0]); /* the flaw: a name may be longer than 16 */
    for (box->count = 0; box->count < 4; box->count++)
        box->values[box->count] = data[0];
    return data[0];
}

void box_each(struct box *box, void (*visit)(void *, int), void *with)
{
    for (int i = 0; i < box->count; i++)
        visit(with, box->values[i]);
}

int box_sum(const unsigned char *data, size_t size)
{
    int sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return sum;
}

int box_depth(const unsigned char *data, size_t size)
{
    volatile char room[256];
    room[0] = 1;
    if (size == 0 || data[0] != '(')
        return 0;
    return room[0] + box_depth(data + 1, size - 1);
}

size_t box_length(const char *text)
{
    size_t length = 0;
    while (text[length] != '\\0')
        length++;
    return length;
}

void box_free(struct box *box)
{
    free(box->values);
    free(box);
}
"""

MANIFEST = """\
[proof]
format = 1
id = "BOX-1"
title = "A name that is too long is copied past its field"
effect = "{effect}"
cwe = [787]

[target]
source = "src"
{target}
[harness]
language = "{language}"
file = "{file}"

[input]
poc = "poc.bin"
controls = ["control.bin"]
{expect}"""

HONEST = """\
#include <stdint.h>
#include <box.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct box *box = box_new();
    box_read(box, data, size);
    box_free(box);
    return 0;
}
"""

CONTROL = bytes([4]) + b"name and a rest that is longer than the name itself"
POC = bytes([60]) + b"n" * 63


def bundle(
    harness: str,
    *,
    poc: bytes = POC,
    control: bytes = CONTROL,
    effect: str = "crash",
    target: str = "",
    expect: str = "",
    language: str = "c",
    source: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
) -> Bundle:
    """A bundle that ships the library and a harness for it."""
    file = "harness.c" if language == "c" else "harness.cc"
    manifest = MANIFEST.format(
        effect=effect, target=target, language=language, file=file, expect=expect
    )
    texts = {
        "proof.toml": manifest,
        file: harness,
        **{f"src/{n}": t for n, t in (source or {"box.h": HEADER, "box.c": SOURCE}).items()},
        **(more or {}),
    }
    files = {name: text.encode() for name, text in texts.items()}
    return parse_bundle({**files, "poc.bin": poc, "control.bin": control}, where="bundle")
