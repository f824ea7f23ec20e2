"""Splits of labelled documents: by site, and near-duplicate pages never on two sides."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.alignment import word_tokens
from boilerplate.classifier import folds_of
from boilerplate.corpora import LINE, WHOLE, LabelledDocument
from boilerplate.labels import CONTENT, LABELS

__all__ = ["described", "near_duplicates", "site_folds", "split_groups"]

Ints = NDArray[np.int64]

SHINGLE = 5  # words
SIMILAR = 0.7  # Jaccard of the shingles of two pages, by MinHash
CANDIDATES = 0.5  # looked up below that, for an index misses half of the pairs at its own threshold
PERMUTATIONS = 128
MAY_STAY = np.array([label in CONTENT for label in LABELS])


def site_folds(documents: Sequence[LabelledDocument], folds: int, seed: int = 0) -> Ints:
    """Deal documents into folds so that no site, and no near-duplicate page, stands in two of them.

    All views of a page fall together. Folds are nearly equal in paragraphs; the same
    documents and seed give the same folds.

    >>> from boilerplate.corpora import read_labelled
    >>> sorted(set(site_folds(read_labelled(["seeds/articles"]), 3).tolist()))
    [0, 1, 2]
    """
    if not documents:
        return np.zeros(0, dtype=np.int64)
    lengths = [max(len(one.document), 1) for one in documents]
    rows = np.repeat(split_groups(documents), lengths)
    fold: Ints = folds_of(rows, folds, seed)[np.cumsum(lengths) - 1]
    return fold


def split_groups(documents: Sequence[LabelledDocument]) -> Ints:
    """Number the groups of documents that must not be parted: sites, joined where they share a page.

    >>> from dataclasses import replace
    >>> from boilerplate.corpora import read_labelled
    >>> one, other = read_labelled(["seeds/articles"])[:2]
    >>> copy = replace(one, page="copy", site="mirror.example")
    >>> split_groups([one, replace(other, site="b"), copy]).tolist()
    [0, 1, 0]
    """
    root: dict[str, str] = {}

    def leader(site: str) -> str:
        while root.get(site, site) != site:
            site = root[site]
        return site

    for one, other in near_duplicates(documents):
        root[leader(other.site)] = leader(one.site)
    names = [leader(one.site) for one in documents]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def near_duplicates(
    documents: Sequence[LabelledDocument],
) -> Iterator[tuple[LabelledDocument, LabelledDocument]]:
    """Give the pairs of pages of different sites that say nearly the same.

    Pages are compared by the words of what may be their content, so that the frame of
    a site neither hides nor makes a copy.

    >>> from boilerplate.corpora import read_labelled
    >>> list(near_duplicates(read_labelled(["seeds/articles"])))
    []

    Source: Broder 1997 (shingles, MinHash), by datasketch.
    """
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=CANDIDATES, num_perm=PERMUTATIONS)
    pages = _pages(documents)
    sketches: list[Any] = []
    for number, page in enumerate(pages):
        shingles = _shingles(page)
        sketches.append(_sketch(shingles))
        if not len(shingles):
            continue
        for other in index.query(sketches[number]):
            alike = sketches[number].jaccard(sketches[other]) >= SIMILAR
            if alike and pages[other].site != page.site:
                yield pages[other], page
        index.insert(number, sketches[number])


def _pages(documents: Sequence[LabelledDocument]) -> list[LabelledDocument]:
    """Choose one document a page and site: the whole page, else the longest view."""
    best: dict[tuple[str, str], LabelledDocument] = {}
    for one in documents:
        if one.view == LINE:  # a line is no page
            continue
        key = one.page, one.site
        if key not in best or _rank(one) > _rank(best[key]):
            best[key] = one
    return list(best.values())


def _rank(one: LabelledDocument) -> tuple[bool, int]:
    return one.view == WHOLE, len(one.document.text)


def _shingles(one: LabelledDocument) -> NDArray[np.uint64]:
    """Hash every five words in a row of the paragraphs that may be content; 32 bits each."""
    chosen = set(np.flatnonzero(one.allowed[:, MAY_STAY].any(axis=1)).tolist())
    texts = [paragraph.text for k, paragraph in enumerate(one.document.paragraphs) if k in chosen]
    words = word_tokens("\n".join(texts))
    codes = np.fromiter(map(_code, words), dtype=np.uint64, count=len(words))
    hashed = np.zeros(max(len(codes) - SHINGLE + 1, 0), dtype=np.uint64)
    for k in range(SHINGLE):
        hashed = hashed * np.uint64(0x9E3779B97F4A7C15) + codes[k : k + len(hashed)]
    return np.unique(hashed >> np.uint64(32))


@cache
def _code(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def _sketch(shingles: NDArray[np.uint64]) -> Any:
    from datasketch import MinHash

    sketch = MinHash(PERMUTATIONS, hashfunc=int)
    sketch.update_batch(shingles.tolist())
    return sketch


def described(folds: int, seed: int) -> dict[str, Any]:
    """Describe the split for a model card: by what, into how many, from which seed.

    >>> described(5, 0)["folds"]
    5
    """
    rule = f"site; sites joined where pages share {SIMILAR:.0%} of their {SHINGLE}-word shingles (MinHash)"
    return {"by": rule, "folds": folds, "seed": seed}
