"""What extractors leave of labelled pages, line by line, with the labels of the pages' blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boilerplate.alignment import line_labels
from boilerplate.corpora import WHOLE, LabelledDocument, read_labelled
from boilerplate.document import DataError, OutputError
from boilerplate.extractors import EXTRACTORS, page_language
from boilerplate.labels import LABELS
from boilerplate.pages import Page, read_pages

__all__ = ["PageResidue", "Residue", "Tally", "page_residue", "write_residue"]

ROWS = 512  # written at once
PAGES = 100  # between two words of progress


@dataclass(frozen=True)
class Residue:
    """What one extractor left of a page; ``labels`` has None for a line that no block explains.

    >>> Residue("a/1", None, "trafilatura", ["A story."], ["body"]).lines
    ['A story.']
    """

    doc: str
    url: str | None
    extractor: str
    lines: list[str]
    labels: list[str | None]


@dataclass(frozen=True)
class PageResidue:
    """The residue of one page by all extractors, and the faults of those that failed on it.

    >>> PageResidue([], ["a/1: trafilatura failed"]).rows
    []
    """

    rows: list[Residue]
    faults: list[str]


@dataclass
class Tally:
    """What a run has written: pages, and by extractor its rows, lines and lines with a label.

    ``faults`` names what failed where, ``missing`` labelled pages that no table holds.

    >>> tally = Tally()
    >>> tally.add(PageResidue([Residue("a/1", None, "trafilatura", ["So.", "Oh"], ["body", None])], []))
    >>> tally.aligned("trafilatura")
    0.5
    """

    pages: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, page: PageResidue) -> None:
        """Count one page."""
        self.pages += 1
        self.faults += page.faults
        for row in page.rows:
            self.rows[row.extractor] += 1
            self.lines[row.extractor] += len(row.lines)
            self.labelled[row.extractor] += sum(label is not None for label in row.labels)

    def aligned(self, extractor: str) -> float:
        """Give the share of an extractor's lines that have a label."""
        return self.labelled[extractor] / max(self.lines[extractor], 1)

    def said(self) -> list[str]:
        """Say what a run has written and what it could not, a thing a line."""
        return [
            *self.faults,
            *(f"{doc}: labelled, but in none of the tables" for doc in self.missing),
            *(
                f"{name}: {rows:,} of {self.pages:,} pages, {self.lines[name]:,} lines, "
                f"{self.aligned(name):.1%} with a label"
                for name, rows in self.rows.items()
            ),
        ]


def page_residue(page: Page, labelled: LabelledDocument, extractors: Sequence[str]) -> PageResidue:
    """Run extractors over a page and label each line of theirs by the page's labelled blocks.

    An extractor that fails or leaves nothing has no row; a failure is named in ``faults``.

    >>> import numpy as np
    >>> from boilerplate.segment import segment_text
    >>> body, social = np.eye(13, dtype=bool)[[0, LABELS.index("social")]]
    >>> labelled = LabelledDocument(segment_text("A story.\\nShare this"), np.array([body, social]), "a", "a")
    >>> page = Page("a", None, None, b"<article><p>A story.<p>Share this</article>")
    >>> page_residue(page, labelled, ["whole-page"]).rows[0].labels
    ['body', 'social']
    """
    language = page_language(page.html)
    found = PageResidue([], [])
    for name in extractors:
        try:
            text = EXTRACTORS[name].run(page.html, page.url, language)
        except DataError:  # a library is missing: no page would fare better
            raise
        except Exception as error:  # whatever a library trips over
            said = " ".join(str(error).split())
            found.faults.append(f"{page.doc}: {name} failed ({type(error).__name__}: {said})")
            continue
        if lines := [line.strip() for line in text.splitlines() if line.strip()]:
            found.rows.append(Residue(page.doc, page.url, name, lines, _labels(lines, labelled)))
    return found


def _labels(lines: Sequence[str], labelled: LabelledDocument) -> list[str | None]:
    blocks = [paragraph.text for paragraph in labelled.document.paragraphs]
    numbers = line_labels(lines, blocks, labelled.labels).tolist()
    return [str(LABELS[number]) if number >= 0 else None for number in numbers]


