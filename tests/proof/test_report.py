"""The page of verdicts: complete, valid, legible, and closed to whatever a finder writes."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.cli.main import main
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import open_bundle
from clearhouse.proof.judge import Case, Grade, judge
from clearhouse.proof.report import verdicts_page
from clearhouse.proof.report.runs import run_groups
from clearhouse.proof.report.stack import FrameView, folded
from clearhouse.proof.report.words import what_was_seen
from clearhouse.proof.text import is_plain_line
from clearhouse.proof.verdict import Verdict
from tests.proof.making import FILES
from tests.proof.pages import Element, complaints, read
from tests.proof.seen import harness, library, raising, run, target

ENVIRONMENT = {
    "clearhouse": "0.1.0",
    "python": "3.12.9",
    "kernel": "Linux 6.1.0 x86_64",
    "sandbox": "bubblewrap 0.8.0",
    "packages": [{"purl": "pkg:pypi/sqlparse@0.4.4", "digest": "sha256:" + "ab" * 32}],
}
ERROR = {
    "format": 1,
    "bundle": {"id": "reports/9", "digest": None},
    "error": {"kind": "Unavailable", "message": "bubblewrap is missing"},
    "grade": None,
    "proven": False,
}
STACK = (library(), target("inner"), target("outer"), harness())


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return open_bundle(folder)


def document(bundle: Bundle, grade: str = "differential", **changes: Any) -> dict[str, Any]:
    """A verdict of the grade asked for, judged from runs as the tracer would have recorded them."""
    shown = raising("RecursionError", STACK)
    case = Case(
        effect=bundle.effect,
        expect=bundle.expect,
        package="pkg:pypi/sqlparse",
        harness_text="",
        pocs=[shown] * 3,
        controls=[run("control:control.bin")],
        fixed_version="0.5.0",
        fixed_pocs=[run(version="0.5.0")] * 3,
        fixed_controls=[run("control:control.bin", version="0.5.0")],
    )
    cases = {
        "differential": case,
        "attributed": replace(case, fixed_version=None, fixed_pocs=(), fixed_controls=()),
        "reproduced": replace(case, pocs=[raising("RecursionError", (harness(),))] * 3),
        "claimed": replace(case, pocs=[shown, run(), shown]),
    }
    judged = Verdict(
        bundle, judge(cases[grade]), cases[grade], ENVIRONMENT, ("written for 0.4.4",)
    ).as_json()
    assert judged["grade"] == grade
    return judged | changes


@pytest.fixture(scope="module")
def documents(bundle: Bundle) -> list[dict[str, Any]]:
    return [*(document(bundle, grade.value) for grade in Grade), ERROR]


def texts(element: Element, name: str | None = None, **wanted: str) -> list[str]:
    return [one.text for one in element.all(name, **wanted)]


# The page as such


def test_the_page_is_valid_and_its_parts_refer_to_each_other(
    documents: list[dict[str, Any]],
) -> None:
    page = verdicts_page(documents)
    assert page.startswith("<!doctype html>")
    root = read(page)
    assert complaints(root) == []
    assert root.one("html").attributes["lang"] == "en"
    assert len(root.all("main")) == len(root.all("footer")) == 1


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_page_of_any_number_of_verdicts_is_valid(bundle: Bundle, number: int) -> None:
    assert complaints(read(verdicts_page([document(bundle)] * number))) == []


def test_nothing_is_loaded_from_elsewhere_and_no_script_is_there(
    documents: list[dict[str, Any]],
) -> None:
    page = verdicts_page(documents)
    for element in read(page).all():
        assert element.name not in {"script", "link", "img", "iframe", "object", "embed", "base"}
        for key in element.attributes:
            assert key not in {"src", "srcset", "style", "action", "data", "poster", "ping"}
            assert not key.startswith("on")
    style = read(page).one("style").text
    assert "@import" not in style
    assert re.findall(r"url\((?!#)", style) == []
    assert "http:" not in page
    assert "https:" not in page


def test_the_policy_allows_the_page_s_own_style_sheet_and_nothing_else(bundle: Bundle) -> None:
    root = read(verdicts_page([document(bundle)]))
    policy = str(
        root.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    )
    style = "".join(root.one("style").texts)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


#: Pairs of colours with the contrast they need: text 4.5 (WCAG 2.2, 1.4.3), drawings 3 (1.4.11).
TEXT = [
    *(("ink", ground) for ground in ("paper", "ground")),
    *(("muted", ground) for ground in ("paper", "ground")),
    *(("link", ground) for ground in ("paper", "ground")),
    ("on-brand", "brand"),
    ("effect", "paper"),
    *((f"on-{one}", one) for one in ("differential", "attributed", "reproduced", "claimed")),
    *((f"on-{one}", one) for one in ("not-judged", "target", "harness", "dependency")),
]
DRAWN = [
    ("focus", "paper"),
    ("focus", "ground"),
    ("edge", "paper"),
    ("differential", "paper"),
    *((f"{one}-edge", "paper") for one in ("attributed", "reproduced", "claimed", "not-judged")),
    *((f"{one}-edge", "paper") for one in ("target", "harness", "dependency")),
    *((one, "paper") for one in ("effect", "quiet", "clean", "refused", "doubt")),
    ("effect", "track"),
    ("quiet", "track"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_that_wcag_asks_for(bundle: Bundle, theme: int) -> None:
    style = read(verdicts_page([document(bundle)])).one("style").text
    colours = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rules))
        for rules in re.findall(r":root {(.*?)}", style)[:2]
    ]
    assert len(colours[0]) == len(colours[1]) > 30
    for pairs, needed in ((TEXT, 4.5), (DRAWN, 3.0)):
        for front, back in pairs:
            found = _contrast(colours[theme][front], colours[theme][back])
            assert found >= needed, f"{front} on {back}: {found:.2f}"


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


# What outsiders write

HOSTILE = (
    "</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    "{{ 7*7 }}{% raw %}\u202e\u200b\x1b[31m\x00\ud800\n&amp;javascript:alert(1)"
)
#: Words of our own vocabulary; everything else in a document may be a finder's.
OWN = {"kind", "grade", "owner", "outcome", "input", "format"}


def with_text(value: Any, text: str) -> Any:
    """A document in which every text that an outsider could have chosen is ``text``."""
    if isinstance(value, dict):
        return {
            key: one if key in OWN and isinstance(one, str) else with_text(one, text)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [with_text(one, text) for one in value]
    return text if isinstance(value, str) else value


def shape(page: str) -> list[tuple[str, list[str]]]:
    """The elements of a page with their attributes, without optional line breaks."""
    elements = read(page).all()
    return [(e.name, sorted(e.attributes)) for e in elements if e.name != "wbr"]


@pytest.fixture(scope="module")
def plain_shape(documents: list[dict[str, Any]]) -> list[Any]:
    return shape(verdicts_page([with_text(one, "x") for one in documents]))


def test_hostile_text_stays_text(documents: list[dict[str, Any]], plain_shape: list[Any]) -> None:
    page = verdicts_page([with_text(one, HOSTILE) for one in documents])
    assert shape(page) == plain_shape
    page.encode("utf-8")
    for unseen in ("\u202e", "\u200b", "\x1b", "\x00", "<img", "<script"):
        assert unseen not in page
    shown = read(page).text
    assert "<script>alert(1)</script>" in shown
    assert "{{ 7*7 }}" in shown
    assert r"\u202e\u200b\x1b[31m\x00\ud800\x0a&amp;" in shown


@settings(max_examples=40)
@given(text=st.text(st.characters(), min_size=1, max_size=40))
def test_no_text_changes_the_shape_of_the_page(
    documents: list[dict[str, Any]], plain_shape: list[Any], text: str
) -> None:
    page = verdicts_page([with_text(one, text) for one in documents])
    assert shape(page) == plain_shape
    assert is_plain_line(page.replace("\n", " "))


def test_a_name_that_goes_on_for_ever_is_cut(bundle: Bundle) -> None:
    one = document(bundle)
    one["effect"]["stack"][0]["function"] = "f" * 100_000
    assert len(verdicts_page([one])) < len(verdicts_page([document(bundle)])) + 2_000


# What a reader finds


def test_the_evidence_of_a_verdict_is_complete(bundle: Bundle) -> None:
    one = document(bundle)
    root = read(verdicts_page([one]))
    article = root.one("article")
    wanted = [
        one["bundle"]["id"],
        one["bundle"]["digest"],
        one["title"],
        one["target"],
        one["fixed"],
        one["signature"],
        one["digest"],
        *one["notes"],
        *(str(v) for k, v in ENVIRONMENT.items() if k != "packages"),
        *(value for package in ENVIRONMENT["packages"] for value in package.values()),  # type: ignore[attr-defined]
        *(frame["function"] for frame in one["effect"]["stack"]),
        *(frame["file"] for frame in one["effect"]["stack"]),
        "RecursionError (“too deep”) came out, and nothing caught it.",
        "It arises in inner (pkg/core.py, line 10).",
        "Seen in 3 of 3 runs on 1.0, none of 1 control run and none of 3 runs on 0.5.0.",
        "3 of 3 runs of the poc (95 % interval of the rate: 44 to 100 %)",
        "clearhouse prove BUNDLE --explain",
    ]
    for text in wanted:
        assert text in article.text, text


def test_every_run_stands_in_the_table_of_its_version(bundle: Bundle) -> None:
    one = document(bundle)
    table = read(verdicts_page([one])).one("table", class_="runs")
    versions = texts(table, "th", class_="version")
    assert versions == ["1.0 attacked", "0.5.0 named as fixed"]
    rows = [row for row in table.all("tr") if row.all("td")]
    assert [row.all("td")[0].text == "effect" for row in rows] == [r["effect"] for r in one["runs"]]
    first = [cell.text for cell in rows[0].children if cell.name in ("th", "td")]
    assert first == ["poc", "effect", "exceptionRecursionError: too deep", "0.010", "0.020", "20.0"]


def test_frames_show_whose_they_are(bundle: Bundle) -> None:
    root = read(verdicts_page([document(bundle)]))
    owners = [frame.one(class_="owner").text for frame in root.all("li", class_="frame")]
    assert owners == ["runtime", "target", "target", "harness"]
    assert len(root.all("li", class_="o-target")) == 2


@pytest.mark.parametrize("reached", [grade.value for grade in Grade])
def test_the_ladder_stops_where_the_grade_does_and_says_why(bundle: Bundle, reached: str) -> None:
    one = document(bundle, reached)
    steps = read(verdicts_page([one])).one("ol", class_="ladder").all("li")
    order = [grade.value for grade in Grade]
    place = order.index(reached)
    assert [step.one("strong").text for step in steps] == order
    states = [step.attributes["class"] for step in steps]
    assert states == ["reached"] * (place + 1) + (["stopped"] + ["ahead"] * 3)[: 3 - place]
    reasons = [texts(step, class_="reason") for step in steps]
    assert [bool(r) for r in reasons] == [state == "stopped" for state in states]
    assert reached == "differential" or reasons[place + 1] == [one["reason"]]


def test_the_summary_counts_every_verdict_once(documents: list[dict[str, Any]]) -> None:
    root = read(verdicts_page(documents))
    assert root.one("h1").text == "2 of 5 reported vulnerabilities proven"
    cards = root.one("fieldset").all("label")
    assert [(c.one(class_="number").text, c.one(class_="name").text) for c in cards] == [
        ("5", "all"),
        *(("1", name) for name in ("differential", "attributed", "reproduced", "claimed")),
        ("1", "not judged"),
    ]
    shares = root.one("svg", class_="shares").all("rect")
    assert sum(float(str(s.attributes["width"]).rstrip("%")) for s in shares) == pytest.approx(100)


def test_the_table_leads_to_the_evidence_of_each(documents: list[dict[str, Any]]) -> None:
    root = read(verdicts_page(documents))
    rows = root.one("table", class_="verdicts").one("tbody").all("tr")
    articles = root.all("article")
    assert len(rows) == len(articles) == len(documents)
    for row, article, one in zip(rows, articles, documents, strict=True):
        assert row.one("a").attributes["href"] == f"#{article.attributes['id']}"
        assert row.one("a").text == article.one("h3").text == one["bundle"]["id"]
        grade = one["grade"] or "not judged"
        assert row.one(class_="badge").text == article.one(class_="badge").text == grade
        assert one.get("reason", "bubblewrap is missing") in row.text


def test_what_could_not_be_judged_says_why(documents: list[dict[str, Any]]) -> None:
    article = read(verdicts_page([ERROR])).one("article")
    assert "No verdict (could not be run here): bubblewrap is missing." in article.text
    assert article.all("ol", class_="ladder") == article.all("table") == []


def test_verdicts_of_one_signature_name_each_other(bundle: Bundle) -> None:
    other = copy.deepcopy(document(bundle)) | {"signature": "sig1:other"}
    root = read(verdicts_page([document(bundle), other, document(bundle)]))
    twins = [article.all("p", class_="twins") for article in root.all("article")]
    assert [[a.attributes["href"] for p in one for a in p.all("a")] for one in twins] == [
        ["#v3"],
        [],
        ["#v1"],
    ]


@pytest.mark.parametrize(
    ("kind", "observed", "sentence"),
    [
        ("crash", {"signal": "SIGSEGV"}, "The process was ended by SIGSEGV"),
        (
            "crash",
            {"signal": "SIGSEGV", "address": "near zero"},
            "The process was ended by SIGSEGV, a fault at an address near zero",
        ),
        (
            "crash",
            {"sanitizer": "AddressSanitizer", "kind": "heap-buffer-overflow"},
            "AddressSanitizer reported heap-buffer-overflow",
        ),
        ("exception", {"type": "KeyError"}, "KeyError came out, and nothing caught it"),
        (
            "hang",
            {"cpu_s": 5.2, "limit_s": 5.0},
            "The run used 5.2 s of processor time; the limit is 5.0 s",
        ),
        (
            "memory",
            {"rss_mb": 300, "limit_mb": 256},
            "Memory grew by 300 MiB; the limit is 256 MiB",
        ),
        (
            "write-outside",
            {"paths": ["/tmp/a", "/tmp/b", "/c", "/d"]},
            "The run changed files outside the working directory: /tmp/a, /tmp/b, /c and 1 more",
        ),
        (
            "read-outside",
            {"canary": "opened, and its content came out"},
            "The secret planted outside the working directory was opened, and its content came out",
        ),
        ("execute", {"programs": ["/bin/sh"]}, "The run started /bin/sh"),
        ("connect", {"addresses": ["192.0.2.1:80"]}, "The run tried to reach 192.0.2.1:80"),
        ("bypass", {"guarantee": "escapes HTML"}, "A stated guarantee does not hold: escapes HTML"),
        ("hang", {}, ""),
    ],
)
def test_each_effect_has_its_sentence(kind: str, observed: dict[str, Any], sentence: str) -> None:
    assert what_was_seen(kind, observed) == sentence


def test_bars_share_one_measure_and_carry_the_limit() -> None:
    slow = {"version": "1", "input": "poc", "effect": True, "outcome": "killed", "rss_mb": 20.0}
    runs = [
        slow | {"cpu_s": 2.0, "wall_s": 2.1},
        slow | {"cpu_s": 1.0, "wall_s": 1.1, "input": "control:c", "effect": False},
    ]
    effect = {"observed": {"cpu_s": 2.0, "limit_s": 1.5}}
    (group,) = run_groups({"runs": runs, "effect": effect, "fixed": None})
    poc, control = (one.cpu_bar for one in group.runs)
    assert poc.length == pytest.approx(2 * control.length, abs=0.1)
    assert poc.limit == control.limit == pytest.approx(0.75 * poc.length, abs=0.1)
    assert poc.length <= 100
    assert group.runs[0].memory_bar.limit is None


def test_noise_is_not_drawn_as_a_difference() -> None:
    quick = {"version": "1", "input": "poc", "effect": True, "outcome": "returned", "rss_mb": 19.0}
    runs = [quick | {"cpu_s": cpu, "wall_s": cpu} for cpu in (0.001, 0.004)]
    (group,) = run_groups({"runs": runs, "effect": {}})
    assert all(one.cpu_bar.length < 5 for one in group.runs)


def test_a_recursion_is_folded_into_its_rounds() -> None:
    a, b, c = (FrameView("target", name, "", None) for name in "abc")
    parts = folded([c, *[a, b] * 5, a, c])
    assert [(len(part.frames), part.times) for part in parts] == [(1, 1), (2, 5), (2, 1)]


@given(st.lists(st.sampled_from("ab"), max_size=40))
def test_folding_loses_no_frame(names: list[str]) -> None:
    frames = [FrameView("target", name, "", None) for name in names]
    unfolded = [frame for part in folded(frames) for frame in part.frames * part.times]
    assert unfolded == frames


# Size


def test_five_hundred_verdicts_stay_small(bundle: Bundle) -> None:
    one = document(bundle)
    many = [one | {"bundle": {"id": f"REPORT-{n}", "digest": "sha256:0"}} for n in range(500)]
    fifty = len(verdicts_page([d | {"signature": f"sig1:{n}"} for n, d in enumerate(many[:50])]))
    tracemalloc.start()
    page = verdicts_page([d | {"signature": f"sig1:{n}"} for n, d in enumerate(many)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(page) < 10.5 * fifty
    assert len(page) < 10_000_000
    assert peak < 80_000_000


def test_many_duplicates_do_not_name_each_other_without_end(bundle: Bundle) -> None:
    alone = document(bundle, signature="")
    page = verdicts_page([document(bundle)] * 300)
    assert len(page) - len(verdicts_page([alone] * 300)) < 300 * 1_000
    assert "and 291 more" in page


# The command


def test_prove_writes_the_page_even_where_nothing_could_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "out.html"
    assert main(["prove", str(tmp_path / "missing"), "--report", str(page)]) == 2
    assert read(page.read_text("utf-8")).one("article").one(class_="badge").text == "not judged"
    assert f"report written to {page}" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove", str(tmp_path), "--report", str(tmp_path / "no" / "out.html")]) == 2
    assert "there is no folder" in capsys.readouterr().err
