"""The estimator: scikit-learn's contract, partial labels, context, cross-fitting, calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from boilerplate.classifier import ParagraphClassifier, calibration, folds_of
from boilerplate.features import Features, featurize
from boilerplate.segment import segment_text
from boilerplate.trainer import Options, softmax

SMALL = Options(widths=(16, 16, 12), epochs=4, fewest_steps=80)
A, B, C = range(3)


def model(**values: Any) -> ParagraphClassifier:
    return ParagraphClassifier(options=SMALL, **values)


def columns(values: list[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=float).reshape(-1, 1)


@pytest.mark.slow
@parametrize_with_checks([ParagraphClassifier()])
def test_it_is_a_scikit_learn_classifier(
    estimator: ParagraphClassifier, check: Callable[[ParagraphClassifier], None]
) -> None:
    check(estimator)


@parametrize_with_checks(
    [ParagraphClassifier(options=Options(members=1, widths=(8, 8, 6), epochs=2, fewest_steps=250))]
)
def test_a_small_one_is_a_scikit_learn_classifier_too(
    estimator: ParagraphClassifier, check: Callable[[ParagraphClassifier], None]
) -> None:
    check(estimator)


# labels


def test_classes_are_the_sorted_labels_unless_named() -> None:
    X = columns([0, 0.1, 5, 5.1])
    fitted = model().fit(X, ["social", "social", "body", "body"])
    assert fitted.classes_.tolist() == ["body", "social"]
    named = model(classes=["social", "legal", "body"]).fit(X, ["social", "social", "body", "body"])
    assert named.classes_.tolist() == ["social", "legal", "body"]
    assert named.predict_proba(X).shape == (4, 3)
    assert named.predict(X).tolist() == ["social", "social", "body", "body"]
    assert named.predict_proba(X)[:, 1].max() < 0.3


def test_a_row_with_several_allowed_labels_learns_what_it_is_not() -> None:
    X = columns(np.repeat([-1.0, 0.0, 1.0], 30))
    allowed = np.repeat([[1, 1, 0], [0, 1, 0], [0, 0, 1]], 30, axis=0).astype(bool)
    allowed[:3] = [True, False, False]
    found = model().fit(X, allowed=allowed).predict_proba(columns([-1, 0, 1]))
    assert found[0, C] < 0.1
    assert found.argmax(axis=1).tolist() == [A, B, C]


def test_labels_of_rows_with_several_allowed_are_not_looked_at() -> None:
    X, allowed = columns(np.tile([0.0, 1.0], 20)), np.tile([[True, False], [True, True]], (20, 1))
    allowed[1::4] = [False, True]
    y = allowed.argmax(axis=1)
    other = np.where(allowed.all(axis=1), 1 - y, y)
    one, two = (model().fit(X, labels, allowed=allowed).predict_proba(X) for labels in (y, other))
    assert one.tobytes() == two.tobytes()


def test_a_row_that_may_be_anything_is_context_and_teaches_nothing_itself() -> None:
    random = np.random.default_rng(0)
    told = random.integers(0, 2, 400)
    X = np.column_stack([np.stack([2.0 * told - 1, np.zeros(400)], axis=1).ravel(), np.tile([0, 1], 400)])
    allowed = np.ones((800, 2), dtype=bool)
    allowed[1::2] = np.eye(2, dtype=bool)[told]
    groups = np.repeat(np.arange(400), 2)
    fitted = model().fit(X, allowed=allowed, groups=groups)
    assert (fitted.predict(X, groups)[1::2] == told).mean() > 0.95
    alone = fitted.predict_proba(X)[1::2]
    assert np.abs(alone - alone[0]).max() < 1e-6


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"y": [0, 1], "allowed": [[True, False], [True, False]]}, "names another"),
        (
            {"allowed": [[True, False], [False, False]]},
            "row 1 allows no label; all True says nothing is known",
        ),
        ({"allowed": [[True, False]]}, r"allowed is \(1, 2\); 2 rows and 2 classes need \(2, 2\)"),
        ({"y": [0, 1], "allowed": [[True], [True]]}, "allowed is"),
        ({}, "or give allowed"),
        ({"y": [0]}, "rows"),
    ],
)
def test_labels_that_contradict_or_are_missing_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        model().fit(columns([0, 1]), **values)


def test_an_unknown_label_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown label 'sidebar'; classes are body, social"):
        model(classes=["body", "social"]).fit(columns([0, 1]), ["body", "sidebar"])


# documents


def test_a_documents_rows_must_stand_together() -> None:
    X, y = columns([0, 1, 2]), [0, 1, 0]
    with pytest.raises(ValueError, match="must stand together"):
        model().fit(X, y, groups=["a", "b", "a"])
    with pytest.raises(ValueError, match="must stand together"):
        model().fit(X, y).predict(X, groups=[1, 2, 1])


def test_without_groups_each_row_stands_alone() -> None:
    X, y = columns(np.linspace(0, 1, 20)), np.arange(20) % 2
    fitted = model().fit(X, y)
    together = fitted.predict_proba(X)
    assert np.vstack([fitted.predict_proba(X[i : i + 1]) for i in range(20)]).tobytes() == together.tobytes()
    assert fitted.predict_proba(X, groups=np.arange(20)).tobytes() == together.tobytes()
    assert fitted.predict_proba(X, groups=np.zeros(20)).tobytes() != together.tobytes()


def test_context_does_not_cross_from_one_document_to_the_next() -> None:
    X, y, groups = columns(np.linspace(-1, 1, 30)), np.arange(30) % 2, np.repeat(np.arange(6), 5)
    fitted = model().fit(X, y, groups=groups)
    whole = fitted.predict_proba(X, groups)
    for document in range(6):
        own = groups == document
        assert fitted.predict_proba(X[own], groups[own]).tobytes() == whole[own].tobytes()


def test_fitting_twice_gives_the_same_bytes_and_another_seed_does_not() -> None:
    X, y = columns(np.linspace(0, 1, 40)), np.arange(40) % 3
    one, two, other = (model(random_state=seed).fit(X, y).network_.arrays() for seed in (0, 0, 1))
    assert [a.tobytes() for a in one.values()] == [a.tobytes() for a in two.values()]
    assert one["member.0.last.weights"].tobytes() != other["member.0.last.weights"].tobytes()


def test_fitting_changes_neither_its_parameters_nor_its_data() -> None:
    X, y = columns([0, 1, 2, 3]), np.array([0, 1, 0, 1])
    fitted, before = model(classes=[0, 1]), X.copy()
    fitted.fit(X, y)
    assert fitted.get_params() == clone(fitted).get_params() == model(classes=[0, 1]).get_params()
    assert X.tobytes() == before.tobytes()


# words of sites


def pages(markers: list[str], *, seed: int) -> tuple[Features, NDArray[np.bool_], NDArray[np.int64]]:
    """Make a page a marker: rows of one word heard nowhere else, or, where the label is 0, of the marker."""
    random = np.random.default_rng(seed)
    labels = [random.permutation(np.arange(20) % 2) for _ in markers]
    documents = []
    for marker, own in zip(markers, labels, strict=True):
        fillers = ["".join(random.choice(list("abcdefgh"), 5)) for _ in own]
        lines = [marker if label == 0 else filler for label, filler in zip(own, fillers, strict=True)]
        documents.append(segment_text("\n".join(lines)))
    features = featurize(documents)
    dense = np.zeros((len(features), 1), dtype=np.float32)  # nothing to learn from but words
    label = np.concatenate(labels)
    return replace(features, dense=dense), np.eye(2, dtype=bool)[label], label


def test_words_that_hold_on_every_site_are_trusted() -> None:
    features, allowed, _ = pages(["story"] * 16, seed=0)
    fitted = model(classes=[0, 1]).fit(features, allowed=allowed, sites=features.groups)
    fresh, _, truth = pages(["story"] * 4, seed=1)
    assert (fitted.predict(fresh) == truth).mean() > 0.95


def test_a_word_that_tells_the_label_on_one_site_only_is_not_trusted() -> None:
    markers = [f"zq{site}xy" for site in "abcdefghijklmnop"]
    features, allowed, _ = pages(markers, seed=0)
    fitted = model(classes=[0, 1]).fit(features, allowed=allowed, sites=features.groups)
    alone = np.ones(len(markers), dtype=np.int64)
    marked = featurize([segment_text("\n".join(markers))])
    found = fitted.predict_proba(replace(marked, lengths=alone, dense=np.zeros((16, 1), dtype=np.float32)))
    assert np.abs(found[:, 0] - 0.5).max() < 0.25


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 6))
def test_no_site_stands_in_two_folds_and_folds_are_as_even_as_sites_let_them(
    sites: list[int], folds: int
) -> None:
    fold = folds_of(np.array(sites), folds)
    assert len(set(zip(sites, fold.tolist(), strict=True))) == len(set(sites))
    sizes = np.bincount(fold, minlength=folds)
    assert sizes.max() - sizes.min() <= max(sites.count(site) for site in sites)
    assert set(fold.tolist()) <= set(range(folds))


# calibration


def noisy(sites: int, *, seed: int, hard: float) -> tuple[NDArray[Any], ...]:
    """Draw rows whose label follows their value with a known probability."""
    random = np.random.default_rng(seed)
    value = random.normal(size=sites * 25)
    chance = 1 / (1 + np.exp(-hard * value))
    label = (random.random(len(value)) < chance).astype(int)
    noise = random.normal(size=(len(value), 12))
    return np.column_stack([value, noise]), label, np.repeat(np.arange(sites), 25), chance


def test_probabilities_hold_on_sites_held_out() -> None:
    X, y, sites, _ = noisy(40, seed=0, hard=1.0)
    options = Options(widths=(32, 24, 24), epochs=30, fewest_steps=300, dropout=0)
    fitted = ParagraphClassifier(options=options).fit(X, y, groups=np.arange(len(X)), sites=sites)
    fresh, truth, _, chance = noisy(120, seed=1, hard=1.0)
    found = fitted.predict_proba(fresh)[:, 1]
    bare = {"temperature": np.ones(1, np.float32), "prior": np.zeros(2, np.float32)}
    members = tuple(replace(member, **bare) for member in fitted.network_.members)
    raw = replace(fitted.network_, members=members).probabilities(fitted._features(fresh, None, reset=False))[
        1
    ]

    def error(p: NDArray[Any]) -> float:
        """Give the expected calibration error over fifteen bins of equal mass."""
        bins = np.array_split(np.argsort(p), 15)
        return float(np.mean([abs(p[b].mean() - truth[b].mean()) for b in bins]))

    assert error(chance) < error(found) < 0.08
    assert error(found) < 0.75 * error(raw)  # the training fits noise, and the calibration knows


def test_calibration_finds_the_temperature_and_prior_that_were_there() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(20000, 3)) * 3
    likely = softmax(scores * 0.5 + [0.7, 0.0, -0.7])
    label = (likely.cumsum(axis=1) < random.random((20000, 1))).sum(axis=1)
    temperature, prior = calibration(scores.astype(np.float32), np.eye(3, dtype=bool)[label], np.ones(20000))
    assert temperature == pytest.approx(0.5, abs=0.03)
    assert prior - prior[1] == pytest.approx([0.7, 0, -0.7], abs=0.1)