def write_residue(
    gold: Sequence[Path | str],
    tables: Sequence[Path | str],
    output: Path | str,
    *,
    extractors: Sequence[str] = tuple(EXTRACTORS),
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda message: None,
) -> Tally:
    """Write the residue of all labelled pages of some tables as one .parquet, a row a page and extractor.

    ``gold`` are labelled documents or readings, ``tables`` page tables with the same ids. Pages are
    streamed. Raises DataError for unknown extractors, libraries that are not installed and
    damaged tables, OutputError where the output stands already.

    >>> import json, pathlib, tempfile
    >>> blocks = [{"text": "A story.", "label": "body"}, {"text": "Share this", "label": "social"}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gold, pages, out = (pathlib.Path(folder, name) for name in ("g.jsonl", "p.jsonl", "r.parquet"))
    ...     _ = gold.write_text(json.dumps({"doc": "p/1", "blocks": blocks}))
    ...     row = dict.fromkeys("url page_type title author main_content with without".split())
    ...     row |= {"corpus": "p", "page_id": "1", "html": "<p>A story.<p>Share this"}
    ...     _ = pages.write_text(json.dumps(row))
    ...     tally = write_residue([gold], [pages], out, extractors=["whole-page"])
    ...     [residue] = read_labelled([out])
    >>> residue.view, [LABELS[number].value for number in residue.labels], tally.aligned("whole-page")
    ('whole-page', ['body', 'social'], 1.0)
    """
    _check(Path(output), extractors, overwrite)
    known = read_labelled([*gold, *tables], held_out=True)  # a reading needs the table of its page
    labelled = {one.page: one for one in known if one.view == WHOLE and one.is_typed}
    tally, seen = Tally(), set[str]()
    with _writer(Path(output)) as write:
        for page in _residues(_wanted(tables, labelled, seen), labelled, extractors, workers):
            tally.add(page)
            write(page.rows)
            if tally.pages % PAGES == 0:
                progress(f"{tally.pages:,} of {len(labelled):,} pages")
    tally.missing = sorted(set(labelled) - seen)
    return tally


def _check(output: Path, extractors: Sequence[str], overwrite: bool) -> None:
    if unknown := [name for name in extractors if name not in EXTRACTORS]:
        raise DataError(f"no extractor is called {', '.join(unknown)}; there are {', '.join(EXTRACTORS)}")
    if output.exists() and not overwrite:
        raise OutputError(f"{output} stands there already; name another file, or give --overwrite")


def _wanted(
    tables: Sequence[Path | str], labelled: Mapping[str, LabelledDocument], seen: set[str]
) -> Iterator[Page]:
    """Give the labelled pages of the tables, and note them as seen."""
    for table in tables:
        for page in read_pages(table):
            if page.doc in seen:
                raise DataError(f"{table}: {page.doc} stands in the tables twice; name each table once")
            if page.doc in labelled:
                seen.add(page.doc)
                yield page


def _residues(
    pages: Iterator[Page], labelled: Mapping[str, LabelledDocument], extractors: Sequence[str], workers: int
) -> Iterator[PageResidue]:
    from joblib import Parallel, delayed

    work = Parallel(n_jobs=workers, return_as="generator")
    yield from work(delayed(page_residue)(page, labelled[page.doc], extractors) for page in pages)


@contextmanager
def _writer(output: Path) -> Iterator[Callable[[Sequence[Residue]], None]]:
    """Write rows in groups to a file beside the output, which takes its place at the end."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    columns = {"doc": text, "url": text, "extractor": text, "lines": pa.list_(text), "labels": pa.list_(text)}
    part, waiting = output.with_name(output.name + ".part"), list[dict[str, Any]]()
    try:
        with pq.ParquetWriter(part, pa.schema(columns), compression="zstd") as file:

            def write(rows: Sequence[Residue]) -> None:
                waiting.extend(vars(row) for row in rows)
                if len(waiting) >= ROWS:
                    flush()

            def flush() -> None:
                file.write_table(pa.Table.from_pylist(waiting, file.schema))
                waiting.clear()

            yield write
            flush()
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
