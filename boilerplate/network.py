"""The packaged model at work: from features to calibrated probabilities, in plain arrays.

A few small networks of three layers over the paragraphs of a document in their order,
averaged. The first layer sees a window of neighbours (features and word scores), the
second a wider, dilated window of the first (Yu and Koltun, Multi-Scale Context
Aggregation by Dilated Convolutions, ICLR 2016) and the document's mean, the third
decides.

All weights and activations are whole numbers whose sums stay below 2 ** 24, where
float32 counts exactly; so the answer for a document is the same to the bit whatever
batch it came in (Jacob et al., Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference, CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.features import Features

__all__ = [
    "HIDDEN_STEPS",
    "INPUT_CLIP",
    "INPUT_STEPS",
    "Layer",
    "Member",
    "Network",
    "added",
    "neighbours",
    "quantised",
    "whole_inputs",
    "whole_layer",
    "window",
]

Floats = NDArray[np.float32]
Reals = NDArray[np.floating]
Ints = NDArray[np.int64]

EXACT = 1 << 24  # float32 holds every whole number up to here
LARGEST = (1 << 15) - 1  # weights are kept as int16
INPUT_CLIP = 4.0  # standard deviations
INPUT_STEPS = 16  # per standard deviation
HIDDEN_STEPS = 255
FADE = 1.0  # steps a paragraph
LAYERS = ("first", "second", "pooled", "third")
PLAIN = ("mean", "spread", "words", "word_scale", "word_bias", "near", "wide")
BLOCK = 4096  # paragraphs worked on at once, to stay in the cache


@dataclass(frozen=True, eq=False)
class Layer:
    """Whole-number weights (inputs x outputs) with one scale and one bias an output.

    >>> one = np.ones(1, dtype=np.float32)
    >>> Layer(weights=7 * one.reshape(1, 1), scale=0.5 * one, bias=one)(2 * one.reshape(1, 1)).tolist()
    [[8.0]]
    """

    weights: Floats
    scale: Floats
    bias: Floats

    def __call__(self, inputs: Floats) -> Floats:
        """Apply the layer to rows of whole numbers."""
        scores: Floats = (inputs @ self.weights) * self.scale + self.bias
        return scores


@dataclass(frozen=True, eq=False)
class Member:
    """One network of the ensemble, and its own calibration."""

    first: Layer
    second: Layer
    pooled: Layer
    third: Layer
    temperature: Floats
    prior: Floats

    def scores(self, first: Floats, wide: Ints, lengths: Ints) -> Floats:
        """Score paragraphs from what the first layer made of their windows."""
        hidden = _hidden(first)
        pooled = np.repeat(self.pooled(_document_means(hidden, lengths)), lengths, axis=0)
        [beyond] = _over(hidden, lengths, wide, [self.second])
        found = self.third(np.hstack([_hidden(beyond + pooled), hidden]))
        return found * self.temperature + self.prior

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Give the member as named arrays, whole numbers as int16."""
        out: dict[str, NDArray[np.generic]] = {"temperature": self.temperature, "prior": self.prior}
        for name in LAYERS:
            layer: Layer = getattr(self, name)
            out[f"{name}.weights"] = layer.weights.astype(np.int16)
            out |= {f"{name}.scale": layer.scale, f"{name}.bias": layer.bias}
        return out

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Member:
        """Build a member from named arrays; a missing one is a KeyError."""
        parts = ("weights", "scale", "bias")
        layers = {
            name: Layer(*(arrays[f"{name}.{part}"].astype(np.float32) for part in parts)) for name in LAYERS
        }
        return cls(
            **layers,
            temperature=arrays["temperature"].astype(np.float32),
            prior=arrays["prior"].astype(np.float32),
        )


