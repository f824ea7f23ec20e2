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

from boilerplate.corpora import (
    LINE,
    WHOLE,
    LabelledDocument,
    StaleReading,
    Truth,
    digest_of,
    digest_of_texts,
    read_labelled,
    site_of,
    training_views,
)
from boilerplate.document import DataError
from boilerplate.features import featurize
from boilerplate.labels import LABELS
from boilerplate.pages import PageColumns

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
    return read_labelled([Path(__file__).resolve().parent.parent / "seeds" / "articles"])


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


STORY = "The mill burnt down last night, they say, and nobody in the village saw it happen."
PAGE = {
    "corpus": "x",
    "page_id": "1",
    "url": "https://www.a.test.org/1",
    "page_type": "article",
    "html": f"<p>Home<h1>A mill</h1><p>{STORY}<p>Most read".encode(),
    "title": "A mill",
    "author": None,
    "main_content": STORY,
    "with": ["burnt down last night"],
    "without": ["Home"],
}
UNSIGNED = {**PAGE, "url": None, "html": PAGE["html"] + b'<link rel=canonical href="https://b.test/1">'}
TEXTS = ["Home", "A mill", STORY, "Most read"]
HEADING = LABELS.index("heading")


def pages(path: Path, *rows: dict[str, Any]) -> Path:
    kinds = pa.schema(
        [(name, pa.string()) for name in ("corpus", "page_id", "url", "page_type")]
        + [("html", pa.binary())]
        + [(name, pa.string()) for name in ("title", "author", "main_content")]
        + [(name, pa.list_(pa.string())) for name in ("with", "without")]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=kinds), path)
    return path


def test_a_page_is_rendered_with_the_labels_its_truth_leaves(tmp_path: Path) -> None:
    [one] = read_labelled([pages(tmp_path / "p.parquet", PAGE)])
    assert [p.text for p in one.document.paragraphs] == TEXTS
    assert (one.page, one.site, one.view, one.kind, one.source) == (
        "x/1",
        "test.org",
        WHOLE,
        "article",
        "p.parquet",
    )
    assert one.truth == Truth(STORY, ("burnt down last night",), ("Home",), "A mill", None)
    assert one.labels.tolist() == [-1, HEADING, -1, -1]
    assert one.allowed[:, BODY].tolist() == [False, False, True, False]
    assert one.allowed.sum(axis=1).tolist() == [12, 1, 3, 10]


def test_folders_and_json_lines_hold_page_tables_too(tmp_path: Path) -> None:
    pages(tmp_path / "data" / "train-00000-of-00001.parquet", PAGE)
    written(tmp_path / "data" / "more.jsonl", {**PAGE, "page_id": "2", "html": "<p>So."})
    written(tmp_path / "a.jsonl", {**ROW, "html": "<p>So."})  # blocks: no page table
    found = read_labelled([str(tmp_path)])
    assert [(one.page, one.document.text.strip()[:4]) for one in found] == [
        ("a", "1 mi"),
        ("x/2", "So."),
        ("x/1", "Home"),
    ]


def test_a_page_labelled_block_by_block_takes_site_type_and_truth_from_its_row(tmp_path: Path) -> None:
    gold = written(tmp_path / "g.jsonl", {**ROW, "doc": "x/1"}, {**ROW, "doc": "x/9"})
    row = {"doc": "x/1", "url": None, "extractor": "jusText", "lines": ["So."], "labels": ["body"]}
    table = pages(tmp_path / "p.parquet", UNSIGNED)
    found = read_labelled([table, gold, residue(tmp_path / "r.parquet", [row])])
    assert [(one.page, one.view, one.site, one.kind) for one in found] == [
        ("x/1", WHOLE, "b.test", "article"),
        ("x/9", WHOLE, "x", None),
        ("x/1", "jusText", "b.test", "article"),
    ]
    assert found[0].labels.tolist() == [BYLINE, BODY]
    assert [one.truth and one.truth.main for one in found] == [STORY, None, STORY]
    views_only = read_labelled([table, tmp_path / "r.parquet"])
    assert [(one.view, one.site) for one in views_only] == [("jusText", "b.test"), (WHOLE, "b.test")]
    asked = read_labelled([table, gold], rendered=True)
    assert [(one.source, len(one.document)) for one in asked] == [
        ("g.jsonl", 2),
        ("g.jsonl", 2),
        ("p.parquet", 4),
    ]


