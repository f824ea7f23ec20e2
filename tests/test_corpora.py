"""Labelled documents are checked as they are read; an error names the file and the line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from boilerplate.corpora import WHOLE, LabelledDocument, digest_of, read_labelled, site_of, training_views
from boilerplate.document import DataError
from boilerplate.features import featurize
from boilerplate.labels import LABELS

BODY, BYLINE, LEGAL = (LABELS.index(name) for name in ("body", "byline", "legal"))
ROW = {
    "doc": "a",
    "url": None,
    "blocks": [{"text": "1 min read", "label": "byline"}, {"text": "So.", "label": "body"}],
}


def written(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def residue(path: Path, rows: list[dict[str, Any]]) -> Path:
    kinds = pa.schema(
        [("doc", pa.string()), ("url", pa.string()), ("extractor", pa.string())]
        + [(name, pa.list_(pa.string())) for name in ("lines", "labels")]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema=kinds), path)
    return path


def blocks(*pairs: tuple[str, str | None]) -> dict[str, Any]:
    return {"doc": "a", "url": None, "blocks": [{"text": text, "label": label} for text, label in pairs]}


def test_blocks_are_set_below_one_another_each_with_its_label(tmp_path: Path) -> None:
    [one] = read_labelled([written(tmp_path / "a.jsonl", ROW)])
    assert one.document.text == "1 min read\nSo."
    assert [p.text for p in one.document.paragraphs] == ["1 min read", "So."]
    assert one.labels.tolist() == [BYLINE, BODY]
    assert (one.page, one.site, one.view, one.kind) == ("a", "a", WHOLE, None)


def test_a_block_may_hold_line_breaks(tmp_path: Path) -> None:
    [one] = read_labelled([written(tmp_path / "a.jsonl", blocks(("one\ntwo", "body"), ("three", "legal")))])
    assert [p.text for p in one.document.paragraphs] == ["one\ntwo", "three"]


def test_a_label_may_be_unknown_or_one_of_several(tmp_path: Path) -> None:
    row = {
        **ROW,
        "blocks": [
            {"text": "x", "label": None},
            {"text": "y"},
            {"text": "z", "label": "body", "allowed": ["body", "legal"]},
            {"text": "w", "allowed": ["legal"]},
        ],
    }
    [one] = read_labelled([written(tmp_path / "a.jsonl", row)])
    assert one.allowed[:2].all()
    assert np.flatnonzero(one.allowed[2]).tolist() == [BODY, LEGAL]
    assert one.labels.tolist() == [-1, -1, -1, LEGAL]


def test_blocks_are_found_in_their_text_by_offset_or_in_order(tmp_path: Path) -> None:
    text = "😀 So.\n\n  So. \n"
    by_offset = {
        "doc": "a",
        "text": text,
        "blocks": [{"text": "😀 So.", "start": 0, "end": 5}, {"text": "So.", "start": 9, "end": 12}],
    }
    in_order = {"doc": "b", "text": text, "blocks": [{"text": "😀 So."}, {"text": "So."}]}
    for one in read_labelled([written(tmp_path / "a.jsonl", by_offset, in_order)]):
        assert one.document.text == text
        assert (one.document.starts.tolist(), one.document.ends.tolist()) == ([0, 9], [5, 12])


SPOILT: list[tuple[str, Any, str]] = [
    ("no JSON", "{", "not a labelled document"),
    ("a number", 7, "not a labelled document"),
    ("no name", {"blocks": []}, r"not a labelled document \(KeyError\('doc'\)\); it needs doc and blocks"),
    ("no blocks", {"doc": "a"}, "KeyError"),
    ("blocks that are none", {"doc": "a", "blocks": 3}, "not a labelled document"),
    ("a block without text", {"doc": "a", "blocks": [{"label": "body"}]}, r"KeyError\('text'\)"),
    ("not one block", {"doc": "a", "blocks": []}, "0 blocks"),
    (
        "an empty block",
        blocks(("So.", "body"), ("", "body")),
        "block 2 is ''; a block is a text that is not blank",
    ),
    ("a blank block", blocks((" \n", "body")), "block 1 is"),
    ("a text that is a number", {"doc": "a", "blocks": [{"text": 3}]}, "block 1 is 3"),
    (
        "an unknown label",
        blocks(("So.", "sidebar")),
        r"unknown label in \['sidebar'\]; labels are body, heading",
    ),
    (
        "an unknown allowed label",
        {"doc": "a", "blocks": [{"text": "x", "allowed": ["body", "x"]}]},
        "unknown label",
    ),
    ("allowed labels that are none", {"doc": "a", "blocks": [{"text": "x", "allowed": 7}]}, "unknown label"),
    (
        "a block not in the text",
        {"doc": "a", "text": "So.", "blocks": [{"text": "Then."}]},
        "'Then.' does not stand in",
    ),
    (
        "a wrong offset",
        {"doc": "a", "text": "So.", "blocks": [{"text": "So.", "start": 1, "end": 4}]},
        "does not stand",
    ),
    (
        "overlap",
        {"doc": "a", "text": "abc", "blocks": [{"text": "ab", "start": 0}, {"text": "bc", "start": 1}]},
        "overlaps",
    ),
    (
        "text between blocks",
        {"doc": "a", "text": "a b c", "blocks": [{"text": "a"}, {"text": "c"}]},
        "between",
    ),
    ("text before blocks", {"doc": "a", "text": "a b", "blocks": [{"text": "b"}]}, "without a label"),
    ("text after blocks", {"doc": "a", "text": "a b", "blocks": [{"text": "a"}]}, "after the last block"),
]


@pytest.mark.parametrize(("row", "says"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])
def test_an_error_names_the_file_the_line_and_what_is_wrong(tmp_path: Path, row: Any, says: str) -> None:
    path = written(tmp_path / "bad.jsonl", ROW, "", row)
    with pytest.raises(DataError, match=says) as refusal:
        read_labelled([path])
    assert str(refusal.value).startswith(f"{path}:3: ")


def test_bytes_that_are_no_utf_8_are_an_error_of_their_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(json.dumps(ROW).encode() + b'\n{"doc": "\xff"}\n')
    with pytest.raises(DataError, match=r"bad.jsonl:2: not a labelled document"):
        read_labelled([path])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "nothing.jsonl", "nothing.jsonl"),
        (lambda folder: folder / "nothing.txt", r"nothing.txt: not found"),
        (
            lambda folder: written(folder / "a.csv", "x"),
            r"a.csv: not a labelled file; give .jsonl or .parquet",
        ),
        (lambda folder: written(folder / "a.parquet", "x"), r"a.parquet: not a residue table"),
        (lambda folder: folder / "nothing.parquet", r"nothing.parquet"),
        (lambda folder: folder, r"no labelled documents in .*; they are .jsonl or .parquet files"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, make: Callable[[Path], Path], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_labelled([make(tmp_path)])


def test_folders_are_read_in_order_and_held_out_ones_only_when_asked(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/c.jsonl", "heldout/d.jsonl", "a/heldout/e.jsonl"):
        written(tmp_path / name, {**ROW, "doc": name})
    written(tmp_path / "notes.txt", "nothing to learn")
    assert [one.page for one in read_labelled([tmp_path])] == ["a/c.jsonl", "b.jsonl"]
    assert len(read_labelled([tmp_path], held_out=True)) == 4
    assert [one.page for one in read_labelled([tmp_path / "heldout"], held_out=True)] == ["heldout/d.jsonl"]
    with pytest.raises(DataError, match="held out"):
        read_labelled([tmp_path / "heldout"])


def test_residue_is_read_a_row_a_page_and_extractor(tmp_path: Path) -> None:
    rows = [
        {
            "doc": "x/1",
            "url": "https://www.a.test.org/1",
            "extractor": "jusText",
            "lines": ["So.", "©"],
            "labels": ["body", None],
        },
        {"doc": "x/1", "url": "https://www.a.test.org/1", "extractor": "empty", "lines": [], "labels": []},
    ]
    whole = written(tmp_path / "a.jsonl", {**ROW, "doc": "x/1", "page_type": "forum"})
    _, one = read_labelled([whole, residue(tmp_path / "r.parquet", rows)])
    assert (one.page, one.view, one.site, one.kind) == ("x/1", "jusText", "test.org", "forum")
    assert one.labels.tolist() == [BODY, -1]
    assert one.document.text == "So.\n©"


@pytest.mark.parametrize(
    ("lines", "labels", "says"),
    [
        (["So."], ["sidebar"], "unknown label"),
        (["So.", "x"], ["body"], "2 blocks and 1 labels"),
        (["So.", " "], ["body", "body"], "block 2 is ' '"),
        (["So.", None], ["body", "body"], "block 2 is None"),
    ],
)
def test_a_wrong_row_of_residue_is_named(
    tmp_path: Path, lines: list[str | None], labels: list[str], says: str
) -> None:
    row = {"doc": "x/1", "url": None, "extractor": "jusText", "lines": lines, "labels": labels}
    with pytest.raises(DataError, match=rf"r.parquet \(x/1, jusText\): {says}"):
        read_labelled([residue(tmp_path / "r.parquet", [row])])


@pytest.mark.parametrize(
    ("url", "page", "site"),
    [
        ("https://news.example.co.uk/a", "x/1", "example.co.uk"),
        ("http://user@www.example.com:8080/a?b#c", "x/1", "example.com"),
        ("https://me.github.io/blog", "x/1", "github.io"),
        ("https://新闻.中国/a", "x/1", "新闻.中国"),
        ("nonsense", "x/1", "x"),
        ("", "x/1", "x"),
        (None, "zh-articles/7", "zh-articles"),
        (None, "alone", "alone"),
    ],
)
def test_a_site_is_the_registered_domain_or_else_the_corpus(url: str | None, page: str, site: str) -> None:
    assert site_of(url, page) == site


@pytest.mark.parametrize("host", ["192.0.2.7", "news.example", "intranet"])
def test_a_host_outside_the_public_suffixes_is_a_site_of_its_own(host: str) -> None:
    assert site_of(f"https://{host}/a", "x/1") == host


def test_a_digest_is_of_the_page_whatever_its_view(tmp_path: Path) -> None:
    [one] = read_labelled([written(tmp_path / "a.jsonl", {**ROW, "doc": "é\ud800"})])
    other = LabelledDocument(one.document, one.allowed, one.page, "elsewhere", "jusText")
    assert digest_of(one) == digest_of(other)
    assert len(digest_of(one)) == 16
    assert digest_of(one) != digest_of(LabelledDocument(one.document, one.allowed, "b", one.site))


def seeds() -> list[LabelledDocument]:
    return read_labelled([Path(__file__).resolve().parent.parent / "seeds"])


def test_views_stand_behind_their_page_with_its_labels() -> None:
    documents = seeds()[:4]
    views = training_views(documents, thin=2, seed=0)
    assert [one.view for one in views] == [WHOLE, "thinned", "disguised", "disguised", "disguised"] * 4
    assert [views[5 * i] for i in range(4)] == documents
    for i, view in enumerate(views):
        page = documents[i // 5]
        assert (view.page, view.site, view.kind) == (page.page, page.site, page.kind)
        assert len(view.allowed) == len(view.document)
        assert np.isfinite(featurize([view.document]).dense).all()
        if view.view == "disguised" and i % 5 > 2:
            assert view.labels.tolist() == page.labels.tolist()
        if view.view == "thinned":
            assert (view.labels == BODY).sum() == (page.labels == BODY).sum()
            assert {p.text for p in view.document.paragraphs} <= {p.text for p in page.document.paragraphs}


def test_views_are_the_same_each_time_and_differ_by_seed() -> None:
    one, two, other = ([v.document.text for v in training_views(seeds(), thin=2, seed=s)] for s in (0, 0, 1))
    assert one == two != other


def test_residue_has_no_further_views(tmp_path: Path) -> None:
    row = {"doc": "x/1", "url": None, "extractor": "jusText", "lines": ["So."], "labels": ["body"]}
    documents = read_labelled([residue(tmp_path / "r.parquet", [row])])
    assert training_views(documents, thin=3, seed=0) == documents
