"""The packaged model at work: from features to calibrated probabilities, in plain arrays.

One or a few small convolutional networks over the paragraphs of a document in their
order, averaged. The first block looks at each paragraph alone (features and word scores),
the next at a window of neighbours, the next at a wider, dilated one (Yu and Koltun,
Multi-Scale Context Aggregation by Dilated Convolutions, ICLR 2016), both also at the
document's mean; the last layer decides from what all blocks found.

All weights and activations are whole numbers whose sums stay below 2 ** 24, where
float32 counts exactly; so the answer for a document is the same to the bit whatever
batch it came in (Jacob et al., Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference, CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    "Block",
    "Layer",
    "Member",
    "Network",
    "Spaced",
    "added",
    "quantised",
    "whole_inputs",
    "whole_layer",
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
PLAIN = ("mean", "spread", "words", "word_scale", "word_bias")
PARTS = ("weights", "scale", "bias")
CHUNK = 2048  # paragraphs worked on at once, to stay in the cache


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
class Spaced:
    """Where the rows of several documents stand when empty rows set them apart.

    With a gap as wide as the farthest offset, a shifted slice of the rows is everyone's neighbour
    at that offset, and nobody sees another document.

    >>> spaced = Spaced.of(np.array([2, 1]), gap=1)
    >>> spaced.spread(np.array([[1.0], [2.0], [3.0]])).ravel().tolist()
    [0.0, 1.0, 2.0, 0.0, 3.0, 0.0]
    """

    at: Ints
    size: int
    gap: int

    @classmethod
    def of(cls, lengths: Ints, gap: int) -> Spaced:
        """Lay out documents of these lengths; no gap is wider than a document has neighbours."""
        gap = min(gap, max(int(lengths.max(initial=1)) - 1, 0))
        at = np.arange(int(lengths.sum())) + gap * np.repeat(np.arange(1, len(lengths) + 1), lengths)
        return cls(at, int(lengths.sum()) + gap * (len(lengths) + 1), gap)

    def spread(self, rows: Reals) -> Reals:
        """Set rows apart."""
        out: Reals = np.zeros((self.size, rows.shape[1]), dtype=rows.dtype)
        out[self.at] = rows
        return out

    def reached(self, offset: int) -> bool:
        """Say whether any row has a neighbour at an offset."""
        return abs(offset) <= self.gap

    def neighbours(self, spread: Reals, offset: int) -> Reals:
        """Give every row's neighbour at an offset, for all places but the outer gaps; a view."""
        return spread[self.gap + offset : self.size - self.gap + offset]

    @property
    def inner(self) -> Ints:
        """Where each row stands in what ``neighbours`` gives."""
        return self.at - self.gap


@dataclass(frozen=True, eq=False)
class Block:
    """A layer over the neighbours at some offsets, and one over the mean of the document."""

    offsets: Ints
    layer: Layer
    pooled: Layer

    def __call__(self, rows: Floats, lengths: Ints, spaced: Spaced) -> Floats:
        """Find the hidden values of every paragraph, whole numbers."""
        kernels = self.layer.weights.reshape(len(self.offsets), rows.shape[1], -1)
        if len(kernels) == 1:
            sums = rows @ kernels[0]
        else:
            spread = spaced.spread(rows)
            pairs = zip(self.offsets.tolist(), kernels, strict=True)
            parts = (spaced.neighbours(spread, o) @ k for o, k in pairs if spaced.reached(o))
            sums = reduce(np.add, parts)[spaced.inner]
        found = sums * self.layer.scale + self.layer.bias
        found += np.repeat(self.pooled(_document_means(rows, lengths)), lengths, axis=0)
        hidden: Floats = np.rint(np.clip(found, 0, HIDDEN_STEPS))
        return hidden


