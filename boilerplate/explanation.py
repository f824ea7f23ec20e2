"""Why a paragraph got its label, in words a reader of the text understands.

Words are weighed by what the word scores give them; features and neighbours by
occlusion (Zeiler and Fergus, ECCV 2014): what the label's log-probability loses when
the feature is set to its mean or the neighbour taken away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boilerplate.columns import TOKEN_IDS, Columns
from boilerplate.document import Document
from boilerplate.features import Features, feature_names
from boilerplate.labels import LABELS
from boilerplate.network import Network

__all__ = ["Explanation", "explain"]

Pairs = list[tuple[str, float]]
REACH = 8  # paragraphs; farther neighbours act only through the document's mean
AROUND = 100  # paragraphs of a long document that are looked at, each way
SHOWN = 5


@dataclass(frozen=True)
class Explanation:
    """What moved a decision, strongest first; weights are in log-probability of the label.

    >>> print(Explanation("Share", "social", 0.9, [("Share", 1.5)], [("words", -0.2)], []))
    'Share' is social with probability 0.90
      words: Share +1.5
      features: words -0.2
      neighbours: none
    """

    text: str
    label: str
    score: float
    words: Pairs
    features: Pairs
    neighbours: Pairs

    def __str__(self) -> str:
        """Tell it in four lines."""
        parts = (("words", self.words), ("features", self.features), ("neighbours", self.neighbours))
        lines = [f"{self.text[:60]!r} is {self.label} with probability {self.score:.2f}"]
        for name, pairs in parts:
            told = ", ".join(f"{what} {weight:+.1f}" for what, weight in pairs[:SHOWN])
            lines.append(f"  {name}: {told or 'none'}")
        return "\n".join(lines)


def explain(network: Network, document: Document, features: Features, i: int) -> Explanation:
    """Explain one paragraph of a document; an index out of range is an IndexError.

    >>> from boilerplate.features import featurize
    >>> from boilerplate.segment import segment_text
    >>> from boilerplate.store import load_model
    >>> document = segment_text("A story.\\nShare this")
    >>> explain(load_model().network, document, featurize([document]), 1).text
    'Share this'
    """
    i = range(len(document))[i]
    low, high = max(0, i - AROUND), min(len(document), i + AROUND + 1)
    inputs = network.inputs(features)[low:high]
    at = i - low
    probabilities = network.probabilities(features)[:, i]
    best = int(np.argmax(probabilities))
    before = _log_probabilities(network, inputs[None])[0, at, best]

    def losses(variants: NDArray[np.float32]) -> list[float]:
        after = _log_probabilities(network, variants)[:, at, best]
        return [float(before - value) for value in after]

    near = [k for k in range(max(0, at - REACH), min(high - low, at + REACH + 1)) if k != at]
    by_feature = losses(np.stack([_without(inputs, at, column) for column in range(len(feature_names()))]))
    by_neighbour = losses(np.stack([_without(inputs, k, slice(None)) for k in near])) if near else []
    return Explanation(
        text=document.paragraphs[i].text,
        label=LABELS[best],
        score=float(probabilities[best]),
        words=_word_weights(network, document, features, i, best),
        features=_strongest(zip(feature_names(), by_feature, strict=True)),
        neighbours=_strongest((f"{k - at:+d}", loss) for k, loss in zip(near, by_neighbour, strict=True)),
    )


def _log_probabilities(network: Network, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    variants, rows = inputs.shape[:2]
    scores = network.scores(inputs.reshape(variants * rows, -1), np.full(variants, rows))
    scores -= scores.max(axis=1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return scores.reshape(variants, rows, -1)


def _without(inputs: NDArray[np.float32], row: int, columns: int | slice) -> NDArray[np.float32]:
    changed = inputs.copy()
    changed[row, columns] = 0
    return changed


def _word_weights(network: Network, document: Document, features: Features, i: int, best: int) -> Pairs:
    """Weigh single words by the word table, where one was learnt."""
    if not len(network.words):
        return []
    columns = Columns.of([Document(document.text, document.starts[i : i + 1], document.ends[i : i + 1])])
    starts, lengths, _, _ = columns.tokens
    ids = features.words[features.offsets[i] : features.offsets[i + 1]]
    weights = network.words[ids, best] * network.word_scale[best] / np.sqrt(max(len(ids), 1))
    inside = (starts >= document.starts[i]) & (starts < document.ends[i])
    words = [
        document.text[a : a + n]
        for a, n in zip(starts[inside].tolist(), lengths[inside].tolist(), strict=True)
    ]
    return _strongest(zip(words, weights[: TOKEN_IDS * len(words) : TOKEN_IDS].tolist(), strict=True))


def _strongest(pairs: Iterable[tuple[str, float]]) -> Pairs:
    merged: dict[str, float] = {}
    for name, weight in pairs:
        merged[name] = merged.get(name, 0.0) + weight
    return sorted(merged.items(), key=lambda pair: -abs(pair[1]))
