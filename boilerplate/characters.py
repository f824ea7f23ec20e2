"""Code points and their classes: the one alphabet that segmentation and features share.

The table is a file of the package, so a model sees the same classes under every
Python; ``python -m boilerplate.characters`` writes it anew from ``unicodedata``.
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["CharacterClass", "classes", "code_points", "folds"]

TABLE = Path(__file__).with_name("characters.npz")
CODE_POINTS = 0x110000
FOLDED = 0x20000  # letters with case, digits and emoji all stand below this code point


class CharacterClass(IntEnum):
    """What a code point is to a reader, whatever its script.

    >>> CharacterClass(int(classes()[ord("a")])).name
    'LOWER'
    """

    OTHER = 0
    SPACE = 1
    BREAK = 2
    LOWER = 3
    UPPER = 4
    LETTER = 5  # scripts without case: Arabic, Devanagari, Hangul
    SOLID = 6  # letters of scripts written without spaces; each counts as a word
    DIGIT = 7
    MARK = 8  # combining signs: part of the word before them
    STOP = 9
    COMMA = 10
    QUOTE = 11
    BRACKET = 12
    DASH = 13
    POINTER = 14  # bullets, pipes, arrows, slashes: the marks of menus
    SYMBOL = 15


BREAKS = "\n\r\v\f\u2028\u2029"  # not U+0085: in mis-decoded text it is an ellipsis
STOPS = ".!?…。！？｡．؟۔।॥።։\u037e？‽‼⁇"  # U+037E: the Greek question mark, which looks like ;
COMMAS = ",:;،؛、，：；·・"
POINTERS = "|/\\•‣▪▸►▶●○■□◆◇→←↑↓⇒⇐»«›‹>¦│┃★☆✓✔✕✖×❯❮+*~_#@"
SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),
    (0x3021, 0x30FF),  # Kana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # half-width Kana
    (0x1B000, 0x1B16F),
    (0x20000, 0x323AF),
)
BY_CATEGORY = {
    "Ll": CharacterClass.LOWER,
    "Lu": CharacterClass.UPPER,
    "Lt": CharacterClass.UPPER,
    "Lo": CharacterClass.LETTER,
    "Lm": CharacterClass.LETTER,
    "Nd": CharacterClass.DIGIT,
    "Nl": CharacterClass.DIGIT,
    "No": CharacterClass.DIGIT,
    "Mn": CharacterClass.MARK,
    "Mc": CharacterClass.MARK,
    "Me": CharacterClass.MARK,
    "Pi": CharacterClass.QUOTE,
    "Pf": CharacterClass.QUOTE,
    "Ps": CharacterClass.BRACKET,
    "Pe": CharacterClass.BRACKET,
    "Pd": CharacterClass.DASH,
    "Sm": CharacterClass.SYMBOL,
    "Sc": CharacterClass.SYMBOL,
    "Sk": CharacterClass.SYMBOL,
    "So": CharacterClass.SYMBOL,
}
EXCEPTIONS = {
    **dict.fromkeys("\"'`„‚", CharacterClass.QUOTE),
    **dict.fromkeys("「」『』", CharacterClass.QUOTE),
    **dict.fromkeys(COMMAS, CharacterClass.COMMA),
    **dict.fromkeys(STOPS, CharacterClass.STOP),
    **dict.fromkeys(POINTERS, CharacterClass.POINTER),
    **dict.fromkeys(BREAKS, CharacterClass.BREAK),
}


def code_points(text: str) -> NDArray[np.uint32]:
    """Give the code points of a text, lone surrogates included.

    >>> code_points("né").tolist()
    [110, 233]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


@cache
def classes() -> NDArray[np.uint8]:
    """Give the class of every code point, an array of 0x110000 bytes.

    >>> classes()[code_points("A b")].tolist()
    [4, 1, 3]
    """
    with np.load(TABLE, allow_pickle=False) as table:
        lengths = np.diff(table["starts"], append=CODE_POINTS)
        return np.repeat(table["kinds"], lengths)


@cache
def folds() -> NDArray[np.uint32]:
    """Give the code points below 0x20000 in lower case, every digit as 0.

    >>> folds()[code_points("Ab7")].tolist() == code_points("ab0").tolist()
    True
    """
    with np.load(TABLE, allow_pickle=False) as table:
        folded = np.arange(FOLDED, dtype=np.uint32)
        folded[table["cased"]] = table["lower"]
    folded[classes()[:FOLDED] == CharacterClass.DIGIT] = ord("0")
    return folded


def classify(character: str) -> CharacterClass:
    """Give the class of one character by Unicode's categories and the tables above.

    >>> classify("，").name
    'COMMA'
    """
    if character in EXCEPTIONS:
        return EXCEPTIONS[character]
    if character.isspace():
        return CharacterClass.SPACE
    kind = BY_CATEGORY.get(unicodedata.category(character), CharacterClass.OTHER)
    spaceless = any(low <= ord(character) <= high for low, high in SPACELESS)
    return CharacterClass.SOLID if spaceless and kind is CharacterClass.LETTER else kind


def write_table(path: Path = TABLE) -> None:
    """Write the table file from the Unicode data of this Python."""
    kinds = np.array([classify(chr(point)) for point in range(CODE_POINTS)], dtype=np.uint8)
    starts = np.flatnonzero(np.diff(kinds, prepend=255)).astype(np.uint32)
    lower = {point: chr(point).lower() for point in range(FOLDED)}
    pairs = [(a, ord(b)) for a, b in lower.items() if len(b) == 1 and ord(b) != a]
    cased, small = np.array(pairs, dtype=np.uint32).T
    np.savez_compressed(path, starts=starts, kinds=kinds[starts], cased=cased, lower=small)


if __name__ == "__main__":
    write_table()
