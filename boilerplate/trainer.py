"""How the network learns: batches of whole documents, Adam, and rounding to whole numbers at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.network import HIDDEN_STEPS, INPUT_CLIP, INPUT_STEPS, Block, Layer, Spaced, whole_layer

__all__ = ["REACH", "Options", "Parameters", "Rows", "softmax", "train_parameters", "whole_blocks"]

Reals = NDArray[np.floating]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Parameters = dict[str, Reals]

REACH = ((0,), (-2, -1, 0, 1, 2), (-6, -3, 0, 3, 6))
"""The neighbours each block looks at."""
GAP = max(max(map(abs, offsets)) for offsets in REACH)


@dataclass(frozen=True)
class Options:
    """What shapes the network and its training; a change here is a change of predictions.

    >>> Options(members=1).widths
    (64, 96, 64)
    """

    members: int = 2  # networks, each trained without another fold of sites
    widths: tuple[int, ...] = (64, 96, 64)  # hidden values of each block
    epochs: int = 16
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

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> Options:
        """Read the options a model card keeps; JSON knows no tuples.

        >>> Options.from_card({"widths": [4, 3, 2]}).widths
        (4, 3, 2)
        """
        plain: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        return cls(**plain)


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

    @cached_property
    def spaced(self) -> Spaced:
        """Where the rows stand when the documents are set apart."""
        return Spaced.of(self.lengths, GAP)

    def sums(self, values: Reals) -> Reals:
        """Sum values over each document."""
        sums: Reals = np.add.reduceat(values, np.cumsum(self.lengths) - self.lengths, axis=0)
        return sums

    def means(self, values: Reals) -> Reals:
        """Average values over each document."""
        return self.sums(values) / self.lengths[:, None].astype(values.dtype)

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
    >>> train_parameters(rows, Options(widths=(4, 3, 2), fewest_steps=2, epochs=1), 0)["last"].shape
    (9, 2)
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
    sizes = (inputs, *options.widths)
    drawn: Parameters = {}
    for k, offsets in enumerate(REACH):
        drawn[f"{k}.layer"] = _draw(random, (len(offsets), sizes[k], sizes[k + 1]), 2.0)
        drawn[f"{k}.layer.bias"] = np.zeros(sizes[k + 1])
        drawn[f"{k}.pooled"] = _draw(random, (sizes[k], sizes[k + 1]), 0.5)
    drawn["last"] = _draw(random, (sum(options.widths), classes), 0.5)
    drawn["last.bias"] = np.zeros(classes)
    return {name: value.astype(kind) for name, value in drawn.items()}


def _draw(random: np.random.Generator, shape: tuple[int, ...], gain: float) -> Reals:
    drawn: Reals = random.standard_normal(shape) * np.sqrt(gain / np.prod(shape[:-1]))
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


@dataclass(frozen=True, eq=False)
class _Pass:
    """One way through a block: what went in, spread out, the documents' means of it, and what came out."""

    spread: Reals
    means: Reals
    hidden: Reals
    mask: Reals


def _forward(p: Parameters, batch: Rows, dropout: float, random: np.random.Generator) -> list[_Pass]:
    """Pass a batch through the blocks; dropout as Srivastava et al. (JMLR 2014)."""
    spaced, hidden, passes = batch.spaced, batch.inputs.astype(p["last"].dtype), []
    for k, offsets in enumerate(REACH):
        spread, means = spaced.spread(hidden), batch.means(hidden)
        pairs = zip(offsets, p[f"{k}.layer"], strict=True)
        sums = sum(spaced.neighbours(spread, o) @ w for o, w in pairs if spaced.reached(o))
        found = np.asarray(sums)[spaced.inner] + p[f"{k}.layer.bias"]
        found += np.repeat(means @ p[f"{k}.pooled"], batch.lengths, axis=0)
        mask = _mask(found.shape, dropout, random, found.dtype) * (found > 0)
        hidden = found * mask
        passes.append(_Pass(spread, means, hidden, mask))
    return passes


