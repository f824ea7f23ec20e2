"""Page tables: one mapping, streamed, and errors that name table and row."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from boilerplate.document import DataError
from boilerplate.pages import Page, PageColumns, declared_url, is_page_table, read_pages

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("corpus", "page_id", "url", "page_type")]
    + [("html", pa.binary())]
    + [(name, pa.string()) for name in ("title", "author", "main_content")]
    + [(name, pa.list_(pa.string())) for name in ("with", "without")]
)
ROW = {
    "corpus": "mills",
    "page_id": "1",
    "url": "https://example.org/1",
    "page_type": "article",
    "html": b"<h1>A mill</h1><p>It burnt down.</p>",
    "title": "A mill",
    "author": None,
    "main_content": "It burnt down.",
    "with": ["burnt down"],
    "without": ["Share"],
}


def table(path: Path, *rows: dict[str, Any], schema: pa.Schema = SCHEMA) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
    return path


def test_a_row_is_a_page_with_all_its_corpus_says(tmp_path: Path) -> None:
    bare = {
        **ROW,
        "page_id": "2",
        "url": None,
        "page_type": None,
        "main_content": "",
        "with": [],
        "without": None,
    }
    first, second = read_pages(table(tmp_path / "a.parquet", ROW, bare))
    assert first == Page(
        "mills/1",
        "https://example.org/1",
        "article",
        b"<h1>A mill</h1><p>It burnt down.</p>",
        "A mill",
        None,
        "It burnt down.",
        ("burnt down",),
        ("Share",),
    )
    assert (second.url, second.kind, second.main_content, second.with_, second.without) == (
        None,
        None,
        None,
        (),
        (),
    )


def test_a_folder_in_the_layout_of_the_hub_is_read_split_by_split(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: train\n    path: data/train-*\n  - split: test\n    path: data/test-*\n---\n"
    )
    table(tmp_path / "data" / "train-00000-of-00002.parquet", ROW)
    table(tmp_path / "data" / "train-00001-of-00002.parquet", {**ROW, "page_id": "2"})
    table(tmp_path / "data" / "test-00000-of-00001.parquet", {**ROW, "page_id": "3"})
    assert [page.doc for page in read_pages(tmp_path)] == ["mills/1", "mills/2", "mills/3"]


def test_one_mapping_serves_a_table_with_other_names(tmp_path: Path) -> None:
    path = tmp_path / "forum.jsonl"
    rows = [{"id": k, "page": f"<p>{k}</p>", "text": "So.", "address": None} for k in (7, 8)]
    path.write_text("\n".join(map(json.dumps, rows)))
    columns = PageColumns(
        corpus=None,
        page_id="id",
        url="address",
        kind=None,
        html="page",
        title=None,
        author=None,
        main_content="text",
        with_=None,
        without=None,
    )
    pages = list(read_pages(path, columns))
    assert [(page.doc, page.html, page.main_content) for page in pages] == [
        ("forum/7", b"<p>7</p>", "So."),
        ("forum/8", b"<p>8</p>", "So."),
    ]
    mapping = {name: getattr(columns, name) for name in PageColumns.__dataclass_fields__}
    assert list(read_pages(path, mapping)) == pages


@pytest.mark.parametrize("html", [None, b"", b" \n"])
def test_a_row_without_html_is_named(tmp_path: Path, html: bytes | None) -> None:
    pages = read_pages(table(tmp_path / "a.parquet", ROW, {**ROW, "page_id": "9", "html": html}))
    assert next(pages).doc == "mills/1"
    with pytest.raises(DataError, match=r"a.parquet: row 2 \(9\) has no HTML in html"):
        next(pages)


def test_a_table_without_a_column_says_which_and_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"html": [b"x"], "id": ["1"]}), path)
    says = r"a.parquet: row 1 has no column author, corpus, .*; it has html, id: map them with PageColumns"
    with pytest.raises(DataError, match=says):
        list(read_pages(path))


def test_a_table_damaged_in_the_middle_says_what_could_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = pa.Table.from_pylist(
        [{**ROW, "page_id": str(k), "html": bytes([65 + k]) * 999} for k in range(9)], SCHEMA
    )
    pq.write_table(rows, path, row_group_size=3, compression="none", use_dictionary=False)
    spoilt = bytearray(path.read_bytes())
    at = spoilt.index(b"D" * 999)  # the first page of the second row group
    spoilt[at - 60 : at] = b"\xff" * 60
    path.write_bytes(spoilt)
    with pytest.raises(DataError, match=r"a.parquet: cannot be read from row \d on, the file is damaged"):
        list(read_pages(path))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.parquet", b"PAR1 and no more", "a.parquet"),
        ("a.jsonl", b'{"html": ', "a.jsonl"),
        ("a.csv", b"html", "a.csv: not a page table; give .parquet or .jsonl"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says):
        list(read_pages(tmp_path / name))


def test_what_is_neither_there_nor_a_hub_id_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing.parquet: not found; give"):
        list(read_pages(tmp_path / "nothing.parquet"))


def test_a_page_table_is_known_by_its_html(tmp_path: Path) -> None:
    assert is_page_table(table(tmp_path / "a.parquet", ROW))
    pq.write_table(pa.table({"lines": [["x"]]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"no table")
    assert not is_page_table(tmp_path / "b.parquet")
    assert not is_page_table(tmp_path / "c.parquet")


@pytest.mark.parametrize(
    ("html", "url"),
    [
        (
            b'<link rel=canonical href="https://a.org/1"><meta property="og:url" content="https://b.org">',
            "https://a.org/1",
        ),
        (
            b'<link rel=canonical href="/1"><meta property="og:url" content="https://b.org/1">',
            "https://b.org/1",
        ),
        (b"<p>https://a.org", None),
        (b"", None),
        (b"\xff\xfe\x00", None),
    ],
)
def test_a_page_may_declare_its_address(html: bytes, url: str | None) -> None:
    assert declared_url(html) == url


MEMORY = """
import resource, sys
from boilerplate.pages import read_pages
import datasets, pyarrow.dataset
pages = read_pages(sys.argv[1])
for _ in range(3_000): next(pages)  # read-ahead and pools have their size by now
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = 3_000 + sum(1 for _ in pages)
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_ten_thousand_pages_stream_in_constant_memory(tmp_path: Path) -> None:
    path, each = tmp_path / "many.parquet", 100_000
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for low in range(0, 10_000, 100):
            html = [(f"<p>{low + k} ".encode() * each)[:each] for k in range(100)]
            rows = [{**ROW, "page_id": str(low + k), "html": html[k]} for k in range(100)]
            writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
    done = subprocess.run([sys.executable, "-c", MEMORY, path], check=True, capture_output=True, text=True)
    count, grown = map(int, done.stdout.split())
    assert count == 10_000
    assert grown < 100, "MiB more for 700 MB of pages"
