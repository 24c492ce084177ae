"""Keys of machines."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid, Refused
from clearhouse.office.orgs.actions import make_api_key, revoke_api_key
from clearhouse.office.orgs.keytext import digest_of, matches, new_key, prefix_of
from clearhouse.office.orgs.models import ApiKey
from clearhouse.office.orgs.queries import viewer_of_key
from clearhouse.office.viewer import SYSTEM
from clearhouse.protocol.roles import Role, Scope
from tests.office.orgs.cast import NOW, key_text, organisation

YEAR = timedelta(days=365)


def test_a_key_reads_as_what_it_is() -> None:
    text, prefix = new_key()
    assert text.startswith(f"chk_{prefix}_")
    assert prefix_of(text) == prefix
    assert matches(text, digest_of(text))


@given(st.text(max_size=80))
def test_no_text_matches_the_digest_of_a_key_but_the_key(text: str) -> None:
    key, _ = new_key()
    assert not matches(text, digest_of(key))
    assert not matches(text, None)


@given(st.text(max_size=80))
def test_what_does_not_look_like_a_key_has_no_prefix(text: str) -> None:
    assert prefix_of(text) is None


@pytest.mark.django_db
def test_a_key_acts_for_its_organisation_with_its_scopes_only() -> None:
    acme = organisation("Acme", Role.FINDER)
    viewer = viewer_of_key(key_text(acme, Scope.FINDINGS_READ), NOW)
    assert (viewer.organisation, viewer.roles) == (acme.pk, frozenset({Role.FINDER}))
    assert viewer.scopes == {Scope.FINDINGS_READ}
    assert viewer.person is None
    with pytest.raises(Refused, match="findings:write"):
        viewer.needs(Scope.FINDINGS_WRITE)


@pytest.mark.django_db
def test_nothing_of_a_key_but_its_digest_is_kept_and_nothing_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, logger="clearhouse"):
        made = make_api_key(
            SYSTEM,
            organisation("Acme", Role.FINDER).pk,
            name="Robot",
            scopes=[Scope.FINDINGS_READ],
            expires_at=NOW + YEAR,
            now=NOW,
        )
        viewer_of_key(made.text, NOW)
    secret = made.text.rpartition("_")[2]
    kept = " ".join(str(value) for value in ApiKey.objects.values_list().get())
    assert secret not in kept
    assert secret not in caplog.text
    assert secret not in repr(made)


@pytest.mark.django_db
def test_a_key_ends_at_its_time_and_not_before() -> None:
    text = key_text(organisation("Acme", Role.FINDER), Scope.FINDINGS_READ)
    end = NOW + timedelta(days=7)
    assert viewer_of_key(text, end - timedelta(microseconds=1)).key
    with pytest.raises(Refused, match="expired"):
        viewer_of_key(text, end)


@pytest.mark.django_db
def test_a_revoked_key_lets_nobody_in_and_stays_revoked_since_the_first_time() -> None:
    acme = organisation("Acme", Role.FINDER)
    text = key_text(acme, Scope.FINDINGS_READ)
    key = ApiKey.objects.get()
    revoke_api_key(SYSTEM, acme.pk, key=key.pk, now=NOW)
    again = revoke_api_key(SYSTEM, acme.pk, key=key.pk, now=NOW + YEAR)
    assert again.revoked_at == NOW
    with pytest.raises(Refused, match="revoked"):
        viewer_of_key(text, NOW)


@pytest.mark.django_db
def test_what_happened_to_a_key_is_said_to_its_holder_only() -> None:
    acme = organisation("Acme", Role.FINDER)
    text = key_text(acme, Scope.FINDINGS_READ)
    revoke_api_key(SYSTEM, acme.pk, key=ApiKey.objects.get().pk, now=NOW)
    guess = text[:-1] + ("A" if text[-1] != "A" else "B")
    for wrong in (guess, new_key()[0], "", "Bearer", "chk_", text + "\n"):
        with pytest.raises(Refused, match="not known here"):
            viewer_of_key(wrong, NOW)


@pytest.mark.django_db
def test_the_use_of_a_key_is_written_once_a_minute() -> None:
    text = key_text(organisation("Acme", Role.FINDER), Scope.FINDINGS_READ)
    seen = []
    for seconds in (0, 1, 59, 60, 61, 200):
        viewer_of_key(text, NOW + timedelta(seconds=seconds))
        seen.append(ApiKey.objects.get().last_used_at)
    noted = [NOW + timedelta(seconds=one) for one in (0, 0, 0, 60, 60, 200)]
    assert seen == noted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "scopes", "lasts", "key"),
    [
        (" ", [Scope.CASES_READ], timedelta(days=1), "name"),
        ("x" * 81, [Scope.CASES_READ], timedelta(days=1), "name"),
        ("Robot", [], timedelta(days=1), "scopes"),
        ("Robot", [Scope.CASES_READ], timedelta(0), "expires_at"),
        ("Robot", [Scope.CASES_READ], YEAR + timedelta(seconds=1), "expires_at"),
    ],
)
def test_a_key_without_name_scopes_or_an_end_within_a_year_is_not_made(
    name: str, scopes: list[Scope], lasts: timedelta, key: str
) -> None:
    acme = organisation("Acme", Role.FINDER)
    with pytest.raises(Invalid) as error:
        make_api_key(SYSTEM, acme.pk, name=name, scopes=scopes, expires_at=NOW + lasts, now=NOW)
    assert error.value.key == key
    assert not ApiKey.objects.exists()