@dataclass(frozen=True, eq=False)
class Network:
    """A trained ensemble as plain arrays; ``words`` is (0 x classes) where none were learnt."""

    mean: Floats
    spread: Floats
    words: NDArray[np.int8]
    word_scale: Floats
    word_bias: Floats
    near: Ints
    wide: Ints
    members: tuple[Member, ...]

    def scores(self, inputs: Floats, lengths: Ints) -> Floats:
        """Score whole-number inputs of documents of these lengths, calibrated, (paragraphs x classes)."""
        firsts = _over(inputs, lengths, self.near, [member.first for member in self.members])
        pairs = zip(self.members, firsts, strict=True)
        total = reduce(np.add, [member.scores(first, self.wide, lengths) for member, first in pairs])
        mean: Floats = total / np.float32(len(self.members))
        return mean

    def probabilities(self, features: Features) -> Floats:
        """Give calibrated probabilities, (classes x paragraphs), each column summing to one."""
        scores = np.ascontiguousarray(self.scores(self.inputs(features), features.lengths).T)
        scores -= scores.max(axis=0, initial=-np.inf)
        np.exp(scores, out=scores)
        scores /= added(scores)
        return scores

    def inputs(self, features: Features) -> Floats:
        """Bring dense columns and word scores to whole numbers of one scale."""
        dense = (features.dense - self.mean) / self.spread
        scores = self.word_scores(features) if len(self.words) else dense[:, :0]
        return whole_inputs(dense, scores, features.lengths)

    def word_scores(self, features: Features) -> Floats:
        """Sum what each paragraph's words say, over the root of their number."""
        sums = np.zeros((len(features), self.words.shape[1]), dtype=np.int32)
        if len(features):
            rows = self.words[features.words]
            sums = np.add.reduceat(rows, features.offsets[:-1], axis=0, dtype=np.int32)
        number: Floats = np.sqrt(np.diff(features.offsets).astype(np.float32))[:, None]
        scores: Floats = sums.astype(np.float32) / number * self.word_scale + self.word_bias
        return scores

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Give the network as named arrays.

        >>> from boilerplate.store import load_model
        >>> load_model().network.arrays()["member.0.first.weights"].dtype
        dtype('int16')
        """
        out: dict[str, NDArray[np.generic]] = {name: getattr(self, name) for name in PLAIN}
        for number, member in enumerate(self.members):
            out |= {f"member.{number}.{name}": array for name, array in member.arrays().items()}
        return out

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Network:
        """Build the network from named arrays; a missing one is a KeyError."""
        numbers = sorted({int(name.split(".")[1]) for name in arrays if name.startswith("member.")})
        if not numbers:
            raise KeyError("member.0.first.weights")
        members = tuple(Member.from_arrays(_below(arrays, f"member.{number}.")) for number in numbers)
        plain: dict[str, Any] = {name: arrays[name] for name in PLAIN}
        return cls(**plain, members=members)


def _below(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> dict[str, NDArray[np.generic]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


def _over(rows: Floats, lengths: Ints, offsets: Ints, layers: Sequence[Layer]) -> list[Floats]:
    """Apply layers to every paragraph's window, block by block."""
    around = neighbours(lengths, offsets)
    padded = np.vstack([rows, np.zeros((1, rows.shape[1]), dtype=np.float32)])
    outs = [np.empty((len(rows), layer.weights.shape[1]), dtype=np.float32) for layer in layers]
    for low in range(0, len(rows), BLOCK):
        block = slice(low, low + BLOCK)
        seen = window(padded, around[block])
        for layer, out in zip(layers, outs, strict=True):
            out[block] = layer(seen)
    return outs


def whole_inputs(dense: Floats, scores: Floats, lengths: Ints) -> Floats:
    """Bring columns and word scores to whole numbers, and set beside the scores their running evidence.

    The evidence of a label is the strongest score any paragraph before (after) gave it, a
    step less for each paragraph since: what a "Leave a Reply" far above says of a line.

    >>> nothing = np.zeros((3, 0), dtype=np.float32)
    >>> whole_inputs(nothing, np.array([[1], [0], [-4]], dtype=np.float32), np.array([3])).tolist()
    [[16.0, 16.0, 16.0], [0.0, 15.0, 0.0], [-64.0, 14.0, -64.0]]
    """
    whole = quantised(scores)
    document = np.repeat(np.arange(len(lengths)), lengths)
    before = _running(whole, document)
    after = _running(whole[::-1], len(lengths) - document[::-1])[::-1]
    return np.hstack([quantised(dense), whole, before, after]).astype(np.float32)


