"""How the network learns: batches of whole documents, Adam, and rounding to whole numbers at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boilerplate.network import HIDDEN_STEPS, INPUT_CLIP, INPUT_STEPS, Layer, neighbours, whole_layer, window

__all__ = ["NEAR", "WIDE", "Options", "Parameters", "Rows", "softmax", "train_parameters", "whole_layers"]

Reals = NDArray[np.floating]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Parameters = dict[str, Reals]

NEAR = (-2, -1, 0, 1, 2)
WIDE = (-6, -3, 0, 3, 6)


@dataclass(frozen=True)
class Options:
    """What shapes the network and its training; a change here is a change of predictions.

    >>> Options(first=64).second
    96
    """

    members: int = 3  # networks, each trained without another fold of sites
    first: int = 128
    second: int = 96
    epochs: int = 30
    fewest_steps: int = 400  # where the data are few
    batch: int = 1500  # paragraphs
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    average: float = 0.998  # of the weights, over steps
    views: int = 4  # of each page, beside its first, drawn anew for every epoch
    smoothing: float = 0.05  # of each label, over all of them
    rarity: float = 0.3  # rows weigh their label's frequency to minus this power
    evenness: float = 0.3  # and their document's length to minus this power


@dataclass(frozen=True, eq=False)
class Rows:
    """Standardised inputs of many documents, what each row may be, its weight, and the documents' lengths.

    ``pages`` numbers the page of each document: documents of one page are views of it,
    the first of them seen in every epoch, the others drawn.

    >>> rows = Rows(np.zeros((3, 1)), np.ones((3, 2), dtype=bool), np.ones(3), np.array([2, 1]), np.arange(2))
    >>> rows.documents(np.array([1, 0])).lengths.tolist()
    [1, 2]
    """

    inputs: Reals
    allowed: Bools
    weights: Reals
    lengths: Ints
    pages: Ints

    def documents(self, chosen: Ints) -> Rows:
        """Take some documents, in the order given."""
        starts = np.cumsum(self.lengths) - self.lengths
        lengths = self.lengths[chosen]
        step = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        at = np.repeat(starts[chosen], lengths) + step
        return Rows(self.inputs[at], self.allowed[at], self.weights[at], lengths, self.pages[chosen])


def train_parameters(rows: Rows, options: Options, seed: int) -> Parameters:
    """Train a network on rows and give its averaged weights.

    One batch that holds everything is trained in double precision and without
    dropout, so that weighting a row twice and giving it twice come out the same.

    >>> allowed, one = np.eye(2, dtype=bool), np.ones(2, dtype=np.int64)
    >>> rows = Rows(np.array([[-1.0], [1.0]]), allowed, np.ones(2), one, np.arange(2))
    >>> train_parameters(rows, Options(first=4, second=3, fewest_steps=2, epochs=1), 0)["third"].shape
    (7, 2)
    """
    random = np.random.default_rng(seed)
    whole = int(rows.lengths.sum()) <= options.batch
    kind = np.float64 if whole else np.float32
    parameters = _initial(rows.inputs.shape[1], rows.allowed.shape[1], options, random, kind)
    average = {name: value.copy() for name, value in parameters.items()}
    moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in parameters.items()}
    for step, (progress, chosen) in enumerate(_schedule(rows, options, random), start=1):
        batch = rows.documents(chosen)
        gradient = _gradient(parameters, batch, 0.0 if whole else options.dropout, options.smoothing, random)
        rate = options.learning_rate * min(1.0, 0.05 + 20 * progress) * (1 + np.cos(np.pi * progress)) / 2
        _adam(parameters, moments, gradient, step, rate, options.weight_decay)
        for name, value in parameters.items():
            average[name] += (1 - min(options.average, step / (step + 10))) * (value - average[name])
    return average


def _initial(
    inputs: int, classes: int, options: Options, random: np.random.Generator, kind: type
) -> Parameters:
    """Draw weights so that the signal keeps its size (He et al., ICCV 2015)."""
    shapes = {
        "first": (inputs * len(NEAR), options.first),
        "second": (options.first * len(WIDE), options.second),
        "pooled": (options.first, options.second),
        "third": (options.second + options.first, classes),
    }
    drawn: Parameters = {}
    for name, shape in shapes.items():
        drawn[name] = (random.standard_normal(shape) * np.sqrt(2 / shape[0]) / (1 + (name > "s"))).astype(
            kind
        )
        drawn[f"{name}.bias"] = np.zeros(shape[1], dtype=kind)
    del drawn["pooled.bias"]
    return drawn


def _schedule(rows: Rows, options: Options, random: np.random.Generator) -> Iterator[tuple[float, Ints]]:
    """Yield how far training is and the documents of each step."""
    sizes = int(rows.lengths[_drawn(rows, options.views, np.random.default_rng(0))].sum())
    steps = max(1, round(sizes / options.batch))
    epochs = max(options.epochs, -(-options.fewest_steps // steps))
    for epoch in range(epochs):
        order = random.permutation(_drawn(rows, options.views, random))
        ends = np.cumsum(rows.lengths[order])
        batches = np.split(order, np.searchsorted(ends, np.arange(1, steps) * ends[-1] / steps))
        batches = [batch for batch in batches if len(batch)]
        for place, batch in enumerate(batches):
            yield (epoch + place / len(batches)) / epochs, batch


def _drawn(rows: Rows, views: int, random: np.random.Generator) -> Ints:
    """Draw the documents of an epoch: each page's first, and some of its other views."""
    shuffled = np.lexsort((random.random(len(rows.pages)), rows.pages))
    first = np.unique(rows.pages, return_index=True)[1]
    others = shuffled[~np.isin(shuffled, first)]
    begins = np.searchsorted(rows.pages[others], rows.pages[others])
    return np.sort(np.concatenate([first, others[np.arange(len(others)) - begins < views]]))


