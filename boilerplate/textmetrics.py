"""How near an extracted text comes to the text of the article: three measures of three benchmarks.

Word F1 is that of the Web Content Extraction Benchmark (WCXB, Foley 2026, evaluate.py): words
as a bag, in lower case; precision, recall and F1 of each page, then their means over pages.

Shingle F1 is that of the Article Extraction Benchmark (AEB, Scrapinghub/Zyte, evaluate.py): runs
of four words as a bag; precision and recall of each page, their means over the pages that
have one, and F1 of the two means.

Snippet F1 is that of trafilatura's evaluation (Barbaresi, ACL 2021; tests/eval_common.py): snippets
that must be there and snippets that must not, white space aside, counted over all pages.

All three benchmarks take runs of ``\\w`` for words; here a character of a script without
spaces is a word of its own, as everywhere in this project. English figures are the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boilerplate.characters import SPACELESS
from boilerplate.corpora import Truth
from boilerplate.intervals import Estimate, estimates, site_sums

__all__ = [
    "MEASURES",
    "Counts",
    "f1_of",
    "figures_of",
    "shingle_counts",
    "snippet_counts",
    "text_columns",
    "text_figures",
    "text_words",
    "word_counts",
]

Reals = NDArray[np.float64]

_SOLID = "".join(f"{chr(first)}-{chr(last)}" for first, last in SPACELESS)
WORD = re.compile(rf"(?=\w)[{_SOLID}]|[^\W{_SOLID}]+")
SHINGLE = 4


class Counts(NamedTuple):
    """What was found and should be, what was found and should not be, and what was missed.

    >>> Counts(3, 1, 0).precision, Counts(3, 1, 0).recall
    (0.75, 1.0)
    """

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """The share of what was found that should be there, 0 where nothing was found."""
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        """The share of what should be there that was found, 0 where nothing should be."""
        return self.right / max(self.right + self.missed, 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


def text_words(text: str) -> list[str]:
    """Split a text into its words.

    >>> text_words("Two words, 你好.")
    ['Two', 'words', '你', '好']
    """
    return WORD.findall(text)


def word_counts(predicted: str, reference: str) -> Counts:
    """Compare two texts as bags of words in lower case.

    >>> word_counts("The story. Share this!", "The story begins.")
    Counts(right=2, wrong=2, missed=1)
    """
    return _compared(text_words(predicted.lower()), text_words(reference.lower()))


def shingle_counts(predicted: str, reference: str) -> Counts:
    """Compare two texts as bags of runs of four words; a shorter text is one run.

    >>> shingle_counts("one two three four five", "one two three four")
    Counts(right=1, wrong=1, missed=0)
    """
    return _compared(_shingles(text_words(predicted)), _shingles(text_words(reference)))


def snippet_counts(predicted: str, present: Iterable[str], absent: Iterable[str]) -> Counts:
    """Count the snippets that stand in a text and should, that stand there and should not, and the missed.

    >>> snippet_counts("A story. Share  this", ["A story.", "It ends."], ["Share this"])
    Counts(right=1, wrong=1, missed=1)
    """
    text = _one_spaced(predicted)
    there = [_one_spaced(snippet) in text for snippet in present]
    return Counts(sum(there), sum(_one_spaced(snippet) in text for snippet in absent), there.count(False))


def _shingles(words: Sequence[str]) -> list[tuple[str, ...]]:
    starts = range(max(1, len(words) - SHINGLE + 1)) if words else ()
    return [tuple(words[i : i + SHINGLE]) for i in starts]


def _compared(found: Sequence[Any], wanted: Sequence[Any]) -> Counts:
    right = (Counter(found) & Counter(wanted)).total()
    return Counts(right, len(found) - right, len(wanted) - right)


def _one_spaced(text: str) -> str:
    return " ".join(text.split())


def f1_of(precision: Any, recall: Any) -> Any:
    """Give the harmonic mean of precision and recall, 0 where both are 0 (van Rijsbergen 1979).

    >>> float(f1_of(0.5, 1.0)), float(f1_of(0.0, 0.0))
    (0.6666666666666666, 0.0)
    """
    return 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)


# A measure: the columns a page adds to the sums (None where it has no truth for it), and
# precision, recall and F1 from sums of those columns.


def _word_columns(predicted: str, truth: Truth) -> list[float] | None:
    if truth.main is None:
        return None
    counts = word_counts(predicted, truth.main)
    if sum(counts) == 0:  # rightly empty
        return [1, 1, 1, 1]
    return [1, counts.precision, counts.recall, counts.f1]


def _mean_figures(sums: Reals) -> Reals:
    means: Reals = sums[..., 1:] / sums[..., :1]
    return means


def _shingle_columns(predicted: str, truth: Truth) -> list[float] | None:
    if truth.main is None:
        return None
    counts = shingle_counts(predicted, truth.main)
    found, wanted = counts.right + counts.wrong > 0, counts.right + counts.missed > 0
    return [found, counts.precision, wanted, counts.recall]


def _mean_then_f1(sums: Reals) -> Reals:
    precision = sums[..., 1] / np.maximum(sums[..., 0], 1)
    recall = sums[..., 3] / np.maximum(sums[..., 2], 1)
    return np.stack([precision, recall, f1_of(precision, recall)], axis=-1)


def _snippet_columns(predicted: str, truth: Truth) -> list[float] | None:
    if not (truth.present or truth.absent):
        return None
    return list(snippet_counts(predicted, truth.present, truth.absent))


def _pooled_figures(sums: Reals) -> Reals:
    right, wrong, missed = np.moveaxis(sums, -1, 0)
    precision, recall = right / np.maximum(right + wrong, 1), right / np.maximum(right + missed, 1)
    return np.stack([precision, recall, f1_of(precision, recall)], axis=-1)


MEASURES: dict[str, tuple[Callable[[str, Truth], list[float] | None], Callable[[Reals], Reals]]] = {
    "word": (_word_columns, _mean_figures),
    "shingle": (_shingle_columns, _mean_then_f1),
    "snippet": (_snippet_columns, _pooled_figures),
}


def text_columns(predicted: str, truth: Truth) -> dict[str, list[float]]:
    """Give what one page adds to each measure's sums; measures it has no truth for are left out.

    >>> sorted(text_columns("A story.", Truth("A story.", (), ())))
    ['shingle', 'word']
    """
    found = {name: columns(predicted, truth) for name, (columns, _) in MEASURES.items()}
    return {name: row for name, row in found.items() if row is not None}


def figures_of(
    pages: Sequence[Mapping[str, list[float]]], sites: Sequence[str], *, seed: int = 0
) -> dict[str, Estimate]:
    """Give precision, recall and F1 of each measure from the columns of pages, with intervals over sites.

    >>> print(figures_of([text_columns("A story.", Truth("A story.", (), ()))], ["a.org"])["word F1"])
    1.000 [1.000, 1.000]
    """
    out: dict[str, Estimate] = {}
    for name, (_, figures) in MEASURES.items():
        own = [(page[name], site) for page, site in zip(pages, sites, strict=True) if name in page]
        if own:
            sums = site_sums(np.array([row for row, _ in own]), [site for _, site in own])
            names = [f"{name} {figure}" for figure in ("precision", "recall", "F1")]
            out |= dict(zip(names, estimates(sums, figures, seed=seed), strict=True))
    return out


def text_figures(
    predicted: Sequence[str], truths: Sequence[Truth], sites: Sequence[str], *, seed: int = 0
) -> dict[str, Estimate]:
    """Give precision, recall and F1 by words, shingles and snippets, with intervals over sites.

    A measure no page has a truth for is left out.

    >>> figures = text_figures(["A story. Share"], [Truth("A story.", (), ("Share",))], ["example.org"])
    >>> print(figures["word precision"], "|", figures["word recall"])
    0.667 [0.667, 0.667] | 1.000 [1.000, 1.000]
    """
    pages = [text_columns(text, truth) for text, truth in zip(predicted, truths, strict=True)]
    return figures_of(pages, sites, seed=seed)
