"""What a corpus says of a page's content, and what that leaves possible for each paragraph.

"Content" says nothing of the type of the rest, and corpora disagree on captions, headings
and half-told stories. So a paragraph gets a set of labels, and none where the ground truth is
not to be trusted. Every rule here was chosen on pages that have both a ground truth and
labels given by reading (``tests/test_ground_truth.py`` measures how often it is wrong).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boilerplate.alignment import coverage, word_tokens
from boilerplate.labels import BOILERPLATE, CONTENT, LABELS, Label

__all__ = ["Truth", "allowed_by", "share_found"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST = 0.7  # of a paragraph's words stand in the truth: it is inside
LITTLE = 0.2  # no more of them: it is outside
FOUND = 0.8  # of the truth's words must stand on the page, or nothing is known to be outside
PROSE = 12  # words; a longer paragraph outside may be what the truth leaves out
MUCH_PROSE = 0.15  # of the words inside: the truth seems cut short, so prose outside says nothing
SNIPPET_SHARE = 0.5  # of a paragraph's words, where a snippet stands in several

NOT_BODY = frozenset(LABELS) - {Label.BODY}
IN_LISTS = CONTENT | {Label.BYLINE, Label.STORY_LINK, Label.PROMOTION}  # teasers and prices are content there


@dataclass(frozen=True)
class Truth:
    """What a corpus says a page's content is: its text, snippets that stand in it, snippets that do not.

    ``title`` and ``author`` are those of the page.

    >>> Truth("The mill burnt down.", present=("mill burnt",), absent=("Share",)).absent
    ('Share',)
    """

    main: str | None = None
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    title: str | None = None
    author: str | None = None


def allowed_by(truth: Truth, paragraphs: Sequence[str], kind: str | None = None) -> Bools:
    """Give the (paragraphs x labels) that a ground truth leaves possible; ``kind`` is the type of page.

    >>> story = "It burnt down last night, they say, and nobody in the village saw it."
    >>> truth = Truth(story, title="A mill", author="Ann Lee")
    >>> allowed = allowed_by(truth, ["Home", "A mill", "By Ann Lee", story, "Read more"])
    >>> [str(label) for label, possible in zip(LABELS, allowed[2]) if possible]
    ['byline']
    >>> allowed.sum(axis=1).tolist()
    [12, 1, 1, 3, 10]
    """
    tokens = [word_tokens(paragraph) for paragraph in paragraphs]
    words = np.array([len(own) for own in tokens], dtype=np.int64)
    allowed = np.ones((len(tokens), len(LABELS)), dtype=bool)
    inside = np.zeros(len(tokens), dtype=bool)
    if truth.main and len(tokens):
        share = coverage(paragraphs, truth.main)
        inside = share >= MOST
        article = kind in (None, "article")
        _restrict(allowed, inside, CONTENT if article else IN_LISTS)
        if share_found(share, words, truth.main) >= FOUND:
            _restrict_outside(allowed, share, words, article)
    written = [f" {' '.join(own)} " for own in tokens]
    _restrict_by_snippets(allowed, truth, written, words)
    _name_head(allowed, truth, written, words, inside)
    return allowed


def share_found(share: Floats, words: Ints, main: str) -> float:
    """Give the share of the truth's words that stand in some paragraph.

    >>> share_found(np.array([1.0, 0.0], dtype=np.float32), np.array([2, 5]), "The mill burnt down.")
    0.5
    """
    return float(share.astype(np.float64).round(6) @ words) / len(word_tokens(main))


def _restrict(allowed: Bools, rows: Bools | Ints, labels: frozenset[Label]) -> None:
    """Leave only these labels possible in some rows, but where none would be left."""
    narrowed = allowed[rows] & np.array([label in labels for label in LABELS])
    allowed[rows] = np.where(narrowed.any(axis=1, keepdims=True), narrowed, allowed[rows])


def _restrict_outside(allowed: Bools, share: Floats, words: Ints, article: bool) -> None:
    """Say what paragraphs before, within and behind the truth cannot be."""
    inside, outside = np.flatnonzero(share >= MOST), share <= LITTLE
    if not len(inside):
        return
    place = np.arange(len(share))
    before, behind = place < inside[0], place > inside[-1]
    prose = words > PROSE
    cut_short = words[outside & prose].sum() > MUCH_PROSE * words[inside].sum()
    trusted = ~(cut_short & (prose | (not article)))
    known = outside & (before | behind) & trusted
    _restrict(allowed, known, NOT_BODY)
    _restrict(allowed, known & behind & ~prose, BOILERPLATE)


def _restrict_by_snippets(allowed: Bools, truth: Truth, written: Sequence[str], words: Ints) -> None:
    """Use snippets where it is clear which paragraph they mean."""
    for snippet in truth.absent:
        hits, share = _holding(snippet, written, words)
        _restrict(allowed, hits[share >= SNIPPET_SHARE] if len(hits) > 1 else hits, NOT_BODY)
    for snippet in truth.present:
        hits, _ = _holding(snippet, written, words)
        if len(hits) == 1:
            _restrict(allowed, hits, CONTENT)


def _holding(snippet: str, written: Sequence[str], words: Ints) -> tuple[Ints, Floats]:
    """Give the paragraphs that hold a snippet and its share of their words."""
    own = word_tokens(snippet)
    needle = f" {' '.join(own)} "
    hits = np.array([k for k, text in enumerate(written) if needle in text], dtype=np.int64)
    return hits, (len(own) / words[hits]).astype(np.float32)


def _name_head(allowed: Bools, truth: Truth, written: Sequence[str], words: Ints, inside: Bools) -> None:
    """Name the headline, where the title stands once, and the byline between it and the story."""
    if not truth.title or not inside.any():
        return
    titles, share = _holding(truth.title, written, words)
    titles = titles[(share == 1) & (titles <= inside.argmax())]
    if len(titles) == 1 and written.count(written[titles[0]]) == 1:
        _restrict(allowed, titles, frozenset({Label.HEADING}))
    story = np.flatnonzero(inside & (words > PROSE))
    if truth.author and len(titles) and len(story):
        names, _ = _holding(truth.author, written, words)
        names = names[(names > titles[-1]) & (names < story[0]) & (words[names] <= PROSE)]
        allowed[names] = [label == Label.BYLINE for label in LABELS]