def _running(whole: Floats, document: Ints) -> Floats:
    lift = FADE * np.arange(len(whole))[:, None] + document[:, None] * (4 * INPUT_CLIP * INPUT_STEPS)
    strongest = np.maximum.accumulate(whole + lift, axis=0) - lift
    faded: Floats = np.maximum(strongest, -INPUT_CLIP * INPUT_STEPS).astype(np.float32)
    return faded


def added(rows: Floats) -> Floats:
    """Add rows up in their order; numpy's own sum takes another where a row has one entry.

    >>> added(np.array([[1, 2], [3, 4]], dtype=np.float32)).tolist()
    [4.0, 6.0]
    """
    return reduce(np.add, rows, np.zeros(rows.shape[1], dtype=np.float32))


def neighbours(lengths: Ints, offsets: Ints | Sequence[int]) -> Ints:
    """Number the paragraphs at each offset, (paragraphs x offsets); where there is none, one past the last.

    >>> neighbours(np.array([2, 1]), [-1, 0, 1]).tolist()
    [[3, 0, 1], [0, 1, 3], [3, 2, 3]]
    """
    total = int(lengths.sum())
    ends = np.repeat(np.cumsum(lengths), lengths)[:, None]
    starts = ends - np.repeat(lengths, lengths)[:, None]
    at = np.arange(total)[:, None] + np.asarray(offsets, dtype=np.int64)
    return np.where((at >= starts) & (at < ends), at, total)


def window(padded: Floats, around: Ints) -> Floats:
    """Set the rows around each paragraph beside one another; the last row of ``padded`` is zero.

    >>> window(np.array([[1.0], [2.0], [0.0]], dtype=np.float32), np.array([[2, 0, 1]])).tolist()
    [[0.0, 1.0, 2.0]]
    """
    return padded[around].reshape(len(around), -1)


def quantised(values: Floats) -> Floats:
    """Bring standardised inputs to whole numbers.

    >>> quantised(np.array([0.5, -9.0], dtype=np.float32)).tolist()
    [8.0, -64.0]
    """
    steps: Floats = np.rint(np.clip(values, -INPUT_CLIP, INPUT_CLIP) * np.float32(INPUT_STEPS))
    return steps


def _hidden(values: Floats) -> Floats:
    return np.rint(np.clip(values, 0, HIDDEN_STEPS))


def _document_means(rows: Floats, lengths: Ints) -> Floats:
    """Average whole-number rows over each document, to whole numbers; a document without rows gives zeros."""
    sums = np.zeros((len(lengths), rows.shape[1]))
    filled = np.flatnonzero(lengths)
    if len(filled):
        starts = (np.cumsum(lengths) - lengths)[filled]
        sums[filled] = np.add.reduceat(rows, starts, axis=0, dtype=np.float64)
    return np.rint(sums / np.maximum(lengths, 1)[:, None]).astype(np.float32)


def whole_layer(weights: Reals, bias: Reals, scale_in: Reals, scale_out: Reals, largest: float) -> Layer:
    """Round a trained layer to whole numbers whose sums float32 counts exactly.

    ``scale_in`` says what one step of each input is worth, ``scale_out`` how many
    steps one unit of each output makes, ``largest`` how many steps an input may have.

    >>> one = np.ones(1)
    >>> layer = whole_layer(np.array([[0.5]]), one, one, one, 255)
    >>> layer(np.array([[10]], dtype=np.float32)).round(2).tolist()
    [[6.0]]
    """
    real = weights * scale_in[:, None]
    by_sum = (EXACT / largest - len(real)) / np.maximum(np.abs(real).sum(axis=0), 1e-12)
    by_size = LARGEST / np.maximum(np.abs(real).max(axis=0), 1e-12)
    steps = np.minimum(by_sum, by_size)
    parts = np.rint(real * steps), scale_out / steps, bias * scale_out
    return Layer(*(part.astype(np.float32) for part in parts))
