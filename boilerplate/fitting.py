"""From labelled documents to a fitted network, once for good or once a fold."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from boilerplate.classifier import ParagraphClassifier, folds_of
from boilerplate.corpora import WHOLE, LabelledDocument, training_views
from boilerplate.features import Features, count_words, featurize
from boilerplate.labels import LABELS
from boilerplate.metrics import Scores, score
from boilerplate.network import Network
from boilerplate.trainer import Options

__all__ = [
    "TrainOptions",
    "cross_predict",
    "fit_network",
    "join_features",
    "predict",
    "scores_by_view",
    "site_folds",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

CHUNK = 300  # documents featurised at once
FEW_PARAGRAPHS = 50_000
SMALL_NETWORK = Options(widths=(32, 32, 24), epochs=12, fewest_steps=250)
NOT_ARTICLES = ("forum", "listing", "collection", "product", "service", "documentation")


@dataclass(frozen=True)
class TrainOptions:
    """Everything that shapes a training run; it stands in the model card.

    >>> from dataclasses import asdict
    >>> TrainOptions.from_card(asdict(TrainOptions()), folds=3) == TrainOptions(folds=3)
    True
    """

    folds: int = 5  # by site
    seed: int = 0
    thin: int = 4  # thinned views of every whole page
    workers: int = 2
    network: Options | None = None  # None: by the size of the data

    def sized(self, documents: Sequence[LabelledDocument]) -> TrainOptions:
        """Choose the network where nobody did; few paragraphs get a small one, trained in a minute."""
        few = sum(len(one.document) for one in documents) < FEW_PARAGRAPHS
        return replace(self, network=self.network or (SMALL_NETWORK if few else Options()))

    @classmethod
    def from_card(cls, options: Mapping[str, Any], *, folds: int) -> TrainOptions:
        """Read the options a model card keeps, with other folds."""
        plain = {name: value for name, value in options.items() if name not in ("network", "folds")}
        network = options["network"] and Options(**options["network"])
        return cls(folds=folds, network=network, **plain)


def fit_network(documents: Sequence[LabelledDocument], options: TrainOptions) -> Network:
    """Fit a calibrated network on documents and further views of them.

    >>> from boilerplate.corpora import read_labelled
    >>> from boilerplate.features import FEATURES
    >>> options = TrainOptions(thin=1, network=Options(widths=(8, 8, 8), fewest_steps=10, epochs=1))
    >>> fit_network(read_labelled(["seeds"])[:4], options).mean.shape == (len(FEATURES),)
    True
    """
    options = options.sized(documents)
    views = training_views(documents, thin=options.thin, seed=options.seed)
    order = sorted(range(len(views)), key=lambda i: (views[i].page, views[i].view != WHOLE))
    views = [views[i] for i in order]
    features = _features(views, [_lesson_convention(view, options.seed) for view in views])
    allowed = np.concatenate([view.allowed for view in views])
    sites = np.repeat(_numbers([view.site for view in views]), features.lengths)
    pages = np.repeat(_numbers([view.page for view in views]), features.lengths)
    model = ParagraphClassifier(classes=LABELS, options=options.network, random_state=options.seed)
    with threadpool_limits(1):  # sums in one order: same data, same bytes
        return model.fit(features, allowed=allowed, sites=sites, pages=pages).network_


def predict(
    network: Network, documents: Sequence[LabelledDocument], convention: str = "page"
) -> list[Floats]:
    """Give the (paragraphs x labels) probabilities of each document.

    >>> from boilerplate.corpora import read_labelled
    >>> from boilerplate.store import load_model
    >>> [one] = read_labelled(["seeds/en-lighthouse-bats.jsonl"])
    >>> predict(load_model().network, [one])[0].shape == one.allowed.shape
    True
    """
    out: list[Floats] = []
    for low in range(0, len(documents), CHUNK):
        features = featurize([one.document for one in documents[low : low + CHUNK]], convention)
        rows = np.ascontiguousarray(network.probabilities(features).T)
        out += np.split(rows, np.cumsum(features.lengths)[:-1])
    return out


def scores_by_view(documents: Sequence[LabelledDocument], predictions: Sequence[Floats]) -> dict[str, Scores]:
    """Score predictions for the whole pages of each source and for each extractor's view.

    >>> from boilerplate.corpora import read_labelled
    >>> documents = read_labelled(["seeds"])
    >>> perfect = [one.allowed.astype(np.float32) for one in documents]
    >>> {view: scores.macro_f1 for view, scores in scores_by_view(documents, perfect).items()}
    {'whole page': 1.0}
    """
    sources = {one.source for one in documents if one.view == WHOLE}
    names = [_scored_as(one, sources) for one in documents]
    out = {}
    for view in sorted(set(names), key=lambda name: (not name.startswith(WHOLE), name)):
        own = [i for i, name in enumerate(names) if name == view]
        truth = np.concatenate([documents[i].labels for i in own])
        words = count_words([documents[i].document for i in own])
        out[view] = score(np.concatenate([predictions[i] for i in own]), truth, words, len(own))
    return out


def _scored_as(one: LabelledDocument, sources: set[str]) -> str:
    """Name what a document is scored with: its view, and for whole pages of several sources the source."""
    return f"{WHOLE}, {one.source}" if one.view == WHOLE and len(sources) > 1 else one.view


def site_folds(documents: Sequence[LabelledDocument], folds: int) -> Ints:
    """Deal documents into folds so that no site stands in two of them.

    >>> from boilerplate.corpora import read_labelled
    >>> sorted(set(site_folds(read_labelled(["seeds"]), 3).tolist()))
    [0, 1, 2]
    """
    lengths = [len(one.document) for one in documents]
    sites = _numbers([one.site for one in documents])
    ends = np.cumsum(lengths)
    return folds_of(np.repeat(sites, lengths), folds)[ends - 1] if len(documents) else ends


def cross_predict(
    documents: Sequence[LabelledDocument],
    options: TrainOptions,
    convention: str = "page",
    progress: Callable[[str], None] = lambda message: None,
) -> list[Floats]:
    """Predict every document by a network that never saw its site.

    >>> from boilerplate.corpora import read_labelled
    >>> small = Options(widths=(8, 8, 8), fewest_steps=10, epochs=1)
    >>> documents = read_labelled(["seeds"])[:4]
    >>> len(cross_predict(documents, TrainOptions(folds=2, thin=1, workers=1, network=small)))
    4
    """
    fold = site_folds(documents, options.folds)
    found: list[Floats] = [np.zeros((0, len(LABELS)), dtype=np.float32)] * len(documents)
    work = Parallel(n_jobs=options.workers, return_as="generator_unordered")
    answers = work(delayed(_one_fold)(documents, fold, k, options, convention) for k in range(options.folds))
    for done, (k, predictions) in enumerate(answers, start=1):
        for i, rows in zip(np.flatnonzero(fold == k), predictions, strict=True):
            found[i] = rows
        progress(f"fold {done} of {options.folds}")
    return found


def _one_fold(
    documents: Sequence[LabelledDocument], fold: Ints, k: int, options: TrainOptions, convention: str
) -> tuple[int, list[Floats]]:
    network = fit_network([documents[i] for i in np.flatnonzero(fold != k).tolist()], options)
    return k, predict(network, [documents[i] for i in np.flatnonzero(fold == k).tolist()], convention)


def _lesson_convention(one: LabelledDocument, seed: int) -> str:
    """Teach articles under both conventions, by lot, and other pages under ``page`` only."""
    if one.kind in NOT_ARTICLES:
        return "page"
    return ("article", "page")[zlib.crc32(f"{seed} {one.page} {one.view}".encode()) & 1]


def _numbers(names: Sequence[str]) -> Ints:
    return np.unique(np.array(names), return_inverse=True)[1]


def _features(documents: Sequence[LabelledDocument], conventions: Sequence[str]) -> Features:
    parts = []
    for low in range(0, len(documents), CHUNK):
        chunk = [one.document for one in documents[low : low + CHUNK]]
        parts.append(featurize(chunk, conventions[low : low + CHUNK]))
    return join_features(parts)


def join_features(parts: Sequence[Features]) -> Features:
    """Set the features of several batches behind one another.

    >>> from boilerplate.segment import segment_text
    >>> part = featurize([segment_text("One.\\nTwo.")])
    >>> join_features([part, part]).lengths.tolist()
    [2, 2]
    """
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return Features(
        np.concatenate([part.dense for part in parts]),
        np.concatenate([part.words for part in parts]),
        np.append(0, np.cumsum(counts)),
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.sizes for part in parts]),
    )
