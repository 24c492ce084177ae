"""Signatures that receivers of Standard Webhooks check."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid, Refused
from clearhouse.formats.standard_webhooks import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    check,
    headers,
    new_secret,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_the_example_of_the_specification_has_its_signature() -> None:
    # Standard Webhooks, "Signature scheme", the example of its reference libraries' tests.
    at = datetime.fromtimestamp(1614265330, UTC)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', [secret])
    assert made[SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert made[TIMESTAMP] == "1614265330"


@given(st.binary(max_size=200))
def test_whoever_has_either_secret_accepts_and_nobody_else_does(body: bytes) -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    made = headers("NM-1", NOW, body, [new, old])
    for secret in (old, new):
        check(made, body, secret, now=NOW)
    with pytest.raises(Refused, match="not signed"):
        check(made, body, other, now=NOW)
    with pytest.raises(Refused, match="not signed"):
        check(made, body + b" ", old, now=NOW)
    with pytest.raises(Refused, match="not signed"):
        check(made | {ID: "NM-2"}, body, old, now=NOW)


def test_what_is_old_is_a_replay() -> None:
    secret = new_secret()
    made = headers("NM-1", NOW, b"", [secret])
    check(made, b"", secret, now=NOW + timedelta(minutes=5))
    with pytest.raises(Refused, match="too old"):
        check(made, b"", secret, now=NOW + timedelta(minutes=6))
    with pytest.raises(Refused, match="no time"):
        check(made | {TIMESTAMP: "soon"}, b"", secret, now=NOW)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_!!", base64.b64encode(bytes(32)).decode(),
     "whsec_" + base64.b64encode(bytes(23)).decode(),
     "whsec_" + base64.b64encode(bytes(65)).decode()],
)  # fmt: skip
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(Invalid):
        headers("NM-1", NOW, b"", [secret])
