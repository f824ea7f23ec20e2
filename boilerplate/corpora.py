"""Labelled documents: read from files and folders, checked, and turned into training views."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import tldextract
from numpy.typing import NDArray

from boilerplate.document import DataError, Document
from boilerplate.labels import CONTENT, LABELS, Label
from boilerplate.views import SCRIPTS, disguised, thinned

__all__ = ["WHOLE", "LabelledDocument", "digest_of", "read_labelled", "site_of", "training_views"]

SUFFIXES = (".jsonl", ".parquet")
HELD_OUT = "heldout"  # a folder of this name is never trained on
WHOLE = "whole page"
NUMBERS = {label: k for k, label in enumerate(LABELS)}


@dataclass(frozen=True, eq=False)
class LabelledDocument:
    """A document whose paragraphs a person labelled, or an extractor's view of one.

    ``allowed`` is (paragraphs x labels): one True where the label is known, all where
    nothing is. ``page`` names the page, ``view`` how it was taken, ``kind`` the type of page, ``source``
    the file or folder it was read from.

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

    @property
    def labels(self) -> NDArray[np.int64]:
        """The number of each paragraph's label, -1 where it is not known."""
        single = self.allowed.sum(axis=1) == 1
        return np.where(single, self.allowed.argmax(axis=1), -1)


def read_labelled(paths: Iterable[Path | str], *, held_out: bool = False) -> list[LabelledDocument]:
    """Read labelled documents from JSON lines, residue tables (.parquet) and folders of them.

    A folder is read with all below it but folders named ``heldout``; ``held_out`` reads
    those too. Types of pages in one file hold for the views of the same page in another.

    >>> import tempfile, pathlib
    >>> row = {"doc": "a", "url": None, "blocks": [{"text": "1 min read", "label": "byline"}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.jsonl")
    ...     _ = path.write_text(json.dumps(row))
    ...     [one] = read_labelled([folder])
    >>> one.document.text, LABELS[one.labels[0]]
    ('1 min read', 'byline')
    """
    found = ((Path(path).name, one) for path in paths for one in _read(Path(path), held_out))
    documents = [replace(one, source=name) for name, one in found]
    if not documents:
        raise DataError(
            f"no labelled documents in {', '.join(map(str, paths))}; they are .jsonl or .parquet files"
        )
    kinds = {document.page: document.kind for document in documents if document.view == WHOLE}
    return [replace(one, kind=one.kind or kinds.get(one.page)) for one in documents]


def digest_of(one: LabelledDocument) -> str:
    """Give the 64-bit digest by which a card remembers the page of a document.

    >>> len(digest_of(LabelledDocument(_joined(["A story."]), np.ones((1, 13), dtype=bool), "a", "b")))
    16
    """
    return hashlib.blake2b(one.page.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _read(path: Path, held_out: bool) -> Iterator[LabelledDocument]:
    if path.name == HELD_OUT and not held_out:
        raise DataError(f"{path} is held out from training; evaluate on it instead")
    if path.is_dir():
        for file in sorted(found for found in path.rglob("*") if found.suffix in SUFFIXES):
            if held_out or HELD_OUT not in file.relative_to(path).parts:
                yield from _read(file, held_out)
    elif path.suffix == ".jsonl":
        yield from _read_rows(path)
    elif path.suffix == ".parquet":
        yield from _read_residue(path)
    else:
        raise DataError(
            f"{path}: " + ("not a labelled file; give .jsonl or .parquet" if path.exists() else "not found")
        )


def _read_rows(path: Path) -> Iterator[LabelledDocument]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _row(line, f"{path}:{number}")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error


def _row(line: bytes, where: str) -> LabelledDocument:
    try:
        row = json.loads(line)
        blocks, page = row["blocks"], str(row["doc"])
        texts = [block["text"] for block in blocks]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where}: not a labelled document ({error!r}); it needs doc and blocks with text"
        ) from error
    allowed = np.array([_allowed(block, where) for block in blocks], dtype=bool).reshape(
        len(blocks), len(LABELS)
    )
    _check_texts(texts, len(blocks), where)
    document = _located(row["text"], blocks, where) if "text" in row else _joined(texts)
    return LabelledDocument(document, allowed, page, site_of(row.get("url"), page), kind=row.get("page_type"))


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
        start = block.get("start", text.find(block["text"], at))
        end = block.get("end", start + len(block["text"]))
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


def _read_residue(path: Path) -> Iterator[LabelledDocument]:
    """Read what extractors left of labelled pages, a row a page and extractor."""
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path)
        for batch in table.iter_batches(
            batch_size=256, columns=["doc", "url", "extractor", "lines", "labels"]
        ):
            for row in batch.to_pylist():
                where = f"{path} ({row['doc']}, {row['extractor']})"
                blocks = [{"label": label} for label in row["labels"]]
                allowed = np.array([_allowed(block, where) for block in blocks], dtype=bool)
                if len(blocks):
                    _check_texts(row["lines"], len(blocks), where)
                    site = site_of(row["url"], row["doc"])
                    yield LabelledDocument(_joined(row["lines"]), allowed, row["doc"], site, row["extractor"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a residue table ({error})") from error


def site_of(url: str | None, page: str) -> str:
    """Name the site of a page: its registered domain; without an address, its corpus is one site.

    >>> site_of("https://news.example.co.uk/a", "x/1"), site_of(None, "zh-articles/7")
    ('example.co.uk', 'zh-articles')
    """
    if not url:
        return page.split("/")[0]
    parts = _domains()(url)
    return parts.top_domain_under_public_suffix or urlsplit(url).hostname or page.split("/")[0]


@cache
def _domains() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # its bundled list; nothing is fetched


def training_views(documents: Sequence[LabelledDocument], *, thin: int, seed: int) -> list[LabelledDocument]:
    """Add to whole pages views of them: thinned, in scripts the model has no words for, and both.

    >>> one = LabelledDocument(_joined(["A story."]), np.ones((1, 13), dtype=bool), "a", "b")
    >>> [view.view for view in training_views([one], thin=1, seed=0)]
    ['whole page', 'thinned', 'disguised', 'disguised']
    """
    random = np.random.default_rng(seed)
    views: list[LabelledDocument] = []
    for number, one in enumerate(documents):
        views.append(one)
        if one.view == WHOLE:
            thinner = [_thinned(one, random) for _ in range(thin)]
            views += [_disguised(view, number + k) if k % 2 else view for k, view in enumerate(thinner)]
            views += [_disguised(one, number + k) for k in (0, 2)]
    return views


def _thinned(one: LabelledDocument, random: np.random.Generator) -> LabelledDocument:
    boilerplate = one.allowed[:, [NUMBERS[label] for label in LABELS if label not in CONTENT]]
    content = np.logical_not(boilerplate.any(axis=1))
    chosen = thinned(content, one.labels.tolist(), random)
    texts = [one.document.paragraphs[i].text for i in chosen]
    return LabelledDocument(_joined(texts), one.allowed[chosen], one.page, one.site, "thinned", one.kind)


def _disguised(one: LabelledDocument, number: int) -> LabelledDocument:
    lines = [paragraph.text for paragraph in one.document.paragraphs]
    document = _joined(disguised(lines, number % len(SCRIPTS), number))
    return LabelledDocument(document, one.allowed, one.page, one.site, "disguised", one.kind)
