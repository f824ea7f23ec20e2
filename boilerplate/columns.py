"""The raw columns of a batch: characters, tokens and paragraphs over one buffer of code points.

Every column is made once, on demand, by array operations; features are made of them.
Hashed n-grams follow Weinberger et al. (Feature Hashing for Large Scale Multitask
Learning, ICML 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from boilerplate.characters import CharacterClass as C
from boilerplate.characters import classes, code_points, folds
from boilerplate.document import Document

__all__ = ["CONVENTIONS", "FAR", "TOKEN_IDS", "WORD_BITS", "Columns", "log_count"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

WORD_BITS = 17  # ids of hashed words are below 2 ** WORD_BITS
CONVENTIONS = ("article", "page")
KINDS = len(C)
PROSE_WORDS = 20  # a line this long that ends like a sentence is prose in any language
FAR = 64  # lines; farther away is all the same
SOLID_LETTERS = 2
USUAL_WORD = 5.0
PREFIX = 4  # letters: enough for the stem of many languages' words
SHAPE_RUNS = 5
TOPIC_BINS = 1 << 13  # per document, to see whether a word occurs elsewhere in it
TOKEN_IDS = 3  # hashed ids of a token, its own the first of them
TOPIC_LETTERS = 4  # words shorter than this say nothing of the topic

_CONTINUES = np.isin(np.arange(KINDS), [C.LOWER, C.UPPER, C.LETTER, C.DIGIT])
_SINGLE = np.isin(np.arange(KINDS), [C.SOLID, C.POINTER, C.SYMBOL])
_ROLES = (_CONTINUES + 2 * _SINGLE + 3 * (np.arange(KINDS) == C.MARK)).astype(np.uint8)
_POWERS = np.cumprod(np.full(32, 0x01000193, dtype=np.uint32), dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class Columns:
    """The raw columns of a batch that features are made of; each is made once, on demand."""

    points: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    starts: Ints
    ends: Ints
    lengths: Ints
    is_page: NDArray[np.bool_]

    @classmethod
    def of(cls, documents: Sequence[Document], convention: str | Sequence[str] = "article") -> Columns:
        """Lay the documents behind one another in one buffer."""
        conventions = [convention] * len(documents) if isinstance(convention, str) else convention
        points = code_points("\n".join(document.text for document in documents))
        sizes = np.array([len(document.text) + 1 for document in documents], dtype=np.int64)
        lengths = np.array([len(document) for document in documents], dtype=np.int64)
        origins = np.repeat(np.cumsum(sizes) - sizes, lengths)
        none = [np.empty(0, dtype=np.int64)]
        starts = np.concatenate(none + [d.starts for d in documents]) + origins
        ends = np.concatenate(none + [d.ends for d in documents]) + origins
        return cls(
            points,
            classes().take(points),
            starts,
            ends,
            lengths,
            np.array([c == "page" for c in conventions], dtype=bool),
        )

    # paragraphs and documents

    @cached_property
    def document(self) -> Ints:
        """The number of each paragraph's document."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def borders(self) -> Ints:
        """Where each document's paragraphs begin, and the end."""
        return np.append(0, np.cumsum(self.lengths))

    @cached_property
    def first(self) -> Ints:
        """The first paragraph of each paragraph's document."""
        return np.repeat(self.borders[:-1], self.lengths)

    @cached_property
    def last(self) -> Ints:
        """The last paragraph of each paragraph's document."""
        return np.repeat(self.borders[1:] - 1, self.lengths)

    @cached_property
    def index(self) -> Ints:
        """The number of each paragraph in the batch."""
        return np.arange(len(self.starts))

    @cached_property
    def size(self) -> Ints:
        """The code points of each paragraph."""
        return self.ends - self.starts

    @cached_property
    def counts(self) -> Ints:
        """How many characters of each class a paragraph has, (paragraphs x classes)."""
        n = len(self.starts)
        if n == 0:
            return np.zeros((0, KINDS), dtype=np.int64)
        until = np.append(self.starts[1:], self.ends[-1])
        line = np.repeat(np.arange(0, n * KINDS, KINDS), until - self.starts)
        cells = line + self.kinds[self.starts[0] : self.ends[-1]]
        return np.bincount(cells, minlength=n * KINDS).reshape(n, KINDS)

    def share(self, *kinds: C) -> Floats:
        """The share of a paragraph's characters that are of these classes."""
        characters: Ints = self.counts[:, list(kinds)].sum(axis=1)
        return (characters / self.extent).astype(np.float32)

    @cached_property
    def head(self) -> NDArray[np.uint8]:
        """The class of each paragraph's first character."""
        return self.kinds[self.starts]

    @cached_property
    def tail(self) -> NDArray[np.uint8]:
        """The class of each paragraph's last character; before a closing quote or bracket, that one's."""
        last = self.kinds[self.ends - 1]
        closing = (last == C.QUOTE) | (last == C.BRACKET)
        before = self.kinds[np.maximum(self.ends - 2, self.starts)]
        return np.where(closing & (before == C.STOP), before, last)

    def per_document(self, values: NDArray[np.int64] | NDArray[np.bool_]) -> Ints:
        """Sum whole numbers over each document, given back to each of its paragraphs."""
        sums = np.append(0, np.cumsum(values, dtype=np.int64))
        return np.repeat(sums[self.borders[1:]] - sums[self.borders[:-1]], self.lengths)

    def before(self, values: NDArray[np.int64] | NDArray[np.bool_]) -> Ints:
        """Sum whole numbers over the paragraphs before each one, in its document."""
        sums = np.append(0, np.cumsum(values, dtype=np.int64))
        before: Ints = sums[self.index] - sums[self.first]
        return before

    # tokens: words, and single signs that stand for themselves

    @cached_property
    def tokens(self) -> tuple[Ints, Ints, NDArray[np.uint32], NDArray[np.uint32]]:
        """Where each token begins, how long it is, and the hashes of it and of its first letters.

        Letters count in lower case and digits as 0.
        """
        roles = _ROLES[self.kinds]
        follows = np.append(0, _with_marks(roles)[:-1])
        begins = (roles == 2) | ((roles == 1) & (follows != 1)) | ((roles == 3) & (follows == 0))
        inside = np.flatnonzero(roles)
        first = np.flatnonzero(begins[inside])
        if len(first) == 0:
            return first, first, first.astype(np.uint32), first.astype(np.uint32)
        length = np.diff(first, append=len(inside))
        place = np.arange(len(inside)) - np.repeat(first, length)
        letters = folds().take(self.points[inside] & 0x1FFFF)
        terms = (letters + np.uint32(1)) * _POWERS[place & 31]
        whole = np.add.reduceat(terms, first, dtype=np.uint32)
        begin = np.add.reduceat(np.where(place < PREFIX, terms, np.uint32(0)), first, dtype=np.uint32)
        return inside[first], length, _mixed(whole), _mixed(begin + np.uint32(0x9FF))

    @cached_property
    def token_offsets(self) -> Ints:
        """Where each paragraph's tokens begin, and the end."""
        if not len(self.starts):
            return np.zeros(1, dtype=np.int64)
        return np.searchsorted(self.tokens[0], np.append(self.starts, self.ends[-1:])).astype(np.int64)

    @cached_property
    def token_line(self) -> Ints:
        """The paragraph of each token."""
        return np.repeat(self.index, np.diff(self.token_offsets))

    def per_line(self, values: NDArray[np.int64] | NDArray[np.bool_]) -> Ints:
        """Sum whole numbers over the tokens of each paragraph."""
        sums = np.append(0, np.cumsum(values, dtype=np.int64))
        return np.diff(sums[self.token_offsets])

    @cached_property
    def token_kind(self) -> NDArray[np.uint8]:
        """The class of each token's first character."""
        return self.kinds[self.tokens[0]]

    @cached_property
    def is_word(self) -> NDArray[np.bool_]:
        """Whether each token is a word, not a sign."""
        is_word: NDArray[np.bool_] = (self.token_kind != C.POINTER) & (self.token_kind != C.SYMBOL)
        return is_word

    @cached_property
    def word_counts(self) -> Ints:
        """The words of each paragraph."""
        return self.per_line(self.is_word)

    @cached_property
    def solid(self) -> Ints:
        """The letters of each paragraph that belong to scripts without spaces."""
        return self.counts[:, C.SOLID]

    @cached_property
    def extent(self) -> Ints:
        """The length of each paragraph in letters of an alphabet: a Han character says what three do."""
        return self.size + SOLID_LETTERS * self.solid

    @cached_property
    def weight(self) -> Ints:
        """The words of each paragraph, where two Han characters make about one."""
        return self.word_counts - self.solid // 2

    @cached_property
    def prose(self) -> NDArray[np.bool_]:
        """Whether a paragraph is long and ends like a sentence."""
        prose: NDArray[np.bool_] = (self.weight >= PROSE_WORDS) & (self.tail == C.STOP)
        return prose

    @cached_property
    def line_hash(self) -> NDArray[np.uint32]:
        """One hash for a whole paragraph's tokens in their order."""
        at, _, hashes, _ = self.tokens
        order = (np.arange(len(at)) - self.token_offsets[self.token_line]).astype(np.uint32) * np.uint32(
            2
        ) + np.uint32(1)
        sums = np.append(np.uint32(0), np.cumsum(hashes * order, dtype=np.uint32))
        return _mixed(np.diff(sums[self.token_offsets]))

    @cached_property
    def shapes(self) -> NDArray[np.uint32]:
        """Hashes of a paragraph's runs of character classes: all, the first, the last; (paragraphs x 3)."""
        n = len(self.starts)
        if n == 0:
            return np.zeros((0, 3), dtype=np.uint32)
        changes = np.diff(self.kinds, prepend=255) != 0
        changes[self.starts] = True
        at = np.flatnonzero(changes)
        low, high = np.searchsorted(at, self.starts), np.searchsorted(at, self.ends)
        values = _mixed(self.kinds[at].astype(np.uint32) + np.uint32(0x51A))
        head = _ordered_sum(values, low, np.minimum(high, low + SHAPE_RUNS))
        tail = _ordered_sum(values, np.maximum(low, high - SHAPE_RUNS), high)
        whole = _ordered_sum(values, low, np.minimum(high, low + 4 * SHAPE_RUNS))
        return _mixed(np.column_stack([whole + np.uint32(1), head + np.uint32(2), tail + np.uint32(3)]))

    @cached_property
    def hashed(self) -> tuple[NDArray[np.uint32], Ints]:
        """The word ids of all paragraphs and where each one's begin.

        A paragraph of t tokens has 3 t + 5 ids: each token, its first letters, it with
        the token before it; the last token as such, the paragraph as a whole, its shapes.
        """
        line = self.token_line
        _, _, hashes, prefixes = self.tokens
        before = np.append(np.uint32(0), hashes[:-1])
        before[np.flatnonzero(np.diff(line, prepend=-1))] = np.uint32(0x5EED)
        pairs = _mixed(before * np.uint32(0x9E3779B1) + hashes)
        number = np.diff(self.token_offsets)
        offsets = np.append(0, np.cumsum(TOKEN_IDS * number + 5))
        ids = np.empty(int(offsets[-1]), dtype=np.uint32)
        place = TOKEN_IDS * np.arange(len(hashes)) + 5 * line
        ids[place], ids[place + 1], ids[place + 2] = hashes, pairs, prefixes
        final = np.append(hashes, np.uint32(0))[self.token_offsets[1:] - 1]
        ids[offsets[1:] - 5] = _mixed(np.where(number > 0, final, np.uint32(0)) + np.uint32(0xE4D))
        ids[offsets[1:] - 4] = _mixed(self.line_hash + np.uint32(0x11E))
        ids[offsets[1:, None] + np.array([-3, -2, -1])] = self.shapes
        return ids >> np.uint32(32 - WORD_BITS), offsets

    @cached_property
    def on_topic(self) -> Floats:
        """The share of a paragraph's longer words that its document has elsewhere, -1 without any."""
        _, length, hashes, _ = self.tokens
        long = self.is_word & ((length >= TOPIC_LETTERS) | (self.token_kind == C.SOLID))
        cells = self.document[self.token_line] * TOPIC_BINS + (hashes >> np.uint32(19))
        seen = np.bincount(cells[long], minlength=1)
        again = self.per_line(long & (seen[np.minimum(cells, len(seen) - 1)] > 1))
        every = self.per_line(long)
        return np.where(every > 0, again / np.maximum(every, 1), -1).astype(np.float32)

    @cached_property
    def repeated(self) -> Floats:
        """How often a paragraph's words stand as a whole paragraph in its document, beyond once."""
        keys = self.document.astype(np.uint64) << np.uint64(32) | self.line_hash.astype(np.uint64)
        _, inverse, count = np.unique(keys, return_inverse=True, return_counts=True)
        return log_count(count[inverse] - 1)

    @cached_property
    def word_length(self) -> Floats:
        """The mean length of the words written between spaces; the usual one where there are none."""
        words = self.word_counts - self.solid
        letters = self.counts[:, [C.LOWER, C.UPPER, C.LETTER, C.DIGIT]].sum(axis=1)
        return np.where(words > 0, letters / np.maximum(words, 1), USUAL_WORD).astype(np.float32)

    @cached_property
    def since_prose(self) -> Ints:
        """How many paragraphs ago the last prose stood."""
        last = np.maximum.accumulate(np.where(self.prose, self.index, -1)) if len(self.index) else self.index
        return np.where(last >= self.first, self.index - last, FAR)

    @cached_property
    def until_prose(self) -> Ints:
        """How many paragraphs on the next prose stands."""
        far = len(self.index)
        following = np.where(self.prose, self.index, far)[::-1]
        following = np.minimum.accumulate(following)[::-1] if far else following
        return np.where(following <= self.last, following - self.index, FAR)


