"""The API itself: every room's router, one way in, one form of error."""

from __future__ import annotations

from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from clearhouse import __version__
from clearhouse.office.access.api import router as endpoints
from clearhouse.office.advisories.api import router as advisories
from clearhouse.office.api.gate import KeyAuth, SessionAuth, gate
from clearhouse.office.api.problems import MEDIA_TYPE, Problem, register
from clearhouse.office.assessments.api import router as assessments
from clearhouse.office.cases.api import router as cases
from clearhouse.office.cases.api_findings import router as case_findings
from clearhouse.office.cases.api_queue import router as queue
from clearhouse.office.directives.api import directives, obligations
from clearhouse.office.findings.api import router as findings
from clearhouse.office.findings.api_commitments import router as commitments
from clearhouse.office.findings.api_known import router as known
from clearhouse.office.inventories.api import exposures, systems
from clearhouse.office.ledgerbook.api import router as ledger
from clearhouse.office.notices.api import router as notices
from clearhouse.office.orgs.api import router as organisations
from clearhouse.office.oversight.api import router as oversight
from clearhouse.office.reviews.api import router as reviews
from clearhouse.office.scans.api import router as scans

_ABOUT: Final = """
Everything that the office's pages do, for machines; running an organisation takes a person.

Send `Authorization: Bearer chk_...` with each request; a manager of your organisation makes keys.
What you may not see answers as what is not there. Errors are problem documents (RFC 9457).
A POST with an `Idempotency-Key` is done once, however often it is sent within 24 hours; where
the answer is not to be kept (reviews, secrets) the header is refused.
`RateLimit` says how many requests are left. Names (`F-...`, `CH-...`) are random and never reused.
"""

_ROOMS: Final = "clearhouse.office."
#: The answers that every operation may give, besides its own.
_PROBLEMS: Final = {
    400: "It cannot be read.",
    401: "Nobody is known by this key, or none was sent.",
    403: "A rule says no, or the key lacks the scope.",
    404: "Not there, or not for you to know.",
    409: "It has changed meanwhile, or the Idempotency-Key was used for something else.",
    413: "It is too large.",
    415: "The body is of another type.",
    422: "It is malformed; the problem says where.",
    429: "Too many requests; Retry-After says when.",
    503: "Not available at the moment; Retry-After says when.",
}


class Office(NinjaAPI):
    """Ninja with short operation names, what they do as headings, and its problems."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """``cases_deeds_tell``: the room, the rest of the module's name, the function."""
        room, _, module = operation.view_func.__module__.removeprefix(_ROOMS).partition(".")
        part = module.removeprefix("api").strip("_")
        return "_".join(filter(None, (room, part, operation.view_func.__name__)))

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:  # noqa: ANN401 - ninja's
        """The document, with what every operation may answer."""
        document = super().get_openapi_schema(**options)
        schemas = document["components"].setdefault("schemas", {})
        described = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs", {}))
        schemas["Problem"] = described
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for path in document["paths"].values():
            for operation in path.values():
                operation["summary"], operation["description"] = _said(operation["description"])
                for status, text in _PROBLEMS.items():
                    operation["responses"][status] = {"description": text, "content": content}
        return document


def _said(docstring: str) -> tuple[str, str]:
    """An operation's heading, the first sentence, and what is said besides."""
    first, gap, rest = docstring.strip().partition("\n\n")
    heading, _, more = first.replace("\n", " ").partition(".  ")
    return heading.removesuffix("."), f"{more}{gap}{rest}".strip()


api: Final = Office(
    title="clearhouse",
    version=__version__,
    description=_ABOUT.strip(),
    urls_namespace="api",
    auth=[KeyAuth(), SessionAuth()],
)
register(api)
api.add_decorator(gate, mode="view")
api.add_router("/findings", findings)
# A finding is shown to those who see it through its case as well.
api.add_router("/findings", case_findings)
api.add_router("/commitments", commitments)
api.add_router("/known", known)
api.add_router("/scans", scans)
api.add_router("/notices", notices)
api.add_router("/cases", cases)
api.add_router("/queue", queue)
api.add_router("/systems", systems)
api.add_router("/exposures", exposures)
api.add_router("/directives", directives)
api.add_router("/obligations", obligations)
api.add_router("/advisories", advisories)
# Before the reviews: there an address ends with the name of one.
api.add_router("/reviews/endpoints", endpoints)
api.add_router("/reviews", reviews)
api.add_router("/assessments", assessments)
api.add_router("/oversight", oversight, auth=None)
api.add_router("", organisations)
# Checkpoints and proofs are for everybody; entries are shown to whom the rooms allow.
api.add_router("/ledger", ledger, auth=None)
