"""Help for a finder: the first files of a bundle, and a bundle as one file to send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from packageurl import PackageURL

from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.effects import (
    DEFAULT_CPU_SECONDS,
    DEFAULT_RSS_MB,
    EXPECT_KEYS,
    Effect,
)
from clearhouse.proof.manifest import FORMAT, MANIFEST, parse_bundle
from clearhouse.proof.zips import write_zip

#: What a first harness is called.
HARNESS_FILES: Final[dict[Language, str]] = {
    Language.PYTHON: "harness.py",
    Language.JAVASCRIPT: "harness.js",
    Language.C: "harness.c",
    Language.CPP: "harness.cc",
}

#: The language of a harness for a package of each registry, where the finder names none.
LANGUAGE_OF_TYPE: Final[dict[str, Language]] = {
    "pypi": Language.PYTHON,
    "npm": Language.JAVASCRIPT,
}

_HARNESSES: Final[dict[Language, str]] = {
    Language.PYTHON: '''\
import {module}


def TestOneInput(data: bytes) -> None:
    """Hand the input to {module}: the same call for the poc and for every control."""
    text = data.decode("utf-8", "replace")
    {module}.parse(text)
''',
    Language.JAVASCRIPT: """\
const target = require('{name}');

// Hand the input to the target: the same call for the poc and for every control.
module.exports.fuzz = function (data) {{
  target.parse(data.toString());
}};
""",
    Language.C: """\
#include <stddef.h>
#include <stdint.h>

#include "{module}.h"

/* Hand the input to the target: the same call for the poc and for every control. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {{
  {module}_parse(data, size);
  return 0;
}}
""",
    Language.CPP: """\
#include <cstddef>
#include <cstdint>

#include "{module}.h"

// Hand the input to the target: the same call for the poc and for every control.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {{
  {module}::parse(data, size);
  return 0;
}}
""",
}

_EXPECT: Final[dict[Effect, str]] = {
    Effect.HANG: f"{EXPECT_KEYS[Effect.HANG]} = {DEFAULT_CPU_SECONDS:g}",
    Effect.MEMORY: f"{EXPECT_KEYS[Effect.MEMORY]} = {DEFAULT_RSS_MB}",
    Effect.EXCEPTION: f'{EXPECT_KEYS[Effect.EXCEPTION]} = "RecursionError"',
}

_MANIFEST: Final = """\
[proof]
format = {format}
id = {id}
title = {title}
effect = "{effect}"
cwe = [{cwe}]

[target]
purl = "{purl}"
# fixed = "1.2.3"                    # the version in which you believe it fixed
# requires = ["pkg:pypi/name@1.2.3"] # further packages that the harness needs

[harness]
language = "{language}"
file = "{harness}"

[input]
poc = "poc.bin"                      # triggers the effect; a list where there are several
controls = ["control.bin"]           # of the same kind, and must not
{expect}"""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a finder knows at the start. ``purl`` has a version; ``cwe`` is a number."""

    id: str
    title: str
    effect: Effect
    cwe: int
    purl: PackageURL
    language: Language


def first_files(draft: Draft) -> dict[str, bytes]:
    """Return the files of a bundle for the finder to complete.

    They pass the door as they are: manifest, harness, one poc and one control, the last three to
    be replaced. Raises Invalid when the draft has values that no manifest may have, and KeyError
    for a language without a harness (see :data:`HARNESS_LANGUAGES`).
    """
    harness = HARNESS_FILES[draft.language]
    expect = _EXPECT.get(draft.effect)
    manifest = _MANIFEST.format(
        format=FORMAT,
        id=_quoted(draft.id),
        title=_quoted(draft.title),
        effect=draft.effect,
        cwe=draft.cwe,
        purl=draft.purl,
        language=draft.language,
        harness=harness,
        expect=f"\n[expect]\n{expect}\n" if expect else "",
    )
    name = f"{draft.purl.namespace}/{draft.purl.name}" if draft.purl.namespace else draft.purl.name
    code = _HARNESSES[draft.language].format(name=name, module=_module_name(draft.purl.name))
    files = {
        MANIFEST: manifest.encode(),
        harness: code.encode(),
        "poc.bin": b"the bytes that trigger the effect\n",
        "control.bin": b"harmless bytes of the same kind\n",
    }
    parse_bundle(files, where="the new bundle")
    return files


#: Languages for which :func:`first_files` has a harness.
HARNESS_LANGUAGES: Final = tuple(HARNESS_FILES)


def pack(bundle: Bundle) -> bytes:
    """Return the bundle as a zip archive, the same bytes for the same files on every machine."""
    return write_zip(bundle.files)


def summary(bundle: Bundle) -> dict[str, object]:
    """Return what a bundle claims, for people and programs; sizes in bytes."""
    target = bundle.target
    stated: Mapping[str, object] = {
        "purl": str(target.purl) if target.purl is not None else None,
        "source": target.source,
        "fixed": target.fixed,
        "requires": [str(purl) for purl in target.requires],
        "build": list(target.build),
        "sources": list(target.sources),
        "include": list(target.include),
        "defines": list(target.defines),
        "standard": target.standard,
    }
    expect: dict[str, object] = {}
    if bundle.effect is Effect.HANG:
        expect = {"cpu_seconds": bundle.expect.cpu_seconds}
    elif bundle.effect is Effect.MEMORY:
        expect = {"rss_mb": bundle.expect.rss_mb}
    elif bundle.effect is Effect.EXCEPTION:
        expect = {"type": bundle.expect.exception}
    return {
        "format": FORMAT,
        "id": bundle.id,
        "title": bundle.title,
        "effect": str(bundle.effect),
        "cwe": list(bundle.cwe),
        "finder": bundle.finder,
        "target": {key: value for key, value in stated.items() if value},
        "harness": {"language": str(bundle.harness.language), "file": bundle.harness.file},
        "pocs": [{"name": item.name, "bytes": len(item.data)} for item in bundle.pocs],
        "controls": [{"name": item.name, "bytes": len(item.data)} for item in bundle.controls],
        "expect": expect,
        "files": len(bundle.files),
        "digest": bundle.digest,
    }


def _quoted(text: str) -> str:
    # A TOML basic string: JSON's escapes are among its own, but DEL has to be escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _module_name(package: str) -> str:
    name = "".join(character if character.isalnum() else "_" for character in package)
    return name if not name[:1].isdigit() else f"_{name}"
