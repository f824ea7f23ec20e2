"""What is counted as not aligned, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_corpora import PAGE, STORY, pages

from boilerplate.alignment_report import alignment_report
from boilerplate.corpora import read_labelled


def test_the_report_counts_what_was_not_aligned(tmp_path: Path) -> None:
    lost = {**PAGE, "page_id": "2", "main_content": f"{STORY} It was old"}
    snippets = {**PAGE, "corpus": "y", "main_content": None, "title": None}
    report = alignment_report(read_labelled([pages(tmp_path / "p.parquet", PAGE, lost, snippets)]))
    told, shown = 16, 21  # words of the story, words of the page
    assert (report["x"].pages, report["x"].truth_words) == (2, 2 * told + 3)
    assert report["x"].lost == pytest.approx(3 / (2 * told + 3))
    assert report["x"].unknown == 0
    assert (report["y"].lost, report["y"].unknown) == (0, pytest.approx(4 / shown))
