"""How good predictions are: every figure the project reports, defined once.

Precision, recall and F1 follow van Rijsbergen (1979), macro-F1 is their plain mean over
labels; the share removed at a stated loss is an operating point of the receiver curve,
weighted by words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.labels import CONTENT, LABELS
from boilerplate.store import loss_threshold

__all__ = ["IS_CONTENT", "Scores", "label_scores", "removed_at_loss", "score"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
IS_CONTENT = np.array([label in CONTENT for label in LABELS])
STATED_LOSS = 0.01


@dataclass(frozen=True)
class Scores:
    """The figures of one view: per label (precision, recall, F1, rows), macro-F1, removed at 1 % lost.

    >>> Scores({"body": (1.0, 0.5, 2 / 3, 2)}, 2 / 3, 1.0, 1).as_dict()["macro_f1"]
    0.6667
    """

    labels: dict[str, tuple[float, float, float, int]]
    macro_f1: float
    removed: float
    documents: int

    def as_dict(self) -> dict[str, Any]:
        """Give the figures as plain values, rounded to four digits."""
        rounded = {name: [round(value, 4) for value in values] for name, values in self.labels.items()}
        return {
            "macro_f1": round(self.macro_f1, 4),
            "removed_at_1_percent_lost": round(self.removed, 4),
            "documents": self.documents,
            "precision_recall_f1_rows": rounded,
        }


def label_scores(truth: Ints, predicted: Ints) -> dict[str, tuple[float, float, float, int]]:
    """Give precision, recall, F1 and rows of each label; rows of unknown truth (-1) are left out.

    >>> label_scores(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]))["body"]
    (1.0, 0.5, 0.6666666666666666, 2)
    """
    known = truth >= 0
    truth, predicted = truth[known], predicted[known]
    out = {}
    for k, label in enumerate(LABELS):
        right = int(((truth == k) & (predicted == k)).sum())
        claimed, there = int((predicted == k).sum()), int((truth == k).sum())
        precision, recall = right / max(claimed, 1), right / max(there, 1)
        out[str(label)] = (precision, recall, 2 * right / max(claimed + there, 1), there)
    return out


def removed_at_loss(content: Floats, truth: Ints, words: Ints, loss: float = STATED_LOSS) -> float:
    """Give the share of boilerplate words below the threshold that loses at most ``loss`` of content words.

    ``content`` is each paragraph's probability of being content; one threshold for all.

    >>> content = np.array([0.9, 0.8, 0.1, 0.85], dtype=np.float32)
    >>> removed_at_loss(content, np.array([0, 0, 5, 5]), np.array([50, 50, 30, 10]))
    0.75
    """
    known = truth >= 0
    content, truth, words = content[known], truth[known], words[known]
    good = IS_CONTENT[truth]
    threshold = loss_threshold(content[good], words[good], loss)
    return float(words[~good & (content < threshold)].sum() / max(words[~good].sum(), 1))


def score(probabilities: Floats, truth: Ints, words: Ints, documents: int) -> Scores:
    """Score (paragraphs x labels) probabilities against the truth.

    >>> truth = np.array([0, 1, 5])
    >>> score(np.eye(13, dtype=np.float32)[truth], truth, np.array([9, 3, 2]), documents=1).removed
    1.0
    """
    labels = label_scores(truth, probabilities.argmax(axis=1))
    there = [figures[2] for figures in labels.values() if figures[3]]
    removed = removed_at_loss(probabilities[:, IS_CONTENT].sum(axis=1), truth, words)
    return Scores(labels, float(np.mean(there)) if there else 0.0, removed, documents)
