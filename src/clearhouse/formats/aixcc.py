"""A proof of vulnerability as the AI Cyber Challenge's competition API takes it.

``POST /v1/task/{task_id}/pov/`` of the finals' competition API (version 1.4): a JSON object with
the keys read here.  The harness that ``fuzzer_name`` names is the task's and not in it.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

from clearhouse.errors import Invalid

#: The competition refused larger inputs.
TESTCASE_BYTES: Final = 2 << 20
_KEYS: Final = {"testcase", "fuzzer_name", "sanitizer", "architecture", "engine"}
_REQUIRED: Final = ("testcase", "fuzzer_name", "sanitizer", "architecture")
SANITIZERS: Final = ("address", "undefined", "memory", "none")


@dataclass(frozen=True, slots=True)
class ProofOfVulnerability:
    """One submission: the input, the harness it is for, and how that was built."""

    testcase: bytes
    fuzzer_name: str
    sanitizer: str
    architecture: str
    engine: str

    @classmethod
    def from_json(cls, raw: bytes, *, where: str) -> ProofOfVulnerability:
        """Parse a submission.  Raises :class:`Invalid` with the key that is at fault."""
        try:
            found: Any = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"is not JSON: {error}", where=where) from None
        if not isinstance(found, dict):
            raise Invalid("expected one JSON object, a proof of vulnerability", where=where)
        for key in found:
            if key not in _KEYS:
                raise Invalid(
                    f"unknown key; known are {', '.join(sorted(_KEYS))}", where=where, key=str(key)
                )
        for key in _REQUIRED:
            if not isinstance(found.get(key), str) or not found[key]:
                raise Invalid("expected a text, which has to be there", where=where, key=key)
        engine = found.get("engine", "libfuzzer")
        if engine != "libfuzzer":
            raise Invalid(
                "expected libfuzzer, the only engine of the finals", where=where, key="engine"
            )
        if found["sanitizer"] not in SANITIZERS:
            raise Invalid(f"expected one of {', '.join(SANITIZERS)}", where=where, key="sanitizer")
        if found["architecture"] != "x86_64":
            raise Invalid("expected x86_64", where=where, key="architecture")
        try:
            testcase = base64.b64decode(found["testcase"], validate=True)
        except (binascii.Error, ValueError):
            raise Invalid("expected base64", where=where, key="testcase") from None
        if len(testcase) > TESTCASE_BYTES:
            raise Invalid(
                f"has {len(testcase)} bytes, more than {TESTCASE_BYTES}",
                where=where,
                key="testcase",
            )
        return cls(testcase, found["fuzzer_name"], found["sanitizer"], "x86_64", engine)