def _with_marks(roles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give combining marks the role of the character they stand on, and of a letter where there is none."""
    marks = roles == 3
    if not marks.any():
        return roles
    base = np.maximum.accumulate(np.where(marks, 0, np.arange(len(roles))))
    stands_on = roles[base]
    return np.where(marks & ((stands_on == 0) | (stands_on == 3)), 1, stands_on).astype(np.uint8)


def _mixed(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Spread a weak hash over all its bits (the finaliser of MurmurHash3)."""
    hashes = hashes ^ (hashes >> np.uint32(16))
    hashes = hashes * np.uint32(0x85EBCA6B)
    hashes = hashes ^ (hashes >> np.uint32(13))
    hashes = hashes * np.uint32(0xC2B2AE35)
    mixed: NDArray[np.uint32] = hashes ^ (hashes >> np.uint32(16))
    return mixed


def _ordered_sum(values: NDArray[np.uint32], low: Ints, high: Ints) -> NDArray[np.uint32]:
    """Hash stretches of values in their order."""
    length = high - low
    step = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    terms = values[np.repeat(low, length) + step] * (step.astype(np.uint32) * np.uint32(2) + np.uint32(1))
    sums = np.append(np.uint32(0), np.cumsum(terms, dtype=np.uint32))
    ends = np.cumsum(length)
    stretches: NDArray[np.uint32] = sums[ends] - sums[ends - length]
    return stretches


def log_count(values: Ints) -> Floats:
    """Give the logarithm of one more than each count.

    >>> log_count(np.array([0])).tolist()
    [0.0]
    """
    return np.log1p(values.astype(np.float32))
