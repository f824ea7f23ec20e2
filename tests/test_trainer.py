"""The gradient is that of the loss it is said to be, and training sees every page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boilerplate.trainer import (
    REACH,
    Options,
    Parameters,
    Rows,
    _gradient,
    _initial,
    _schedule,
    softmax,
    train_parameters,
)

COLUMNS, CLASSES = 3, 4
SMALL = Options(widths=(6, 5, 4))


def some_rows(lengths: list[int], *, seed: int = 0) -> Rows:
    """Draw rows of which some have one label, some several, some any, at many weights."""
    random = np.random.default_rng(seed)
    n = sum(lengths)
    allowed = random.random((n, CLASSES)) < random.choice([0.2, 0.6, 1.0], n)[:, None]
    allowed[np.arange(n), random.integers(0, CLASSES, n)] = True
    inputs, weights = random.normal(size=(n, COLUMNS)), random.random(n)
    return Rows(inputs, allowed, weights, np.array(lengths), np.arange(len(lengths)))


def loss(p: Parameters, rows: Rows) -> float:
    """Give the mean negative log-likelihood of what is allowed, by its definition."""

    found = []
    for document in np.split(rows.inputs, np.cumsum(rows.lengths)[:-1]):
        hidden, all_hidden = document, []
        for k, offsets in enumerate(REACH):
            sums = p[f"{k}.layer.bias"] + hidden.mean(axis=0) @ p[f"{k}.pooled"] + 0 * hidden[:, :1]
            for offset, weights in zip(offsets, p[f"{k}.layer"], strict=True):
                for i in range(len(hidden)):
                    if 0 <= i + offset < len(hidden):
                        sums[i] += hidden[i + offset] @ weights
            hidden = np.maximum(sums, 0)
            all_hidden.append(hidden)
        found.append(softmax(np.hstack(all_hidden) @ p["last"] + p["last.bias"]))
    likely = np.log((np.concatenate(found) * rows.allowed).sum(axis=1))
    return float(-(rows.weights * likely).sum() / rows.weights.sum())


@pytest.mark.parametrize("lengths", [[1], [9], [1, 4, 12, 2]])
def test_the_gradient_is_the_slope_of_the_loss(lengths: list[int]) -> None:
    random = np.random.default_rng(1)
    rows = some_rows(lengths)
    parameters = _initial(COLUMNS, CLASSES, SMALL, random, np.float64)
    for name, value in parameters.items():
        if name.endswith("bias"):
            value += random.normal(size=value.shape) * 0.3
    gradient = _gradient(parameters, rows, 0.0, 0.0, random)
    assert set(gradient) == set(parameters)
    for name, value in parameters.items():
        direction = random.normal(size=value.shape)
        step = 1e-6
        up, down = (loss({**parameters, name: value + sign * step * direction}, rows) for sign in (1, -1))
        assert (gradient[name] * direction).sum() == pytest.approx((up - down) / (2 * step), abs=1e-6), name


def test_rows_of_no_weight_have_no_part_in_the_gradient() -> None:
    rows, random = some_rows([5, 5]), np.random.default_rng(1)
    parameters = _initial(COLUMNS, CLASSES, SMALL, random, np.float64)
    rows.weights[5:] = 0
    alone = rows.documents(np.array([0]))
    whole, part = (_gradient(parameters, r, 0.0, 0.0, random) for r in (rows, alone))
    for name in whole:
        assert whole[name] == pytest.approx(part[name], abs=1e-12)


def test_training_lowers_the_loss() -> None:
    rows = some_rows([7] * 20)
    options = replace(SMALL, epochs=1, fewest_steps=60)
    before = train_parameters(rows, replace(options, learning_rate=0.0), 0)
    after = train_parameters(rows, options, 0)
    assert loss(after, rows) < 0.9 * loss(before, rows)


def test_every_epoch_shows_each_page_once_and_as_many_views_as_asked() -> None:
    rows = replace(some_rows([4] * 24), pages=np.repeat(np.arange(6), 4))
    options = Options(batch=16, epochs=8, fewest_steps=1, views=2)
    steps = list(_schedule(rows, options, np.random.default_rng(0)))
    progress = [part for part, _ in steps]
    assert progress == sorted(progress)
    assert 0 == progress[0] < progress[-1] < 1
    seen = np.bincount(np.concatenate([chosen for _, chosen in steps]), minlength=24)
    assert seen[::4].tolist() == [8] * 6
    assert seen.sum() == 8 * 6 * 3
    others = np.delete(seen, np.arange(0, 24, 4))
    assert 0 < others.min() < 8  # no view is always left out, not all are always drawn
