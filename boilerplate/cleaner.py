"""The cleaner: a loaded model, a policy, and documents in, answers out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.columns import CONVENTIONS
from boilerplate.document import Cleaned, Document, FormatError, ModelError, Record
from boilerplate.explanation import Explanation, explain
from boilerplate.features import Features, featurize
from boilerplate.labels import LABELS, Policy, policy_named
from boilerplate.network import added
from boilerplate.segment import segment_texts
from boilerplate.store import Model, load_model

__all__ = ["Cleaner", "clean", "load"]

Item = str | bytes | Record
KINDS = ("text",)
BATCH_CHARACTERS = 500_000
BATCH_DOCUMENTS = 500


@dataclass(frozen=True, eq=False)
class Cleaner:
    """A model under a policy and a convention; safe to share among threads and to send to processes.

    >>> import boilerplate
    >>> cleaner = boilerplate.load(policy="careful")
    >>> [cleaned.doubtful for cleaned in cleaner.clean_many(["", "A story.", "Another."])]
    [False, False, False]
    """

    model: Model
    policy: Policy = field(default_factory=Policy)
    convention: str = "article"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as a path and a digest, not as weights."""
        return _reloaded, (str(self.model.folder), self.model.card["weights"], self.policy, self.convention)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the columns of ``Cleaned.probabilities``."""
        return LABELS

    @property
    def threshold(self) -> np.float32:
        """How probable it must be that a paragraph's label is one of the kept, for it to stay."""
        return _threshold(self.model, self.policy)

    def clean(self, text: str | bytes | Record) -> Cleaned:
        """Clean one text.

        >>> import boilerplate
        >>> boilerplate.load().clean("").text
        ''
        """
        return next(self.clean_many([text]))

    def clean_many(self, items: Iterable[Item], kind: str = "text") -> Iterator[Cleaned]:
        """Clean texts lazily and in order, hundreds at a time.

        ``items`` are str, UTF-8 bytes or Records; a Record's own kind counts. Bytes that
        are not UTF-8 raise FormatError.

        >>> import boilerplate
        >>> len(list(boilerplate.load().clean_many(["One.", b"Two."])))
        2
        """
        _check_kind(kind)
        for texts in _batches(items):
            yield from self._clean(segment_texts(texts))

    def clean_batch(
        self, batch: Mapping[str, Sequence[Any]], column: str = "text", kind: str = "text"
    ) -> dict[str, list[Any]]:
        """Clean one column of a batch of columns, as ``datasets.map(batched=True)`` hands it over.

        All columns come back, ``column`` cleaned, with ``doubtful`` (bool) and ``removed``
        (a list of {start, end, label, score, text} a row) beside them.

        >>> import boilerplate
        >>> sorted(boilerplate.load().clean_batch({"id": [1], "text": ["A story."]}))
        ['doubtful', 'id', 'removed', 'text']
        """
        if column not in batch:
            raise FormatError(f"no column {column!r} in the batch; it has {', '.join(batch)}")
        answers = list(self.clean_many(("" if text is None else text for text in batch[column]), kind))
        out: dict[str, list[Any]] = {name: list(values) for name, values in batch.items()}
        out[column] = [answer.text for answer in answers]
        out["doubtful"] = [answer.doubtful for answer in answers]
        out["removed"] = [[_removed_row(p) for p in answer.removed] for answer in answers]
        return out

    def explain(self, cleaned: Cleaned, i: int) -> Explanation:
        """Say why paragraph ``i`` of an answer got its label: its words, features and neighbours.

        >>> import boilerplate
        >>> cleaner = boilerplate.load()
        >>> print(cleaner.explain(cleaner.clean("A story.\\n\\nLeave a Reply"), 1))  # doctest: +ELLIPSIS
        'Leave a Reply' ...
        """
        features = featurize([cleaned.document], self.convention)
        return explain(self.model.network, cleaned.document, features, i)

    def _clean(self, documents: Sequence[Document]) -> Iterator[Cleaned]:
        features = featurize(documents, self.convention)
        probabilities = self.model.network.probabilities(features)
        kept = [k for k, label in enumerate(LABELS) if label in self.policy.keep]
        keep_probability = added(probabilities[kept])
        keep = keep_probability >= self.threshold
        doubtful = self._doubtful(features, keep)
        rows = np.ascontiguousarray(probabilities.T)
        ends = np.cumsum(features.lengths)
        for document, end, doubt in zip(documents, ends.tolist(), doubtful.tolist(), strict=True):
            own = slice(end - len(document), end)
            stays = keep[own] | (doubt and self.policy.when_doubtful == "keep")
            yield Cleaned(document, LABELS, rows[own], keep_probability[own], stays, doubt)

    def _doubtful(self, features: Features, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say for each document whether less than the policy's share of its words would stay."""
        borders = np.append(0, np.cumsum(features.lengths))
        words = np.diff(np.append(0, np.cumsum(features.sizes))[borders])
        kept = np.diff(np.append(0, np.cumsum(features.sizes * keep))[borders])
        doubtful: NDArray[np.bool_] = (words > 0) & (kept < self.policy.doubtful_share * words)
        return doubtful


def load(
    model: str | Path | None = None, policy: str | Policy = "balanced", convention: str = "article"
) -> Cleaner:
    """Load a model folder, by default the packaged model, under a policy and a convention.

    A folder this version cannot use raises ModelError, an unknown policy or convention
    ValueError.

    >>> import boilerplate
    >>> boilerplate.load(policy="metadata").policy.keep >= {"byline", "author_bio"}
    True
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"unknown convention {convention!r}; conventions are {', '.join(CONVENTIONS)}")
    return Cleaner(load_model(model), policy_named(policy), convention)


def clean(text: str | bytes) -> Cleaned:
    """Clean one text with the packaged model and the balanced policy.

    >>> import boilerplate
    >>> boilerplate.clean("A story.").text
    'A story.'
    """
    return _packaged().clean(text)


@cache
def _packaged() -> Cleaner:
    return load()


@cache
def _threshold(model: Model, policy: Policy) -> np.float32:
    return np.float32(model.calibration.threshold(policy))


def _reloaded(folder: str, digest: str, policy: Policy, convention: str) -> Cleaner:
    cleaner = load(folder, policy, convention)
    if cleaner.model.card["weights"] != digest:
        raise ModelError(f"{folder} changed since the cleaner was sent here; load it again")
    return cleaner


def _batches(items: Iterable[Item]) -> Iterator[list[str]]:
    texts: list[str] = []
    characters = 0
    for item in items:
        texts.append(_text(item))
        characters += len(texts[-1])
        if characters >= BATCH_CHARACTERS or len(texts) >= BATCH_DOCUMENTS:
            yield texts
            texts, characters = [], 0
    if texts:
        yield texts


def _text(item: Item) -> str:
    if isinstance(item, Record):
        _check_kind(item.kind)
        item = item.content
    if isinstance(item, str):
        return item
    try:
        return item.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"bytes are not UTF-8 at {error.start}; decode them first, or name the encoding"
        ) from None


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise FormatError(f"this version cannot clean kind {kind!r}; kinds are {', '.join(KINDS)}")


def _removed_row(paragraph: Any) -> dict[str, Any]:
    return {name: getattr(paragraph, name) for name in ("start", "end", "label", "score", "text")}
