"""Plans: what they refuse, and that they come back as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clearhouse.benchmark.plan import Budgets, Plan, family_minima, make_plan
from clearhouse.errors import Invalid
from clearhouse.ledger.entry import canonical
from tests.benchmark.banks import bank, contents, plan, terms


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"construct": " "}, "says in words"),
        ({"region_ppm": 0}, "has a width"),
        ({"threshold_ppm": 100_000}, "between nothing and all"),
        ({"discount": 1001}, "1 to 1000"),
        ({"least": 4}, "minima exceed the minimum"),
        ({"most": 7}, "at least one item"),
        ({"among": 0}, "among one or more"),
        ({"seeds": "no"}, "64 hex digits"),
        ({"level": 4}, "a knowledge level"),
        ({"slots": 0}, "slots"),
        ({"most_set_aside": -1}, "not negative"),
        ({"least_of": {"heap": -1}}, "not negative"),
        ({"harness": {"\u00e9": "1"}}, "named in ASCII"),
    ],
)
def test_terms_that_contradict_themselves_are_refused(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        terms(**changed)


def test_terms_that_do_not_fit_the_bank_are_refused() -> None:
    with pytest.raises(Invalid, match="more items at most"):
        make_plan(terms(most=41), bank(), contents(bank()))
    with pytest.raises(Invalid, match="has fewer than 20"):
        make_plan(terms(least=30, least_of={"parser": 20}), bank(), contents(bank()))
    with pytest.raises(Invalid, match="at least one attempt"):
        Budgets(1, 1, 1, 0, 1)
    with pytest.raises(Invalid, match="none"):
        Budgets(2**53, 1, 1, 1, 1)


def test_a_plan_is_made_of_the_items_of_its_bank_and_of_no_others() -> None:
    assert plan().contents == contents(bank())
    less = contents(bank())
    less.pop("item-007")
    with pytest.raises(Invalid, match="'item-007' is not among the items"):
        make_plan(terms(), bank(), less)
    more = {**contents(bank()), "another": "sha256:" + "0" * 64}
    with pytest.raises(Invalid, match="'another' is not in the bank"):
        make_plan(terms(), bank(), more)


def test_a_plan_knows_its_items_by_their_content() -> None:
    plan().check_contents({**contents(bank()), "another": "sha256:" + "0" * 64})
    with pytest.raises(Invalid, match="'item-003' is not the planned one"):
        plan().check_contents({**contents(bank()), "item-003": "sha256:" + "0" * 64})
    less = contents(bank())
    less.pop("item-007")
    with pytest.raises(Invalid, match="'item-007' is not there"):
        plan().check_contents(less)


def test_minima_follow_the_families_sizes() -> None:
    assert family_minima(bank(), 20) == {"heap": 13, "parser": 7}
    assert family_minima(bank(), 1, least=2) == {"heap": 2, "parser": 2}


def test_a_plan_comes_back_as_it_was_and_holds_integers_and_texts_only() -> None:
    assert Plan.parse(bytes(plan()), "plan.json") == plan()

    def check(value: object) -> None:
        if isinstance(value, dict):
            for one in value.values():
                check(one)
        elif isinstance(value, list):
            for one in value:
                check(one)
        else:
            assert type(value) in {int, str}

    check(json.loads(bytes(plan())))


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (lambda one: one.pop("bank"), "plan.json: bank: has to be there"),
        (lambda one: one.update(format="other"), "expected the format clearhouse-plan/1"),
        (lambda one: one["terms"].pop("alpha_ppm"), "terms.alpha_ppm: has to be there"),
        (lambda one: one["terms"]["budgets"].update(tokens="1"), "terms.budgets.tokens"),
        (lambda one: one["items"][2].update(solved=1.5), "items[2].solved: expected an integer"),
        (lambda one: one["items"][2].update(solved=-1), "would count against it"),
        (lambda one: one["items"].append(one["items"][0]), "stands twice"),
        (lambda one: one["items"][2].update(content="sha256:0"), "'item-002' is sha256: and 64"),
        (lambda one: one["items"][2].pop("content"), "items[2].content: has to be there"),
        (lambda one: one.update(covered=-1), "both sides"),
        (lambda one: one.update(low=10**9), "not in order"),
        (lambda one: one.update(bank="sha1:0"), "digest"),
    ],
)
def test_a_document_that_is_no_plan_is_refused_with_its_place(edit: Any, place: str) -> None:
    document = json.loads(bytes(plan()))
    edit(document)
    with pytest.raises(Invalid) as refused:
        Plan.parse(canonical(document), "plan.json")
    assert str(refused.value).startswith("plan.json: ")
    assert place in str(refused.value)