def _gradient(
    p: Parameters, batch: Rows, dropout: float, smoothing: float, random: np.random.Generator
) -> Parameters:
    """Give the gradient of the mean negative log-likelihood of what is allowed."""
    passes = _forward(p, batch, dropout, random)
    top = np.hstack([one.hidden for one in passes])
    error = _error(top @ p["last"] + p["last.bias"], batch, smoothing)
    gradient = {"last": top.T @ error, "last.bias": error.sum(axis=0)}
    parts = np.split(error @ p["last"].T, np.cumsum([one.hidden.shape[1] for one in passes])[:-1], axis=1)
    back: Reals = np.zeros((), dtype=top.dtype)
    for k in reversed(range(len(REACH))):
        back = _backward(p, batch, k, passes[k], (parts[k] + back) * passes[k].mask, gradient)
    return gradient


def _backward(p: Parameters, batch: Rows, k: int, one: _Pass, down: Reals, gradient: Parameters) -> Reals:
    """Note the gradient of one block, and give what it sends back to the block before."""
    spaced = batch.spaced
    spread = spaced.spread(down)
    core = spaced.neighbours(spread, 0)
    layer = gradient[f"{k}.layer"] = np.zeros_like(p[f"{k}.layer"])
    for place, offset in enumerate(REACH[k]):
        if spaced.reached(offset):
            layer[place] = spaced.neighbours(one.spread, offset).T @ core
    gradient[f"{k}.layer.bias"] = down.sum(axis=0)
    by_document = batch.sums(down)
    gradient[f"{k}.pooled"] = one.means.T @ by_document
    if k == 0:
        return down
    pairs = zip(REACH[k], p[f"{k}.layer"], strict=True)
    sent_back = sum(spaced.neighbours(spread, -o) @ w.T for o, w in pairs if spaced.reached(o))
    back = np.asarray(sent_back)[spaced.inner]
    pooled = (by_document @ p[f"{k}.pooled"].T) / batch.lengths[:, None].astype(down.dtype)
    sent: Reals = back + np.repeat(pooled, batch.lengths, axis=0)
    return sent


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


def _mask(shape: tuple[int, ...], dropout: float, random: np.random.Generator, kind: np.dtype) -> Reals:
    if not dropout:
        return np.ones((1, 1), dtype=kind)
    mask: Reals = (random.random(shape, dtype=np.float32) > dropout).astype(kind)
    mask /= kind.type(1 - dropout)
    return mask


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


def whole_blocks(p: Parameters, rows: Rows) -> tuple[tuple[Block, ...], Layer]:
    """Round a trained network to blocks of whole numbers and a last layer, with ranges read off some rows.

    >>> allowed, one = np.eye(2, dtype=bool), np.ones(2, dtype=np.int64)
    >>> rows = Rows(np.array([[-1.0], [1.0]]), allowed, np.ones(2), one, np.arange(2))
    >>> options = Options(widths=(4, 3, 2), fewest_steps=2, epochs=1)
    >>> blocks, last = whole_blocks(train_parameters(rows, options, 0), rows)
    >>> [len(block.layer.bias) for block in blocks], last.weights.shape
    ([4, 3, 2], (9, 2))
    """
    passes = _forward(p, rows, 0.0, np.random.default_rng(0))
    unit, largest, blocks, units = (
        np.full(rows.inputs.shape[1], INPUT_STEPS),
        INPUT_CLIP * INPUT_STEPS,
        [],
        [],
    )
    for k, (offsets, one) in enumerate(zip(REACH, passes, strict=True)):
        steps = _steps(one.hidden[rows.weights > 0])
        kernels, pooled = p[f"{k}.layer"], p[f"{k}.pooled"]
        flat = kernels.reshape(-1, kernels.shape[2])
        layer = whole_layer(flat, p[f"{k}.layer.bias"], 1 / np.tile(unit, len(offsets)), steps, largest)
        mean = whole_layer(pooled, np.zeros(len(steps)), 1 / unit, steps, largest)
        blocks.append(Block(np.array(offsets), layer, mean))
        units.append(steps)
        unit, largest = steps, HIDDEN_STEPS
    ones = np.ones(len(p["last.bias"]))
    last = whole_layer(p["last"], p["last.bias"], 1 / np.concatenate(units), ones, HIDDEN_STEPS)
    return tuple(blocks), last


def _steps(hidden: Reals) -> Reals:
    """Say how many whole steps one unit of each hidden value makes, so that all fit."""
    largest: Reals = np.maximum(hidden.max(axis=0, initial=0), 1e-3)
    return HIDDEN_STEPS / largest
