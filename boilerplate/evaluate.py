"""Measure a model on labelled documents it was not trained on, or its configuration fold by fold.

Predictions pass through one after another: of each only numbers stay, and the text of the
few worst pages for the report.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.corpora import WHOLE, LabelledDocument, digest_of, read_labelled, read_taught
from boilerplate.document import Cleaned, DataError
from boilerplate.fitting import TrainOptions, cross_predict, grouped, predict, view_names
from boilerplate.intervals import Estimate
from boilerplate.labels import LABELS
from boilerplate.languages import UNKNOWN, language_of
from boilerplate.metrics import Scored, Scores, residue_mean, score, scored
from boilerplate.store import load_model
from boilerplate.textmetrics import figures_of, text_columns

__all__ = ["RESIDUE_MEAN_OF", "Report", "WorstPage", "evaluate"]

Floats = NDArray[np.float32]
Figures = dict[str, Estimate]

RESIDUE_MEAN_OF = (
    "trafilatura",
    "trafilatura-recall",
    "resiliparse",
    "justext",
    "boilerpy3",
    "readability",
    "newspaper4k",
)
CHUNK = 300  # documents predicted at once
WORST = 12
FEWEST_WORDS = 50  # of a page, before it may be one of the worst
FEWEST_PAGES = 5  # of a language or type, before it has figures of its own
FEW = "all others"


@dataclass(frozen=True, eq=False)
class WorstPage:
    """A page much of which was kept or lost by mistake, with its text.

    ``wrong`` is the share of its words of known kind that are on the wrong side.
    """

    document: LabelledDocument
    rows: Scored
    wrong: float


@dataclass(frozen=True)
class Report:
    """Figures, and what they were measured on: digests of data and model, the pages left out.

    ``scores`` has figures of labels by view, ``parts`` the same by page type and language
    within each view, ``residue`` the mean curve over extractors, ``texts`` the figures of texts
    by corpus and page type. ``seen`` counts the documents scored that the model was trained on.

    >>> Report("abc", "def", "page", 3, ("x/1",), {}).as_json().splitlines()[1]
    ' "model": "abc",'
    """

    model: str
    data: str
    convention: str
    scored: int
    left_out: tuple[str, ...]
    scores: dict[str, Scores]
    parts: dict[str, dict[str, dict[str, Scores]]] = field(default_factory=dict)
    residue: dict[float, Estimate] = field(default_factory=dict)
    texts: dict[str, Figures] = field(default_factory=dict)
    folds: int | None = None
    seen: int = 0
    worst: tuple[WorstPage, ...] = field(default=(), compare=False, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Give the figures as plain values; the worst pages, being text, are left to the HTML report.

        >>> Report("abc", "def", "page", 3, (), {}).as_dict()["scored"]
        3
        """
        plain = {name: value for name, value in vars(self).items() if name not in ("worst", "left_out")}
        return plain | {
            "left_out": list(self.left_out),
            "scores": {view: figures.as_dict() for view, figures in self.scores.items()},
            "parts": {
                view: {
                    by: {name: figures.as_dict() for name, figures in own.items()} for by, own in part.items()
                }
                for view, part in self.parts.items()
            },
            "residue": {f"{loss:.1%}": estimate.as_list() for loss, estimate in self.residue.items()},
            "texts": {
                corpus: {name: estimate.as_list() for name, estimate in figures.items()}
                for corpus, figures in self.texts.items()
            },
        }

    def as_json(self) -> str:
        """Give the report as JSON; a figure with an interval is [value, low, high]."""
        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False)


@dataclass(frozen=True, eq=False)
class _Page:
    """What is remembered of a measured document: no text."""

    view: str
    source: str
    kind: str
    language: str
    rows: Scored
    columns: dict[str, list[float]]
    digest: bytes


def evaluate(
    model: Path | str | None,
    paths: Sequence[Path | str],
    *,
    convention: str = "page",
    in_sample: bool = False,
    folds: int | None = None,
    also: Sequence[Path | str] = (),
    progress: Callable[[str], None] = lambda message: None,
) -> Report:
    """Score a model, or with ``folds`` its configuration refitted on the other sites of the data.

    Documents the model was trained on are left out, unless ``in_sample``. With ``folds``,
    documents of ``also`` are scored by the fold of their site and trained on by none. If none
    remain, or the data are wrong, DataError is raised. Labels follow the convention ``page``.

    >>> evaluate(None, ["seeds/heldout"]).left_out
    ()
    """
    loaded = load_model(model)
    if folds:
        options = TrainOptions.from_card(loaded.card["options"], folds=folds)
        taught = read_taught(paths, also)
        documents = [*taught, *(read_labelled(also, held_out=True) if also else ())]
        found = cross_predict(documents, options, convention, progress, taught=len(taught))
        tables = {Path(path).name for path in also}  # their pages stand among those taught, too, if read
        measured = [
            pair
            for k, pair in enumerate(zip(documents, found, strict=True))
            if k >= len(taught) or pair[0].source not in tables
        ]
        return _report(loaded.card, measured, (), convention, folds)
    documents = read_labelled([*paths, *also], held_out=True)
    known = loaded.documents if not in_sample or isinstance(loaded.card.get("documents"), list) else ()
    seen = [one for one in documents if digest_of(one) in known]
    chosen = documents if in_sample else [one for one in documents if digest_of(one) not in known]
    if not chosen:
        raise DataError("the model was trained on all of these documents; give others, or --in-sample")
    left_out = [] if in_sample else sorted({one.page for one in seen})
    report = _report(loaded.card, _predicted(loaded.network, chosen, convention), left_out, convention, None)
    return replace(report, seen=len(seen) if in_sample else 0)


