"""Other tools' proofs become bundles that pass the door."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats.aixcc import TESTCASE_BYTES, PovSubmission
from clearhouse.proof.bundle import Language
from clearhouse.proof.convert import (
    Material,
    bundle_files,
    effect_of,
    language_of,
    material_of_pov,
)
from clearhouse.proof.door import parse_archive
from clearhouse.proof.effects import Effect
from clearhouse.proof.zips import write_zip

HARNESS = b"int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return 0; }\n"


def submission(**changes: Any) -> bytes:
    plain = {
        "testcase": base64.b64encode(b"AAAA").decode(),
        "fuzzer_name": "parse_fuzzer",
        "sanitizer": "address",
        "architecture": "x86_64",
        "engine": "libfuzzer",
    }
    return json.dumps({k: v for k, v in (plain | changes).items() if v is not None}).encode()


def test_a_submission_is_read() -> None:
    pov = PovSubmission.from_json(submission(), where="pov.json")
    assert (pov.testcase, pov.fuzzer_name, pov.sanitizer) == (b"AAAA", "parse_fuzzer", "address")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"testcase": None}, "testcase"),
        ({"testcase": "not base64!"}, "testcase"),
        ({"testcase": base64.b64encode(bytes(TESTCASE_BYTES + 1)).decode()}, "testcase"),
        ({"fuzzer_name": 7}, "fuzzer_name"),
        ({"sanitizer": "thread"}, "sanitizer"),
        ({"architecture": "arm64"}, "architecture"),
        ({"engine": "afl"}, "engine"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_submission_names_its_key(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(Invalid) as error:
        PovSubmission.from_json(submission(**changes), where="pov.json")
    assert (error.value.where, error.value.key) == ("pov.json", key)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_submission_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Invalid):
        PovSubmission.from_json(raw, where="pov.json")


@pytest.mark.parametrize(
    ("name", "language", "effect"),
    [
        ("crash-da39a3", Language.C, Effect.CRASH),
        ("crash-da39a3", Language.PYTHON, Effect.EXCEPTION),
        ("timeout-1", Language.CPP, Effect.HANG),
        ("oom-1", Language.C, Effect.MEMORY),
        ("input-1", Language.C, None),
    ],
)
def test_the_fuzzers_file_name_says_the_effect(
    name: str, language: Language, effect: Effect | None
) -> None:
    assert effect_of(name, language) is effect


def test_a_harness_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Invalid):
        language_of("harness.rb")


@given(
    title=st.text(min_size=1, max_size=60).filter(
        lambda t: t.isprintable() and t.strip() == t and t
    ),
    poc=st.binary(min_size=1, max_size=64),
)
def test_what_is_written_is_what_the_door_reads(title: str, poc: bytes) -> None:
    material = Material(
        id="CRS-1", title=title, effect=Effect.CRASH, harness_name="fuzz.c", harness=HARNESS,
        poc=poc, controls=[b"\0benign\0"], purl="pkg:pypi/example@1.0", fixed="1.1",
    )  # fmt: skip
    files, bundle = bundle_files(material)
    again = parse_archive(write_zip(files), where="bundle.zip")
    assert again.digest == bundle.digest
    assert (again.title, again.pocs[0].data, again.target.fixed) == (title, poc, "1.1")


def test_shipped_source_and_its_build_come_along() -> None:
    material = Material(
        id="CRS-2", title="overflow", effect=Effect.CRASH, harness_name="fuzz.c", harness=HARNESS,
        poc=b"A", controls=[b"B"], source_name="src.tar.gz", source=b"archive", build=("make",),
    )  # fmt: skip
    files, bundle = bundle_files(material)
    assert files["src.tar.gz"] == b"archive"
    assert (bundle.target.source, bundle.target.build) == ("src.tar.gz", ("make",))


def test_a_proof_of_vulnerability_becomes_a_bundle_with_the_harness_of_its_name() -> None:
    pov = PovSubmission.from_json(submission(), where="0f7c.json")
    harnesses = {"other": ("other.py", b"x"), "parse_fuzzer": ("fuzz/parse.c", HARNESS)}
    material = material_of_pov(pov, harnesses, purl="pkg:pypi/example@1.0", finder="Example CRS")
    _, bundle = bundle_files(material)
    assert (bundle.effect, bundle.harness.file) == (Effect.CRASH, "parse.c")
    assert (bundle.id, bundle.pocs[0].data, bundle.finder) == ("0f7c", b"AAAA", "Example CRS")


def test_a_harness_nobody_gave_is_asked_for_by_name() -> None:
    pov = PovSubmission.from_json(submission(), where="0f7c.json")
    with pytest.raises(Invalid, match="did you mean 'parse_fuzz'") as error:
        material_of_pov(pov, {"parse_fuzz": ("parse.c", HARNESS)})
    assert error.value.key == "fuzzer_name"
