"""Other tools' proofs as bundles: a fuzzer's crash file, a reasoning system's submission.  Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clearhouse.errors import Invalid
from clearhouse.formats.aixcc import PovSubmission
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.effects import Effect
from clearhouse.proof.manifest import FORMAT, MANIFEST, parse_bundle
from clearhouse.proof.members import shown
from clearhouse.proof.tables import TEXT_CHARACTERS, nearest

#: libFuzzer names what it found by a prefix of the file (``Fuzzer::WriteUnitToFileWithPrefix``).
EFFECT_OF_PREFIX: Final = {
    "crash-": Effect.CRASH,
    "timeout-": Effect.HANG,
    "slow-unit-": Effect.HANG,
    "oom-": Effect.MEMORY,
}
#: What the weakness is as long as nobody has looked: CWE-119, CWE-400, CWE-755.
_WEAKNESS: Final = {Effect.CRASH: 119, Effect.HANG: 400, Effect.MEMORY: 400, Effect.EXCEPTION: 755}
_EXTENSIONS: Final = {
    ".py": Language.PYTHON,
    ".js": Language.JAVASCRIPT,
    ".cjs": Language.JAVASCRIPT,
    ".mjs": Language.JAVASCRIPT,
    ".c": Language.C,
    ".cc": Language.CPP,
    ".cpp": Language.CPP,
    ".cxx": Language.CPP,
}
_WHERE: Final = "the converted bundle"


@dataclass(frozen=True, slots=True)
class Material:
    """What a conversion is made of; names are those of the files it came from."""

    id: str
    title: str
    effect: Effect
    harness_name: str
    harness: bytes
    poc: bytes
    controls: Sequence[bytes]
    purl: str | None = None
    fixed: str | None = None
    source_name: str | None = None
    source: bytes | None = None
    build: Sequence[str] = ()
    finder: str | None = None


def effect_of(crash_name: str, language: Language) -> Effect | None:
    """The effect that libFuzzer's file name states; a crash of an interpreter is an exception."""
    for prefix, effect in EFFECT_OF_PREFIX.items():
        if crash_name.startswith(prefix):
            if effect is Effect.CRASH and not language.is_native:
                return Effect.EXCEPTION
            return effect
    return None


def effect_of_pov(language: Language) -> Effect:
    """What a reasoning system's proof shows: its sanitizer crashes, an interpreter raises."""
    return Effect.CRASH if language.is_native else Effect.EXCEPTION


def material_of_pov(
    pov: PovSubmission,
    harnesses: Mapping[str, tuple[str, bytes]],
    *,
    title: str | None = None,
    controls: Sequence[bytes] = (),
    purl: str | None = None,
    finder: str | None = None,
) -> Material:
    """What a bundle is made of for one proof of vulnerability.

    ``harnesses`` gives the file name and source of each harness by the name that the task has for
    it.  Without ``controls`` the control is one line break: one of the poc's kind proves more.
    Raises :class:`Invalid` where the proof's harness is not among them.
    """
    if pov.fuzzer_name not in harnesses:
        near = nearest(pov.fuzzer_name, tuple(harnesses))
        hint = f"; did you mean {shown(near)}?" if near else ""
        raise Invalid(
            f"no source of the harness {shown(pov.fuzzer_name)} was given{hint}",
            where=pov.id or None, key="fuzzer_name",
        )  # fmt: skip
    file, source = harnesses[pov.fuzzer_name]
    effect = effect_of_pov(language_of(file))
    return Material(
        id=pov.id or pov.fuzzer_name[:TEXT_CHARACTERS],
        title=title or f"{effect} found by a reasoning system in {pov.fuzzer_name}",
        effect=effect,
        harness_name=file,
        harness=source,
        poc=pov.testcase,
        controls=controls or (b"\n",),
        purl=purl,
        finder=finder,
    )


def language_of(harness_name: str) -> Language:
    """The language of a harness by its file's ending.  Raises :class:`Invalid` for others."""
    match = re.search(r"\.\w+$", harness_name)
    language = _EXTENSIONS.get(match[0].lower()) if match else None
    if language is None:
        raise Invalid(
            f"expected a file ending in {', '.join(_EXTENSIONS)}",
            where=harness_name,
            key="--harness",
        )
    return language


def bundle_files(material: Material) -> tuple[dict[str, bytes], Bundle]:
    """The files of the bundle, and the bundle that the door makes of them.

    Raises :class:`Invalid` when the material cannot be one.
    """
    name = material.harness_name.rpartition("/")[2]
    controls = list(dict.fromkeys(material.controls))
    files: dict[str, bytes] = {name: material.harness, "poc.bin": material.poc}
    names = []
    for number, control in enumerate(controls, 1):
        names.append(f"control-{number}.bin")
        files[names[-1]] = control
    if material.source is not None and material.source_name is not None:
        files[material.source_name] = material.source
    files[MANIFEST] = _manifest(material, name, names).encode()
    return files, parse_bundle(files, where=_WHERE)


def _manifest(material: Material, harness: str, controls: Sequence[str]) -> str:
    proof: dict[str, object] = {
        "format": FORMAT, "id": material.id, "title": material.title,
        "effect": material.effect.value, "cwe": [_WEAKNESS.get(material.effect, 20)],
    }  # fmt: skip
    if material.finder:
        proof["finder"] = material.finder
    stated = {
        "purl": material.purl,
        "fixed": material.fixed,
        "source": material.source_name,
        "build": list(material.build),
    }
    target = {key: value for key, value in stated.items() if value}
    sections: Mapping[str, Mapping[str, object]] = {
        "proof": proof,
        "target": target,
        "harness": {"language": language_of(harness).value, "file": harness},
        "input": {"poc": "poc.bin", "controls": list(controls)},
    }
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
        for name, table in sections.items()
    )


def _toml(value: object) -> str:
    # JSON's texts, numbers and lists are TOML's too, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
