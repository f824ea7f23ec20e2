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

from boilerplate.classifier import ParagraphClassifier
from boilerplate.corpora import WHOLE, LabelledDocument, training_views
from boilerplate.features import Features, featurize
from boilerplate.labels import LABELS
from boilerplate.metrics import Scores, score, scored
from boilerplate.network import Network
from boilerplate.splits import site_folds
from boilerplate.trainer import Options

__all__ = [
    "TrainOptions",
    "cross_predict",
    "fit_network",
    "grouped",
    "join_features",
    "predict",
    "scores_by_view",
    "view_names",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

CHUNK = 300  # documents featurised at once
FEW_PARAGRAPHS = 50_000
SMALL_NETWORK = Options(members=1, widths=(32, 32, 24), epochs=12, fewest_steps=250)
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
    others: float = 0.15  # the most that pages which are no articles weigh, of all
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
        network = options["network"] and Options.from_card(options["network"])
        return cls(folds=folds, network=network, **plain)


def fit_network(documents: Sequence[LabelledDocument], options: TrainOptions) -> Network:
    """Fit a calibrated network on documents and further views of them.

    >>> from boilerplate.corpora import read_labelled
    >>> from boilerplate.features import FEATURES
    >>> options = TrainOptions(thin=1, network=Options(widths=(8, 8, 8), fewest_steps=10, epochs=1))
    >>> fit_network(read_labelled(["seeds/articles"])[:4], options).mean.shape == (len(FEATURES),)
    True
    """
    options = options.sized(documents)
    documents = [one for one in documents if len(one.document)]  # a page without text teaches nothing
    views = training_views(documents, thin=options.thin, seed=options.seed)
    order = sorted(range(len(views)), key=lambda i: (views[i].page, views[i].view != WHOLE))
    views = [views[i] for i in order]
    features = _features(views, [_lesson_convention(view, options.seed) for view in views])
    allowed = np.concatenate([view.allowed for view in views])
    sites = np.repeat(_numbers([view.site for view in views]), features.lengths)
    pages = np.repeat(_numbers([view.page for view in views]), features.lengths)
    model = ParagraphClassifier(classes=LABELS, options=options.network, random_state=options.seed)
    with threadpool_limits(1):  # sums in one order: same data, same bytes
        weights = np.repeat(_weights(views, options.others), features.lengths)
        return model.fit(features, allowed=allowed, sample_weight=weights, sites=sites, pages=pages).network_


def _weights(views: Sequence[LabelledDocument], others: float) -> Floats:
    """Weigh documents as their rows say, and pages that are no articles down to their share."""
    lengths = np.array([len(view.document) for view in views], dtype=np.float32)
    other = np.array([view.kind in NOT_ARTICLES for view in views])
    articles, rest = float(lengths[~other].sum()), float(lengths[other].sum())
    weight = min(1.0, others / (1 - others) * articles / max(rest, 1.0)) if articles else 1.0
    own = np.array([view.weight for view in views])
    return (own * np.where(other, weight, 1.0)).astype(np.float32)


def predict(
    network: Network, documents: Sequence[LabelledDocument], convention: str = "page"
) -> list[Floats]:
    """Give the (paragraphs x labels) probabilities of each document.

    >>> from boilerplate.corpora import read_labelled
    >>> from boilerplate.store import load_model
    >>> [one] = read_labelled(["seeds/articles/en-lighthouse-bats.jsonl"])
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
    >>> documents = read_labelled(["seeds/articles"])
    >>> perfect = [one.allowed.astype(np.float32) for one in documents]
    >>> {view: scores.macro_f1.value for view, scores in scores_by_view(documents, perfect).items()}
    {'whole page': 1.0}
    """
    pages = scored(documents, predictions)
    names = view_names([(one.view, one.source) for one in documents])
    return {view: score([pages[i] for i in own]) for view, own in grouped(names).items()}


def view_names(taken: Sequence[tuple[str, str]]) -> list[str]:
    """Name what each document, of a view and a source, is scored with.

    That is its view, and for a view of several sources the source too.

    >>> view_names([("whole page", "a.jsonl"), ("whole page", "b.jsonl"), ("jusText", "c.parquet")])
    ['whole page, a.jsonl', 'whole page, b.jsonl', 'jusText']
    """
    sources: dict[str, set[str]] = {}
    for view, source in taken:
        sources.setdefault(view, set()).add(source)
    return [f"{view}, {source}" if len(sources[view]) > 1 else view for view, source in taken]


def grouped(names: Sequence[str]) -> dict[str, list[int]]:
    """Give the places of each name, whole pages first.

    >>> grouped(["b", "whole page", "b"])
    {'whole page': [1], 'b': [0, 2]}
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return dict(sorted(places.items(), key=lambda item: (not item[0].startswith(WHOLE), item[0])))


def cross_predict(
    documents: Sequence[LabelledDocument],
    options: TrainOptions,
    convention: str = "page",
    progress: Callable[[str], None] = lambda message: None,
    *,
    taught: int | None = None,
) -> list[Floats]:
    """Predict every document by a network that never saw its site.

    Only the first ``taught`` documents are learnt from, by default all.

    >>> from boilerplate.corpora import read_labelled
    >>> small = Options(widths=(8, 8, 8), fewest_steps=10, epochs=1)
    >>> documents = read_labelled(["seeds/articles"])[:4]
    >>> len(cross_predict(documents, TrainOptions(folds=2, thin=1, workers=1, network=small)))
    4
    """
    fold = site_folds(documents, options.folds, options.seed)
    found: list[Floats] = [np.zeros((0, len(LABELS)), dtype=np.float32)] * len(documents)
    taught = len(documents) if taught is None else taught
    work = Parallel(n_jobs=options.workers, return_as="generator_unordered")
    answers = work(
        delayed(_one_fold)(documents, fold, k, options, convention, taught) for k in range(options.folds)
    )
    for done, (k, predictions) in enumerate(answers, start=1):
        for i, rows in zip(np.flatnonzero(fold == k), predictions, strict=True):
            found[i] = rows
        progress(f"fold {done} of {options.folds}")
    return found


def _one_fold(
    documents: Sequence[LabelledDocument],
    fold: Ints,
    k: int,
    options: TrainOptions,
    convention: str,
    taught: int,
) -> tuple[int, list[Floats]]:
    network = fit_network([documents[i] for i in np.flatnonzero(fold[:taught] != k).tolist()], options)
    return k, predict(network, [documents[i] for i in np.flatnonzero(fold == k).tolist()], convention)


def _lesson_convention(one: LabelledDocument, seed: int) -> str:
    """Teach articles under both conventions, by lot, and other pages under ``page`` only."""
    if one.convention:
        return one.convention
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