def _predicted(
    network: Any, documents: Iterable[LabelledDocument], convention: str
) -> Iterator[tuple[LabelledDocument, Floats]]:
    for chunk in _chunks(documents):
        yield from zip(chunk, predict(network, chunk, convention), strict=True)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _report(
    card: Any,
    measured: Iterable[tuple[LabelledDocument, Floats]],
    left_out: Sequence[str],
    convention: str,
    folds: int | None,
) -> Report:
    pages, worst = _remembered(measured)
    names = view_names([(page.view, page.source) for page in pages])
    views = {view: [pages[i] for i in own] for view, own in grouped(names).items()}
    return Report(
        model=card["weights"],
        data=hashlib.sha256(b"".join(sorted(page.digest for page in pages))).hexdigest(),
        convention=convention,
        scored=len(pages),
        left_out=tuple(left_out),
        scores={view: score(_rows(own)) for view, own in views.items()},
        parts={view: _parts(own) for view, own in views.items()},
        residue=_residue(pages),
        texts=_texts(pages),
        folds=folds,
        worst=tuple(worst),
    )


def _residue(pages: Sequence[_Page]) -> dict[float, Estimate]:
    """Give the mean curve over the seven extractors, of the first source that has them all."""
    sources: dict[str, dict[str, list[Scored]]] = {}
    for page in pages:
        if page.view in RESIDUE_MEAN_OF:
            sources.setdefault(page.source, {}).setdefault(page.view, []).append(page.rows)
    whole = (views for views in sources.values() if len(views) == len(RESIDUE_MEAN_OF))
    return next((residue_mean(views) for views in whole), {})


def _remembered(
    measured: Iterable[tuple[LabelledDocument, Floats]],
) -> tuple[list[_Page], list[WorstPage]]:
    """Turn documents into numbers as they pass, and keep the worst."""
    pages: list[_Page] = []
    worst: list[WorstPage] = []
    languages: dict[str, str] = {}
    for chunk in _chunks(measured):
        documents = [one for one, _ in chunk]
        for one, rows in zip(documents, scored(documents, [found for _, found in chunk]), strict=True):
            if one.page not in languages:
                languages[one.page] = language_of(one.document)
            pages.append(_page(one, rows, languages[one.page]))
            worst += [WorstPage(one, rows, wrong)] if (wrong := _wrong(one, rows)) else []
        worst = sorted(worst, key=lambda page: -page.wrong)[:WORST]
    return pages, worst


def _page(one: LabelledDocument, rows: Scored, language: str) -> _Page:
    columns = text_columns(_kept_text(one, rows), one.truth) if one.truth else {}
    return _Page(one.view, one.source, one.kind or UNKNOWN, language, rows, columns, _digest(one))


def _kept_text(one: LabelledDocument, rows: Scored) -> str:
    """Give the article as the policy ``balanced`` would, but for documents it gives back whole in doubt."""
    return Cleaned(one.document, LABELS, rows.probabilities, rows.content_probability, rows.keep).text


def _wrong(one: LabelledDocument, rows: Scored) -> float:
    """Give the share of a whole page's words on the wrong side, 0 for other views and short pages."""
    known = rows.content >= 0
    total = int(rows.words[known].sum())
    if one.view != WHOLE or total < FEWEST_WORDS:
        return 0.0
    return float(rows.words[known & (rows.keep != (rows.content == 1))].sum() / total)


def _digest(one: LabelledDocument) -> bytes:
    """Digest what is measured of a document: its name, view, text and labels."""
    text = "\0".join((one.page, one.view, one.document.text)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text + one.allowed.tobytes(), digest_size=16).digest()


def _rows(pages: Sequence[_Page]) -> list[Scored]:
    return [page.rows for page in pages]


def _parts(pages: Sequence[_Page]) -> dict[str, dict[str, Scores]]:
    """Score pages by type and by language, where they are of several."""
    names = {
        "page type": [page.kind for page in pages],
        "language": [page.language for page in pages],
    }
    found = {by: _most_first(own) for by, own in names.items() if len(set(own)) > 1}
    return {
        by: {name: score([pages[i].rows for i in places]) for name, places in own.items()}
        for by, own in found.items()
    }


def _most_first(names: Sequence[str]) -> dict[str, list[int]]:
    """Give the places of each name, the most frequent first; those of few pages share one.

    >>> _most_first(["en"] * 5 + ["de", "fr"])
    {'en': [0, 1, 2, 3, 4], 'all others': [5, 6]}
    """
    counts = Counter(names)
    places = grouped([name if counts[name] >= FEWEST_PAGES else FEW for name in names])
    return dict(sorted(places.items(), key=lambda item: (item[0] == FEW, -len(item[1]))))


def _texts(pages: Sequence[_Page]) -> dict[str, Figures]:
    """Score the texts of each corpus, of each extractor's views of it, and of its whole pages by type."""
    own = [page for page in pages if page.columns]
    names = [page.source if page.view == WHOLE else f"{page.source}, {page.view}" for page in own]
    found: dict[str, Figures] = {}
    for name, places in grouped(names).items():
        there = [own[i] for i in places]
        found[name] = _text_figures(there)
        by_kind = _most_first([page.kind for page in there if page.view == WHOLE])
        if len(by_kind) > 1:
            found |= {
                f"{name}, {kind}": _text_figures([there[i] for i in at]) for kind, at in by_kind.items()
            }
    return found


def _text_figures(pages: Sequence[_Page]) -> Figures:
    return figures_of([page.columns for page in pages], [page.rows.site for page in pages])
