"""Other views of a labelled page, so that one model serves them all.

``disguised`` writes a page in letters the model has no words for, and in the wrong
encoding, as scraped text often is; ``thinned`` leaves out stretches of it, as
extractors do. What a paragraph is does not change with either.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCRIPTS", "disguised", "thinned"]

WORD = re.compile(r"[^\W\d_]+")
SPACE_BETWEEN = re.compile(r"(?<=[\u4e00-\u9fff，。！？：；]) (?=[\u4e00-\u9fff])")
FULL_WIDTH = str.maketrans(",.!?:;", "，。！？：；")
HAN_LETTERS = 3  # Latin letters to one Han character
GB2312 = [bytes([row, cell]).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFA)]
ALPHABET = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"


def _han(text: str, salt: int) -> str:
    def characters(match: re.Match[str]) -> str:
        seed = zlib.crc32(match[0].lower().encode("utf-8", "surrogatepass"), salt)
        count = max(1, round(len(match[0]) / HAN_LETTERS))
        return "".join(GB2312[(seed >> (5 * k)) % len(GB2312)] for k in range(min(count, 5)))

    return SPACE_BETWEEN.sub("", WORD.sub(characters, text).translate(FULL_WIDTH))


def _caseless(text: str, salt: int) -> str:
    return WORD.sub(
        lambda match: "".join(ALPHABET[(ord(c) + salt) % len(ALPHABET)] for c in match[0].lower()), text
    )


def _misread_han(text: str, salt: int) -> str:
    return _han(text, salt).encode("gb18030", "replace").decode("latin-1")


def _misread_alphabet(text: str, salt: int) -> str:
    return _caseless(text, salt).encode("utf-8", "replace").decode("cp1252", "replace")


SCRIPTS: tuple[Callable[[str, int], str], ...] = (_han, _caseless, _misread_han, _misread_alphabet)


def disguised(lines: Sequence[str], script: int, salt: int) -> list[str]:
    """Write lines in another script: Han, an alphabet without case, or either of them mis-decoded.

    >>> disguised(["Read it, now."], 1, 0) == disguised(["READ it, now."], 1, 0)
    True
    """
    return [SCRIPTS[script](line, salt) for line in lines]


def thinned(
    is_content: NDArray[np.bool_], labels: Sequence[object], random: np.random.Generator
) -> NDArray[np.int64]:
    """Choose the paragraphs an extractor might have left: most content, some runs of the rest.

    >>> content = np.array([False, True, True, False])
    >>> chosen = thinned(content, ["navigation", "body", "body", "social"], np.random.default_rng(0))
    >>> {1, 2} <= set(chosen.tolist())
    True
    """
    changes = [a != b for a, b in zip(labels[1:], labels, strict=False)]
    run = np.append(0, np.cumsum(changes)).astype(np.int64)
    kept_runs = random.random(int(run[-1]) + 1) > random.choice([0.3, 0.6, 0.85, 0.95])
    kept_lines = random.random(len(labels)) > random.choice([0.0, 0.0, 0.2])
    chosen = np.flatnonzero(is_content | (kept_runs[run] & kept_lines))
    return chosen if len(chosen) else np.arange(len(labels))