def test_a_table_with_other_names_is_read_through_a_mapping(tmp_path: Path) -> None:
    row = {"id": "1", "page": PAGE["html"].decode(), "text": STORY}
    columns = PageColumns(None, "id", None, None, "page", None, None, "text", None, None)
    [one] = read_labelled([written(tmp_path / "forum.jsonl", row)], columns=columns)
    assert (one.page, one.truth) == ("forum/1", Truth(STORY))
    assert one.allowed.sum(axis=1).tolist() == [12, 12, 3, 10]


def test_an_address_of_its_own_beats_the_one_a_page_declares(tmp_path: Path) -> None:
    gold = written(tmp_path / "g.jsonl", {**ROW, "doc": "x/1", "url": "https://c.test/1"})
    assert read_labelled([gold, pages(tmp_path / "p.parquet", UNSIGNED)])[0].site == "c.test"


def reading(**change: Any) -> dict[str, Any]:
    runs = [["navigation", 1], ["heading", 1], [None, 1], ["story_link", 1]]
    return {"doc": "x/1", "digest": digest_of_texts(TEXTS), "runs": runs, **change}


def test_labels_given_by_reading_take_the_place_of_what_the_truth_leaves(tmp_path: Path) -> None:
    read = written(tmp_path / "read.jsonl", reading())
    [one] = read_labelled([pages(tmp_path / "p.parquet", PAGE), read])
    assert [LABELS[k] if k >= 0 else None for k in one.labels] == [
        "navigation",
        "heading",
        None,
        "story_link",
    ]
    assert one.allowed[2].sum() == 3  # unknown to the reader: what the truth leaves
    assert one.source == "p.parquet"
    assert not one.is_typed


def test_readings_of_another_text_are_left_out_and_named(tmp_path: Path) -> None:
    stale = reading(digest=digest_of_texts(TEXTS[1:])), reading(doc="x/7")
    read = written(tmp_path / "read.jsonl", *stale)
    with pytest.warns(StaleReading, match=r"2 readings left out.*: x/1, x/7"):
        [one] = read_labelled([pages(tmp_path / "p.parquet", PAGE), read])
    assert one.labels.tolist() == [-1, HEADING, -1, -1]


def test_a_page_labelled_twice_keeps_its_blocks(tmp_path: Path) -> None:
    gold = written(tmp_path / "g.jsonl", {**ROW, "doc": "x/1"})
    [one] = read_labelled(
        [pages(tmp_path / "p.parquet", PAGE), gold, written(tmp_path / "r.jsonl", reading())]
    )
    assert one.labels.tolist() == [BYLINE, BODY]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"runs": [["body", 1]]}, r"read.jsonl:1: 1 labels for 4 paragraphs"),
        ({"runs": [["sidebar", 4]]}, r"read.jsonl:1: unknown label in \['sidebar'\]"),
        ({"runs": None}, r"read.jsonl:1: not a labelled document"),
        ({"runs": [["body"]]}, r"read.jsonl:1: not a labelled document"),
    ],
)
def test_a_wrong_reading_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    read = written(tmp_path / "read.jsonl", reading(**change))
    with pytest.raises(DataError, match=says):
        read_labelled([pages(tmp_path / "p.parquet", PAGE), read])


def test_readings_in_a_folder_of_that_name_are_read_only_where_named(tmp_path: Path) -> None:
    table = pages(tmp_path / "pages" / "p.parquet", PAGE)
    written(tmp_path / "pages" / "readings" / "read.jsonl", reading())
    [beside] = read_labelled([tmp_path / "pages"])
    [named] = read_labelled([table, tmp_path / "pages" / "readings"])
    assert (beside.labels >= 0).sum() < (named.labels >= 0).sum()


