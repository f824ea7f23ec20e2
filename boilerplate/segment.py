"""Text to documents: lossless paragraphs with code-point offsets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from boilerplate.characters import BREAKS, STOPS, CharacterClass, classes, code_points
from boilerplate.document import Document

__all__ = ["is_hard_wrapped", "segment_text", "segment_texts"]

Offsets = NDArray[np.int64]

LINE_BREAK = re.compile(f"\r\n|[{BREAKS}]")
WIDEST_WRAP = 100  # nobody wraps mail or plain text wider than this
NARROWEST_WRAP = 40
FEWEST_FULL_LINES = 2
RUNNING_SHARE = 0.3  # of those, how many stop in mid sentence
FULL_SHARE = 0.6  # of the lines that another line follows, how many had no room for its first word


def segment_text(text: str) -> Document:
    """Cut one text into paragraphs: its lines, or its blocks where it is hard-wrapped.

    >>> [p.text for p in segment_text("A headline\\n\\n  First paragraph. \\r\\nSecond.").paragraphs]
    ['A headline', 'First paragraph.', 'Second.']
    """
    return segment_texts([text])[0]


def segment_texts(texts: Sequence[str]) -> list[Document]:
    """Cut many texts at once; the same documents as one by one, for less work.

    >>> [len(document) for document in segment_texts(["One.\\nTwo.", "", "Three."])]
    [2, 0, 1]
    """
    points = code_points("\n".join(texts))
    kinds = classes().take(points)
    starts, ends = _lines(kinds)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    origins = np.cumsum(lengths + 1) - (lengths + 1)
    cuts = np.searchsorted(starts, np.append(origins, len(points) + 1))
    documents = []
    for text, origin, low, high in zip(
        texts, origins.tolist(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True
    ):
        lines = starts[low:high] - origin, ends[low:high] - origin
        documents.append(Document(text, *(_blocks(text, *lines) if _may_wrap(*lines) else lines)))
    return documents


def _lines(kinds: NDArray[np.uint8]) -> tuple[Offsets, Offsets]:
    """Give where each line that is not blank begins and ends, outer white space left out."""
    dark = (kinds != CharacterClass.SPACE) & (kinds != CharacterClass.BREAK)
    edges = np.flatnonzero(np.diff(dark.view(np.int8), prepend=0, append=0))
    first, last = edges[::2], edges[1::2]
    breaks = np.flatnonzero(kinds == CharacterClass.BREAK)
    line = np.searchsorted(breaks, first)
    new = np.flatnonzero(np.diff(line, prepend=-1))
    return first[new], last[np.append(new[1:], len(last)) - 1] if len(new) else last


def _may_wrap(starts: Offsets, ends: Offsets) -> bool:
    """Say, from line widths alone, whether a text can be hard-wrapped at all."""
    if len(starts) <= FEWEST_FULL_LINES:
        return False
    return NARROWEST_WRAP <= int((ends - starts).max()) <= WIDEST_WRAP


def is_hard_wrapped(text: str) -> bool:
    """Say whether line breaks in a text were set by a column limit, as in mail.

    The evidence: no line is wide, and most lines that another line follows had no
    room left for that line's first word (the greedy rule every wrapper follows,
    RFC 3676 section 4.2).

    >>> import textwrap
    >>> story = "The council met on Monday to settle the question of the old mill. " * 5
    >>> is_hard_wrapped(textwrap.fill(story, 72)), is_hard_wrapped(story)
    (True, False)
    """
    lines = [line.strip() for line in LINE_BREAK.split(text.strip())]
    width = max(map(len, lines))
    if not NARROWEST_WRAP <= width <= WIDEST_WRAP:
        return False
    pairs = [(a, b) for a, b in pairwise(lines) if a and b]
    full = [(a, b) for a, b in pairs if len(a) + _room_needed(b, width) > width]
    running = sum(a[-1] not in STOPS and not b[0].isupper() for a, b in full)
    if "" not in lines:  # then it must be one paragraph, every line of it full
        return len(full) == len(pairs) and running >= FEWEST_FULL_LINES
    return running >= max(FEWEST_FULL_LINES, RUNNING_SHARE * len(full)) and len(full) >= FULL_SHARE * len(
        pairs
    )


def _room_needed(line: str, width: int) -> int:
    """Count the columns a line's first word would have taken on the line before it."""
    word = len(line.split(None, 1)[0])
    solid = classes()[ord(line[0])] == CharacterClass.SOLID
    return 1 if solid or word >= width else word + 1  # Chinese and very long words are broken anywhere


def _blocks(text: str, starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    """Join the lines of a hard-wrapped text up to each blank line."""
    if not is_hard_wrapped(text):
        return starts, ends
    gaps = zip(ends[:-1].tolist(), starts[1:].tolist(), strict=True)
    blank = np.array([len(LINE_BREAK.findall(text, end, start)) > 1 for end, start in gaps], dtype=bool)
    return starts[np.append(True, blank)], ends[np.append(blank, True)]
