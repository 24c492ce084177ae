"""Duplicates: the same flaw by another harness, entry point and version has the same signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearhouse.proof.bundle import Bundle, digest_of
from clearhouse.proof.door import open_bundle
from clearhouse.proof.duplicates import group
from clearhouse.proof.effects import Effect
from clearhouse.proof.observation import Stack
from clearhouse.proof.prove import prove
from clearhouse.proof.runners.choose import Workshop
from clearhouse.proof.signature import signature
from tests.proof.seen import harness, library, target

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "proofs"


def sign(stack: Stack, effect: Effect = Effect.EXCEPTION, kind: str = "ValueError") -> str:
    return signature(effect, "pkg:pypi/pkg", kind, [stack], [f for f in stack if f.package])


def test_line_shifts_and_callers_do_not_matter() -> None:
    one = (target("inner", 10, "x = a[i]"), target("outer", 50), harness(3))
    two = (target("inner", 17, "x = a[i]"), target("other", 70), target("more", 9), harness(8))
    assert sign(one) == sign(two)


@pytest.mark.parametrize(
    "other",
    [
        ((target("inner", 10, "y = b[j]"), harness()), Effect.EXCEPTION, "ValueError"),
        ((target("another", 10, "x = a[i]"), harness()), Effect.EXCEPTION, "ValueError"),
        ((target("inner", 10, "x = a[i]"), harness()), Effect.EXCEPTION, "KeyError"),
        ((target("inner", 10, "x = a[i]"), harness()), Effect.CRASH, ""),
    ],
)
def test_another_place_statement_effect_or_kind_is_another_flaw(
    other: tuple[Stack, Effect, str],
) -> None:
    assert sign((target("inner", 10, "x = a[i]"), harness())) != sign(*other)


def test_where_a_recursion_is_cut_off_is_chance() -> None:
    cycle = [target("parse_list", 1), target("parse_item", 2)]
    deep = tuple(cycle * 20)
    cut = (library(), target("compare", 9), *deep[1:])
    assert sign((*deep, harness())) == sign((*cut, harness()))


def test_samples_of_a_hang_meet_in_the_loop_and_not_in_what_it_calls() -> None:
    stacks: list[Stack] = [
        (target(name, 5), target("loop", 20), target("entry", 30), harness()) for name in "abc"
    ]
    other: list[Stack] = [
        (target(name, 6), target("loop", 21), target("api", 1), harness()) for name in "bca"
    ]
    first, second = (
        signature(Effect.HANG, "pkg:pypi/pkg", "", stacks, ()) for stacks in (stacks, other)
    )
    assert first == second


def verdict(name: str, mark: str | None, **changes: Any) -> tuple[str, dict[str, Any]]:
    plain = {
        "signature": mark, "target": "pkg:pypi/pkg@1.0", "reason": "because",
        "bundle": {"digest": name},
        "effect": {
            "kind": "crash", "observed": {}, "attributed_to": [{"file": "a.c", "function": "f"}],
        },
    }  # fmt: skip
    return name, plain | changes


def test_every_pair_has_its_reason_and_unproven_ones_join_nothing() -> None:
    found = group(
        [
            verdict("a", "s1"),
            verdict("b", "s1"),
            verdict("c", "s2", target="pkg:npm/x@1"),
            verdict("d", None),
        ]
    )
    assert found.groups == (("a", "b"), ("c",))
    assert [(p.first, p.second, p.joined) for p in found.pairs] == [
        ("a", "b", True), ("a", "c", False), ("b", "c", False),
    ]  # fmt: skip
    assert all(p.why for p in found.pairs)
    assert found.unproven == (("d", "because"),)


OTHER_HARNESSES = {
    "CVE-2019-14853": (
        "0.13",
        "import ecdsa.util\n"
        "def TestOneInput(data):\n"
        "    r, s = ecdsa.util.sigdecode_der(data, ecdsa.NIST192p.order)\n"
        "    return str(r)\n",
    ),
    "CVE-2026-30922": (
        "0.6.1",
        "import io\n"
        "from pyasn1.codec.ber.decoder import StreamingDecoder\n"
        "from pyasn1.error import PyAsn1Error\n"
        "def TestOneInput(data):\n"
        "    try:\n"
        "        for value in StreamingDecoder(io.BytesIO(data)):\n"
        "            pass\n"
        "    except PyAsn1Error:\n"
        "        pass\n",
    ),
    "CVE-2024-5569": (
        "3.18.2",
        "import io, zipfile\n"
        "from zipp import CompleteDirs\n"
        "def TestOneInput(data):\n"
        "    return CompleteDirs.make(zipfile.ZipFile(io.BytesIO(data))).namelist()\n",
    ),
}


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


def with_other_harness(bundle: Bundle, version: str, code: str) -> Bundle:
    files = {**bundle.files, bundle.harness.file: code.encode()}
    assert bundle.target.purl is not None
    attacked = replace(bundle.target, purl=bundle.target.purl._replace(version=version))
    return replace(bundle, files=files, digest=digest_of(files), target=attacked)


@pytest.mark.sandbox
@pytest.mark.network
@pytest.mark.parametrize("name", sorted(OTHER_HARNESSES))
def test_another_harness_on_a_neighbouring_version_proves_the_same_flaw(
    name: str, workshop: Workshop
) -> None:
    bundle = open_bundle(SAMPLES / name)
    other = with_other_harness(bundle, *OTHER_HARNESSES[name])
    first, second = prove(bundle, workshop), prove(other, workshop)
    assert (first.grade.proven, second.grade.proven) == (True, True), second.judgement.reason
    assert first.judgement.signature == second.judgement.signature