@dataclass(frozen=True, eq=False)
class Member:
    """One network of the ensemble, and its own calibration."""

    blocks: tuple[Block, ...]
    last: Layer
    temperature: Floats
    prior: Floats

    def scores(self, inputs: Floats, lengths: Ints) -> Floats:
        """Score the paragraphs of some documents."""
        spaced = Spaced.of(lengths, max(int(np.abs(block.offsets).max()) for block in self.blocks))
        hidden = [inputs]
        for block in self.blocks:
            hidden.append(block(hidden[-1], lengths, spaced))
        return self.last(np.hstack(hidden[1:])) * self.temperature + self.prior

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Give the member as named arrays, whole numbers as int16."""
        out: dict[str, NDArray[np.generic]] = {"temperature": self.temperature, "prior": self.prior}
        for number, block in enumerate(self.blocks):
            out[f"block.{number}.offsets"] = block.offsets
            out |= _layer_arrays(f"block.{number}.layer", block.layer)
            out |= _layer_arrays(f"block.{number}.pooled", block.pooled)
        return out | _layer_arrays("last", self.last)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Member:
        """Build a member from named arrays; a missing one is a KeyError."""
        blocks: list[Block] = []
        while f"block.{len(blocks)}.offsets" in arrays:
            own = f"block.{len(blocks)}"
            offsets = arrays[f"{own}.offsets"].astype(np.int64)
            blocks.append(Block(offsets, _layer(arrays, f"{own}.layer"), _layer(arrays, f"{own}.pooled")))
        temperature, prior = (arrays[name].astype(np.float32) for name in ("temperature", "prior"))
        return cls(tuple(blocks), _layer(arrays, "last"), temperature, prior)


def _layer_arrays(name: str, layer: Layer) -> dict[str, NDArray[np.generic]]:
    kinds = (np.int16, np.float32, np.float32)
    return {f"{name}.{part}": getattr(layer, part).astype(k) for part, k in zip(PARTS, kinds, strict=True)}


def _layer(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Layer:
    return Layer(*(arrays[f"{name}.{part}"].astype(np.float32) for part in PARTS))


@dataclass(frozen=True, eq=False)
class Network:
    """A trained ensemble as plain arrays; ``words`` is (0 x classes) where none were learnt."""

    mean: Floats
    spread: Floats
    words: NDArray[np.int8]
    word_scale: Floats
    word_bias: Floats
    members: tuple[Member, ...]

    def scores(self, inputs: Floats, lengths: Ints) -> Floats:
        """Score whole-number inputs of documents of these lengths, calibrated, (paragraphs x classes)."""
        none = np.empty((0, len(self.word_bias)), dtype=np.float32)
        borders = np.append(0, np.cumsum(lengths))
        chunks = [(slice(low, high), slice(*borders[[low, high]])) for low, high in _chunks(borders)]
        return np.concatenate([none, *(self._chunk(inputs[rows], lengths[own]) for own, rows in chunks)])

    def _chunk(self, inputs: Floats, lengths: Ints) -> Floats:
        total = reduce(np.add, [member.scores(inputs, lengths) for member in self.members])
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
        >>> load_model().network.arrays()["member.0.last.weights"].dtype
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
            raise KeyError("member.0.last.weights")
        members = tuple(Member.from_arrays(_below(arrays, f"member.{number}.")) for number in numbers)
        plain: dict[str, Any] = {name: arrays[name] for name in PLAIN}
        return cls(**plain, members=members)


def _chunks(borders: Ints) -> Iterator[tuple[int, int]]:
    """Yield ranges of documents of about as many paragraphs."""
    low, last = 0, len(borders) - 1
    while low < last:
        high = min(int(np.searchsorted(borders, borders[low] + CHUNK)), last)
        yield low, high
        low = high


def _below(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> dict[str, NDArray[np.generic]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


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


def quantised(values: Floats) -> Floats:
    """Bring standardised inputs to whole numbers.

    >>> quantised(np.array([0.5, -9.0], dtype=np.float32)).tolist()
    [8.0, -64.0]
    """
    steps: Floats = np.rint(np.clip(values, -INPUT_CLIP, INPUT_CLIP) * np.float32(INPUT_STEPS))
    return steps


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
