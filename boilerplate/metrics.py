"""How good labels are: every figure of typed paragraphs the project reports, defined once.

Precision, recall and F1 follow van Rijsbergen (1979), macro-F1 is their plain mean over the
labels that are there. The residue curve is the share of boilerplate words removed where a
stated share of content words is lost: operating points of the receiver curve, weighted by
words. The expected calibration error has bins of equal mass (Nguyen and O'Connor, EMNLP
2015). Intervals are over sites (see ``intervals``). Texts are compared in ``textmetrics``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.corpora import LabelledDocument
from boilerplate.features import count_words
from boilerplate.intervals import Estimate, estimates, site_sums
from boilerplate.labels import CONTENT, LABELS
from boilerplate.store import loss_threshold

__all__ = [
    "IS_CONTENT",
    "LOSSES",
    "Scored",
    "Scores",
    "calibration_error",
    "confusion_of",
    "label_scores",
    "removed_at_loss",
    "residue_mean",
    "score",
    "scored",
]

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

IS_CONTENT = np.array([label in CONTENT for label in LABELS])
STATED_LOSS = 0.01
LOSSES = (0.002, 0.005, 0.01, 0.02)
CALIBRATION_BINS = 15
THRESHOLDS = 400  # among which a draw of the bootstrap looks for its own
FURTHEST_LOSS = 0.1  # no draw needs thresholds that lose more than this


@dataclass(frozen=True, eq=False)
class Scored:
    """What is measured of one document: a row a paragraph, and no text.

    ``truth`` numbers the label, -1 where it is not known or may be several; ``content``
    is 1 for content, 0 for boilerplate, -1 where that is not known.

    >>> Scored(np.eye(13, dtype=np.float32)[:1], np.array([0]), np.array([1]), np.array([3]), "a").keep
    array([ True])
    """

    probabilities: Floats
    truth: Ints
    content: Ints
    words: Ints
    site: str

    @property
    def content_probability(self) -> Floats:
        """How probable it is that each paragraph is content."""
        found: Floats = self.probabilities[:, IS_CONTENT].sum(axis=1)
        return found

    @property
    def keep(self) -> NDArray[np.bool_]:
        """Which paragraphs are more likely content than not; those stay."""
        stays: NDArray[np.bool_] = self.content_probability >= 0.5
        return stays


def scored(documents: Sequence[LabelledDocument], predictions: Sequence[Floats]) -> list[Scored]:
    """Set predictions, (paragraphs x labels) a document, beside what is true.

    >>> from boilerplate.corpora import read_labelled
    >>> [one] = read_labelled(["seeds/articles/en-lighthouse-bats.jsonl"])
    >>> len(scored([one], [one.allowed.astype(np.float32)])[0].words) == len(one.document)
    True
    """
    words = count_words([one.document for one in documents])
    ends = np.cumsum([len(one.document) for one in documents], dtype=np.int64)
    return [
        Scored(rows, one.labels, _content(one.allowed), own, one.site)
        for one, rows, own in zip(documents, predictions, np.split(words, ends[:-1]), strict=True)
    ]


def _content(allowed: NDArray[np.bool_]) -> Ints:
    """Say 1 where only labels of content are allowed, 0 where none is, else -1."""
    may_be, may_not_be = allowed[:, IS_CONTENT].any(axis=1), allowed[:, ~IS_CONTENT].any(axis=1)
    return np.where(may_be & may_not_be, -1, may_be.astype(np.int64))


@dataclass(frozen=True)
class Scores:
    """The figures of one set of documents.

    ``labels`` has precision, recall, F1 and rows of each label, ``f1`` the F1 of those that
    are there with intervals; both are empty, and ``macro_f1`` is None, where labels are mostly
    known in part (as content or not). ``removed`` is the residue curve by share of content lost;
    it is empty, and ``ece`` None, where of less than half the words it is known if they are content.
    ``confusion`` counts (true x predicted) labels.

    >>> page = Scored(np.eye(13, dtype=np.float32)[:1], np.array([0]), np.array([1]), np.array([3]), "a")
    >>> score([page]).as_dict()["macro_f1_interval"]
    [1.0, 1.0]
    """

    labels: dict[str, tuple[float, float, float, int]]
    f1: dict[str, Estimate]
    macro_f1: Estimate | None
    removed: dict[float, Estimate]
    ece: float | None
    confusion: tuple[tuple[int, ...], ...]
    documents: int
    sites: int

    def as_dict(self) -> dict[str, Any]:
        """Give the figures as plain values, rounded to four digits; intervals are [low, high]."""
        removed = self.removed.get(STATED_LOSS)
        curve = {f"{loss:.1%}": estimate.as_list() for loss, estimate in self.removed.items()}
        return {
            "macro_f1": self.macro_f1 and self.macro_f1.as_list()[0],
            "macro_f1_interval": self.macro_f1 and self.macro_f1.as_list()[1:],
            "removed_at_1_percent_lost": removed and removed.as_list()[0],
            "removed_at_1_percent_lost_interval": removed and removed.as_list()[1:],
            "removed_low_high_at_loss": curve,
            "ece": None if self.ece is None else round(self.ece, 4),
            "documents": self.documents,
            "sites": self.sites,
            "precision_recall_f1_rows": {
                name: [round(value, 4) for value in values] for name, values in self.labels.items()
            },
            "f1_intervals": {name: estimate.as_list()[1:] for name, estimate in self.f1.items()},
        }


def confusion_of(truth: Ints, predicted: Ints) -> Ints:
    """Count (true x predicted) labels; rows of unknown truth (-1) are left out.

    >>> confusion_of(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]))[:2, :2].tolist()
    [[1, 1], [0, 1]]
    """
    known, size = truth >= 0, len(LABELS)
    pairs = truth[known] * size + predicted[known]
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


def label_scores(truth: Ints, predicted: Ints) -> dict[str, tuple[float, float, float, int]]:
    """Give precision, recall, F1 and rows of each label; rows of unknown truth (-1) are left out.

    >>> label_scores(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]))["body"]
    (1.0, 0.5, 0.6666666666666666, 2)
    """
    confusion = confusion_of(truth, predicted)
    counts = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
    return {
        str(label): (
            right / max(claimed, 1),
            right / max(there, 1),
            2 * right / max(claimed + there, 1),
            there,
        )
        for label, right, claimed, there in zip(LABELS, *(column.tolist() for column in counts), strict=True)
    }


def removed_at_loss(content: Floats, truth: Ints, words: Ints, loss: float = STATED_LOSS) -> float:
    """Give the share of boilerplate words below the threshold that loses at most ``loss`` of content words.

    ``content`` is each paragraph's probability of being content, one threshold for all;
    ``truth`` is 1 for content, 0 for boilerplate, -1 where that is not known.

    >>> content = np.array([0.9, 0.8, 0.1, 0.85], dtype=np.float32)
    >>> removed_at_loss(content, np.array([1, 1, 0, 0]), np.array([50, 50, 30, 10]))
    0.75
    """
    good, bad = truth == 1, truth == 0
    threshold = loss_threshold(content[good], words[good], loss)
    return float(words[bad & (content < threshold)].sum() / max(words[bad].sum(), 1))


def calibration_error(content: Floats, truth: Ints) -> float:
    """Give the expected calibration error of P(content), in 15 bins of equal mass; equal values share one.

    >>> content = np.array([0.2, 0.2, 0.2, 0.8], dtype=np.float32)
    >>> round(calibration_error(content, np.array([0, 0, 1, 1])), 6)
    0.15
    """
    known = truth >= 0
    content, truth = content[known].astype(np.float64), truth[known]
    if not len(content):
        return 0.0
    borders = np.quantile(content, np.arange(1, CALIBRATION_BINS) / CALIBRATION_BINS)
    bins = np.searchsorted(borders, content, side="left")
    gaps = np.bincount(bins, weights=content - truth)
    return float(np.abs(gaps).sum() / len(content))


def score(pages: Sequence[Scored], *, seed: int = 0) -> Scores:
    """Score a set of documents, with intervals over its sites.

    >>> rows, truth = np.eye(13, dtype=np.float32)[[0, 5]], np.array([0, 5])
    >>> print(score([Scored(rows, truth, np.array([1, 0]), np.array([9, 2]), "a")]).macro_f1)
    1.000 [1.000, 1.000]
    """
    truth, predicted = _joined(pages, "truth"), _predicted(pages)
    content, good, words = _content_rows(pages)
    mostly_known = 2 * words[good >= 0].sum() >= words.sum()
    f1, macro = _label_estimates(pages, seed) if _typed(truth, good) else ({}, None)
    return Scores(
        labels=label_scores(truth, predicted) if macro else {},
        f1=f1,
        macro_f1=macro,
        removed=_curve([pages], seed) if mostly_known else {},
        ece=calibration_error(content, good) if mostly_known else None,
        confusion=tuple(map(tuple, confusion_of(truth, predicted).tolist())),
        documents=len(pages),
        sites=len({page.site for page in pages}),
    )


def residue_mean(views: Mapping[str, Sequence[Scored]], *, seed: int = 0) -> dict[float, Estimate]:
    """Give the plain mean of the residue curves of several extractors, sites drawn for all at once.

    >>> page = Scored(np.eye(13, dtype=np.float32)[[0, 5]], np.arange(2), np.array([1, 0]), np.ones(2), "a")
    >>> print(residue_mean({"one": [page], "other": [page]})[0.01])
    1.000 [1.000, 1.000]
    """
    return _curve(list(views.values()), seed)


def _typed(truth: Ints, content: Ints) -> bool:
    """Say whether at least half the paragraphs of which anything is known have one label."""
    return bool(2 * (truth >= 0).sum() >= (content >= 0).sum())


def _joined(pages: Sequence[Scored], name: str) -> Any:
    return np.concatenate([getattr(page, name) for page in pages])


def _predicted(pages: Sequence[Scored]) -> Ints:
    return np.concatenate([page.probabilities.argmax(axis=1) for page in pages])


def _content_rows(pages: Sequence[Scored]) -> tuple[Floats, Ints, Ints]:
    return tuple(_joined(pages, name) for name in ("content_probability", "content", "words"))


def _label_estimates(pages: Sequence[Scored], seed: int) -> tuple[dict[str, Estimate], Estimate]:
    columns = np.array([_label_columns(page) for page in pages])
    sums = site_sums(columns, [page.site for page in pages])
    *by_label, macro = estimates(sums, _label_figures, seed=seed)
    there = sums.sum(axis=0)[-len(LABELS) :] > 0
    return {str(label): one for label, one, yes in zip(LABELS, by_label, there, strict=True) if yes}, macro


def _label_columns(page: Scored) -> Ints:
    """Count what is right, claimed and there, label by label."""
    confusion = confusion_of(page.truth, page.probabilities.argmax(axis=1))
    return np.concatenate([confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)])


def _label_figures(sums: Reals) -> Reals:
    """Give the F1 of each label, NaN where it is not there, and their mean."""
    right, claimed, there = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, len(LABELS)), -2, 0)
    f1 = 2 * right / np.maximum(claimed + there, 1)
    macro = (f1 * (there > 0)).sum(axis=-1) / np.maximum((there > 0).sum(axis=-1), 1)
    return np.concatenate([np.where(there > 0, f1, np.nan), macro[..., None]], axis=-1)


def _curve(sets: Sequence[Sequence[Scored]], seed: int) -> dict[float, Estimate]:
    """Give the residue curve of a set, or the mean curve of several, with intervals."""
    values = [_exact_curve(pages) for pages in sets]
    sites = sorted({page.site for pages in sets for page in pages})
    sums = np.stack([_curve_columns(pages, sites) for pages in sets], axis=1)
    drawn = estimates(sums.reshape(len(sites), -1), lambda flat: _curve_figures(flat, len(sets)), seed=seed)
    exact = np.mean(values, axis=0).tolist()
    return {
        loss: Estimate(value, min(value, one.low), max(value, one.high))
        for loss, value, one in zip(LOSSES, exact, drawn, strict=True)
    }


def _exact_curve(pages: Sequence[Scored]) -> list[float]:
    content, truth, words = _content_rows(pages)
    return [removed_at_loss(content, truth, words, loss) for loss in LOSSES]


def _curve_columns(pages: Sequence[Scored], sites: Sequence[str]) -> Reals:
    """Count content and boilerplate words of each site between thresholds: (sites x 2 x thresholds + 1)."""
    content, truth, words = _content_rows(pages)
    number = np.searchsorted(np.array(sites), [page.site for page in pages])
    row = np.repeat(number, [len(page.words) for page in pages])
    place = np.searchsorted(_thresholds(content, truth, words), content, side="right")
    known = truth >= 0
    at = ((row * 2 + truth) * (THRESHOLDS + 1) + place)[known]
    counts = np.bincount(at, weights=words[known], minlength=len(sites) * 2 * (THRESHOLDS + 1))
    return counts.astype(np.float64).reshape(len(sites), -1)


def _thresholds(content: Floats, truth: Ints, words: Ints) -> Floats:
    """Choose thresholds, each a score of content, out of those that lose little."""
    good = truth == 1
    if not good.any():
        return np.full(THRESHOLDS, 0.5, dtype=np.float32)
    furthest = loss_threshold(content[good], words[good], FURTHEST_LOSS)
    values = np.unique(content[good & (content <= furthest)])
    chosen: Floats = values[np.linspace(0, len(values) - 1, THRESHOLDS).round().astype(np.int64)]
    return chosen


def _curve_figures(flat: Reals, sets: int) -> Reals:
    """Give the share of boilerplate words removed at each loss, a mean over sets."""
    below = np.cumsum(flat.reshape(*flat.shape[:-1], sets, 2, THRESHOLDS + 1), axis=-1)
    bad, good = below[..., 0, :], below[..., 1, :]
    shares = []
    for loss in LOSSES:
        within = good <= loss * good[..., -1:]
        at = np.maximum(within[..., :THRESHOLDS].sum(axis=-1) - 1, 0)
        removed = np.take_along_axis(bad, at[..., None], axis=-1)[..., 0]
        shares.append((removed / np.maximum(bad[..., -1], 1)).mean(axis=-1))
    return np.stack(shares, axis=-1)
