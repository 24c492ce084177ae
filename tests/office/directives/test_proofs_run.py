"""A published case's proof is really run, on real releases, for whose obligation it is."""

from __future__ import annotations

import json

import pytest

from clearhouse.office.blobs import store
from clearhouse.office.directives.actions import proving
from clearhouse.office.directives.models import Evidence, ProofRun
from clearhouse.office.directives.proofs import PROVE
from clearhouse.office.ledgerbook.cross_checks import contradictions
from clearhouse.office.queue import inline
from clearhouse.proof.absence import Outcome, concluded
from tests.office.directives.made import DAY, NOW, installed
from tests.office.directives.proved import obliged, only, published, work_off

pytestmark = [
    pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.network, pytest.mark.slow
]  # fmt: skip


def test_it_shows_on_0_13_2_cannot_be_told_of_none_there_is_and_is_gone_from_0_13_3() -> None:
    """ecdsa 0.13.3 mends CVE-2019-14853, though the record here says 0.15; 0.13.99 never was."""
    viewer, system = obliged("ecdsa==0.13.2")
    published()
    expected = {
        "0.13.2": (ProofRun.State.SHOWN, Outcome.SHOWS, "open"),
        "0.13.99": (ProofRun.State.UNTOLD, Outcome.NOT_LISTED, "open"),
        "0.13.3": (ProofRun.State.NOT_SHOWN, Outcome.ABSENT, "completed"),
    }
    run, document = ProofRun(), {}
    for day, (version, (state, outcome, stands)) in enumerate(expected.items(), start=1):
        now = NOW + day * DAY
        installed(viewer, system, f"ecdsa=={version}", now=now)
        work_off(now)
        run = proving.ask(viewer, only().name, now=now)
        assert inline.work_off(now, only=[PROVE]) == 1
        run.refresh_from_db()
        assert (run.state, only().state) == (state, stands), run.outcomes
        document = json.loads(store.read(run.document))
        assert concluded(document) == {("PyPI", "ecdsa", version): outcome}
        [proof] = document["proofs"]
        assert proof["grade"] == "attributed"
        text = json.dumps(document)
        assert "remove_integer" not in text, "what is kept does not tell how the proof works"
    assert Evidence.objects.get().document == run.document
    purls = {one["purl"] for one in document["proofs"][0]["versions"][0]["packages"]}
    assert "pkg:pypi/ecdsa@0.13.3" in purls
    assert not list(contradictions())
