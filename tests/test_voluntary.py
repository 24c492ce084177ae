"""Nothing waits on a review: no part of clearhouse outside of it asks whether there was one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import clearhouse

PACKAGE: Final = Path(clearhouse.__file__).parent

#: What knows the state of a review.
OF_REVIEWS: Final = (
    "clearhouse.protocol.review",
    "clearhouse.protocol.window",
    "clearhouse.protocol.partners",
    "clearhouse.protocol.entitlement",
    "clearhouse.protocol.terms",
    "clearhouse.protocol.returning",
    "clearhouse.protocol.assessment",
    "clearhouse.office.reviews",
    "clearhouse.office.assessments",
    "clearhouse.office.access",
)
#: Who may know it: the review's own rules and rooms, and the gateway, which keeps to its end.
ITS_OWN: Final = (*OF_REVIEWS, "clearhouse.gateway", "clearhouse.cli.gateway")
#: Who names the room without asking it anything: addresses, the API's list, demonstration data.
LISTS: Final = {
    "clearhouse.office.urls",
    "clearhouse.office.api.root",
    "clearhouse.office.authorisation",
}
DEMONSTRATES: Final = ("clearhouse.office.demo", "clearhouse.office.demo_reviews")


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(("clearhouse", *path.relative_to(PACKAGE).with_suffix("").parts))
        yield name.removesuffix(".__init__"), ast.parse(path.read_text())


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _is_in(name: str, places: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in places)


def test_no_other_part_imports_what_knows_the_state_of_a_review() -> None:
    found = {
        f"{name}: {one}"
        for name, tree in _modules()
        if not _is_in(name, ITS_OWN) and name not in LISTS and not _is_in(name, DEMONSTRATES)
        for one in _imported(tree)
        if _is_in(one, OF_REVIEWS)
    }
    assert found == set()


def test_those_that_list_the_room_ask_it_nothing() -> None:
    allowed = {
        "clearhouse.office.reviews.api.router",
        "clearhouse.office.assessments.api.router",
        "clearhouse.office.access.api.router",
        # Who sees what in a review is decided in one place with all the rest.
        "clearhouse.protocol.partners.Part",
        "clearhouse.protocol.partners.ChoiceState",
        "clearhouse.protocol.review.ReviewState",
        "clearhouse.protocol.review.Side",
        "clearhouse.protocol.review.is_seen_by_others",
    }
    found = {
        one
        for name, tree in _modules()
        if name in LISTS
        for one in _imported(tree)
        if _is_in(one, OF_REVIEWS)
    }
    assert found <= allowed


def test_no_text_of_another_part_names_the_tables_of_reviews() -> None:
    found = {
        name
        for name, tree in _modules()
        if not _is_in(name, ITS_OWN)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.lower().startswith(("reviews.", "reviews_", "select ", "from reviews"))
        and "reviews" in node.value.lower()
    }
    assert found == set()
