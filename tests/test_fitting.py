"""What training makes of documents: their weights, conventions and views."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from boilerplate.corpora import LabelledDocument, read_labelled
from boilerplate.fitting import TrainOptions, _lesson_convention, _weights, fit_network, predict
from boilerplate.labels import LABELS
from boilerplate.trainer import Options

SEEDS = Path(__file__).resolve().parent.parent / "seeds" / "articles"
TINY = TrainOptions(thin=1, network=Options(members=1, widths=(8, 8, 8), epochs=2, fewest_steps=40))


@pytest.fixture(scope="module")
def some() -> list[LabelledDocument]:
    return [replace(one, weight=1.0, convention=None) for one in read_labelled([SEEDS])[:30]]


def test_pages_that_are_no_articles_weigh_no_more_than_their_share(some: list[LabelledDocument]) -> None:
    mixed = [*some[:10], *(replace(one, kind="forum") for one in some[10:])]
    lengths = np.array([len(one.document) for one in mixed])
    weights = _weights(mixed, 0.15)
    assert (weights[:10] == 1).all()
    assert float((weights * lengths)[10:].sum() / (weights * lengths).sum()) == pytest.approx(0.15, abs=1e-4)


def test_few_pages_that_are_no_articles_and_pages_without_an_article_keep_their_weight(
    some: list[LabelledDocument],
) -> None:
    few = [*some[:-1], replace(some[-1], kind="product")]
    assert _weights(few, 0.5).tolist() == [1.0] * len(few)
    assert _weights([replace(one, kind="listing") for one in some], 0.15).tolist() == [1.0] * len(some)


def test_a_document_weighs_what_its_row_says(some: list[LabelledDocument]) -> None:
    assert _weights([some[0], replace(some[1], weight=5.0)], 0.15).tolist() == [1.0, 5.0]


def test_the_convention_taught_is_that_of_the_row_else_of_the_type_else_by_lot(
    some: list[LabelledDocument],
) -> None:
    one = some[0]
    assert _lesson_convention(replace(one, convention="article", kind="forum"), 0) == "article"
    assert _lesson_convention(replace(one, kind="forum"), 0) == "page"
    assert {_lesson_convention(replace(one, page=str(k)), 0) for k in range(20)} == {"article", "page"}


def test_weight_moves_what_is_learnt(some: list[LabelledDocument]) -> None:
    """A document that contradicts the others wins where it weighs more than they do."""
    wrong = replace(some[0], allowed=np.eye(len(LABELS), dtype=bool)[np.full(len(some[0].document), 12)])

    def other(weight: float) -> float:
        network = fit_network([replace(wrong, page="a", weight=weight), *some[1:8]], TINY)
        return float(predict(network, [wrong])[0][:, 12].mean())

    assert other(100.0) > other(0.01) + 0.2


def test_options_of_a_card_are_those_that_were_kept() -> None:
    assert TrainOptions.from_card(json.loads(json.dumps(asdict(TINY))), folds=5) == TINY
