"""The network answers the same to the bit in any company, and close to the floats it was rounded from."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from boilerplate.cleaner import Cleaner
from boilerplate.features import featurize
from boilerplate.network import (
    CHUNK,
    EXACT,
    HIDDEN_STEPS,
    INPUT_CLIP,
    INPUT_STEPS,
    LARGEST,
    Block,
    Layer,
    Member,
    Network,
    Spaced,
    _document_means,
    added,
    quantised,
    whole_inputs,
    whole_layer,
)
from boilerplate.segment import segment_text
from boilerplate.trainer import REACH, Options, Parameters, Rows, train_parameters, whole_blocks

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
COLUMNS, CLASSES = 7, 3
LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=8)
TEXTS = [
    "Home\nNews\nSport",
    "",
    "1 min read",
    "The council met on Monday.\n\nShare\nLeave a Reply",
    "\ud800",
    "a\n" * 40,
]


def bits(*arrays: NDArray[np.generic]) -> list[bytes]:
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


def some_inputs(rows: int, seed: int = 0) -> Floats:
    largest = int(INPUT_CLIP * INPUT_STEPS)
    return np.random.default_rng(seed).integers(-largest, largest + 1, (rows, COLUMNS)).astype(np.float32)


def lesson(documents: int, seed: int = 0) -> Rows:
    """Make documents whose labels follow from their own row and the one before."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 20, documents)
    inputs = some_inputs(int(lengths.sum()), seed) / np.float32(INPUT_STEPS)
    label = (inputs[:, 0] > 0).astype(int) + (np.append(0, inputs[:-1, 1]) > 0)
    allowed = np.eye(CLASSES, dtype=bool)[label]
    return Rows(inputs, allowed, np.ones(len(inputs)), lengths, np.arange(documents))


@pytest.fixture(scope="module")
def trained() -> tuple[Parameters, Network]:
    rows = lesson(300)
    parameters = train_parameters(
        rows, Options(widths=(24, 16, 12), epochs=5, fewest_steps=300, dropout=0), 0
    )
    return parameters, network_of(whole_blocks(parameters, rows))


def network_of(parts: tuple[tuple[Block, ...], Layer]) -> Network:
    ones, none = np.ones(COLUMNS, dtype=np.float32), np.zeros(CLASSES, dtype=np.float32)
    return Network(
        mean=0 * ones,
        spread=ones,
        words=np.zeros((0, CLASSES), dtype=np.int8),
        word_scale=none,
        word_bias=none,
        members=(Member(*parts, temperature=np.ones(1, dtype=np.float32), prior=none),),
    )


def float_scores(p: Parameters, inputs: Floats) -> NDArray[np.float64]:
    """Score the rows of one document by the definition, a row at a time, in floats."""
    hidden, found = inputs.astype(np.float64) / INPUT_STEPS, []
    for k, offsets in enumerate(REACH):
        sums = np.tile(p[f"{k}.layer.bias"] + hidden.mean(axis=0) @ p[f"{k}.pooled"], (len(hidden), 1))
        for i, offset in product(range(len(hidden)), offsets):
            if 0 <= i + offset < len(hidden):
                sums[i] += hidden[i + offset] @ p[f"{k}.layer"][offsets.index(offset)]
        hidden = np.maximum(sums, 0)
        found.append(hidden)
    return np.hstack(found) @ p["last"] + p["last.bias"]


def test_rounding_to_whole_numbers_stays_close_to_the_floats(trained: tuple[Parameters, Network]) -> None:
    parameters, network = trained
    for length in (1, 2, 7, 40):
        inputs = some_inputs(length, seed=length)
        expected = float_scores(parameters, inputs)
        found = network.scores(inputs, np.array([length]))
        spread = expected.max() - expected.min()
        assert np.abs(found - expected).max() < 0.05 * spread + 0.05


def test_rounding_changes_few_decisions(trained: tuple[Parameters, Network]) -> None:
    parameters, network = trained
    inputs = some_inputs(400, seed=5)
    same = float_scores(parameters, inputs).argmax(axis=1) == network.scores(inputs, np.array([400])).argmax(
        axis=1
    )
    assert same.mean() > 0.97


def test_training_learns_what_the_neighbour_says(trained: tuple[Parameters, Network]) -> None:
    rows = lesson(40, seed=9)
    scores = trained[1].scores(rows.inputs * np.float32(INPUT_STEPS), rows.lengths)
    inner = np.arange(len(scores)) != np.repeat(np.cumsum(rows.lengths) - rows.lengths, rows.lengths)
    assert (scores.argmax(axis=1) == rows.allowed.argmax(axis=1))[inner].mean() > 0.7  # half are label 1


@given(LENGTHS, st.integers(0, 99))
def test_scores_are_the_same_to_the_bit_for_any_split_and_order(
    trained: tuple[Parameters, Network], lengths: list[int], seed: int
) -> None:
    network = trained[1]
    ends = np.cumsum(lengths)
    inputs = some_inputs(int(ends[-1]), seed=len(lengths))
    documents = np.split(inputs, ends[:-1])
    alone = [network.scores(document, np.array([len(document)])) for document in documents]
    assert bits(network.scores(inputs, np.array(lengths))) == bits(np.concatenate(alone))
    order = np.random.default_rng(seed).permutation(len(documents))
    shuffled = network.scores(np.concatenate([documents[i] for i in order]), np.array(lengths)[order])
    assert bits(shuffled) == bits(np.concatenate([alone[i] for i in order]))


