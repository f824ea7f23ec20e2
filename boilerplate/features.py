"""The FEATURES table: a batch of documents to dense columns and hashed word ids.

Everything is a column operation over one buffer of code points. Shape features
follow Kohlschuetter et al. (Boilerplate Detection using Shallow Text Features,
WSDM 2010) and Web2Text (Vogels et al., ECIR 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boilerplate.characters import CharacterClass as C
from boilerplate.columns import FAR, Columns, log_count
from boilerplate.document import Document

__all__ = ["FEATURES", "Features", "count_words", "feature_names", "featurize"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Features:
    """What the classifier sees of a batch of documents.

    ``dense`` is (paragraphs x features) float32; the hashed ids of paragraph ``i`` are
    ``words[offsets[i]:offsets[i + 1]]``. ``lengths`` counts the paragraphs of each document,
    ``sizes`` the words of each paragraph.
    """

    dense: Floats
    words: NDArray[np.uint32]
    offsets: Ints
    lengths: Ints
    sizes: Ints

    def __len__(self) -> int:
        """Count the paragraphs."""
        return len(self.dense)

    @property
    def groups(self) -> Ints:
        """The number of each paragraph's document."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


def featurize(documents: Sequence[Document], convention: str | Sequence[str] = "article") -> Features:
    """Turn a batch of documents into features; a document's rows do not depend on the others.

    ``convention`` is one for all documents, or one for each.

    >>> from boilerplate.segment import segment_text
    >>> features = featurize([segment_text("A headline\\nA paragraph."), segment_text("1 min read")])
    >>> features.dense.shape == (3, len(FEATURES)), features.lengths.tolist()
    (True, [2, 1])
    """
    columns = Columns.of(documents, convention)
    dense = np.empty((len(columns.starts), len(FEATURES)), dtype=np.float32)
    for j, column in enumerate(FEATURES.values()):
        dense[:, j] = column(columns)
    return Features(dense, *columns.hashed, columns.lengths, columns.word_counts)


def feature_names() -> tuple[str, ...]:
    """Name the dense columns, in order.

    >>> feature_names()[:2]
    ('characters', 'words')
    """
    return tuple(FEATURES)


def count_words(documents: Sequence[Document]) -> Ints:
    """Count the words of every paragraph: runs of letters and digits, or single Han, Kana, Thai.

    >>> from boilerplate.segment import segment_text
    >>> count_words([segment_text("Two words\\n你好")]).tolist()
    [2, 2]
    """
    return Columns.of(documents).word_counts


def _ratio(part: Ints, whole: Ints) -> Floats:
    return (part / np.maximum(whole, 1)).astype(np.float32)


def _distance(lines: Ints) -> Floats:
    return np.log1p(np.minimum(lines, FAR).astype(np.float32))


FEATURES: dict[str, Callable[[Columns], Floats | NDArray[np.bool_]]] = {
    # size
    "characters": lambda c: log_count(c.extent),
    "words": lambda c: log_count(c.weight),
    "no_word": lambda c: c.word_counts == 0,
    "word_length": lambda c: c.word_length,
    "sentences": lambda c: log_count(c.counts[:, C.STOP]),
    # what it is made of
    "upper": lambda c: _ratio(c.counts[:, C.UPPER], c.counts[:, C.LOWER] + c.counts[:, C.UPPER]),
    "digits": lambda c: c.share(C.DIGIT),
    "stops": lambda c: c.share(C.STOP),
    "commas": lambda c: c.share(C.COMMA),
    "quotes": lambda c: c.share(C.QUOTE),
    "brackets": lambda c: c.share(C.BRACKET),
    "dashes": lambda c: c.share(C.DASH),
    "pointers": lambda c: c.share(C.POINTER),
    "symbols": lambda c: c.share(C.SYMBOL, C.OTHER),
    "capitalised": lambda c: _ratio(c.per_line(c.token_kind == C.UPPER), c.weight),
    "numbers": lambda c: _ratio(c.per_line(c.token_kind == C.DIGIT), c.weight),
    "years": lambda c: log_count(c.per_line((c.token_kind == C.DIGIT) & (c.tokens[1] == 4))),
    # how it begins and ends
    "begins_lower": lambda c: c.head == C.LOWER,
    "begins_upper": lambda c: c.head == C.UPPER,
    "begins_digit": lambda c: c.head == C.DIGIT,
    "begins_quote": lambda c: c.head == C.QUOTE,
    "begins_sign": lambda c: np.isin(c.head, [C.POINTER, C.SYMBOL, C.BRACKET, C.DASH]),
    "ends_stop": lambda c: c.tail == C.STOP,
    "ends_comma": lambda c: c.tail == C.COMMA,
    "ends_digit": lambda c: c.tail == C.DIGIT,
    "ends_sign": lambda c: np.isin(c.tail, [C.POINTER, C.SYMBOL, C.BRACKET, C.QUOTE]),
    # where it stands
    "from_start": lambda c: log_count(c.index - c.first),
    "from_end": lambda c: log_count(c.last - c.index),
    "place": lambda c: _ratio(c.index - c.first, c.last - c.first),
    "since_prose": lambda c: _distance(c.since_prose),
    "until_prose": lambda c: _distance(c.until_prose),
    "prose_before": lambda c: _ratio(c.before(c.weight * c.prose), c.per_document(c.weight * c.prose)),
    "words_before": lambda c: _ratio(c.before(c.weight), c.per_document(c.weight)),
    # the document around it
    "on_topic": lambda c: c.on_topic,
    "repeated": lambda c: c.repeated,
    "document_paragraphs": lambda c: log_count(c.last - c.first),
    "document_words": lambda c: log_count(c.per_document(c.weight)),
    "document_prose": lambda c: _ratio(c.per_document(c.weight * c.prose), c.per_document(c.weight)),
    "document_prose_lines": lambda c: _ratio(c.per_document(c.prose), c.last - c.first + 1),
    "document_upper": lambda c: _ratio(c.per_document(c.counts[:, C.UPPER]), c.per_document(c.extent)),
    "page_convention": lambda c: np.repeat(c.is_page, c.lengths),
}
"""Name -> column, (paragraphs,) each. Add a row here to add a feature, then retrain."""
