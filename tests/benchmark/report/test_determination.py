"""The page of a determination: complete, valid, and silent about what its reader may not know."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clearhouse.benchmark.determination import verify
from clearhouse.benchmark.evidence import DECISION, OUTCOMES, Attempts, Evidence, make_evidence
from clearhouse.benchmark.outcomes import Ending
from clearhouse.benchmark.report import Reader, determination_page, public_entry
from clearhouse.cli.main import main
from clearhouse.errors import Refused
from tests.benchmark.banks import SEEDS, bank, finished, plan, run_of, verdicts_of
from tests.benchmark.making import CANARY
from tests.proof.pages import complaints, read

NOTES = "the assessor looked at attempt three"
SAID = f"I know <b>this</b> canary: {CANARY}\nand more of it"
ENDINGS = st.lists(st.sampled_from(list(Ending)), min_size=1, max_size=30)


def evidence(endings: list[Ending]) -> Evidence:
    """A finished test in which attempts end like this, over and over."""
    outcomes = finished(lambda number, _: endings[number % len(endings)])
    attempts = Attempts("R-7KQ2M9XD4T", SEEDS.opening(0), outcomes)
    return make_evidence(
        plan(), bank(), attempts, verdicts_of(outcomes), run=run_of(outcomes, SAID)
    )


@settings(max_examples=5, phases=[Phase.generate])
@given(ENDINGS, st.sampled_from(list(Reader)))
def test_every_page_is_valid_and_loads_nothing(endings: list[Ending], reader: Reader) -> None:
    page = determination_page(evidence(endings), reader=reader, notes="<i>looked</i> at it")
    assert complaints(read(page)) == []
    assert "<script" not in page
    assert not re.search(r"https?://|url\((?!#)", page)


@settings(max_examples=5, phases=[Phase.generate])
@given(ENDINGS)
def test_a_developers_page_and_the_public_entry_hold_nothing_that_is_sealed(
    endings: list[Ending],
) -> None:
    found = evidence(endings)
    seed = SEEDS.opening(0).seed.hex()
    attempts = Attempts.parse(found.members[OUTCOMES], OUTCOMES)
    judged = [one.verdict for one in attempts.outcomes if one.verdict]
    quotes = [CANARY, "I know", "canary:", "and more of it", "because of", "find 0"]
    transcripts = [one for one in found.members if one.startswith("transcripts/")]
    digests = [one[12:-5] for one in transcripts]
    sealed = [*plan().contents, *plan().contents.values(), *judged, *digests, *quotes, seed, NOTES]
    shown = determination_page(found, reader=Reader.DEVELOPER, notes=NOTES)
    public = json.dumps(public_entry(found))
    assert not [one for one in sealed if one in shown or one in public]
    assert set(public_entry(found)) == {"format", "verdict", "plan", "determination"}


def test_an_assessors_page_quotes_transcripts_and_notes_as_text() -> None:
    page = determination_page(
        evidence([Ending.SOLVED, Ending.FAILED]), reader=Reader.ASSESSOR, notes=f"{NOTES}\n<i>"
    )
    assert f"I know &lt;b&gt;this&lt;/b&gt; canary: {CANARY}\nand more of it" in page
    assert f"{NOTES}\n&lt;i&gt;" in page
    titles = re.findall(r"<summary>\d+\. [^<]+: ([a-z-]+)</summary>", page)
    assert titles == sorted(titles, key=lambda ending: ending != "solved")
    assert {"solved", "failed"} == set(titles)


def test_a_page_tells_what_the_run_took_and_how_it_was_made() -> None:
    for reader in Reader:
        page = determination_page(
            evidence([Ending.SOLVED, Ending.FAILED, Ending.GAVE_UP]), reader=reader
        )
        for said in (
            "example/model", "ReAct", "temperature 1", "Score against budget, in tokens",
            "Score against budget, in time", "Score against budget, in money",
            "in 1 attempt(s) the model wrote one that it had not been shown",
            "the training having ended on 2025-12-31", "fixed after it solved", "processors",
            "2026-11-01T10:00:00Z", "What was not tested", "1 of ",
        ):  # fmt: skip
            assert said in page


def test_evidence_without_a_record_says_so() -> None:
    outcomes = finished(lambda *_: Ending.SOLVED)
    attempts = Attempts("R-7KQ2M9XD4T", SEEDS.opening(0), outcomes)
    page = determination_page(make_evidence(plan(), bank(), attempts), reader=Reader.ASSESSOR)
    assert "the evidence holds no record" in page
    assert "What it took" not in page


def test_an_assessors_page_names_what_was_asked() -> None:
    page = determination_page(evidence([Ending.SOLVED]), reader=Reader.ASSESSOR)
    outcomes = finished(lambda *_: Ending.SOLVED)
    assert outcomes
    for one in outcomes:
        assert f">{one.item}</th>" in page
        assert one.verdict is not None
        assert one.verdict in page


@pytest.mark.parametrize(
    ("endings", "headline", "says"),
    [
        ([Ending.SOLVED], "Covered", "reached the bound for a covered"),
        ([Ending.FAILED], "Not covered", "reached the bound for a model that is none"),
        ([Ending.REFUSED], "Not covered", "A lower bound"),
        ([Ending.ERROR], "Indeterminate", "What would decide it"),
    ],
)
def test_a_page_says_what_was_decided(endings: list[Ending], headline: str, says: str) -> None:
    page = determination_page(evidence(endings), reader=Reader.DEVELOPER)
    assert f"<h1>{headline}</h1>" in page
    assert says in page
    assert ("A lower bound" in page) == (endings == [Ending.REFUSED])


def test_names_are_text_and_never_markup() -> None:
    outcomes = finished(lambda *_: Ending.SOLVED)
    attempts = Attempts("<script>alert(1)</script>", SEEDS.opening(0), outcomes)
    page = determination_page(make_evidence(plan(), bank(), attempts), reader=Reader.ASSESSOR)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_evidence_that_does_not_hold_makes_no_page() -> None:
    found = evidence([Ending.SOLVED])
    decision = found.members[DECISION].replace(b'"covered"', b'"not-covered"')
    altered = Evidence({**found.members, DECISION: decision}, "altered")
    assert not verify(altered).holds
    for make in (lambda: determination_page(altered, reader=Reader.DEVELOPER),
                 lambda: public_entry(altered)):  # fmt: skip
        with pytest.raises(Refused, match="does not hold"):
            make()


def test_the_command_writes_the_page_and_prints_the_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evidence([Ending.SOLVED, Ending.SOLVED, Ending.FAILED])
    (tmp_path / "e.zip").write_bytes(found.as_zip())
    place = tmp_path / "page.html"
    assert main(["determination", "report", str(tmp_path / "e.zip"), "-o", str(place)]) == 0
    assert place.read_text() == determination_page(found, reader=Reader.DEVELOPER)
    capsys.readouterr()
    assert main(["determination", "public", str(tmp_path / "e.zip")]) == 0
    assert json.loads(capsys.readouterr().out) == public_entry(found)
    (tmp_path / "e.zip").write_bytes(b"no evidence")
    assert main(["determination", "report", str(tmp_path / "e.zip"), "-o", str(place)]) == 2
