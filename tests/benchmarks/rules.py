"""Two rules that clean text line by line, as corpora of web text were and are cleaned."""

from __future__ import annotations

from boilerplate.textmetrics import text_words

ENDS = (".", "!", "?", '"', "”")
POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
C4_WORDS = 5
LONG = 7


def c4_lines(text: str) -> str:
    """Keep lines that end like a sentence, have at least five words and name neither JavaScript nor policies.

    Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
    Transformer" (JMLR 21), section 2.2. Only the rules for lines: those for whole pages (bad words,
    lorem ipsum, curly brackets, fewer than three sentences, language) would drop what is to be measured.

    >>> c4_lines("Home\\nThe mill burnt down last night.\\nRead our privacy policy here, please.")
    'The mill burnt down last night.'
    """
    return "\n".join(line for line in _lines(text) if _passes_c4(line))


def _passes_c4(line: str) -> bool:
    lower = line.lower()
    return (
        line.endswith(ENDS)
        and len(line.split()) >= C4_WORDS
        and "javascript" not in lower
        and not any(phrase in lower for phrase in POLICIES)
    )


def long_lines(text: str) -> str:
    """Keep lines of at least seven words; in scripts without spaces a character is a word.

    >>> long_lines("Home\\nThe mill of the village burnt down.")
    'The mill of the village burnt down.'
    """
    return "\n".join(line for line in _lines(text) if len(text_words(line)) >= LONG)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
