"""Which kinds of argument a call has: what poc and control must have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from clearhouse.proof.warden.gifts_python import Gifts
from clearhouse.proof.warden.homes_python import Homes


def evaluate(text: str, strict: bool = False, **variables: int) -> None: ...


def parse(text: str, strict: bool = False) -> None: ...


class Evaluator:
    def __init__(self, text: str, **variables: int) -> None: ...

    def run(self, text: str, *, strict: bool = False, **variables: int) -> None: ...


def wrapped(function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def wrapper(*args: Any, **named: Any) -> None:
        function(*args, **named)

    return wrapper


@pytest.fixture
def gifts() -> Gifts:
    homes = Homes(("target",), "/harness/harness.py")
    return Gifts(homes, "/harness/harness.py", ignore, ignore, "execute", 1 << 20, [False])


def ignore(*_: Any) -> Any: ...


@pytest.mark.parametrize(
    "function",
    [evaluate, wrapped(evaluate), Evaluator, Evaluator("").run],
    ids=["function", "wrapped", "class", "method"],
)
def test_names_that_a_function_takes_without_declaring_them_are_data(
    gifts: Gifts, function: Callable[..., None]
) -> None:
    with_poc = gifts.kinds(function, ("x",), {"__class__": 1, "system": 2})
    assert with_poc == gifts.kinds(function, ("x",), {"a": 1}) == ["str", "**=int"]
    assert with_poc != gifts.kinds(function, ("x",), {"a": None})


@pytest.mark.parametrize("function", [evaluate, parse, wrapped(parse), len, Evaluator("").run])
def test_an_option_that_is_declared_is_told_by_its_name(
    gifts: Gifts, function: Callable[..., None]
) -> None:
    assert gifts.kinds(function, (), {"strict": True}) == ["strict=bool"]


@pytest.mark.parametrize("function", [parse, wrapped(parse), len])
def test_other_functions_have_declared_all_names(
    gifts: Gifts, function: Callable[..., None]
) -> None:
    assert gifts.kinds(function, (), {"a": True}) != gifts.kinds(function, (), {"b": True})
