"""The classifier: word scores, context and calibration, learnt together by a scikit-learn estimator.

Word scores are one-against-rest logistic regressions over hashed n-grams, learnt by
averaged stochastic gradient descent and cross-fitted over sites, so that the
network never sees a score its own site helped to make (stacked generalisation,
Wolpert 1992). The network (``boilerplate.network``) is trained by Adam (Kingma and
Ba, ICLR 2015) with decoupled weight decay (Loshchilov and Hutter, ICLR 2019),
a cosine schedule, dropout and averaged weights. Partial labels enter through the
likelihood of the allowed set (Jin and Ghahramani, Learning with Multiple Labels,
NIPS 2002). Several networks, each trained without one fold of sites, are averaged (Hansen and
Salamon, Neural Network Ensembles, 1990); what a member did not see calibrates it, by
temperature and prior (Guo et al., On Calibration of Modern Neural Networks, ICML 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from boilerplate.features import Features
from boilerplate.network import INPUT_STEPS, Member, Network, whole_inputs
from boilerplate.trainer import Options, Rows, softmax, train_parameters, whole_blocks
from boilerplate.wordscores import WordScores, cross_fitted, fit_word_scores, weighed_words

__all__ = ["ParagraphClassifier", "calibration", "folds_of"]

Floats = NDArray[np.float32]
Reals = NDArray[np.floating]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

RANGE_DOCUMENTS = 300  # enough to read the range of the hidden values off
PRIOR_PULL = 1e-3
FOLDS = 5  # for cross-fitted word scores; each member of the ensemble is calibrated on one it did not see
FEWEST_SITES = 12  # with fewer there is nothing to hold out


class ParagraphClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Label paragraphs from their features, their words, their neighbours and their document.

    Parameters
    ----------
    classes : sequence, optional
        All classes, in the order of the columns of ``allowed`` and of the
        probabilities; by default the sorted values of ``y``.
    options : Options, optional
        Shape and training of the network.
    random_state : int
        Seed of everything drawn.

    Attributes
    ----------
    classes_ : ndarray
        The classes.
    network_ : Network
        The trained network as plain arrays; what a model folder holds.

    Examples
    --------
    >>> import numpy as np
    >>> from boilerplate.classifier import ParagraphClassifier
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> ParagraphClassifier().fit(X, ["social", "social", "body", "body"]).predict([[5.2]]).tolist()
    ['body']
    """

    def __init__(
        self, classes: Sequence[Any] | None = None, options: Options | None = None, random_state: int = 0
    ) -> None:
        self.classes = classes
        self.options = options
        self.random_state = random_state

    def fit(
        self,
        X: Features | ArrayLike,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        allowed: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        sites: ArrayLike | None = None,
        pages: ArrayLike | None = None,
    ) -> ParagraphClassifier:
        """Learn from labelled paragraphs.

        Parameters
        ----------
        X : Features, or array (paragraphs x features)
            Rows of one document stand together, in their order.
        y : array (paragraphs,), optional
            The label of each paragraph. Not looked at where ``allowed`` permits several.
        groups : array (paragraphs,), optional
            The document of each row; by default the documents of the Features, or each
            row alone. Context never crosses from one to the next.
        allowed : boolean array (paragraphs x classes), optional
            Which labels each row may have. All of them: the row is context only.
        sample_weight : array (paragraphs,), optional
            The weight of each row.
        sites : array (paragraphs,), optional
            The site of each row, never on both sides of an inner split; by default ``groups``.
        pages : array (paragraphs,), optional
            The page each row was taken from, where several documents are views of one page.

        Returns
        -------
        ParagraphClassifier
            Itself, fitted.

        Raises
        ------
        ValueError
            Where a label is unknown, not allowed in its own row, or a document's rows are apart.
        """
        features = self._features(X, groups, reset=True)
        may_be = self._allowed(y, allowed, len(features))
        weights = _check_sample_weight(sample_weight, features.dense, dtype=np.float64)
        documents = features.groups
        site = _numbered(documents if sites is None else sites)
        page = _numbered(documents if pages is None else pages)
        starts = np.cumsum(features.lengths) - features.lengths
        lesson = _Lesson(
            features, may_be, weights, site, page[starts], self.options or Options(), self.random_state
        )
        rows_alone = groups is None and sites is None and not isinstance(X, Features)
        self.network_ = lesson.network(calibrated=not rows_alone and len(np.unique(site)) >= FEWEST_SITES)
        return self

    def predict_proba(self, X: Features | ArrayLike, groups: ArrayLike | None = None) -> Floats:
        """Give calibrated probabilities, (paragraphs x classes), in the order of ``classes_``."""
        check_is_fitted(self)
        return self.network_.probabilities(self._features(X, groups, reset=False)).T

    def predict(self, X: Features | ArrayLike, groups: ArrayLike | None = None) -> NDArray[Any]:
        """Give each paragraph's most probable class."""
        check_is_fitted(self)
        found: NDArray[Any] = self.classes_[np.argmax(self.predict_proba(X, groups), axis=1)]
        return found

    def _features(self, X: Features | ArrayLike, groups: ArrayLike | None, *, reset: bool) -> Features:
        if isinstance(X, Features):
            validate_data(self, X.dense, reset=reset, ensure_min_samples=1 if reset else 0)
            return X if groups is None else replace(X, lengths=_run_lengths(groups))
        dense = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        lengths = np.ones(len(dense), dtype=np.int64) if groups is None else _run_lengths(groups)
        none = np.zeros(len(dense) + 1, dtype=np.int64)
        return Features(dense.astype(np.float32), none[:0].astype(np.uint32), none, lengths, none[1:])

    def _allowed(self, y: ArrayLike | None, allowed: ArrayLike | None, rows: int) -> Bools:
        """Bring labels and partial labels to one boolean array, (paragraphs x classes)."""
        if y is None and allowed is None:
            raise ValueError("requires y to be passed, but the target y is None; or give allowed")
        labels = None if y is None else _labels(y, rows)
        if self.classes is None:
            self.classes_ = (
                np.unique(labels) if labels is not None else np.arange(np.asarray(allowed).shape[1])
            )
        else:
            self.classes_ = np.asarray([str(c) if isinstance(c, str) else c for c in self.classes])
        if allowed is None and labels is not None:
            return _one_hot(labels, self.classes_)
        return _checked_allowed(np.asarray(allowed, dtype=bool), labels, self.classes_, rows)


