"""The HTML report: whole, of one file, escaped, and readable without anything else."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from boilerplate.cli import main
from boilerplate.corpora import LabelledDocument, Truth
from boilerplate.document import Document, OutputError
from boilerplate.evaluate import Report, WorstPage, evaluate
from boilerplate.intervals import Estimate
from boilerplate.labels import CONTENT, LABELS
from boilerplate.metrics import scored
from boilerplate.report import check_report, render_report, write_report

HELD_OUT = Path(__file__).resolve().parent.parent / "seeds" / "heldout"
EMPTY = Report("abc", "def", "page", 0, (), {})
VOID = {"meta", "br", "link", "img"}


class Balance(HTMLParser):
    """Check that every element is closed by its own end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(lines: list[str], labels: list[str | None], predicted: list[str]) -> WorstPage:
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    document = Document("\n".join(lines), ends - [len(line) for line in lines], ends)
    allowed = np.array([[label in (None, each) for each in LABELS] for label in labels])
    one = LabelledDocument(document, allowed, "x/<1>", "x.org", kind="article")
    probabilities = np.eye(13, dtype=np.float32)[[LABELS.index(label) for label in predicted]]  # type: ignore[arg-type]
    return WorstPage(one, scored([one], [probabilities])[0], 0.4)


@pytest.fixture(scope="module")
def report(model_folder: Path) -> Report:
    return evaluate(model_folder, [HELD_OUT])


def test_elements_are_closed_and_nothing_is_fetched_or_run(report: Report) -> None:
    page = render_report(report)
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert not {"script", "link", "img", "iframe"} & set(balance.seen)
    assert not re.search(r"""(src|href|action)=|url\(|@import|https?://""", page.split("<h2>Worst")[0])
    assert "default-src 'none'" in page


def test_figures_stand_in_the_page_as_they_were_measured(report: Report) -> None:
    page = render_report(report)
    own = report.scores["whole page"]
    assert own.macro_f1 is not None
    for estimate in (own.macro_f1, own.removed[0.01], own.f1["body"]):
        assert f"{estimate.value:.3f}" in page
        assert f"{estimate.low:.3f}–{estimate.high:.3f}" in page
    assert report.model in page
    assert report.data in page
    assert page.count('class="curve"') == 1
    share = own.confusion[0][0] / sum(own.confusion[0])
    assert f'title="body as body: {100 * share:.1f} %"' in page


def test_the_curve_is_drawn_where_its_figures_are() -> None:
    curve = {0.002: Estimate(0.25, 0.0, 0.5), 0.005: Estimate(0.5, 0.25, 1.0)}
    page = render_report(replace(EMPTY, residue=curve, scores={}))
    assert "polyline" not in page  # no view, no chapter of curves
    from boilerplate.report import _Curve

    drawn = _Curve("mean", curve)
    assert drawn.line == "0.0,97.5 240.0,65.0"
    assert drawn.band == "0.0,65.0 240.0,0.0 240.0,97.5 0.0,130.0"


def test_text_of_pages_is_escaped_and_marked_by_what_became_of_it() -> None:
    worst = page_of(
        ["<script>alert(1)</script>", "Kept & right", "Share", "Lost", "?"],
        ["social", "body", "social", "body", None],
        ["body", "body", "social", "social", "legal"],
    )
    page = render_report(replace(EMPTY, worst=(worst,)))
    assert "<script" not in page
    assert (
        '<p class="left"><small>social → body</small><bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>' in page
    )
    assert '<p class="kept"><small>body</small><bdi>Kept &amp; right</bdi>' in page
    assert '<p class="removed"><small>social</small><bdi>Share</bdi>' in page
    assert '<p class="lost"><small>body → social</small><bdi>Lost</bdi>' in page
    assert '<p class="unknown removed"><small>? → legal</small><bdi>?</bdi>' in page
    assert "<b>40 %</b> x/&lt;1&gt;" in page


def test_what_is_known_of_a_paragraph_without_a_label_is_said() -> None:
    one = page_of(["A story."], ["body"], ["social"])
    allowed = np.array([[label in CONTENT for label in LABELS]])
    document = replace(one.document, allowed=allowed)
    partly = WorstPage(document, scored([document], [one.rows.probabilities])[0], 1.0)
    assert "<small>content → social</small>" in render_report(replace(EMPTY, worst=(partly,)))


def test_runs_of_removed_paragraphs_are_counted_and_long_ones_cut() -> None:
    worst = page_of(
        ["Menu"] * 5 + ["w" * 1000], ["navigation"] * 5 + ["body"], ["navigation"] * 5 + ["legal"]
    )
    page = render_report(replace(EMPTY, worst=(worst,)))
    assert "5 paragraphs removed" in page
    assert "Menu" not in page
    assert "w" * 400 + " …" in page
    assert "w" * 401 not in page


def test_a_lone_surrogate_does_not_stop_the_report(tmp_path: Path) -> None:
    worst = page_of(["broken \ud83d here"], ["body"], ["social"])
    write_report(replace(EMPTY, worst=(worst,)), tmp_path / "report.html")
    assert "broken ? here" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_texts_have_their_measures_and_pages_left_out_their_names() -> None:
    figures = {f"word {name}": Estimate(0.5, 0.4, 0.6) for name in ("precision", "recall", "F1")}
    page = render_report(replace(EMPTY, texts={"a.parquet": figures}, left_out=("x/1", "x/2"), seen=0))
    assert "<td>word</td>" in page
    assert "0.400–0.600" in page
    assert "x/1<br>x/2<br>" in page
    assert "flatter" not in page
    assert "flatter" in render_report(replace(EMPTY, seen=3))
    assert Truth().main is None


def test_the_command_writes_the_page_and_never_over_another(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    call = ["evaluate", str(model_folder), str(HELD_OUT), "--html", str(out)]
    assert main(call) == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(call) == 1
    assert "name another file, or give --overwrite" in capsys.readouterr().err
    assert main([*call, "--overwrite"]) == 0
    with pytest.raises(OutputError, match="is no folder"):
        check_report(tmp_path / "no" / "report.html")


def test_without_jinja2_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(OutputError, match=r"pip install 'boilerplate-classifier\[report\]'"):
        check_report(tmp_path / "report.html")
