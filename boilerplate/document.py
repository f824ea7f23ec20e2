"""The values that move through the program: records, documents, answers, errors.

Everything here is frozen. The errors form one tree::

    BoilerplateError
    ├── ModelError     a model folder is missing, damaged, or of another format
    ├── FormatError    an input cannot be read as what it is said to be
    ├── DataError      labelled data are wrong: unknown label, block not found
    └── OutputError    an output cannot be written, or stands there already
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BoilerplateError",
    "Cleaned",
    "DataError",
    "Document",
    "FormatError",
    "LabelledParagraph",
    "ModelError",
    "OutputError",
    "Paragraph",
    "Record",
]


class BoilerplateError(Exception):
    """Anything this package refuses, with a message that says what to do next.

    >>> import boilerplate
    >>> try:
    ...     boilerplate.load("no/such/model")
    ... except BoilerplateError as error:
    ...     print(error)  # doctest: +ELLIPSIS
    /...no/such/model is no model folder: it has no card.json; name a folder made by boilerplate train
    """


class ModelError(BoilerplateError):
    """A model folder is missing, damaged, tampered with, or of another format.

    >>> import boilerplate
    >>> boilerplate.load("no/such/model")
    Traceback (most recent call last):
    boilerplate.document.ModelError: ...
    """


class FormatError(BoilerplateError):
    """An input cannot be read as what it is said to be.

    >>> import boilerplate
    >>> boilerplate.clean(b"caf\\xe9")
    Traceback (most recent call last):
    boilerplate.document.FormatError: bytes are not UTF-8 at 3; decode them first, or name the encoding
    """


class DataError(BoilerplateError):
    """Labelled data are wrong.

    >>> from boilerplate.corpora import read_labelled
    >>> read_labelled(["no/such/data.jsonl"])
    Traceback (most recent call last):
    boilerplate.document.DataError: no/such/data.jsonl: No such file or directory
    """


class OutputError(BoilerplateError):
    """An output cannot be written, or stands there already.

    >>> from boilerplate.train import train
    >>> train(["seeds/articles"], "seeds")
    Traceback (most recent call last):
    boilerplate.document.OutputError: seeds holds something already; name another folder, or give --overwrite
    """


@dataclass(frozen=True, slots=True)
class Record:
    """One thing to clean, as a reader found it.

    >>> Record("a.txt", "A story.").kind
    'text'
    """

    id: str
    content: str | bytes
    kind: str = "text"
    url: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of a document: ``document.text[start:end] == text``.

    >>> from boilerplate.segment import segment_text
    >>> segment_text(" One. ").paragraphs
    [Paragraph(text='One.', start=1, end=5)]
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class LabelledParagraph(Paragraph):
    """A paragraph with its label, how sure that is, and whether it stays.

    ``label`` is the most probable label, ``score`` its probability;
    ``keep_probability`` is the sum over the labels the policy keeps, so a paragraph
    may stay under a label that goes, and the other way round.

    >>> import boilerplate
    >>> [paragraph] = boilerplate.clean("Leave a Reply").paragraphs
    >>> paragraph.score == paragraph.probabilities[paragraph.label]
    True
    """

    label: str
    score: float
    keep: bool
    keep_probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A text and where its paragraphs stand in it, in code points, half-open.

    Paragraphs are ordered and disjoint; only white space lies between them.

    >>> document = Document("One.\\n\\nTwo.", np.array([0, 6]), np.array([4, 10]))
    >>> [p.text for p in document.paragraphs]
    ['One.', 'Two.']
    """

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the paragraphs."""
        return len(self.starts)

    @property
    def paragraphs(self) -> list[Paragraph]:
        """All paragraphs in order, made when asked for."""
        pairs = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [Paragraph(self.text[start:end], start, end) for start, end in pairs]


@dataclass(frozen=True, eq=False)
class Cleaned:
    """The answer for one document: its article, and beside it everything removed.

    ``probabilities`` is a (paragraphs x labels) float32 array, ``keep_probability``
    and ``keep`` have one entry a paragraph. ``doubtful`` is True where the policy
    would remove nearly everything.

    >>> one = Document("Title\\nShare", np.array([0, 6]), np.array([5, 11]))
    >>> p = np.array([[0.9, 0.1], [0.2, 0.8]], dtype=np.float32)
    >>> cleaned = Cleaned(one, ("heading", "social"), p, p[:, 0], p[:, 0] > 0.5)
    >>> cleaned.text, cleaned.removed[0].label
    ('Title', 'social')
    """

    document: Document
    labels: Sequence[str]
    probabilities: NDArray[np.float32]
    keep_probability: NDArray[np.float32]
    keep: NDArray[np.bool_]
    doubtful: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """The kept (start, end), neighbours merged with the white space between them."""
        edges = np.flatnonzero(np.diff(self.keep.astype(np.int8), prepend=0, append=0))
        first, last = edges[::2], edges[1::2] - 1
        starts, ends = self.document.starts[first], self.document.ends[last]
        return list(zip(starts.tolist(), ends.tolist(), strict=True))

    @cached_property
    def text(self) -> str:
        """The kept spans, joined by the white space before the later one."""
        text, spans = self.document.text, self.spans
        pieces = [text[start:end] for start, end in spans[:1]]
        for start, end in spans[1:]:
            before = int(np.searchsorted(self.document.starts, start)) - 1
            pieces.append(text[int(self.document.ends[before]) : end])
        return "".join(pieces)

    @property
    def paragraphs(self) -> list[LabelledParagraph]:
        """All paragraphs in order, made when asked for."""
        return [self._paragraph(i) for i in range(len(self.document))]

    @property
    def removed(self) -> list[LabelledParagraph]:
        """The paragraphs that do not stay."""
        return [self._paragraph(int(i)) for i in np.flatnonzero(~self.keep)]

    def _paragraph(self, i: int) -> LabelledParagraph:
        start, end = int(self.document.starts[i]), int(self.document.ends[i])
        row = self.probabilities[i].tolist()
        best = int(np.argmax(self.probabilities[i]))
        return LabelledParagraph(
            text=self.document.text[start:end],
            start=start,
            end=end,
            label=self.labels[best],
            score=row[best],
            keep=bool(self.keep[i]),
            keep_probability=float(self.keep_probability[i]),
            probabilities=dict(zip(self.labels, row, strict=True)),
        )
