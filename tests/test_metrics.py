"""Every figure by hand: ties fall together, lines without a label do not count."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.corpora import LabelledDocument
from boilerplate.document import Document
from boilerplate.labels import CONTENT, LABELS
from boilerplate.metrics import (
    IS_CONTENT,
    Scored,
    calibration_error,
    label_scores,
    removed_at_loss,
    residue_mean,
    score,
    scored,
)

BODY, HEADING, CAPTION, LEGAL, OTHER = (
    LABELS.index(name) for name in ("body", "heading", "caption", "legal", "other")
)
NULL = -1


def removed(rows: list[tuple[float, int, int]], loss: float) -> float:
    content, truth, words = (np.array(column) for column in zip(*rows, strict=True))
    coded = np.where(truth == NULL, NULL, IS_CONTENT[truth].astype(int))
    return removed_at_loss(content.astype(np.float32), coded, words, loss)


def page(rows: list[tuple[int | list[int], int, int, float]], site: str = "a.org") -> Scored:
    """A document of (true label or labels, predicted label, words, P of the predicted)."""
    allowed = np.zeros((len(rows), len(LABELS)), dtype=bool)
    probabilities = np.zeros((len(rows), len(LABELS)), dtype=np.float32)
    for i, (truth, predicted, _, sure) in enumerate(rows):
        allowed[i, slice(None) if truth == NULL else truth] = True
        probabilities[i, predicted] = sure
        probabilities[i, OTHER if predicted != OTHER else LEGAL] += 1 - sure
    lines = [" ".join(["word"] * words) for *_, words, _ in rows]
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    starts = ends - [len(line) for line in lines]
    one = LabelledDocument(Document("\n".join(lines), starts, ends), allowed, site, site)
    return scored([one], [probabilities])[0]


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
    rows = [
        (BODY, BODY, 10, 1.0),
        (BODY, HEADING, 10, 1.0),
        (HEADING, HEADING, 1, 1.0),
        (NULL, LEGAL, 5, 1.0),
    ]
    figures = score([page(rows[:2]), page(rows[2:])])
    assert figures.macro_f1 is not None
    assert figures.macro_f1.as_list() == [0.6667, 0.6667, 0.6667]  # one site: nothing to draw
    assert {label: estimate.value for label, estimate in figures.f1.items()} == pytest.approx(
        {"body": 2 / 3, "heading": 2 / 3}
    )
    plain = figures.as_dict()
    assert (plain["macro_f1"], plain["documents"], plain["sites"]) == (0.6667, 2, 1)
    assert plain["precision_recall_f1_rows"]["heading"] == [0.5, 1.0, 0.6667, 1]
    assert figures.confusion[BODY][HEADING] == 1
    assert sum(map(sum, figures.confusion)) == 3


def test_without_any_label_there_are_no_figures() -> None:
    figures = score([page([(NULL, BODY, 1, 1.0), (NULL, LEGAL, 1, 1.0)])])
    assert figures.macro_f1 is not None
    assert (figures.macro_f1.value, figures.removed, figures.ece) == (0.0, {}, None)
    assert figures.as_dict()["removed_at_1_percent_lost"] is None


def test_half_of_the_words_must_be_known_as_content_or_not_for_the_curve() -> None:
    known = [(BODY, BODY, 8, 1.0), (LEGAL, LEGAL, 2, 1.0)]
    assert score([page([*known, (NULL, BODY, 10, 1.0)])]).removed[0.01].value == 1.0
    assert score([page([*known, (NULL, BODY, 11, 1.0)])]).removed == {}


def test_a_macro_f1_over_sites_is_as_unsure_as_its_sites_differ() -> None:
    right, wrong = [(BODY, BODY, 9, 1.0)], [(BODY, LEGAL, 9, 1.0)]
    alike = score([page(right, "a"), page(right, "b")]).macro_f1
    apart = score([page(right, "a"), page(wrong, "b")]).macro_f1
    assert alike is not None
    assert apart is not None
    assert alike.as_list() == [1.0, 1.0, 1.0]
    assert apart.as_list() == [0.6667, 0.0, 1.0]


def test_what_is_known_only_as_content_or_not_counts_for_the_curve_and_not_for_labels() -> None:
    content, rest = [BODY, HEADING, CAPTION], [k for k in range(13) if k not in (BODY, HEADING, CAPTION)]
    one = page([(content, BODY, 50, 0.9), (rest, LEGAL, 30, 0.8), ([BODY, LEGAL], BODY, 60, 0.1)])
    assert one.content.tolist() == [1, 0, NULL]
    assert one.truth.tolist() == [NULL] * 3
    figures = score([one])
    assert figures.macro_f1 is None
    assert figures.labels == figures.f1 == {}
    assert figures.removed[0.01].value == 1.0
    assert figures.as_dict()["macro_f1"] is None


def test_half_of_what_is_known_must_have_one_label_for_figures_by_label() -> None:
    known, partly = (BODY, BODY, 5, 1.0), ([BODY, HEADING], BODY, 5, 1.0)
    assert score([page([known, partly])]).macro_f1 is not None
    assert score([page([known, partly, partly])]).macro_f1 is None


def test_the_curve_stands_at_four_losses_and_its_intervals_hold_it() -> None:
    random = np.random.default_rng(0)
    pages = []
    for site in range(30):
        sure = random.random(40)
        rows = [(BODY, BODY, 5, 0.5 + s / 2) if s > 0.1 else (LEGAL, BODY, 5, s * 6) for s in sure]
        pages.append(page(rows, f"{site}.org"))
    curve = score(pages).removed
    assert list(curve) == [0.002, 0.005, 0.01, 0.02]
    values = [estimate.value for estimate in curve.values()]
    assert values == sorted(values)
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in curve.values())
    assert curve[0.01].low < curve[0.01].high
    everything = [
        np.concatenate([getattr(one, name) for one in pages])
        for name in ("content_probability", "content", "words")
    ]
    assert curve[0.02].value == pytest.approx(removed_at_loss(*everything, loss=0.02))


@given(ROWS)
def test_drawing_one_site_over_and_over_gives_the_very_figure(rows: list[tuple[float, int, int]]) -> None:
    if {truth for _, truth, _ in rows} >= {BODY, LEGAL}:
        one = page([(truth, BODY, words, sure) for sure, truth, words in rows])
        for estimate in score([one]).removed.values():
            assert estimate.low == pytest.approx(estimate.value)
            assert estimate.high == pytest.approx(estimate.value)


def test_the_mean_over_extractors_weighs_them_alike() -> None:
    clean, dirty = (
        page([(BODY, BODY, 9, 1.0), (LEGAL, LEGAL, 90, 1.0)]),
        page([(BODY, BODY, 9, 0.5), (LEGAL, BODY, 1, 1.0)]),
    )
    assert residue_mean({"one": [clean], "other": [dirty]})[0.01].as_list() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("content", "truth", "error"),
    [
        ([1.0, 0.0], [1, 0], 0.0),
        ([1.0, 0.0], [0, 1], 1.0),
        ([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0], 0.0),
        ([0.75, 0.75, 0.25, 0.25], [1, 1, 0, 0], 0.25),
        ([0.9, 0.1], [NULL, 0], 0.1),
        ([0.9], [NULL], 0.0),
    ],
)
def test_the_calibration_error(content: list[float], truth: list[int], error: float) -> None:
    found = calibration_error(np.array(content, dtype=np.float32), np.array(truth))
    assert found == pytest.approx(error, abs=1e-6)


def test_calibration_is_looked_at_in_fifteen_bins_of_equal_mass() -> None:
    sure = np.linspace(0, 1, 1500, dtype=np.float32)
    truth = np.arange(1500) % 2  # right half the time, however sure
    bins = np.array_split(sure.astype(float), 15)
    expected = np.mean([abs(part.mean() - 0.5) for part in bins])
    assert calibration_error(sure, truth) == pytest.approx(expected, abs=1e-3)


@given(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=1, max_size=40), st.randoms())
def test_the_calibration_error_does_not_depend_on_the_order(content: list[float], random: Random) -> None:
    rows = [(p, int(random.random() < p)) for p in content]
    shuffled = random.sample(rows, len(rows))
    one, two = (
        calibration_error(np.array([p for p, _ in each], dtype=np.float32), np.array([y for _, y in each]))
        for each in (rows, shuffled)
    )
    assert one == pytest.approx(two, abs=1e-9)
