"""A directive of an authority for one deployer, what follows from it, evidence; marks in it all."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from clearhouse.office.blobs import store
from clearhouse.office.directives.actions.deriving import derive
from clearhouse.office.directives.actions.evidence import hand_in
from clearhouse.office.directives.actions.issuing import audience_of, draft, issue
from clearhouse.office.directives.models import (
    DirectiveRow,
    Evidence,
    ObligationRow,
    ProofRun,
    Untold,
)
from clearhouse.office.inventories.models import System
from clearhouse.office.viewer import Viewer
from clearhouse.proof.absence import OnVersion, OnVersions, Outcome, document_of
from clearhouse.protocol.tlp import Tlp


def build(authority: Viewer, system: str) -> dict[str, str]:
    """Their names: one in force for the owner of that system alone, and a draft."""
    now = timezone.now()
    there = System.objects.select_related("organisation").get(name=system)
    audience = audience_of(organisations=[there.organisation.slug])
    made = draft(authority, "CISA-BOD-26-04", audience, tlp=Tlp.AMBER, now=now)
    issue(authority, made.name, now=now)
    derive(there.pk, now=now)
    found = ObligationRow.objects.get(directive=made)
    deployer = Viewer(
        there.organisation_id, there.organisation.role_set, authority.scopes, "Hospital"
    )
    hand_in(deployer, found.name, "removed", "It was unplugged.", now=now)
    drafted = draft(authority, "EO-14409-2c", audience, tlp=Tlp.CLEAR, now=now)
    Untold.objects.all().delete()
    digest = _run(found)
    return {
        "directive": made.name, "draft": drafted.name, "obligation": found.name,
        "proof_digest": digest,
    }  # fmt: skip


def _run(obligation: ObligationRow) -> str:
    """Proofs that were run for it; the digest of what they gave."""
    now = timezone.now()
    seen = OnVersion("1.0", Outcome.SHOWS, "1.0")
    proof = OnVersions("sha256:00", "pkg:pypi/jinja2", "1.0", "differential", (seen,), {})
    document = document_of(["CH-1"], [("PyPI", "jinja2", "1.0")], [proof], salt="salt")
    ProofRun.objects.create(
        name="PR-0000000001", obligation=obligation, state=ProofRun.State.SHOWN, key="key",
        cases=["CH-1"], proofs=[], installed=[["PyPI", "jinja2", "1.0"]], asked_at=now,
        asked_by="Hospital", ended_at=now, digest=document["digest"],
        outcomes=[["PyPI", "jinja2", "1.0", "shows"]],
        document=store.put(json.dumps(document).encode()),
    )  # fmt: skip
    return str(document["digest"])


def mark(put: Any) -> None:
    """Put a mark of its own into what not everybody may read."""
    for row in DirectiveRow.objects.all():
        if row.state == DirectiveRow.State.DRAFT:
            row.document["title"] = put.word("draft directive title")
        else:
            row.document["title"] = put.word("directive title")
            row.document["audience"]["organisations"].append(put.word("directive audience"))
        row.save()
    put(ObligationRow.objects.all(), flaw="obliged flaw", because="obliged because")
    for run in ProofRun.objects.all():
        word = put.word("run package")
        document = {"installed": word}
        run.outcomes, run.document = (
            [["PyPI", word, "1.0", "shows"]],
            store.put(json.dumps(document).encode()),
        )
        run.save()
    put(Evidence.objects.all(), text="evidence text", by="evidence by")
