"""Every figure by hand: ties fall together, lines without a label do not count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.labels import CONTENT, LABELS
from boilerplate.metrics import IS_CONTENT, label_scores, removed_at_loss, score

BODY, HEADING, LEGAL, OTHER = (LABELS.index(name) for name in ("body", "heading", "legal", "other"))
NULL = -1


def removed(rows: list[tuple[float, int, int]], loss: float) -> float:
    content, truth, words = (np.array(column) for column in zip(*rows, strict=True))
    return removed_at_loss(content.astype(np.float32), truth, words, loss)


def test_content_labels_are_marked() -> None:
    assert [label for label, content in zip(LABELS, IS_CONTENT, strict=True) if content] == sorted(
        CONTENT, key=LABELS.index
    )


@pytest.mark.parametrize(
    ("truth", "predicted", "label", "figures"),
    [
        ([0, 0, 1, NULL], [0, 1, 1, 1], "body", (1.0, 0.5, 2 / 3, 2)),
        ([0, 0, 1, NULL], [0, 1, 1, 1], "heading", (0.5, 1.0, 2 / 3, 1)),
        ([0, 0, 1, NULL], [0, 1, 1, 1], "legal", (0.0, 0.0, 0.0, 0)),
        ([0, 0], [1, 1], "body", (0.0, 0.0, 0.0, 2)),
        ([NULL, NULL], [0, 0], "body", (0.0, 0.0, 0.0, 0)),
        ([], [], "body", (0.0, 0.0, 0.0, 0)),
    ],
)
def test_precision_recall_and_f1_of_a_label(
    truth: list[int], predicted: list[int], label: str, figures: tuple[float, float, float, int]
) -> None:
    found = label_scores(np.array(truth, dtype=int), np.array(predicted, dtype=int))
    assert found[label] == pytest.approx(figures)
    assert list(found) == list(LABELS)


@pytest.mark.parametrize(
    ("name", "rows", "loss", "share"),
    [
        ("all apart", [(0.9, BODY, 50), (0.8, HEADING, 50), (0.1, LEGAL, 30), (0.2, OTHER, 10)], 0.01, 1.0),
        ("one above", [(0.9, BODY, 50), (0.8, BODY, 50), (0.1, LEGAL, 30), (0.85, OTHER, 10)], 0.01, 0.75),
        ("a small loss is taken", [(0.9, BODY, 99), (0.3, BODY, 1), (0.5, LEGAL, 10)], 0.01, 1.0),
        ("a larger one is not", [(0.9, BODY, 98), (0.3, BODY, 2), (0.5, LEGAL, 10)], 0.01, 0.0),
        (
            "equal scores fall together",
            [(0.9, BODY, 99), (0.3, BODY, 1), (0.3, BODY, 1), (0.5, LEGAL, 9)],
            0.01,
            0.0,
        ),
        (
            "a tie with content stays",
            [(0.9, BODY, 10), (0.5, BODY, 10), (0.5, LEGAL, 9), (0.4, LEGAL, 1)],
            0.01,
            0.1,
        ),
        ("no boilerplate", [(0.9, BODY, 10)], 0.01, 0.0),
        (
            "lines without a label do not count",
            [(0.9, BODY, 10), (0.1, NULL, 99), (0.5, LEGAL, 5)],
            0.01,
            1.0,
        ),
        ("words weigh, not lines", [(0.9, BODY, 1), (0.1, LEGAL, 90), (0.95, LEGAL, 10)], 0.0, 0.9),
        (
            "nothing may be lost",
            [(0.9, BODY, 1000), (0.2, BODY, 1), (0.1, LEGAL, 1), (0.5, LEGAL, 1)],
            0.0,
            0.5,
        ),
    ],
)
def test_the_share_removed_at_a_stated_loss(
    name: str, rows: list[tuple[float, int, int]], loss: float, share: float
) -> None:
    assert removed(rows, loss) == pytest.approx(share), name


ROWS = st.lists(
    st.tuples(
        st.integers(0, 20).map(lambda n: n / 20), st.sampled_from([BODY, LEGAL, NULL]), st.integers(1, 50)
    ),
    min_size=1,
    max_size=30,
)


@given(ROWS, st.sampled_from([0.0, 0.01, 0.1, 0.5]))
def test_the_share_removed_is_the_best_of_all_thresholds_that_keep_to_the_loss(
    rows: list[tuple[float, int, int]], loss: float
) -> None:
    content = sum(words for _, truth, words in rows if truth == BODY)
    rest = sum(words for _, truth, words in rows if truth == LEGAL)
    if not content or not rest:
        return
    shares = []
    for threshold in sorted({np.float32(p) for p, truth, _ in rows if truth == BODY}):
        lost = sum(words for p, truth, words in rows if truth == BODY and np.float32(p) < threshold)
        if lost <= loss * content:
            below = sum(words for p, truth, words in rows if truth == LEGAL and np.float32(p) < threshold)
            shares.append(below / rest)
    assert removed(rows, loss) == pytest.approx(max(shares))


@given(ROWS)
def test_a_larger_loss_removes_no_less(rows: list[tuple[float, int, int]]) -> None:
    shares = [removed(rows, loss) for loss in (0.0, 0.01, 0.1, 0.5)]
    assert shares == sorted(shares)


def test_macro_f1_is_the_plain_mean_over_the_labels_that_are_there() -> None:
    probabilities = np.zeros((4, 13), dtype=np.float32)
    probabilities[[0, 1, 2, 3], [BODY, HEADING, HEADING, LEGAL]] = 1
    figures = score(
        probabilities, np.array([BODY, BODY, HEADING, NULL]), np.array([10, 10, 1, 5]), documents=2
    )
    assert figures.macro_f1 == pytest.approx(2 / 3)
    assert figures.documents == 2
    assert figures.as_dict()["macro_f1"] == 0.6667
    assert figures.as_dict()["precision_recall_f1_rows"]["heading"] == [0.5, 1.0, 0.6667, 1]


def test_without_any_label_figures_are_zero() -> None:
    figures = score(np.full((2, 13), 1 / 13, dtype=np.float32), np.array([NULL, NULL]), np.array([1, 1]), 1)
    assert (figures.macro_f1, figures.removed) == (0.0, 0.0)
