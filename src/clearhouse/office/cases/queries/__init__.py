"""Cases as their viewers see them."""

from clearhouse.office.cases.queries.access import (
    case_for,
    cases_of,
    finding_for,
    is_embargoed,
    standing_in,
    standing_of,
)
from clearhouse.office.cases.queries.clock import (
    BY_POLICY,
    PERIODS,
    reckoned,
    telling,
    telling_of,
)
from clearhouse.office.cases.queries.lists import (
    PAGE,
    Listed,
    Queued,
    page_of,
    queue,
    suggestions_open,
    tasks_of,
    untriaged,
)
from clearhouse.office.cases.queries.seen import (
    CaseView,
    Shared,
    file_for,
    patch_for,
    patch_verdict,
    view,
)
from clearhouse.office.cases.queries.state import (
    history_of,
    leading_of,
    proposals_of,
    state_of,
)

__all__ = [
    "BY_POLICY", "PAGE", "PERIODS", "CaseView", "Listed", "Queued", "Shared", "case_for",
    "cases_of", "file_for", "finding_for", "history_of", "is_embargoed", "leading_of", "page_of",
    "patch_for", "patch_verdict", "proposals_of", "queue", "reckoned", "standing_in",
    "standing_of", "state_of", "suggestions_open", "tasks_of", "telling", "telling_of",
    "untriaged", "view",
]  # fmt: skip
