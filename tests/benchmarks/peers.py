"""Score extractors, rules and our own model on the same pages, and time them in the same run.

See README.md in this folder. A peer is a line in PEERS.
"""

from __future__ import annotations

import json
import logging
import platform
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rules import c4_lines, long_lines

from boilerplate.cleaner import load
from boilerplate.corpora import LabelledDocument, digest_of, site_of
from boilerplate.document import DataError
from boilerplate.extractors import EXTRACTORS, Extractor, page_language
from boilerplate.ground_truth import Truth
from boilerplate.intervals import Estimate
from boilerplate.labels import LABELS
from boilerplate.pages import Page, declared_url, read_pages
from boilerplate.segment import segment_text
from boilerplate.textmetrics import figures_of, text_columns

FIGURES = ("word precision", "word recall", "word F1", "shingle F1", "snippet F1")
SHOWN = 200  # pages between two words of progress


def _precision(html: str, url: str | None, language: str | None) -> str | None:
    import trafilatura

    return trafilatura.extract(html, url=url, include_comments=False, favor_precision=True)


def _recall(html: str, url: str | None, language: str | None) -> str | None:
    import trafilatura

    return trafilatura.extract(html, url=url, include_comments=False, favor_recall=True)


def _rs_trafilatura(html: str, url: str | None, language: str | None) -> str | None:
    import rs_trafilatura

    return rs_trafilatura.extract(html, url=url).main_content


def on_text(clean: Callable[[str], str]) -> Extractor:
    """Make a peer of what cleans text: it is given the text of the whole page."""
    whole = EXTRACTORS["whole-page"]
    return Extractor(
        whole.module, lambda html, url, language: clean(whole.function(html, url, language) or "")
    )


# One line a peer: its name in the table, the module it needs, what it makes of (html, url, language).
PEERS = {
    "trafilatura": EXTRACTORS["trafilatura"],
    "trafilatura, precision": Extractor("trafilatura", _precision),
    "trafilatura, recall": Extractor("trafilatura", _recall),
    "jusText": EXTRACTORS["justext"],
    "resiliparse": EXTRACTORS["resiliparse"],
    "boilerpy3": EXTRACTORS["boilerpy3"],
    "readability-lxml": EXTRACTORS["readability"],
    "newspaper4k": EXTRACTORS["newspaper4k"],
    "rs-trafilatura": Extractor("rs_trafilatura", _rs_trafilatura),
    "whole page as text": on_text(str),
    "C4 line rules, on text": on_text(c4_lines),
    "lines of ≥ 7 words, on text": on_text(long_lines),
}


@dataclass
class Tally:
    """What one peer did on one set of pages."""

    columns: list[Mapping[str, list[float]]] = field(default_factory=list)
    seconds: float = 0.0
    empty: int = 0
    failed: int = 0

    def add(self, text: str, truth: Truth, seconds: float) -> None:
        """Count one page."""
        self.columns.append(text_columns(text, truth))
        self.seconds += seconds
        self.empty += not text.strip()


@dataclass
class Measured:
    """A set of pages: their sites, and a tally for each peer."""

    sites: list[str] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)


def measure(
    pages: Iterable[tuple[str, Page]],
    peers: Mapping[str, Extractor],
    texts: Mapping[str, Mapping[str, str]],
) -> dict[str, Measured]:
    """Give every page to every peer, one after the other, in another order for each page.

    Time is CPU time of this process, from bytes to text, decoding included. ``texts`` were made
    elsewhere, by name and page; they are scored and not timed.
    """
    found: dict[str, Measured] = {}
    for number, (name, page) in enumerate(pages):
        own = found.setdefault(name, Measured(tallies={peer: Tally() for peer in [*peers, *texts]}))
        own.sites.append(site_of(page.url or declared_url(page.html), page.doc))
        truth = Truth(page.main_content, page.with_, page.without)
        language = page_language(page.html)
        for peer in shuffled(peers, number):
            text, seconds, failed = timed(peers[peer], page, language)
            own.tallies[peer].add(text, truth, seconds)
            own.tallies[peer].failed += failed
        for peer, by_page in texts.items():
            own.tallies[peer].add(by_page[page.doc], truth, 0.0)
        if number % SHOWN == 0:
            typer.echo(f"{number:,} pages, now {page.doc}", err=True)
    return found


def timed(peer: Extractor, page: Page, language: str | None) -> tuple[str, float, bool]:
    """Give a peer's text of a page, the CPU seconds it took, and whether it failed."""
    start, failed = time.process_time(), False
    try:
        text = peer.run(page.html, page.url, language)
    except DataError:
        raise
    except Exception:  # whatever a library trips over: it gave no text
        text, failed = "", True
    return text, time.process_time() - start, failed


def shuffled(names: Iterable[str], number: int) -> list[str]:
    """Give the names in an order of this page's own, so that nobody always profits from warm caches."""
    order = list(names)
    random.Random(number).shuffle(order)
    return order


