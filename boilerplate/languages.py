"""Which language a page is written in, for figures by language; py3langid knows 97 of them.

Lui and Baldwin, langid.py: An Off-the-shelf Language Identification Tool (ACL 2012).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from boilerplate.document import Document

__all__ = ["UNKNOWN", "language_of"]

UNKNOWN = "unknown"
CHARACTERS = 1000  # are enough to tell
SURE = 0.5  # likelier than all others together; related languages share what is left


def language_of(document: Document) -> str:
    """Name a document's language by its longest paragraphs, or say ``unknown``.

    Where py3langid is not installed every language is unknown.

    >>> from boilerplate.segment import segment_text
    >>> language_of(segment_text("Der Zug nach München fährt heute eine Stunde später ab."))
    'de'
    >>> language_of(segment_text("1 2 3"))
    'unknown'
    """
    identifier, text = _identifier(), _longest(document)
    if identifier is None or not any(map(str.isalpha, text)):
        return UNKNOWN
    language, sure = identifier.classify(text)
    return str(language) if sure >= SURE else UNKNOWN


def _longest(document: Document) -> str:
    lines = sorted((paragraph.text for paragraph in document.paragraphs), key=len, reverse=True)
    text = ""
    for line in lines:
        if len(text) >= CHARACTERS:
            break
        text += line + "\n"
    return text[:CHARACTERS].encode("utf-8", "replace").decode("utf-8")


@cache
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
