"""Which words of one text stand in another, in order: ground truth to paragraphs, labels to lines.

Runs of words that both texts hold are chained, as aligners of genomes chain seeds
(Abouelhoda & Ohlebusch, "Chaining algorithms for multiple genome comparison", 2005):
the chain of most words, less a little for every gap. So a sentence that stands
twice is found where its neighbours are. What lies between two links of the chain is filled by
the longest common subsequence (rapidfuzz); runs of words in another order come last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from boilerplate.characters import SPACELESS

__all__ = ["coverage", "line_labels", "word_tokens"]

Ints = NDArray[np.int64]

SEED = 4  # words in a row that may start a link of the chain
MOVED = 8  # words in a row that count although they stand in another order
MOVES = 4  # chains in another order, one after the other
REPEATS = 32  # a seed that occurs more often says nothing of where it belongs
MOST_RUNS = 4000
LARGEST_BOX = 100_000_000  # pairs of words between two links; a bit of memory each
NEAR = 3  # words between two matches that still support one another
SHORT = 3  # a line of so few words matches by accident
LEAST_EXPLAINED = 0.5

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
SOLID = "".join(f"{chr(low)}-{chr(high)}" for low, high in SPACELESS)
WORD = re.compile(f"[{SOLID}]|[^\\W_{SOLID}]+")


def word_tokens(text: str) -> list[str]:
    """Give the words of a text as they are compared; without any, its signs as one token.

    Case, typography, invisible characters and white space are left out; in scripts
    without spaces each character is a word.

    >>> word_tokens("It\u2019s \ufb01ne: 你好"), word_tokens(" * * ")
    (['it', 's', 'fine', '你', '好'], ['**'])
    """
    plain = INVISIBLE.sub("", unicodedata.normalize("NFKC", text).casefold())
    return WORD.findall(plain) or ["".join(plain.split())]


def coverage(paragraphs: Sequence[str], truth: str) -> NDArray[np.float32]:
    """Give the share of each paragraph's words that the ground truth holds, in order.

    A match counts only beside another one; a line of at most three words only where
    the truth goes on with a neighbouring line.

    >>> page = ["Home", "The mill", "The mill burnt down.", "Share", "It had stood there, empty."]
    >>> coverage(page, "The mill burnt down. It had stood there \u2013 empty.").tolist()
    [0.0, 0.0, 1.0, 0.0, 1.0]
    """
    tokens = [word_tokens(paragraph) for paragraph in paragraphs]
    lengths = np.array([len(words) for words in tokens], dtype=np.int64)
    match = _matches(*_numbered(list(chain.from_iterable(tokens)), word_tokens(truth)))
    starts = np.cumsum(lengths) - lengths
    found = _beside_another(match)
    found[_lonely_lines(match, found, starts, lengths)] = False
    return (_sums(found, starts) / lengths).astype(np.float32)


def line_labels(lines: Sequence[str], blocks: Sequence[str], labels: NDArray[np.integer]) -> Ints:
    """Give each line the label that most of its words have in a page's labelled blocks, or -1.

    At least half of a line's words must be found in blocks; a line that is found nowhere in
    order but is the very text of a block, or more than three words of it, takes that block's label.

    >>> blocks = ["A headline", "By Ann", "One sentence. Another one."]
    >>> line_labels(["A headline", "One sentence.", "Read on"], blocks, np.array([1, 3, 0])).tolist()
    [1, 0, -1]
    """
    line_words = [word_tokens(line) for line in lines]
    block_words = [word_tokens(block) for block in blocks]
    lengths = np.array([len(words) for words in line_words], dtype=np.int64)
    block_of = np.repeat(np.arange(len(blocks)), [len(words) for words in block_words])
    match = _matches(
        *_numbered(list(chain.from_iterable(line_words)), list(chain.from_iterable(block_words)))
    )
    line_of = np.repeat(np.arange(len(lines)), lengths)
    votes = _votes(line_of, match, block_of, np.asarray(labels, dtype=np.int64), len(lines))
    out = np.where(votes.sum(axis=1) >= LEAST_EXPLAINED * lengths, votes.argmax(axis=1) - 1, -1)
    out[lengths == 0] = -1
    return _repeated(out, line_words, block_words, np.asarray(labels, dtype=np.int64))


def _votes(line_of: Ints, match: Ints, block_of: Ints, labels: Ints, lines: int) -> Ints:
    """Count for each line how many of its words have which label; column 0 is label -1."""
    found = np.flatnonzero(match >= 0)
    votes = np.zeros((lines, int(labels.max(initial=-1)) + 2), dtype=np.int64)
    np.add.at(votes, (line_of[found], labels[block_of[match[found]]] + 1), 1)
    return votes


def _repeated(out: Ints, lines: list[list[str]], blocks: list[list[str]], labels: Ints) -> Ints:
    """Give lines without a label that of the nearest block of the same words, or that holds them all."""
    written = [f" {' '.join(words)} " for words in blocks]
    scale = len(blocks) / max(len(lines), 1)
    for number in np.flatnonzero(out < 0).tolist():
        line = f" {' '.join(lines[number])} "
        twins = [k for k, block in enumerate(written) if block == line]
        if not twins and len(lines[number]) > SHORT:
            twins = [k for k, block in enumerate(written) if line in block]
        if twins:
            out[number] = labels[min(twins, key=lambda twin: abs(twin - number * scale))]
    return out


def _numbered(first: list[str], second: list[str]) -> tuple[Ints, Ints]:
    """Write two lists of words as numbers, the same for the same word."""
    numbers: dict[str, int] = {}
    both = [numbers.setdefault(word, len(numbers)) for word in chain(first, second)]
    return np.array(both[: len(first)], dtype=np.int64), np.array(both[len(first) :], dtype=np.int64)


def _sums(values: NDArray[np.bool_], starts: Ints) -> NDArray[np.float32]:
    """Sum the values of each stretch that begins at ``starts``; every stretch has at least one."""
    if not len(starts):
        return np.zeros(0, dtype=np.float32)
    return np.add.reduceat(values.astype(np.float32), starts)


def _matches(first: Ints, second: Ints) -> Ints:
    """Give for each word of ``first`` the place of its match in ``second``, or -1."""
    match = np.full(len(first), -1, dtype=np.int64)
    links = _chain(*_runs(first, second, SEED))
    _write(match, links)
    corners = [(0, 0, 0), *links, (len(first), len(second), 0)]
    for (a, b, size), (a_end, b_end, _) in pairwise(corners):
        _fill(match, first, second, (a + size, a_end), (b + size, b_end), late=size == 0)
    for _ in range(MOVES):
        links = _chain(*_runs(*_left_over(first, second, match), MOVED))
        if not links:
            break
        _write(match, links)
    return match


def _write(match: Ints, links: Sequence[tuple[int, int, int]]) -> None:
    for a, b, size in links:
        match[a : a + size] = np.arange(b, b + size)


def _left_over(first: Ints, second: Ints, match: Ints) -> tuple[Ints, Ints]:
    """Give both texts with numbers of their own for the words that have a match."""
    first, second = first.copy(), second.copy()
    found = match >= 0
    first[found] = -1 - np.arange(int(found.sum()))
    second[match[found]] = -1 - len(first) - np.arange(int(found.sum()))
    return first, second


def _fill(
    match: Ints, first: Ints, second: Ints, a: tuple[int, int], b: tuple[int, int], *, late: bool
) -> None:
    """Match the words between two links; before the first link the later of two equal matches wins."""
    rows, columns = a[1] - a[0], b[1] - b[0]
    if rows <= 0 or columns <= 0 or rows * columns > LARGEST_BOX:
        return
    from rapidfuzz.distance import Indel

    step = -1 if late else 1
    left, right = first[a[0] : a[1]][::step].tolist(), second[b[0] : b[1]][::step].tolist()
    for block in Indel.opcodes(left, right).as_matching_blocks():
        for k in range(block.size):
            i, j = block.a + k, block.b + k
            match[a[1] - 1 - i if late else a[0] + i] = b[1] - 1 - j if late else b[0] + j


def _runs(first: Ints, second: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """Give all common runs of at least ``size`` words: their starts in both texts and lengths."""
    grams, others = _grams(first, size), _grams(second, size)
    order = np.argsort(others, kind="stable")
    low = np.searchsorted(others, grams, side="left", sorter=order)
    count = np.searchsorted(others, grams, side="right", sorter=order) - low
    count[count > REPEATS] = 0
    a = np.repeat(np.arange(len(grams)), count)
    within = np.arange(len(a)) - np.repeat(np.cumsum(count) - count, count)
    b = order[np.repeat(low, count) + within] if len(a) else a
    order = np.lexsort((a, a - b))
    a, b = a[order], b[order]
    new = np.flatnonzero((np.diff(a - b, prepend=-1) != 0) | (np.diff(a, prepend=-2) != 1))
    lengths = np.diff(np.append(new, len(a))) + size - 1
    return _longest(a[new], b[new], lengths)


def _grams(numbers: Ints, size: int) -> NDArray[np.uint64]:
    """Hash every run of ``size`` numbers (a polynomial modulo 2^64)."""
    count = max(len(numbers) - size + 1, 0)
    out = np.zeros(count, dtype=np.uint64)
    for k in range(size):
        out = out * np.uint64(0x9E3779B97F4A7C15) + numbers[k : k + count].astype(np.uint64) + np.uint64(1)
    return out


def _longest(a: Ints, b: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Keep the longest runs, so that time is bounded, in order."""
    chosen = np.argsort(-lengths, kind="stable")[:MOST_RUNS]
    chosen = chosen[np.lexsort((b[chosen], a[chosen]))]
    return a[chosen], b[chosen], lengths[chosen]


