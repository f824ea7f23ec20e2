"""Labelled documents: read from files, folders and page tables, checked, and turned into training views."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import tldextract
from numpy.typing import NDArray

from boilerplate.columns import CONVENTIONS
from boilerplate.document import DataError, Document
from boilerplate.extractors import whole_page
from boilerplate.ground_truth import Truth, allowed_by
from boilerplate.labels import CONTENT, LABELS, Label
from boilerplate.pages import HUB_ID, Page, PageColumns, declared_url, is_page_table, read_pages
from boilerplate.segment import segment_text
from boilerplate.views import SCRIPTS, disguised, thinned

__all__ = [
    "LINE",
    "WHOLE",
    "LabelledDocument",
    "StaleReading",
    "Truth",
    "digest_of",
    "digest_of_texts",
    "read_labelled",
    "read_taught",
    "site_of",
    "training_views",
]

SUFFIXES = (".jsonl", ".parquet")
HELD_OUT = "heldout"  # a folder of this name is never trained on
READINGS = "readings"  # read only where it is named, with the tables of its pages
WHOLE = "whole page"
LINE = "line"  # of no page, each on its own
MOSTLY = 0.9
MOST_WEIGHT = 1000
COLUMNS = PageColumns()
NUMBERS = {label: k for k, label in enumerate(LABELS)}


@dataclass(frozen=True, eq=False)
class LabelledDocument:
    """A document whose paragraphs a person labelled, or an extractor's view of one.

    ``allowed`` is (paragraphs x labels): one True where the label is known, all where
    nothing is. ``page`` names the page, ``view`` how it was taken, ``kind`` the type of page, ``source``
    the file or folder it was read from, ``truth`` what a corpus says of the page's content.
    ``weight`` is how much it counts in training, ``convention`` the one its labels follow if not both,
    ``by_reading`` whether a page's labels are those of a reading.

    >>> one = LabelledDocument(_joined(["A story."]), np.ones((1, 13), dtype=bool), "a", "b")
    >>> one.view, one.labels.tolist()
    ('whole page', [-1])
    """

    document: Document
    allowed: NDArray[np.bool_]
    page: str
    site: str
    view: str = WHOLE
    kind: str | None = None
    source: str = ""
    truth: Truth | None = None
    weight: float = 1.0
    convention: str | None = None
    by_reading: bool = False

    @property
    def labels(self) -> NDArray[np.int64]:
        """The number of each paragraph's label, -1 where it is not known."""
        single = self.allowed.sum(axis=1) == 1
        return np.where(single, self.allowed.argmax(axis=1), -1)

    @property
    def is_typed(self) -> bool:
        """Whether nearly every paragraph has one label; a ground truth alone says no more than content."""
        return bool(len(self.allowed)) and float(np.mean(self.labels >= 0)) >= MOSTLY


class StaleReading(UserWarning):
    """Labels given by reading were left out, since their page is not there or has another text now.

    >>> issubclass(StaleReading, UserWarning)
    True
    """


@dataclass(frozen=True)
class _Reading:
    """The labels a reader gave the paragraphs of a page, None where unsure; the digest is of their texts."""

    page: str
    digest: str
    labels: Sequence[str | None]
    where: str
    source: str = ""


def read_labelled(
    paths: Iterable[Path | str],
    *,
    held_out: bool = False,
    rendered: bool = False,
    columns: PageColumns = COLUMNS,
) -> list[LabelledDocument]:
    """Read labelled documents from JSON lines, residue tables, page tables, folders of them and hub ids.

    A folder is read with all below it but folders named ``heldout``, unless ``held_out``, and
    ``readings``. The pages of a page table are rendered as text, with the labels that the corpus'
    ground truth leaves possible (``ground_truth.allowed_by``), or with those of a reading:
    a row ``{"doc": id, "digest": digest_of_texts(paragraphs), "runs": [[label, count], ...]}`` in JSON lines.
    A row with ``"apart": true`` holds lines of no page; each becomes a document of its own.
    A page that is labelled block by block in the same read is not rendered again unless
    ``rendered``, but its blocks and views take type, site and truth from the table.
    ``columns`` maps page tables with other names.

    >>> import tempfile, pathlib
    >>> row = {"doc": "a", "url": None, "blocks": [{"text": "1 min read", "label": "byline"}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.jsonl")
    ...     _ = path.write_text(json.dumps(row))
    ...     [one] = read_labelled([folder])
    >>> one.document.text, LABELS[one.labels[0]]
    ('1 min read', 'byline')
    """
    paths = list(paths)
    sources = [(Path(path).name, found) for path in paths for found in _sources(path, held_out)]
    tables = [(name, found) for name, found in sources if _holds_pages(found, columns)]
    typed, readings = _typed([source for source in sources if source not in tables])
    pages = ((name, page) for name, table in tables for page in read_pages(table, columns))
    typed, drawn = _with_pages(typed, readings, pages, rendered)
    if not typed + drawn:
        raise DataError(
            f"no labelled documents in {', '.join(map(str, paths))}; they are .jsonl or .parquet files"
        )
    return _with_kinds(typed + drawn)


