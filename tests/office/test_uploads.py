"""Bodies of requests are read up to a limit, however they arrive."""

from __future__ import annotations

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.office.edge import MOST_FORM_BYTES, FormsThatFit
from clearhouse.office.uploads import body_lines, whole_body


def _request(body: bytes) -> HttpRequest:
    return RequestFactory().post("/", data=body, content_type="application/x-ndjson")


@given(lines=st.lists(st.binary(max_size=50).map(lambda one: one.replace(b"\n", b"")), min_size=1))
def test_lines_come_out_as_they_went_in(lines: list[bytes]) -> None:
    body = b"\n".join(lines) + b"\n"
    assert list(body_lines(_request(body), most=10_000, longest=100)) == lines


@given(lengths=st.lists(st.integers(0, 200_000), min_size=1, max_size=5))
def test_a_line_that_is_too_long_is_cut_and_the_next_is_whole(lengths: list[int]) -> None:
    body = b"".join(b"x" * length + b"\n" for length in lengths) + b"last"
    *found, last = body_lines(_request(body), most=10**7, longest=70_000)
    assert [len(one) for one in found] == [min(length, 70_001) for length in lengths]
    assert last == b"last"


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(RequestDataTooBig):
        next(body_lines(_request(b"x" * 101), most=100, longest=10))
    with pytest.raises(RequestDataTooBig):
        whole_body(_request(b"x" * 101), 100)
    assert whole_body(_request(b"x" * 100), 100) == b"x" * 100


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/findings/report/", MOST_FORM_BYTES, 200),
        ("/findings/report/", MOST_FORM_BYTES + 1, 413),
        ("/findings/report/", "-1", 413),
        ("/findings/report/", "", 200),
        ("/api/findings", MOST_FORM_BYTES + 1, 200),
    ],
)
def test_a_form_larger_than_any_page_takes_goes_no_further_the_api_has_limits_of_its_own(
    path: str, length: int | str, status: int
) -> None:
    request = RequestFactory().post(path, CONTENT_LENGTH=str(length))
    assert FormsThatFit(lambda _: HttpResponse())(request).status_code == status
