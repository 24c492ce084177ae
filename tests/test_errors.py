"""The error family: what its members say, and what they survive."""

from __future__ import annotations

import pickle

from clearhouse.errors import Invalid


def test_invalid_leads_with_file_and_key() -> None:
    error = Invalid("expected a version", where="proof.toml", key="[target] fixed")
    assert str(error) == "proof.toml: [target] fixed: expected a version"


def test_invalid_without_place_is_only_its_message() -> None:
    assert str(Invalid("expected a bundle")) == "expected a bundle"


def test_errors_cross_processes_whole() -> None:
    error = Invalid("expected a version", where="proof.toml", key="[target] fixed")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.where, copy.key) == (str(error), "proof.toml", "[target] fixed")