def _gradient(
    p: Parameters, batch: Rows, dropout: float, smoothing: float, random: np.random.Generator
) -> Parameters:
    """Give the gradient of the mean negative log-likelihood of what is allowed."""
    near, wide = neighbours(batch.lengths, NEAR), neighbours(batch.lengths, WIDE)
    starts = np.cumsum(batch.lengths) - batch.lengths
    kind = p["first"].dtype
    share = (1 / batch.lengths)[:, None].astype(kind)

    around = window(_padded(batch.inputs.astype(kind)), near)
    first = np.maximum(around @ p["first"] + p["first.bias"], 0)
    first *= (first_mask := _mask(first.shape, dropout, random, kind))
    beyond = window(_padded(first), wide)
    means = np.add.reduceat(first, starts, axis=0) * share
    pooled = np.repeat(means @ p["pooled"], batch.lengths, axis=0)
    second = np.maximum(beyond @ p["second"] + pooled + p["second.bias"], 0)
    second *= (second_mask := _mask(second.shape, dropout, random, kind))
    top = np.hstack([second, first])
    error = _error(top @ p["third"] + p["third.bias"], batch, smoothing)

    down = error @ p["third"].T
    to_second = down[:, : second.shape[1]] * second_mask * (second > 0)
    by_document = np.add.reduceat(to_second, starts, axis=0)
    to_first = down[:, second.shape[1] :] + np.repeat(
        by_document @ p["pooled"].T * share, batch.lengths, axis=0
    )
    to_first += _scattered(to_second @ p["second"].T, batch.lengths)
    to_first *= first_mask * (first > 0)
    return {
        "first": around.T @ to_first,
        "first.bias": to_first.sum(axis=0),
        "second": beyond.T @ to_second,
        "second.bias": to_second.sum(axis=0),
        "pooled": means.T @ by_document,
        "third": top.T @ error,
        "third.bias": error.sum(axis=0),
    }


def _error(scores: Reals, batch: Rows, smoothing: float) -> Reals:
    """Give the gradient at the scores: what is predicted less what is predicted among the allowed.

    Smoothing keeps the network from being surer than labels are (Szegedy et al., CVPR 2016).
    """
    probabilities = softmax(scores)
    among = probabilities * batch.allowed
    among /= np.maximum(among.sum(axis=1, keepdims=True), 1e-12)
    among = (1 - smoothing) * among + smoothing / among.shape[1]
    weights = batch.weights / max(float(batch.weights.sum()), 1e-12)
    error: Reals = ((probabilities - among) * weights[:, None]).astype(scores.dtype)
    return error