class _Lesson:
    """What one call of fit works on: the rows, and how words, network and calibration come of them."""

    def __init__(
        self,
        features: Features,
        allowed: Bools,
        weights: NDArray[np.float64],
        sites: Ints,
        pages: Ints,
        options: Options,
        seed: int,
    ) -> None:
        self.features, self.allowed, self.options, self.seed = features, allowed, options, seed
        self.weights = weights * ~allowed.all(axis=1)
        self.folds = folds_of(sites, FOLDS)
        self.pages = pages
        self.first = np.isin(features.groups, np.unique(pages, return_index=True)[1])
        mean, spread = _moments(features.dense, weights)
        self.mean, self.spread = mean.astype(np.float32), spread.astype(np.float32)

    def network(self, *, calibrated: bool) -> Network:
        """Learn the word scores, then on cross-fitted ones the members, each without one fold."""
        words, scores = self._words()
        rows = self._rows(scores)
        starts = np.cumsum(rows.lengths) - rows.lengths
        fold = self.folds[starts] if calibrated else np.full(len(starts), -1)
        members = range(self.options.members) if calibrated else [0]
        network = Network(
            mean=self.mean,
            spread=self.spread,
            words=words.table,
            word_scale=words.scale,
            word_bias=words.bias,
            members=(),
        )
        return replace(network, members=tuple(self._member(rows, fold == k, k, network) for k in members))

    def _member(self, rows: Rows, held: Bools, number: int, network: Network) -> Member:
        """Train one member on the documents not held out, and calibrate it on those that are."""
        plain = self._trained(rows.documents(np.flatnonzero(~held)), self.seed + number)
        if not held.any():
            return plain
        out = rows.documents(np.flatnonzero(held))
        alone = replace(network, members=(plain,))
        scores = alone.scores(out.inputs.astype(np.float32) * np.float32(INPUT_STEPS), out.lengths)
        # Pages as people labelled them: the mixture of views says nothing of how often a label is met.
        known = (self.weights * self.first)[np.repeat(held, rows.lengths)]
        temperature, prior = calibration(scores, out.allowed, known)
        return replace(plain, temperature=np.full(1, temperature, np.float32), prior=prior.astype(np.float32))

    def _words(self) -> tuple[WordScores, Floats]:
        """Learn word scores from each page's first view, and score every row by sites it is not of."""
        classes = self.allowed.shape[1]
        if not len(self.features.words):
            nothing = np.zeros(classes, dtype=np.float32)
            none = np.zeros((len(self.features), 0), dtype=np.float32)
            return WordScores(np.zeros((0, classes), dtype=np.int8), nothing, nothing), none
        words = weighed_words(self.features)
        teaching = np.where(self.first, self.weights, 0)
        whole = fit_word_scores(words, self.allowed, teaching, self.seed)
        return whole, cross_fitted(words, self.allowed, teaching, self.folds, self.seed)

    def _rows(self, scores: Floats) -> Rows:
        """Standardise the inputs, weigh rare labels up, and the rows of long documents down."""
        dense = (self.features.dense - self.mean) / self.spread
        inputs = whole_inputs(dense, scores, self.features.lengths) / INPUT_STEPS
        single = self.allowed & (self.allowed.sum(axis=1) == 1)[:, None]
        count = np.maximum(self.weights @ single, 1e-9)
        rarity = (count / count.mean()) ** -self.options.rarity
        length = np.repeat(self.features.lengths, self.features.lengths)
        weights = (
            self.weights * np.where(single.any(axis=1), single @ rarity, 1.0) * length**-self.options.evenness
        )
        return Rows(inputs, self.allowed, weights, self.features.lengths, self.pages)

    def _trained(self, lesson: Rows, seed: int) -> Member:
        """Train one network and round it to whole numbers, uncalibrated."""
        parameters = train_parameters(lesson, self.options, seed)
        count = len(lesson.lengths)
        some = np.linspace(0, count - 1, min(count, RANGE_DOCUMENTS)).astype(np.int64)
        blocks, last = whole_blocks(parameters, lesson.documents(some))
        nothing = np.zeros(self.allowed.shape[1], dtype=np.float32)
        return Member(blocks, last, temperature=np.ones(1, dtype=np.float32), prior=nothing)