def test_a_network_of_full_size_gives_the_same_bits_for_one_document_as_for_many() -> None:
    rows = lesson(80)
    options = Options(batch=10**6, fewest_steps=1, epochs=1)
    network = network_of(whole_blocks(train_parameters(rows, options, 0), rows))
    inputs = rows.inputs * np.float32(INPUT_STEPS)
    alone = [
        network.scores(own, np.array([len(own)])) for own in np.split(inputs, np.cumsum(rows.lengths)[:-1])
    ]
    assert bits(network.scores(inputs, rows.lengths)) == bits(np.concatenate(alone))


def test_a_document_longer_than_a_chunk_is_the_same_wherever_the_chunks_fall(
    trained: tuple[Parameters, Network],
) -> None:
    network, long = trained[1], some_inputs(CHUNK + 700)
    alone = network.scores(long, np.array([len(long)]))
    behind = network.scores(np.vstack([some_inputs(300, seed=1), long]), np.array([300, len(long)]))[300:]
    assert bits(alone) == bits(behind)


@pytest.mark.parametrize("kept", [1, 3, 8, 13])
def test_rows_are_added_in_one_order_for_one_column_as_for_many(kept: int) -> None:
    rows = np.random.default_rng(kept).random((kept, 500), dtype=np.float32)
    one_by_one = [added(np.ascontiguousarray(rows[:, i : i + 1])) for i in range(500)]
    assert bits(added(rows)) == bits(np.concatenate(one_by_one))
    assert bits(added(rows)) == bits(rows.sum(axis=0))


def test_probabilities_of_a_document_are_the_same_to_the_bit_alone_and_in_a_batch(cleaner: Cleaner) -> None:
    network, documents = cleaner.model.network, [segment_text(text) for text in TEXTS]
    together = network.probabilities(featurize(documents))
    alone = [network.probabilities(featurize([document])) for document in documents]
    assert bits(together) == bits(np.hstack(alone))


def test_probabilities_are_a_column_a_paragraph_and_sum_to_one(cleaner: Cleaner) -> None:
    features = featurize([segment_text(text) for text in TEXTS])
    found = cleaner.model.network.probabilities(features)
    assert found.shape == (13, len(features))
    assert found.dtype == np.float32
    assert np.abs(found.sum(axis=0) - 1).max() < 1e-6
    assert found.min() >= 0
    assert cleaner.model.network.probabilities(featurize([])).shape == (13, 0)


@pytest.mark.parametrize("size", [-1e6, 1e-30, 1e6])
def test_probabilities_are_numbers_for_any_prior(cleaner: Cleaner, size: float) -> None:
    network = cleaner.model.network
    prior = np.linspace(0, size, 13).astype(np.float32)
    members = tuple(replace(member, prior=prior) for member in network.members)
    found = replace(network, members=members).probabilities(featurize([segment_text("a\nb")]))
    assert np.isfinite(found).all()


# whole numbers


@given(
    st.integers(1, 400),
    st.sampled_from([HIDDEN_STEPS, INPUT_CLIP * INPUT_STEPS]),
    st.integers(0, 99),
    st.floats(-6, 6),
)
def test_no_sum_of_a_layer_reaches_what_float32_cannot_count(
    inputs: int, largest: float, seed: int, size: float
) -> None:
    random = np.random.default_rng(seed)
    weights = random.standard_normal((inputs, 5)) * 10**size * random.choice([0, 1, 1000], (inputs, 5))
    layer = whole_layer(weights, np.zeros(5), np.ones(inputs), np.ones(5), largest)
    assert (layer.weights == np.rint(layer.weights)).all()
    assert np.abs(layer.weights).max() <= LARGEST
    assert np.abs(layer.weights.astype(np.float64)).sum(axis=0).max() * largest < EXACT


def test_the_worst_inputs_of_a_layer_are_counted_exactly() -> None:
    weights = np.random.default_rng(0).standard_normal((640, 96))
    layer = whole_layer(weights, np.zeros(96), np.ones(640), np.ones(96), HIDDEN_STEPS)
    worst = np.where(layer.weights > 0, HIDDEN_STEPS, -HIDDEN_STEPS).T.astype(np.float32)
    exact = worst.astype(np.int64) @ layer.weights.astype(np.int64)
    assert ((worst @ layer.weights).astype(np.int64) == exact).all()
    assert (worst[:, ::-1] @ layer.weights[::-1]).tobytes() == (worst @ layer.weights).tobytes()


