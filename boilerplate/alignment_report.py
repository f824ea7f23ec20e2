"""What of the corpora' ground truths could not be aligned to their pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boilerplate.alignment import coverage, word_tokens
from boilerplate.corpora import WHOLE, LabelledDocument
from boilerplate.ground_truth import share_found

__all__ = ["AlignmentFigures", "alignment_report"]


@dataclass(frozen=True)
class AlignmentFigures:
    """How well the ground truth of a corpus could be aligned.

    ``lost`` is the share of its words that stand in no paragraph, ``unknown`` the share of
    the pages' words of which it says nothing.

    >>> AlignmentFigures(pages=2, truth_words=400, lost=0.01, unknown=0.2).lost
    0.01
    """

    pages: int
    truth_words: int
    lost: float
    unknown: float


def alignment_report(documents: Sequence[LabelledDocument]) -> dict[str, AlignmentFigures]:
    """Say for each corpus what of its ground truth could not be aligned to whole pages.

    >>> from boilerplate.ground_truth import Truth, allowed_by
    >>> from boilerplate.segment import segment_text
    >>> lines, truth = ["A mill", "It burnt down last night."], Truth("It burnt down last night. It was old.")
    >>> document = segment_text("\\n".join(lines))
    >>> one = LabelledDocument(document, allowed_by(truth, lines), "x/1", "x", truth=truth)
    >>> alignment_report([one])["x"].lost
    0.375
    """
    corpora: dict[str, list[LabelledDocument]] = {}
    for one in documents:
        if one.view == WHOLE and one.truth:
            corpora.setdefault(one.page.split("/")[0], []).append(one)
    return {corpus: _figures(pages) for corpus, pages in sorted(corpora.items())}


def _figures(pages: Sequence[LabelledDocument]) -> AlignmentFigures:
    sums = np.sum([_counts(one) for one in pages], axis=0)
    truth, lost, words, unknown = (float(value) for value in sums)
    return AlignmentFigures(len(pages), int(truth), lost / max(truth, 1), unknown / max(words, 1))


def _counts(one: LabelledDocument) -> tuple[float, float, float, float]:
    """Count a page's words of truth, those found nowhere, its own words, those nothing is known of."""
    texts = [paragraph.text for paragraph in one.document.paragraphs]
    words = np.array([len(word_tokens(text)) for text in texts], dtype=np.int64)
    unknown = float(words[one.allowed.all(axis=1)].sum())
    main = one.truth.main if one.truth else None
    truth = len(word_tokens(main)) if main else 0
    found = share_found(coverage(texts, main), words, main) if main and texts else 0.0
    return float(truth), truth * (1 - found), float(words.sum()), unknown