def softmax(scores: Reals) -> Reals:
    """Turn each row of scores into probabilities.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    powers: Reals = np.exp(scores - scores.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def _padded(rows: Reals) -> Reals:
    padded: Reals = np.vstack([rows, np.zeros((1, rows.shape[1]), dtype=rows.dtype)])
    return padded


def _mask(shape: tuple[int, ...], dropout: float, random: np.random.Generator, kind: np.dtype) -> Reals:
    if not dropout:
        return np.ones((1, 1), dtype=kind)
    mask: Reals = (random.random(shape, dtype=np.float32) > dropout).astype(kind)
    mask /= kind.type(1 - dropout)
    return mask


def _scattered(down: Reals, lengths: Ints) -> Reals:
    """Send each window's gradient back to the rows it was made of."""
    parts = down.reshape(len(down), len(WIDE), -1)
    back = neighbours(lengths, [-offset for offset in WIDE])
    nothing: Reals = np.zeros((), dtype=down.dtype)
    return sum((_padded(parts[:, k])[back[:, k]] for k in range(len(WIDE))), start=nothing)


def _adam(
    parameters: Parameters,
    moments: dict[str, tuple[Reals, Reals]],
    gradient: Parameters,
    step: int,
    rate: float,
    decay: float,
) -> None:
    for name, value in parameters.items():
        mean, square = moments[name]
        mean += 0.1 * (gradient[name] - mean)
        square += 0.002 * (gradient[name] ** 2 - square)
        move = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.998**step)) + 1e-8)
        value -= (rate * (move if name.endswith("bias") else move + decay * value)).astype(value.dtype)


def whole_layers(p: Parameters, rows: Rows) -> dict[str, Layer]:
    """Round a trained network to layers of whole numbers, with ranges read off some rows.

    >>> allowed, one = np.eye(2, dtype=bool), np.ones(2, dtype=np.int64)
    >>> rows = Rows(np.array([[-1.0], [1.0]]), allowed, np.ones(2), one, np.arange(2))
    >>> options = Options(first=4, second=3, fewest_steps=2, epochs=1)
    >>> sorted(whole_layers(train_parameters(rows, options, 0), rows))
    ['first', 'pooled', 'second', 'third']
    """
    near, wide = neighbours(rows.lengths, NEAR), neighbours(rows.lengths, WIDE)
    first = np.maximum(window(_padded(rows.inputs), near) @ p["first"] + p["first.bias"], 0)
    starts = np.cumsum(rows.lengths) - rows.lengths
    means = np.add.reduceat(first, starts, axis=0) / rows.lengths[:, None]
    pooled = np.repeat(means @ p["pooled"], rows.lengths, axis=0)
    second = np.maximum(window(_padded(first), wide) @ p["second"] + pooled + p["second.bias"], 0)
    one, two = _steps(first[rows.weights > 0]), _steps(second[rows.weights > 0])
    both = np.concatenate([two, one])
    inputs = np.full(len(p["first"]), 1 / INPUT_STEPS)
    return {
        "first": whole_layer(p["first"], p["first.bias"], inputs, one, INPUT_CLIP * INPUT_STEPS),
        "second": whole_layer(p["second"], p["second.bias"], 1 / np.tile(one, len(WIDE)), two, HIDDEN_STEPS),
        "pooled": whole_layer(p["pooled"], np.zeros(len(two)), 1 / one, two, HIDDEN_STEPS),
        "third": whole_layer(
            p["third"], p["third.bias"], 1 / both, np.ones(len(p["third.bias"])), HIDDEN_STEPS
        ),
    }


def _steps(hidden: Reals) -> Reals:
    """Say how many whole steps one unit of each hidden value makes, so that all fit."""
    largest: Reals = np.maximum(hidden.max(axis=0, initial=0), 1e-3)
    return HIDDEN_STEPS / largest