def test_the_layers_of_a_trained_network_keep_to_the_bound(cleaner: Cleaner) -> None:
    for member in cleaner.model.network.members:
        layers = [(block.layer, block.pooled) for block in member.blocks]
        for number, layer in enumerate([*chain(*layers), member.last]):
            largest = INPUT_CLIP * INPUT_STEPS if number < 2 else HIDDEN_STEPS
            assert np.abs(layer.weights).sum(axis=0, dtype=np.float64).max() * largest < EXACT


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(0, 9))
def test_running_evidence_is_the_strongest_score_less_a_step_a_paragraph(
    lengths: list[int], seed: int
) -> None:
    n = sum(lengths)
    scores = np.random.default_rng(seed).normal(0, 3, (n, 2)).astype(np.float32)
    found = whole_inputs(np.zeros((n, 0), dtype=np.float32), scores, np.array(lengths))
    whole, before, after = np.split(found, 3, axis=1)
    document = np.repeat(np.arange(len(lengths)), lengths)
    for i in range(n):
        own = [j for j in range(n) if document[j] == document[i]]
        faded = [np.maximum(whole[j] - abs(i - j), -64) for j in own]
        assert (before[i] == np.max([f for j, f in zip(own, faded, strict=True) if j <= i], axis=0)).all()
        assert (after[i] == np.max([f for j, f in zip(own, faded, strict=True) if j >= i], axis=0)).all()


def test_a_layer_gives_what_its_weights_say_within_rounding() -> None:
    random = np.random.default_rng(3)
    weights, bias, scale_in, scale_out = (random.random(s) + 0.1 for s in ((50, 4), 4, 50, 4))
    layer = whole_layer(weights, bias, scale_in, scale_out, HIDDEN_STEPS)
    steps = random.integers(0, HIDDEN_STEPS + 1, (30, 50)).astype(np.float32)
    expected = ((steps * scale_in) @ weights + bias) * scale_out
    assert np.abs(layer(steps) / expected - 1).max() < 1e-3


def test_inputs_are_rounded_and_cut() -> None:
    found = quantised(np.array([0.0, 0.03, 0.04, -4.1, 400.0], dtype=np.float32))
    assert found.tolist() == [0, 0, 1, -64, 64]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_a_documents_mean_is_whole_too_and_that_of_no_rows_is_zero(lengths: list[int]) -> None:
    rows = np.random.default_rng(0).integers(0, HIDDEN_STEPS, (sum(lengths), 4)).astype(np.float32)
    found = _document_means(rows, np.array(lengths))
    parts = np.split(rows.astype(np.float64), np.cumsum(lengths)[:-1])
    assert found.tolist() == [np.rint(p.mean(axis=0)).tolist() if len(p) else [0] * 4 for p in parts]


# neighbours and arrays


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(-7, 7))
def test_neighbours_are_of_the_same_document_or_nobody(lengths: list[int], offset: int) -> None:
    document = np.repeat(np.arange(len(lengths)), lengths)
    spaced = Spaced.of(np.array(lengths, dtype=np.int64), 7)
    rows = np.arange(1.0, len(document) + 1)[:, None]
    spread, nobody = spaced.spread(rows), np.zeros((spaced.size, 1))
    seen = spaced.neighbours(spread, offset) if spaced.reached(offset) else spaced.neighbours(nobody, 0)
    found = seen[spaced.inner]
    for i, [value] in enumerate(found.tolist()):
        inside = 0 <= i + offset < len(document) and document[i + offset] == document[i]
        assert value == (i + offset + 1 if inside else 0)


def test_word_scores_are_the_sum_of_the_words_over_the_root_of_their_number(cleaner: Cleaner) -> None:
    network, features = cleaner.model.network, featurize([segment_text("Leave a Reply\nHome")])
    for i, found in enumerate(network.word_scores(features)):
        ids = features.words[features.offsets[i] : features.offsets[i + 1]]
        sums = network.words[ids].astype(np.int64).sum(axis=0)
        expected = sums / np.sqrt(len(ids)) * network.word_scale + network.word_bias
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_network_from_its_own_arrays_is_the_same(cleaner: Cleaner) -> None:
    network = cleaner.model.network
    again = Network.from_arrays(network.arrays())
    features = featurize([segment_text(text) for text in TEXTS])
    assert bits(again.probabilities(features)) == bits(network.probabilities(features))
    arrays, others = network.arrays(), again.arrays()
    assert list(arrays) == list(others)
    assert bits(*arrays.values()) == bits(*others.values())


def test_weights_are_kept_as_small_whole_numbers(cleaner: Cleaner) -> None:
    arrays = cleaner.model.network.arrays()
    kinds = {
        name: array.dtype for name, array in arrays.items() if name.endswith("weights") or name == "words"
    }
    assert kinds.pop("words") == np.int8
    assert set(kinds.values()) == {np.dtype(np.int16)}
    assert not [name for name, array in arrays.items() if array.dtype == object]


@pytest.mark.parametrize(
    "name", ["mean", "member.0.block.1.layer.weights", "member.0.last.bias", "member.0.prior"]
)
def test_a_missing_array_is_named(cleaner: Cleaner, name: str) -> None:
    arrays = cleaner.model.network.arrays()
    del arrays[name]
    with pytest.raises(KeyError, match=name.removeprefix("member.0.")):
        Network.from_arrays(arrays)