def test_lines_that_stand_apart_are_documents_of_their_own(tmp_path: Path) -> None:
    row = {
        "doc": "lines",
        "apart": True,
        "blocks": [{"text": "Menu", "label": "navigation"}, ROW["blocks"][0]],
    }
    one, other = read_labelled([written(tmp_path / "lines.jsonl", row)])
    assert one.document.text == "Menu"
    assert [LABELS[k] for k in one.labels] == ["navigation"]
    assert (one.view, one.site == other.site, one.page == other.page) == (LINE, False, False)
    assert digest_of(one) == digest_of(other)


def test_a_row_may_say_its_weight_and_convention(tmp_path: Path) -> None:
    [one] = read_labelled([written(tmp_path / "a.jsonl", {**ROW, "weight": 2.5, "convention": "article"})])
    assert (one.weight, one.convention) == (2.5, "article")
    assert {view.weight for view in training_views([one], thin=1, seed=0)} == {2.5}
    [plain] = read_labelled([written(tmp_path / "b.jsonl", ROW)])
    assert (plain.weight, plain.convention) == (1, None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weight": 0}, r"a.jsonl:1: weight is 0"),
        ({"weight": True}, r"weight is True"),
        ({"weight": "3"}, r"weight is '3'"),
        ({"weight": float("nan")}, r"weight is nan"),
        ({"convention": "page "}, r"a.jsonl:1: unknown convention 'page '"),
    ],
)
def test_a_wrong_weight_or_convention_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_labelled([written(tmp_path / "a.jsonl", {**ROW, **change})])


def test_a_file_held_out_is_refused_by_its_own_name_too(tmp_path: Path) -> None:
    file = written(tmp_path / "heldout" / "a.jsonl", ROW)
    with pytest.raises(DataError, match="held out from training"):
        read_labelled([file])
    assert len(read_labelled([file], held_out=True)) == 1


def test_offsets_and_texts_that_are_null_count_as_missing(tmp_path: Path) -> None:
    blocks = [{**block, "start": None, "end": None} for block in ROW["blocks"]]
    plain, null = written(tmp_path / "a.jsonl", ROW), {**ROW, "text": None, "blocks": blocks}
    [one], [other] = read_labelled([plain]), read_labelled([written(tmp_path / "b.jsonl", null)])
    assert one.document.text == other.document.text


def test_an_address_that_is_none_leaves_the_corpus_as_site() -> None:
    assert site_of("http://[bad/x", "corpus/7") == "corpus"


@pytest.mark.parametrize("change", [{"lines": None}, {"labels": None}, {"doc": None}, {"labels": []}])
def test_a_damaged_residue_row_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    row = {"doc": "x/1", "url": None, "extractor": "jusText", "lines": ["So."], "labels": ["body"], **change}
    with pytest.raises(DataError, match=r"r.parquet \((x/1|None), jusText\): "):
        read_labelled([residue(tmp_path / "r.parquet", [row])])


def test_a_digest_of_texts_is_of_all_of_them_in_order() -> None:
    digests = {digest_of_texts(texts) for texts in (["a", "b"], ["b", "a"], ["a"], ["ab"], ["a\ud800"], [])}
    assert len(digests) == 6
    assert {len(digest) for digest in digests} == {16}


def test_a_wrong_row_of_a_page_table_is_named(tmp_path: Path) -> None:
    table = pages(tmp_path / "p.parquet", PAGE, {**PAGE, "page_id": "2", "html": None})
    with pytest.raises(DataError, match=r"p.parquet: row 2 \(2\) has no HTML"):
        read_labelled([table])


def test_a_page_that_shows_no_text_is_a_document_without_paragraphs(tmp_path: Path) -> None:
    [one] = read_labelled([pages(tmp_path / "p.parquet", {**PAGE, "html": b"<script>1</script>"})])
    assert (len(one.document), one.allowed.shape) == (0, (0, 13))
    assert [len(view.document) for view in training_views([one], thin=1, seed=0)] == [0]
    assert featurize([one.document, one.document]).lengths.tolist() == [0, 0]


def test_what_is_neither_path_nor_on_the_hub_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match=r"nobody/nothing-at-all"):
        read_labelled(["nobody/nothing-at-all"])
