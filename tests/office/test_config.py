"""What an office is told by its environment is understood, or the variable is named."""

from __future__ import annotations

import pytest

from clearhouse.errors import Invalid
from clearhouse.office.config import Config

_HOME = {"CLEARHOUSE_HOME": "/nowhere"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLEARHOUSE_URL", "office.example"),
        ("CLEARHOUSE_GATEWAY_URL", "gateway.example"),
        ("CLEARHOUSE_DATABASE", "mysql://host/name"),
        ("CLEARHOUSE_DATABASE", "postgresql://host:abc/name"),
        ("CLEARHOUSE_SECOND_FACTOR", "never"),
        ("CLEARHOUSE_MAIL", "host:abc"),
        ("CLEARHOUSE_MAIL", ":25"),
        ("CLEARHOUSE_BEHIND_PROXY", "yes"),
        ("CLEARHOUSE_CNA_ORG_ID", "us"),
    ],
)
def test_a_wrong_value_is_told_with_the_variables_name(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        Config.of(_HOME | {name: value})


def test_mail_goes_to_port_25_where_none_is_named() -> None:
    assert Config.of(_HOME | {"CLEARHOUSE_MAIL": "relay"}).mail == ("relay", 25)
    assert Config.of(_HOME | {"CLEARHOUSE_MAIL": "relay:587"}).mail == ("relay", 587)
    assert Config.of(_HOME).mail is None


@pytest.mark.parametrize(("value", "means"), [("1", True), ("0", False), ("", False)])
def test_only_a_plain_yes_trusts_what_a_request_says_of_its_address(
    value: str, *, means: bool
) -> None:
    found = Config.of(_HOME | {"CLEARHOUSE_BEHIND_PROXY": value})
    assert found.is_behind_proxy is means


def test_the_gateway_is_where_it_listens_by_itself_on_one_machine_and_else_where_it_is_said() -> (
    None
):
    assert Config.of(_HOME).gateway == "http://127.0.0.1:8700"
    public = _HOME | {"CLEARHOUSE_URL": "https://office.example"}
    assert Config.of(public).gateway == ""
    said = public | {"CLEARHOUSE_GATEWAY_URL": "https://models.office.example/"}
    assert Config.of(said).gateway == "https://models.office.example"