def named_pages(tables: Sequence[Path], wanted: Callable[[Page], bool]) -> Iterator[tuple[str, Page]]:
    """Give the wanted pages of tables with the name of their set: table and whether they are articles."""
    for table in tables:
        for page in read_pages(table):
            if wanted(page):
                kind = "articles" if page.kind == "article" else "other types" if page.kind else "all pages"
                yield f"{table.stem}, {kind}", page


def our_peers(models: Sequence[Path]) -> dict[str, Extractor]:
    """Make peers of our models, under both conventions."""
    cleaners = {
        f"{model.name}, {convention}, on text": load(model, convention=convention)
        for model in models
        for convention in ("page", "article")
    }
    return {name: on_text(lambda text, own=own: own.clean(text).text) for name, own in cleaners.items()}


def trained_on(models: Sequence[Path]) -> frozenset[str]:
    """Give the digests of all pages that some of the models were trained on."""
    return frozenset[str]().union(*(load(model).model.documents for model in models))


def installed(peers: Mapping[str, Extractor]) -> dict[str, Extractor]:
    """Leave out, and say so, the peers whose library is not here."""
    for name, peer in peers.items():
        if not find_spec(peer.module):
            typer.echo(f"{name} is skipped: {peer.module} is not installed here", err=True)
    return {name: peer for name, peer in peers.items() if find_spec(peer.module)}


def digest(page: Page) -> str:
    """Give the digest by which a card remembers a page."""
    nothing = np.zeros((0, len(LABELS)), dtype=bool)
    return digest_of(LabelledDocument(segment_text(""), nothing, page.doc, ""))


def as_table(name: str, measured: Measured, peers: Mapping[str, Extractor]) -> str:
    """Write the figures of one set of pages as a markdown table, the best word or snippet F1 first."""
    rows = [row(peer, tally, measured.sites, peers.get(peer)) for peer, tally in measured.tallies.items()]
    rows.sort(key=lambda cells: max(cells[3], cells[5]), reverse=True)
    head = ["", *FIGURES, "pages/s", "nothing given", "failed"]
    lines = [f"### {name}: {len(measured.sites):,} pages of {len(set(measured.sites)):,} sites", ""]
    lines += [f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines)


def row(peer: str, tally: Tally, sites: Sequence[str], extractor: Extractor | None) -> list[str]:
    """Write what one peer did."""
    figures = figures_of(tally.columns, sites)
    cells = [written(name, figures.get(name)) for name in FIGURES]
    speed = f"{len(sites) / tally.seconds:,.0f}" if extractor else ""
    return [peer, *cells, speed, f"{tally.empty:,}", f"{tally.failed:,}" if extractor else ""]


def written(name: str, figure: Estimate | None) -> str:
    """Write a figure, the harmonic means with their interval."""
    if figure is None:
        return ""
    return str(figure) if name.endswith("F1") else f"{figure.value:.3f}"


def versions(peers: Mapping[str, Extractor]) -> str:
    """Name the date, the interpreter and the version of every library that ran."""
    distributions = packages_distributions()
    names = sorted({distributions[peer.module][0] for peer in peers.values()}, key=str.lower)
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{date.today()}, {platform.python_implementation()} {platform.python_version()}; {libraries}."


Tables = Annotated[list[Path], typer.Argument(help="Page tables with a ground truth.")]
Models = Annotated[
    list[Path] | None,
    typer.Option("--model", help="A model of ours; pages it was trained on are left out for all peers."),
]
Texts = Annotated[
    list[Path] | None,
    typer.Option(
        "--texts", help='Texts made out of fold, {"doc": "text"}; other pages are left out for all.'
    ),
]


def main(tables: Tables, model: Models = None, texts: Texts = None) -> None:
    """Score peers on page tables; a table a set of pages goes to standard output."""
    logging.disable(logging.CRITICAL)
    peers = installed(PEERS | our_peers(model or []))
    elsewhere = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in texts or []}
    known = trained_on(model or [])

    def wanted(page: Page) -> bool:
        return digest(page) not in known and all(page.doc in by_page for by_page in elsewhere.values())

    measured = measure(warmed_up(named_pages(tables, wanted), peers), peers, elsewhere)
    typer.echo(versions(peers))
    for name, own in measured.items():
        typer.echo(f"\n{as_table(name, own, peers)}")


def warmed_up(
    pages: Iterator[tuple[str, Page]], peers: Mapping[str, Extractor]
) -> Iterator[tuple[str, Page]]:
    """Give the first page to every peer once before it counts: what they import and load is not timed."""
    for number, (name, page) in enumerate(pages):
        if number == 0:
            for peer in peers.values():
                timed(peer, page, None)
        yield name, page


if __name__ == "__main__":
    typer.run(main)