def read_taught(paths: Sequence[Path | str], also: Sequence[Path | str]) -> list[LabelledDocument]:
    """Read what folds learn from while ``also`` is only scored: nothing held out, and of the tables in
    ``also`` no more than the pages labelled by reading. They tell the sites of other documents, too.

    >>> read_taught(["seeds/articles"], ["seeds/heldout"])[0].page
    'ar-bir-alsidra'
    """
    names = {Path(path).name for path in also}
    if twice := names & {Path(path).name for path in paths}:
        raise DataError(f"{', '.join(sorted(twice))} is to be learnt from and only scored; name it once")
    beside = [path for path in also if not _is_held_out(Path(path))]
    found = read_labelled([*paths, *beside])
    return [one for one in found if one.source not in names or one.by_reading]


def _typed(
    sources: Sequence[tuple[str, Path | str]],
) -> tuple[list[LabelledDocument], dict[str, _Reading]]:
    """Read all that is no page table."""
    found = [replace(one, source=name) for name, path in sources for one in _read(Path(path))]
    documents = [one for one in found if isinstance(one, LabelledDocument)]
    return documents, {one.page: one for one in found if isinstance(one, _Reading)}


def _with_pages(
    typed: Sequence[LabelledDocument],
    readings: dict[str, _Reading],
    pages: Iterable[tuple[str, Page]],
    rendered: bool,
) -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Give typed documents what their pages' rows say, and documents of all other pages."""
    names = {one.page for one in typed}
    whole = {one.page for one in typed if one.view == WHOLE}
    known: dict[str, LabelledDocument] = {}
    drawn, stale = [], set(readings) - whole
    for name, page in pages:
        if rendered or page.doc not in whole:
            one = _drawn(page, name)
            reading = readings.get(page.doc)
            if reading and reading.digest == digest_of_texts([p.text for p in one.document.paragraphs]):
                one = _read_by_eye(one, reading)
                stale.discard(page.doc)
            drawn.append(one)
        if page.doc in names:
            known[page.doc] = _undrawn(page)
    _warn_of(stale)
    return [_completed(one, known.get(one.page)) for one in typed], drawn


def _drawn(page: Page, source: str) -> LabelledDocument:
    """Render a page as text, with the labels its ground truth leaves possible."""
    document = segment_text(whole_page(page.html, page.url))
    one = replace(_undrawn(page), document=document, source=source)
    texts = [paragraph.text for paragraph in document.paragraphs]
    return replace(one, allowed=allowed_by(one.truth or Truth(), texts, page.kind))


def _undrawn(page: Page) -> LabelledDocument:
    """Take site, type and truth of a page, not its text."""
    site = site_of(page.url or declared_url(page.html), page.doc)
    truth = Truth(page.main_content, page.with_, page.without, page.title, page.author)
    nothing = np.ones((0, len(LABELS)), dtype=bool)
    return LabelledDocument(_joined([]), nothing, page.doc, site, kind=page.kind, truth=truth)


def _completed(one: LabelledDocument, page: LabelledDocument | None) -> LabelledDocument:
    """Give a typed document the truth of its page, and the site where its own row had no address."""
    if page is None:
        return one
    site = page.site if one.site == site_of(None, one.page) else one.site
    return replace(one, site=site, kind=one.kind or page.kind, truth=page.truth)


def _read_by_eye(one: LabelledDocument, reading: _Reading) -> LabelledDocument:
    """Put the labels of a reading in the place of what the ground truth leaves possible."""
    if len(reading.labels) != len(one.document):
        raise DataError(f"{reading.where}: {len(reading.labels)} labels for {len(one.document)} paragraphs")
    known = np.array([label is not None for label in reading.labels], dtype=bool)
    read = np.array([_allowed({"label": label}, reading.where) for label in reading.labels], dtype=bool)
    return replace(one, allowed=np.where(known[:, None], read, one.allowed), by_reading=True)


def _warn_of(stale: set[str]) -> None:
    if stale:
        names = ", ".join(sorted(stale)[:3]) + (", ..." if len(stale) > 3 else "")
        text = f"{len(stale)} readings left out, their pages are not there or read otherwise now: {names}"
        warnings.warn(text, StaleReading, stacklevel=4)


def _with_kinds(documents: Sequence[LabelledDocument]) -> list[LabelledDocument]:
    """Let the type of a page hold for its views in other files."""
    kinds = {one.page: one.kind for one in documents if one.view == WHOLE}
    return [replace(one, kind=one.kind or kinds.get(one.page)) for one in documents]


