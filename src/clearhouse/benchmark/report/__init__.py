"""The report of a determination: one self-contained page, made from its evidence alone."""

from clearhouse.benchmark.report.determination import (
    Reader,
    determination_page,
    public_entry,
)

__all__ = ["Reader", "determination_page", "public_entry"]