def _chain(a: Ints, b: Ints, lengths: Ints) -> list[tuple[int, int, int]]:
    """Choose the chain of runs, ascending in both texts, of most words less its gaps."""
    best = lengths.astype(np.float64)
    before = np.full(len(a), -1, dtype=np.int64)
    for j in range(1, len(a)):
        gap = np.maximum(a[j] - a[:j] - lengths[:j], b[j] - b[:j] - lengths[:j])
        overlap = -np.minimum(np.minimum(a[j] - a[:j] - lengths[:j], b[j] - b[:j] - lengths[:j]), 0)
        value = best[:j] - overlap - np.log2(1 + np.maximum(gap, 0)) / 2
        follows = (a[:j] < a[j]) & (b[:j] < b[j]) & (overlap < lengths[j])
        value[~follows] = 0
        i = int(value.argmax())
        if value[i] > 0:
            best[j], before[j] = best[j] + value[i], i
    return _traced(a, b, lengths, best, before)


def _traced(
    a: Ints, b: Ints, lengths: Ints, best: NDArray[np.float64], before: Ints
) -> list[tuple[int, int, int]]:
    """Follow the best chain back; of two links that overlap the later one is cut."""
    links: list[tuple[int, int, int]] = []
    j = int(best.argmax()) if len(best) else -1
    while j >= 0:
        i = int(before[j])
        cut = 0 if i < 0 else max(int(a[i] + lengths[i] - a[j]), int(b[i] + lengths[i] - b[j]), 0)
        links.append((int(a[j]) + cut, int(b[j]) + cut, int(lengths[j]) - cut))
        j = i
    return links[::-1]


def _beside_another(match: Ints) -> NDArray[np.bool_]:
    """Say which matches have another one within two words, in both texts and the same order."""
    found = np.zeros(len(match), dtype=bool)
    for step in (1, 2):
        ahead = match[step:] - match[:-step]
        near = (match[step:] >= 0) & (match[:-step] >= 0) & (ahead > 0) & (ahead <= 2)
        found[step:] |= near
        found[:-step] |= near
    return found


def _lonely_lines(match: Ints, found: NDArray[np.bool_], starts: Ints, lengths: Ints) -> Ints:
    """Name the words of short lines whose match does not go on from, or into, a neighbour's."""
    words: list[int] = []
    places = np.flatnonzero(found)
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        if length > SHORT or not found[start : start + length].any():
            continue
        own = match[start : start + length][found[start : start + length]]
        low, high = np.searchsorted(places, (start, start + length))
        after = low > 0 and 0 < own[0] - match[places[low - 1]] <= NEAR + 1
        ahead = high < len(places) and 0 < match[places[high]] - own[-1] <= NEAR + 1
        if not (after or ahead):
            words += range(start, start + length)
    return np.array(words, dtype=np.int64)
