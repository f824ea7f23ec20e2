"""Word scores: learnt from rows that teach, and never of their own fold."""

from __future__ import annotations

import numpy as np
import pytest

from boilerplate.columns import WORD_BITS
from boilerplate.features import Features, featurize
from boilerplate.segment import segment_text
from boilerplate.wordscores import UNSEEN, cross_fitted, fit_word_scores, weighed_words

BODY = ["the mayor walked to the river", "rain fell on the river all night", "the ferry left at noon"] * 8
SHARE = ["share this story", "tweet this", "share on the web"] * 8
LINES = BODY + SHARE
IS_BODY = np.repeat([True, False], [len(BODY), len(SHARE)])
ALLOWED = np.column_stack([IS_BODY, ~IS_BODY])
ONES = np.ones(len(LINES), dtype=np.float32)


def features_of(lines: list[str]) -> Features:
    return featurize([segment_text("\n".join(lines))])


def test_each_rows_words_weigh_one_together() -> None:
    words = weighed_words(features_of(["one", "one two three", "…"]))
    assert words.shape == (3, 1 << WORD_BITS)
    number = np.diff(words.indptr)
    assert np.asarray(words.sum(axis=1)).ravel() == pytest.approx(np.sqrt(number), rel=1e-6)


def test_words_of_a_label_score_for_it() -> None:
    scores = fit_word_scores(weighed_words(features_of(LINES)), ALLOWED, ONES, 0)
    found = scores(weighed_words(features_of(["the river", "share this"])))
    assert found[0, 0] > found[0, 1]
    assert found[1, 1] > found[1, 0]


def test_the_table_is_bytes_and_the_same_each_time() -> None:
    words = weighed_words(features_of(LINES))
    one, other = (fit_word_scores(words, ALLOWED, ONES, 7) for _ in range(2))
    assert one.table.dtype == np.int8
    assert one.table.shape == (1 << WORD_BITS, 2)
    assert one.table.tobytes() == other.table.tobytes()
    assert (one.scale.tobytes(), one.bias.tobytes()) == (other.scale.tobytes(), other.bias.tobytes())


def test_a_class_without_an_example_scores_low_and_knows_no_word() -> None:
    allowed = np.column_stack([ALLOWED, np.zeros(len(LINES), dtype=bool)])
    scores = fit_word_scores(weighed_words(features_of(LINES)), allowed, ONES, 0)
    assert not scores.table[:, 2].any()
    assert scores.bias[2] < UNSEEN / 4


def test_rows_that_may_be_anything_or_weigh_nothing_teach_nothing() -> None:
    words = weighed_words(features_of([*LINES, *["share the river"] * 20]))
    weights = np.append(ONES, np.ones(20)).astype(np.float32)
    unknown = fit_word_scores(words, np.vstack([ALLOWED, np.ones((20, 2), dtype=bool)]), weights, 0)
    weights[len(LINES) :] = 0
    unweighed = fit_word_scores(words, np.vstack([ALLOWED, np.tile([True, False], (20, 1))]), weights, 0)
    alone = fit_word_scores(words[: len(LINES)], ALLOWED, ONES, 0)
    assert unknown.table.tobytes() == unweighed.table.tobytes() == alone.table.tobytes()


def test_a_partial_label_teaches_what_the_row_is_not() -> None:
    allowed = np.column_stack([ALLOWED, np.zeros(len(LINES), dtype=bool)])
    legal = ["all rights reserved"] * 12
    either = np.tile([False, True, True], (12, 1))
    words = weighed_words(features_of(LINES + legal))
    scores = fit_word_scores(
        words, np.vstack([allowed, either]), np.ones(len(LINES) + 12, dtype=np.float32), 0
    )
    found = scores(weighed_words(features_of(["rights reserved", "unheard of"])))
    assert found[0, 0] < found[1, 0]
    assert found[0, 1] == pytest.approx(found[1, 1], abs=1e-3)


def test_no_row_is_scored_by_words_of_its_own_fold() -> None:
    folds = np.arange(len(LINES)) % 3
    marked = [
        f"{line} zq{fold}" if body else line for line, fold, body in zip(LINES, folds, IS_BODY, strict=True)
    ]
    plain = [f"{line} zq9" if body else line for line, body in zip(LINES, IS_BODY, strict=True)]
    found = cross_fitted(weighed_words(features_of(marked)), ALLOWED, ONES, folds, 0)
    for fold in range(3):
        own, others = folds == fold, folds != fold
        learnt = fit_word_scores(
            weighed_words(features_of([marked[i] for i in np.flatnonzero(others)])),
            ALLOWED[others],
            ONES[others],
            0,
        )
        expected = learnt(weighed_words(features_of([marked[i] for i in np.flatnonzero(own)])))
        assert found[own] == pytest.approx(expected, abs=1e-5)
        unheard = learnt(weighed_words(features_of([plain[i] for i in np.flatnonzero(own)])))
        assert np.abs(found[own] - unheard).max() < 0.2
