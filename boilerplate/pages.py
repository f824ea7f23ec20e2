"""Page tables: scraped pages with what a corpus says of their content, read as a stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from boilerplate.document import DataError

__all__ = ["HUB_ID", "Page", "PageColumns", "declared_url", "is_page_table", "page_of", "read_pages"]

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
LOADERS = {".parquet": "parquet", ".jsonl": "json"}


@dataclass(frozen=True)
class Page:
    """A scraped page and what its corpus says of it; ``doc`` is ``corpus/page_id``.

    ``main_content`` is the text of the content, ``with_`` are snippets that stand in it,
    ``without`` snippets of the page that do not.

    >>> Page("wcxb/1", None, "article", b"<p>So.</p>").with_
    ()
    """

    doc: str
    url: str | None
    kind: str | None
    html: bytes
    title: str | None = None
    author: str | None = None
    main_content: str | None = None
    with_: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageColumns:
    """Which column of a table holds what; None where the table has no such column.

    Without ``corpus`` the table's own name stands for it.

    >>> PageColumns(html="page", author=None).html
    'page'
    """

    corpus: str | None = "corpus"
    page_id: str = "page_id"
    url: str | None = "url"
    kind: str | None = "page_type"
    html: str = "html"
    title: str | None = "title"
    author: str | None = "author"
    main_content: str | None = "main_content"
    with_: str | None = "with"
    without: str | None = "without"


def read_pages(source: Path | str, columns: PageColumns | Mapping[str, Any] | None = None) -> Iterator[Page]:
    """Read pages one by one from a .parquet or .jsonl file, a folder of the hub's layout, or a hub id.

    Rows are streamed, so memory does not grow with the table. ``columns`` maps what a page
    needs to columns; by default they have the names of ``PageColumns``. Raises
    ``DataError`` for what cannot be read, naming the table and the row (the first is 1).

    >>> import json, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "forum.jsonl")
    ...     _ = path.write_text(json.dumps({"id": 7, "page": "<p>So.</p>"}))
    ...     absent = "corpus url kind title author main_content with_ without".split()
    ...     [page] = read_pages(path, {**dict.fromkeys(absent), "page_id": "id", "html": "page"})
    >>> page.doc, page.html
    ('forum/7', b'<p>So.</p>')
    """
    names = columns if isinstance(columns, PageColumns) else PageColumns(**(columns or {}))
    name = Path(source).name.removesuffix(Path(source).suffix if Path(source).is_file() else "")
    for where, rows in _tables(source):
        for number, row in enumerate(_sound(rows, where), start=1):
            yield page_of(row, f"{where}: row {number}", names, name)


def page_of(row: Mapping[str, Any], where: str, columns: PageColumns, name: str) -> Page:
    """Make a page of a row; ``where`` names the row in errors, ``name`` the corpus where no column does.

    >>> row = {"page_id": 7, "html": "<p>So.</p>"}
    >>> page_of(row, "a.jsonl:1", PageColumns(*[None, "page_id", None, None, "html"], *[None] * 5), "a").doc
    'a/7'
    """
    missing = sorted({column for column in asdict(columns).values() if column} - set(row))
    if missing:
        raise DataError(
            f"{where} has no column {', '.join(missing)}; it has {', '.join(row)}: map them with PageColumns"
        )
    found = {field: row[column] if column else None for field, column in asdict(columns).items()}
    html = found["html"].encode("utf-8", "surrogatepass") if isinstance(found["html"], str) else found["html"]
    if not isinstance(html, bytes) or not html.strip():
        raise DataError(f"{where} ({found['page_id']}) has no HTML in {columns.html}; leave the row out")
    return Page(
        f"{found['corpus'] or name}/{found['page_id']}",
        html=html,
        with_=tuple(found.pop("with_") or ()),
        without=tuple(found.pop("without") or ()),
        **{field: found[field] or None for field in ("url", "kind", "title", "author", "main_content")},
    )


def _tables(source: Path | str) -> list[tuple[str, Iterable[dict[str, Any]]]]:
    """Open the splits of a source as streams of rows, each with the name errors give it."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    path = Path(source)
    if not path.exists() and not HUB_ID.fullmatch(str(source)):
        raise DataError(f"{source}: not found; give a .parquet or .jsonl file, a folder of them, or a hub id")
    if path.is_file() and path.suffix not in LOADERS:
        raise DataError(f"{path}: not a page table; give .parquet or .jsonl")
    options = _constant_memory() if _holds_parquet(path) else {}
    try:
        if path.is_file():
            splits = load_dataset(LOADERS[path.suffix], data_files=str(path), streaming=True, **options)
            return [(str(source), splits["train"])]
        splits = load_dataset(str(source), streaming=True, **options)
        return [(f"{source} ({split})", rows) for split, rows in splits.items()]
    except (OSError, ValueError, LookupError, DatasetsError) as error:
        raise DataError(f"{source}: not a page table ({error})") from error


def _holds_parquet(path: Path) -> bool:
    return path.suffix == ".parquet" if path.is_file() else any(path.rglob("*.parquet"))


def _constant_memory() -> dict[str, Any]:
    """Forbid the reader of local tables to hold all that it has read of a file."""
    from pyarrow.dataset import ParquetFragmentScanOptions

    return {"fragment_scan_options": ParquetFragmentScanOptions(pre_buffer=False)}


def _sound(rows: Iterable[dict[str, Any]], where: str) -> Iterator[dict[str, Any]]:
    """Give the rows of a table; where it is damaged, name the row that could not be read."""
    from datasets.exceptions import DatasetsError

    number = 0
    try:
        for number, row in enumerate(rows, start=1):  # noqa: B007
            yield row
    except (OSError, ValueError, DatasetsError) as error:
        raise DataError(
            f"{where}: cannot be read from row {number + 1} on, the file is damaged ({error})"
        ) from error


def is_page_table(path: Path, html: str = PageColumns.html) -> bool:
    """Say whether a .parquet or .jsonl file holds pages: a column of HTML named ``html``, and no blocks.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.jsonl")
    ...     _ = path.write_text('{"corpus": "x", "page_id": "1", "html": "<p>So."}')
    ...     is_page_table(path)
    True
    """
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            return html in pq.read_schema(path).names
        with path.open("rb") as lines:
            row = json.loads(lines.readline())
        return isinstance(row, dict) and html in row and "blocks" not in row
    except (OSError, ValueError):
        return False


def declared_url(html: bytes) -> str | None:
    """Give the address a page says it has: its canonical link, or else its og:url.

    >>> declared_url(b'<link rel="canonical" href="https://example.org/a"><p>So.</p>')
    'https://example.org/a'
    """
    try:
        from resiliparse.parse.encoding import detect_encoding
        from resiliparse.parse.html import HTMLTree
    except ModuleNotFoundError as error:
        raise DataError(f"{error.name} is missing; pip install 'boilerplate-classifier[train]'") from None
    tree = HTMLTree.parse_from_bytes(html, detect_encoding(html) or "utf-8")
    for selector, attribute in (('link[rel="canonical"]', "href"), ('meta[property="og:url"]', "content")):
        for element in tree.document.query_selector_all(selector) if tree.document else ():
            address = (element.getattr(attribute) or "").strip()
            if address.startswith(("http://", "https://")):
                return str(address)
    return None