def digest_of(one: LabelledDocument) -> str:
    """Give the 64-bit digest by which a card remembers the page of a document, or the row of lines.

    >>> len(digest_of(LabelledDocument(_joined(["A story."]), np.ones((1, 13), dtype=bool), "a", "b")))
    16
    """
    name = one.page.rpartition("/")[0] if one.view == LINE else one.page
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def digest_of_texts(texts: Iterable[str]) -> str:
    """Give the 64-bit digest by which a reading knows the paragraphs it was made of.

    >>> digest_of_texts(["A headline", "A story."])
    '9e3c3a62a17ee3df'
    """
    text = "\n".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _sources(path: Path | str, held_out: bool) -> Iterator[Path | str]:
    """Name the files of a folder, or the one file or data set of the hub that is meant."""
    if isinstance(path, str) and _is_on_the_hub(path):
        yield path
        return
    path = Path(path)
    if _is_held_out(path) and not held_out:
        raise DataError(f"{path} is held out from training; evaluate on it instead")
    if not path.is_dir():
        yield path
        return
    for file in sorted(found for found in path.rglob("*") if found.suffix in SUFFIXES):
        within = file.relative_to(path).parts
        if READINGS not in within and (held_out or HELD_OUT not in within):
            yield file


def _is_held_out(path: Path) -> bool:
    """Say whether a path is a folder held out, or a file in one."""
    return HELD_OUT in (path.name, path.absolute().parent.name)


def _is_on_the_hub(name: str) -> bool:
    return bool(HUB_ID.fullmatch(name)) and not Path(name).exists() and not Path(name).suffix


def _holds_pages(source: Path | str, columns: PageColumns) -> bool:
    return isinstance(source, str) or is_page_table(source, columns.html)


def _read(path: Path) -> Iterator[LabelledDocument | _Reading]:
    if path.suffix == ".jsonl":
        yield from _read_rows(path)
    elif path.suffix == ".parquet":
        yield from _read_residue(path)
    else:
        raise DataError(
            f"{path}: " + ("not a labelled file; give .jsonl or .parquet" if path.exists() else "not found")
        )


def _read_rows(path: Path) -> Iterator[LabelledDocument | _Reading]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield from _row(line, f"{path}:{number}")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error


def _row(line: bytes, where: str) -> Iterator[LabelledDocument | _Reading]:
    """Read one row: a document, a reading of a page, or lines that stand apart, each a document."""
    try:
        row = json.loads(line)
        if "runs" in row:
            labels = [label for label, count in row["runs"] for _ in range(count)]
            yield _Reading(_named(row["doc"]), row["digest"], labels, where)
            return
        blocks, page = row["blocks"], _named(row["doc"])
        texts = [block["text"] for block in blocks]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where}: not a labelled document ({error!r}); it needs doc and blocks with text"
        ) from error
    allowed = np.array([_allowed(block, where) for block in blocks], dtype=bool).reshape(
        len(blocks), len(LABELS)
    )
    _check_texts(texts, len(blocks), where)
    if row.get("apart"):
        names = [f"{page}/{number}" for number in range(len(blocks))]
        for name, text, may_be in zip(names, texts, allowed, strict=True):
            yield LabelledDocument(_joined([text]), may_be[None], name, name, view=LINE)
        return
    document = _located(row["text"], blocks, where) if row.get("text") is not None else _joined(texts)
    yield LabelledDocument(
        document,
        allowed,
        page,
        site_of(row.get("url"), page),
        kind=row.get("page_type"),
        weight=_weight(row.get("weight", 1), where),
        convention=_convention(row.get("convention"), where),
    )


