"""The OpenAPI document is true: requests made up from it are answered as it says."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from clearhouse.office.api.root import api
from clearhouse.office.cases.actions.opening import place
from clearhouse.office.cases.models import Case
from clearhouse.office.findings.actions import decide
from clearhouse.office.findings.models import Finding
from clearhouse.protocol.roles import Role
from tests.office.api.caller import caller, key_for, said
from tests.office.security import reviewing
from tests.office.story import NOW, packed

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    # Of a form that is cut off Django keeps the files until they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_EXAMPLES = 8


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What was kept is collected here, where its warning is expected, and not in another test."""
    yield
    gc.collect()


_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_ENOUGH = settings(
    max_examples=_EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)


def _operations() -> list[tuple[str, str]]:
    document = api.get_openapi_schema(path_prefix="/api/")
    return [(path, method) for path, item in document["paths"].items() for method in item]


@schemathesis.serializer("application/x-ndjson")
def _lines(context: Any, value: Any) -> bytes:
    """Any text: the door says of each line what is wrong with it."""
    return str(value).encode("utf-8", "surrogatepass")


@cache
def _schema() -> Any:
    return schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application())


_OFFICE: Final = ""


def _scene() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """A case with a proven finding, and a review with a grant: keys and names by their room."""
    finder, office = caller("hexfind", Role.FINDER), caller("office", Role.COORDINATOR)
    data = packed("CVE-2019-14853")
    name = said(finder.post("/findings", data, kind="application/gzip"), 201)["name"]
    document = {
        "digest": "sha256:0", "grade": "crash", "reason": "", "signature": "s1", "proven": True,
        "runs": [],
    }  # fmt: skip
    decide(name, document, now=NOW)
    Finding.objects.filter(name=name).update(verdict="")
    place(name, now=NOW)
    there = reviewing.build()
    developer = key_for(there.people["developer"])
    return {_OFFICE: office.key, "reviews": developer}, {
        "findings": {"name": name},
        "cases": {"name": Case.objects.get().name},
        "reviews": there.names | {"name": there.names["review"]},
    }


@pytest.mark.parametrize(("path", "method"), _operations())
def test_what_is_made_up_from_the_document_is_answered_as_it_says(path: str, method: str) -> None:
    keys, names = _scene()
    operation = _schema()[path][method.upper()]
    room = path.split("/")[2]
    there = names.get(room, {})
    real: dict[str, Any] | None = {
        one: there[one] for one in re.findall(r"\{(\w+)\}", path) if one in there
    } or None
    headers = {"Authorization": f"Bearer {keys.get(room, keys[_OFFICE])}"}
    for known in (None, real):

        @_ENOUGH
        @given(case=operation.as_strategy(path_parameters=known))
        def ask(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=_CHECKS)

        ask()
        if real is None:
            break
