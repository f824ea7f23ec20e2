"""Measure a model on labelled documents it was not trained on, or its configuration fold by fold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boilerplate.corpora import LabelledDocument, digest_of, read_labelled
from boilerplate.document import DataError
from boilerplate.fitting import TrainOptions, cross_predict, predict, scores_by_view
from boilerplate.metrics import Scores
from boilerplate.store import load_model

__all__ = ["Report", "evaluate"]


@dataclass(frozen=True)
class Report:
    """Figures by view, and what they were measured on: digests of data and model, documents left out.

    >>> Report("abc", "def", 3, 1, {}).as_json().splitlines()[1]
    ' "model": "abc",'
    """

    model: str
    data: str
    scored: int
    left_out: int
    scores: dict[str, Scores]

    def as_json(self) -> str:
        """Give the report as JSON."""
        scores = {view: figures.as_dict() for view, figures in self.scores.items()}
        return json.dumps({**vars(self), "scores": scores}, indent=1, ensure_ascii=False)


def evaluate(
    model: Path | str | None,
    paths: Sequence[Path | str],
    *,
    convention: str = "page",
    in_sample: bool = False,
    folds: int | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> Report:
    """Score a model, or with ``folds`` its configuration refitted on the other sites of the data.

    Documents the model was trained on are left out, unless ``in_sample``. If none
    remain, or the data are wrong, DataError is raised. Labels follow the convention ``page``.

    >>> evaluate(None, ["seeds/heldout"]).left_out
    0
    """
    loaded = load_model(model)
    documents = read_labelled(paths, held_out=not folds)  # what is refitted is trained
    if folds:
        options = TrainOptions.from_card(loaded.card["options"], folds=folds)
        predictions = cross_predict(documents, options, convention, progress)
        return _report(loaded.card, documents, 0, scores_by_view(documents, predictions))
    known = frozenset() if in_sample else loaded.documents
    fresh = [one for one in documents if digest_of(one) not in known]
    if not fresh:
        raise DataError("the model was trained on all of these documents; give others, or --in-sample")
    scores = scores_by_view(fresh, predict(loaded.network, fresh, convention))
    return _report(loaded.card, fresh, len(documents) - len(fresh), scores)


def _report(
    card: Any, documents: Sequence[LabelledDocument], left_out: int, scores: dict[str, Scores]
) -> Report:
    digests = "".join(sorted(digest_of(one) for one in documents))
    return Report(
        model=card["weights"],
        data=hashlib.sha256(digests.encode()).hexdigest(),
        scored=len(documents),
        left_out=left_out,
        scores=scores,
    )