def _weight(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MOST_WEIGHT:
        raise DataError(f"{where}: weight is {value!r}; it is a number above 0 and below {MOST_WEIGHT}")
    return float(value)


def _convention(name: str | None, where: str) -> str | None:
    if name is not None and name not in CONVENTIONS:
        raise DataError(f"{where}: unknown convention {name!r}; there are {', '.join(CONVENTIONS)}")
    return name


def _allowed(block: dict[str, Any], where: str) -> list[bool]:
    names = block.get("allowed") or ([block["label"]] if block.get("label") else LABELS)
    try:
        chosen = {NUMBERS[Label(name)] for name in names}
    except (ValueError, TypeError):
        raise DataError(f"{where}: unknown label in {names!r}; labels are {', '.join(LABELS)}") from None
    return [k in chosen for k in range(len(LABELS))]


def _check_texts(texts: Sequence[object], labels: int, where: str) -> None:
    if not texts or len(texts) != labels:
        raise DataError(f"{where}: {len(texts)} blocks and {labels} labels; leave out what has no block")
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{where}: block {number} is {text!r}; a block is a text that is not blank")


def _joined(texts: Sequence[str]) -> Document:
    """Set blocks below one another; each is one paragraph, whatever stands in it."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    ends = np.cumsum(lengths + 1) - 1
    return Document("\n".join(texts), ends - lengths, ends)


def _located(text: str, blocks: Sequence[dict[str, Any]], where: str) -> Document:
    """Find blocks in their text by offset, or one after the other; all between them is white space."""
    spans, at = [], 0
    for block in blocks:
        name = f"{where}: block {block['text'][:40]!r}"
        start = _given(block, "start", text.find(block["text"], at))
        end = _given(block, "end", start + len(block["text"]))
        if start < 0 or text[start:end] != block["text"]:
            raise DataError(f"{name} does not stand in the text at {start}")
        if start < at or text[at:start].strip():
            raise DataError(f"{name} overlaps the one before it, or text without a label stands between")
        spans.append((start, end))
        at = end
    if text[at:].strip():
        raise DataError(f"{where}: text without a label stands after the last block; label it null")
    offsets = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return Document(text, offsets[:, 0], offsets[:, 1])


def _given(block: dict[str, Any], name: str, other: int) -> int:
    value = block.get(name)  # null where a table was written with the column and this row has none
    return other if value is None else int(value)


def _named(doc: object) -> str:
    if doc is None or doc == "":
        raise ValueError("doc is empty")
    return str(doc)


def _read_residue(path: Path) -> Iterator[LabelledDocument]:
    """Read what extractors left of labelled pages, a row a page and extractor."""
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path)
        for batch in table.iter_batches(
            batch_size=256, columns=["doc", "url", "extractor", "lines", "labels"]
        ):
            for row in batch.to_pylist():
                yield from _residue_row(row, f"{path} ({row['doc']}, {row['extractor']})")
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a residue table ({error})") from error


def _residue_row(row: dict[str, Any], where: str) -> Iterator[LabelledDocument]:
    """Read what one extractor left of a page; where it left nothing there is no document."""
    lines, labels = row["lines"], row["labels"]
    if not (row["doc"] and isinstance(lines, list) and isinstance(labels, list)):
        raise DataError(f"{where}: doc, lines or labels are missing; leave the row out")
    if lines or labels:
        _check_texts(lines, len(labels), where)
        allowed = np.array([_allowed({"label": label}, where) for label in labels], dtype=bool)
        site = site_of(row["url"], row["doc"])
        yield LabelledDocument(_joined(lines), allowed, row["doc"], site, row["extractor"])


def site_of(url: str | None, page: str) -> str:
    """Name the site of a page: its registered domain; without an address, its corpus is one site.

    >>> site_of("https://news.example.co.uk/a", "x/1"), site_of(None, "zh-articles/7")
    ('example.co.uk', 'zh-articles')
    """
    if not url:
        return page.split("/")[0]
    try:
        parts = _domains()(url)
        return parts.top_domain_under_public_suffix or urlsplit(url).hostname or page.split("/")[0]
    except ValueError:  # no address at all, as "http://[bad/x"
        return page.split("/")[0]


@cache
def _domains() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # its bundled list; nothing is fetched


def training_views(documents: Sequence[LabelledDocument], *, thin: int, seed: int) -> list[LabelledDocument]:
    """Add to whole pages views of them: thinned, in scripts the model has no words for, and both.

    A page of which no more than a ground truth is known is taken as it is.

    >>> one = LabelledDocument(_joined(["A story."]), np.ones((1, 13), dtype=bool), "a", "b")
    >>> [view.view for view in training_views([one], thin=1, seed=0)]
    ['whole page', 'thinned', 'disguised', 'disguised']
    """
    random = np.random.default_rng(seed)
    views: list[LabelledDocument] = []
    for number, one in enumerate(documents):
        views.append(one)
        if one.view == WHOLE and (one.truth is None or one.is_typed):
            thinner = [_thinned(one, random) for _ in range(thin)]
            views += [_disguised(view, number + k) if k % 2 else view for k, view in enumerate(thinner)]
            views += [_disguised(one, number + k) for k in (0, 2)]
    return views


def _thinned(one: LabelledDocument, random: np.random.Generator) -> LabelledDocument:
    boilerplate = one.allowed[:, [NUMBERS[label] for label in LABELS if label not in CONTENT]]
    content = np.logical_not(boilerplate.any(axis=1))
    chosen = thinned(content, one.labels.tolist(), random)
    texts = [one.document.paragraphs[i].text for i in chosen]
    return replace(one, document=_joined(texts), allowed=one.allowed[chosen], view="thinned")


def _disguised(one: LabelledDocument, number: int) -> LabelledDocument:
    lines = [paragraph.text for paragraph in one.document.paragraphs]
    document = _joined(disguised(lines, number % len(SCRIPTS), number))
    return replace(one, document=document, view="disguised")
