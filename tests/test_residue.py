"""Residue: real extractors on pages written and labelled for this project."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from boilerplate import cli
from boilerplate.corpora import LabelledDocument, read_labelled
from boilerplate.document import DataError, OutputError
from boilerplate.extractors import EXTRACTORS
from boilerplate.labels import LABELS
from boilerplate.pages import Page, read_pages
from boilerplate.residue import page_residue, write_residue

PAGES = Path(__file__).resolve().parent / "pages"
GOLD = PAGES / "labelled.jsonl"
HERE = [name for name, extractor in EXTRACTORS.items() if find_spec(extractor.module)]
COLUMNS = ("url", "page_type", "title", "author", "main_content", "with", "without")


def write_table(path: Path, pages: dict[str, bytes]) -> Path:
    """Write a page table in the form of the corpora."""
    import pyarrow as pa

    rows = [
        dict.fromkeys(COLUMNS) | {"corpus": "pages", "page_id": name, "html": html}
        for name, html in pages.items()
    ]
    text = pa.string()
    kinds = {name: pa.list_(text) if name in ("with", "without") else text for name in COLUMNS}
    schema = pa.schema({"corpus": text, "page_id": text, **kinds, "html": pa.binary()})
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    names = ("ferry", "muehle", "chaguan")  # the last has no labels
    return write_table(
        tmp_path / "pages.parquet", {name: (PAGES / f"{name}.html").read_bytes() for name in names}
    )


@pytest.fixture(scope="module")
def gold() -> dict[str, LabelledDocument]:
    return {one.page: one for one in read_labelled([GOLD])}


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["doc"], row["extractor"]): row for row in pq.read_table(path).to_pylist()}


def test_every_line_of_a_whole_page_takes_the_label_of_its_block(gold: dict[str, LabelledDocument]) -> None:
    page = Page("pages/ferry", None, "article", (PAGES / "ferry.html").read_bytes())
    [row] = page_residue(page, gold["pages/ferry"], ["whole-page"]).rows
    wanted = [*["navigation"] * 3, "heading", "byline", "body", "body", "heading", "body", "body"]
    wanted += [*["story_link"] * 3, "legal", None]  # what stands in noscript is no block
    assert row.labels == wanted


def test_all_extractors_leave_labelled_lines_that_read_back_as_documents(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "residue.parquet"
    tally = write_residue([GOLD], [table], out, extractors=HERE)
    documents = read_labelled([out])
    assert {(one.page, one.view) for one in documents} == set(rows_of(out))
    assert {one.view for one in documents} == set(HERE)
    assert {one.page for one in documents} == {"pages/ferry", "pages/muehle"}
    for name in HERE:
        own = [one for one in documents if one.view == name]
        assert tally.lines[name] == sum(len(one.document) for one in own)
        assert all((one.labels == LABELS.index("body")).sum() >= 3 for one in own), name
    assert min(map(tally.aligned, HERE)) >= 0.9
    assert not tally.faults
    assert not tally.missing


def test_justext_got_the_stop_list_of_the_page(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "residue.parquet"
    write_residue([GOLD], [table], out, extractors=["justext"])
    assert len(rows_of(out)["pages/muehle", "justext"]["lines"]) >= 3


def test_the_form_is_that_of_the_table_of_the_field(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "residue.parquet"
    write_residue([GOLD], [table], out, extractors=["resiliparse"])
    schema = pq.read_schema(out)
    assert schema.names == ["doc", "url", "extractor", "lines", "labels"]
    assert [str(schema.field(name).type) for name in ("doc", "lines", "labels")] == [
        "string",
        "list<element: string>",
        "list<element: string>",
    ]


def test_a_page_an_extractor_fails_on_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    block = {"text": "So.", "label": "body"}
    gold.write_text("\n".join(json.dumps({"doc": f"pages/{name}", "blocks": [block]}) for name in "abc"))
    table = write_table(tmp_path / "pages.parquet", {"a": b"<!-- -->", "b": b"<p>So.</p>"})
    tally = write_residue([gold], [table], tmp_path / "out.parquet", extractors=["justext", "whole-page"])
    assert tally.faults == ["pages/a: justext failed (ParserError: Document is empty)"]
    assert tally.missing == ["pages/c"]
    assert set(rows_of(tmp_path / "out.parquet")) == {("pages/b", "whole-page")}
    assert tally.said()[:2] == [*tally.faults, "pages/c: labelled, but in none of the tables"]


def test_an_unknown_extractor_is_refused_with_the_known_ones(table: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no extractor is called goose; there are trafilatura, .*whole-page"):
        write_residue([GOLD], [table], tmp_path / "out.parquet", extractors=["goose"])


def test_an_output_that_stands_there_is_kept_unless_told_otherwise(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"out\.parquet stands there already"):
        write_residue([GOLD], [table], out, extractors=["whole-page"])
    assert out.read_bytes() == b"mine"
    write_residue([GOLD], [table], out, extractors=["whole-page"], overwrite=True)
    assert len(rows_of(out)) == 2


def test_a_table_named_twice_is_an_error_and_leaves_nothing_behind(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "residue.parquet"
    out.parent.mkdir()
    with pytest.raises(DataError, match="pages/ferry stands in the tables twice"):
        write_residue([GOLD], [table, table], out, extractors=["whole-page"])
    assert list(out.parent.iterdir()) == []


def test_a_damaged_table_is_an_error_and_leaves_nothing_behind(table: Path, tmp_path: Path) -> None:
    data = bytearray(table.read_bytes())
    data[-6:] = b"\0" * 6
    table.write_bytes(data)
    out = tmp_path / "out" / "residue.parquet"
    out.parent.mkdir()
    with pytest.raises(DataError, match=r"pages\.parquet"):
        write_residue([GOLD], [table], out, extractors=["whole-page"])
    assert list(out.parent.iterdir()) == []


def test_the_command_writes_the_table_and_says_what_it_did(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.parquet"
    call = ["residue", str(GOLD), str(table), "-o", str(out), "--extractor", "whole-page"]
    assert cli.main(call) == 0
    assert "whole-page: 2 of 2 pages, 22 lines, 95.5% with a label" in " ".join(
        capsys.readouterr().err.split()
    )
    assert set(rows_of(out)) == {("pages/ferry", "whole-page"), ("pages/muehle", "whole-page")}
    assert cli.main(call) == 1


@pytest.mark.slow
def test_several_processes_write_the_same_table(table: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    write_residue([GOLD], [table], one, extractors=["resiliparse", "justext"])
    write_residue([GOLD], [table], two, extractors=["resiliparse", "justext"], workers=2)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.slow
def test_at_least_as_many_lines_find_their_label_as_in_the_table_of_the_field(
    shared_data: Path, tmp_path: Path
) -> None:
    """On the labelled pages of one corpus: the share of aligned lines by extractor, and the labels."""
    with (shared_data / "gold" / "gold-dev.jsonl").open(encoding="utf-8") as lines:
        known = [line for line in lines if '"naeb/' in line[:20]][:40]
    gold, out = tmp_path / "gold.jsonl", tmp_path / "residue.parquet"
    gold.write_text("".join(known))
    write_residue([gold], [shared_data / "data" / "naeb-dev.parquet"], out, extractors=HERE)
    ours, theirs = rows_of(out), rows_of(shared_data / "gold" / "residue-dev.parquet")
    aligned, same = defaultdict[str, list[tuple[int, int]]](list), list[bool]()
    for doc, name in set(ours) & set(theirs):
        mine, other = ours[doc, name], theirs[doc, name]
        aligned[name].append((count(mine["labels"]), count(other["labels"])))
        if mine["lines"] == other["lines"]:
            same += [a == b for a, b in zip(mine["labels"], other["labels"], strict=True) if a and b]
    for name, counts in aligned.items():
        own, reference = np.sum(counts, axis=0)
        assert own >= reference, name
    assert len(same) > 2000
    assert np.mean(same) > 0.98


def count(labels: list[str | None]) -> int:
    return sum(label is not None for label in labels)


def test_pages_of_a_table_are_read_as_they_were_written(table: Path) -> None:
    assert [page.doc for page in read_pages(table)] == ["pages/ferry", "pages/muehle", "pages/chaguan"]