def calibration(scores: Floats, allowed: Bools, weights: Reals) -> tuple[float, Reals]:
    """Fit temperature and prior by maximum likelihood of what is allowed.

    >>> scores = np.array([[2.0, 0.0]] * 4)
    >>> temperature, prior = calibration(scores, np.eye(2, dtype=bool)[[0, 0, 0, 1]], np.ones(4))
    >>> round(float(softmax(scores * temperature + prior)[0, 0]), 2)
    0.75
    """

    def loss(values: Reals) -> tuple[float, Reals]:
        probabilities = softmax(scores * values[0] + values[1:])
        right = np.maximum((probabilities * allowed).sum(axis=1), 1e-12)
        error = (probabilities - probabilities * allowed / right[:, None]) * weights[:, None] / weights.sum()
        pull = PRIOR_PULL * values[1:]
        slope = np.append((error * scores).sum(), error.sum(axis=0) + 2 * pull)
        return float(-(weights * np.log(right)).sum() / weights.sum() + pull @ values[1:]), slope

    start = np.append(1.0, np.zeros(scores.shape[1]))
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0.05, 20.0)] + [(-5.0, 5.0)] * scores.shape[1]
    )
    return float(found.x[0]), found.x[1:]


def folds_of(sites: Ints, folds: int, seed: int | None = None) -> Ints:
    """Deal whole sites into folds of nearly equal size, largest first; a seed shuffles those alike in size.

    >>> folds_of(np.array([7, 7, 7, 3, 5, 5]), 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    names, inverse, sizes = np.unique(sites, return_inverse=True, return_counts=True)
    loads = np.zeros(folds)
    fold = np.zeros(len(names), dtype=np.int64)
    order = np.argsort(-sizes, kind="stable")
    if seed is not None:
        shuffled = np.random.default_rng(seed).permutation(len(names))
        order = np.lexsort((shuffled, -np.frexp(sizes)[1]))  # sizes under the same power of two are alike
    for name in order:
        fold[name] = np.argmin(loads)
        loads[fold[name]] += sizes[name]
    return fold[inverse]


def _moments(dense: Floats, weights: Reals) -> tuple[Reals, Reals]:
    mean = np.average(dense, axis=0, weights=weights)
    spread = np.sqrt(np.average((dense - mean) ** 2, axis=0, weights=weights))
    return mean, np.where(spread > 1e-6, spread, 1.0)


def _numbered(values: ArrayLike) -> Ints:
    """Number values in the order in which they first occur."""
    _, first, inverse = np.unique(np.asarray(values), return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _run_lengths(groups: ArrayLike) -> Ints:
    """Give the lengths of the runs of equal groups; a group in two places is a ValueError."""
    numbers = _numbered(groups)
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    if len(starts) != len(np.unique(numbers)):
        raise ValueError("the rows of a group must stand together, in their order")
    return np.diff(starts, append=len(numbers))


def _labels(y: ArrayLike, rows: int) -> NDArray[Any]:
    labels: NDArray[Any] = column_or_1d(y, warn=True)
    if len(labels) != rows:
        raise ValueError(f"X has {rows} rows and y has {len(labels)}")
    if labels.dtype.kind == "f":
        assert_all_finite(labels)
    if labels.dtype != object:
        check_classification_targets(labels)
    return labels


def _one_hot(labels: NDArray[Any], classes: NDArray[Any]) -> Bools:
    hot: Bools = labels[:, None] == classes[None, :]
    if not hot.any(axis=1).all():
        unknown = labels[~hot.any(axis=1)].tolist()[0]
        raise ValueError(f"unknown label {unknown!r}; classes are {', '.join(map(str, classes))}")
    return hot


def _checked_allowed(allowed: Bools, labels: NDArray[Any] | None, classes: NDArray[Any], rows: int) -> Bools:
    if allowed.shape != (rows, len(classes)):
        raise ValueError(
            f"allowed is {allowed.shape}; {rows} rows and {len(classes)} classes need {(rows, len(classes))}"
        )
    if not allowed.any(axis=1).all():
        raise ValueError(
            f"row {int(np.argmin(allowed.any(axis=1)))} allows no label; all True says nothing is known"
        )
    single = allowed.sum(axis=1) == 1
    if labels is not None and not (_one_hot(labels[single], classes) == allowed[single]).all():
        raise ValueError("a row allows one label and y names another")
    return allowed
