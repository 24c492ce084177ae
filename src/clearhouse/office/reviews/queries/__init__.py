"""What reviews there are for a viewer, and what it sees of one."""

from clearhouse.office.reviews.queries.figures import Published, exact_figures, published_figures
from clearhouse.office.reviews.queries.lists import (
    Listed,
    criteria_published,
    is_reviewer,
    reviews_of,
    roster,
)
from clearhouse.office.reviews.queries.sight import (
    find_review,
    party_of,
    review_for,
    standing_of,
)
from clearhouse.office.reviews.queries.values import (
    access_facts,
    choice_of,
    loan_of,
    terms_of,
    window_of,
)
from clearhouse.office.reviews.queries.view import ReviewView, grant_in, view

__all__ = [
    "Listed", "Published", "ReviewView", "access_facts", "choice_of", "criteria_published",
    "exact_figures", "find_review", "grant_in", "is_reviewer", "loan_of", "party_of",
    "published_figures",
    "review_for", "reviews_of", "roster", "standing_of", "terms_of", "view", "window_of",
]  # fmt: skip
