"""Word scores: what a paragraph's hashed words alone say of each label.

One logistic regression a class over hashed n-grams, by averaged stochastic gradient
descent (Bottou, Stochastic Gradient Descent Tricks, 2012). A row teaches a class only
where it is certain to be of that class or certain not to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import SGDClassifier

from boilerplate.columns import WORD_BITS
from boilerplate.features import Features

__all__ = ["WordScores", "cross_fitted", "fit_word_scores", "weighed_words"]

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

STRENGTH = 1e-6  # of the penalty; chosen on inner folds among 3e-7, 1e-6, 3e-6, 1e-5
ROUNDS = 8
UNSEEN = -4.0  # the score of a class that has no example
SPREAD = 3.0  # divides scores, to bring them near unit size


@dataclass(frozen=True, eq=False)
class WordScores:
    """A table (buckets x classes) of whole numbers, and a scale and a bias a class.

    >>> one = np.ones(1, dtype=np.float32)
    >>> WordScores(np.array([[2], [0]], dtype=np.int8), one, one)(sparse.csr_matrix([[1.0, 5.0]])).tolist()
    [[3.0]]
    """

    table: NDArray[np.int8]
    scale: Floats
    bias: Floats

    def __call__(self, words: sparse.csr_matrix) -> Floats:
        """Score rows of weighed words."""
        scores: Floats = words @ self.table.astype(np.float32) * self.scale + self.bias
        return scores


def weighed_words(features: Features) -> sparse.csr_matrix:
    """Give each paragraph's words as a sparse row, every word weighing one over the root of their number.

    >>> from boilerplate.features import featurize
    >>> from boilerplate.segment import segment_text
    >>> weighed_words(featurize([segment_text("One.\\nTwo.")])).shape == (2, 1 << WORD_BITS)
    True
    """
    number = np.diff(features.offsets)
    weights = np.repeat(1 / np.sqrt(np.maximum(number, 1)), number).astype(np.float32)
    shape = (len(features), 1 << WORD_BITS)
    return sparse.csr_matrix((weights, features.words.astype(np.int32), features.offsets), shape=shape)


def fit_word_scores(words: sparse.csr_matrix, allowed: Bools, weights: Floats, seed: int) -> WordScores:
    """Learn the scores of every class from the rows that teach it.

    >>> words, allowed = sparse.csr_matrix([[1.0, 0.0], [0.0, 1.0]]), np.eye(2, dtype=bool)
    >>> scores = fit_word_scores(words, allowed, np.ones(2, dtype=np.float32), 0)
    >>> scores(words).argmax(axis=1).tolist()
    [0, 1]
    """
    single = allowed.sum(axis=1) == 1
    columns, biases = [], []
    for k in range(allowed.shape[1]):
        teaches = (single | ~allowed[:, k]) & (weights > 0)
        column, bias = _one_class(words[teaches], allowed[teaches, k], weights[teaches], seed)
        columns.append(column)
        biases.append(bias)
    return _rounded(np.stack(columns, axis=1), np.array(biases, dtype=np.float32))


def _one_class(words: sparse.csr_matrix, is_class: Bools, weights: Floats, seed: int) -> tuple[Floats, float]:
    if is_class.all() or not is_class.any():
        return np.zeros(words.shape[1], dtype=np.float32), UNSEEN
    model = SGDClassifier(
        loss="log_loss", alpha=STRENGTH, max_iter=ROUNDS, tol=None, average=True, random_state=seed
    ).fit(words, is_class, sample_weight=weights)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _rounded(table: Floats, bias: Floats) -> WordScores:
    """Round the table to bytes; the few largest values are cut at the 99.99th percentile."""
    largest = np.quantile(np.abs(table), 0.9999, axis=0)
    scale = np.maximum(largest, 1e-6) / 127
    whole = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    return WordScores(whole, (scale / SPREAD).astype(np.float32), (bias / SPREAD).astype(np.float32))


def cross_fitted(words: sparse.csr_matrix, allowed: Bools, weights: Floats, folds: Ints, seed: int) -> Floats:
    """Score every row by words learnt from the other folds.

    >>> words = sparse.csr_matrix([[1.0, 0.0], [0.0, 1.0]] * 2)
    >>> allowed, weights = np.eye(2, dtype=bool)[[0, 1, 0, 1]], np.ones(4, dtype=np.float32)
    >>> cross_fitted(words, allowed, weights, np.array([0, 0, 1, 1]), 0).argmax(axis=1).tolist()
    [0, 1, 0, 1]
    """
    scores = np.zeros(allowed.shape, dtype=np.float32)
    for fold in np.unique(folds):
        out = folds == fold
        scores[out] = fit_word_scores(words[~out], allowed[~out], weights[~out], seed)(words[out])
    return scores
