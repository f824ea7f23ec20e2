"""What others make of a page: well-known extractors behind one signature, and the page's whole text."""

from __future__ import annotations

import codecs
import logging
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from boilerplate.document import DataError
from boilerplate.languages import UNKNOWN, language_of
from boilerplate.segment import segment_text

__all__ = ["EXTRACTORS", "Extractor", "decoded", "page_language", "whole_page"]

CONTROLS = re.compile("[\0-\x08\x0b\x0e-\x1f\ufffe\uffff]")  # what XML, and so lxml, refuses
WHOLE_PAGE_NEEDS = "resiliparse"
SILENT = logging.NullHandler()
# jusText's stop lists by language code; languages without one are judged without stop words, as its
# manual says.
STOP_LISTS = {
    **{"af": "Afrikaans", "an": "Aragonese", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian"},
    **{"bg": "Bulgarian", "bn": "Bengali", "br": "Breton", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech"},
    **{"cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "eo": "Esperanto"},
    **{"es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French"},
    **{"ga": "Irish", "gl": "Galician", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian"},
    **{"ht": "Haitian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "is": "Icelandic"},
    **{"it": "Italian", "jv": "Javanese", "ka": "Georgian", "kk": "Kazakh", "kn": "Kannada", "ko": "Korean"},
    **{"ku": "Kurdish", "ky": "Kyrgyz", "la": "Latin", "lb": "Luxembourgish", "lt": "Lithuanian"},
    **{"lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay"},
    **{"mt": "Maltese", "nb": "Norwegian_Bokmal", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian_Nynorsk"},
    **{"no": "Norwegian_Bokmal", "oc": "Occitan", "pl": "Polish", "pt": "Portuguese", "qu": "Quechua"},
    **{"ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian"},
    **{"sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "tl": "Tagalog"},
    **{"tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "vo": "Volapuk"},
    **{"wa": "Walloon"},
}
WHATWG = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "windows-1252", "ascii": "windows-1252"}
"""What browsers read for a name of an encoding that is narrower than what it is used for."""
NO_STOP_LIST: dict[str, Any] = {"stoplist": frozenset(), "stopwords_low": 0.0, "stopwords_high": 0.0}


def decoded(html: bytes) -> str:
    """Decode a page as UTF-8 where it is, else by its meta tag, else by what its bytes look like.

    Control signs go; bytes that no encoding explains become U+FFFD.

    >>> decoded(b'<meta charset="windows-1252"><p>caf\\xe9')[-4:]
    'café'
    >>> decoded("<meta charset=gb2312><p>镕".encode("gb18030"))[-1:]
    '镕'

    Source: the WHATWG names of encodings and uchardet, by resiliparse; few texts in another
    encoding are valid UTF-8 by accident (Dürst, The Properties and Promises of UTF-8, 1997).
    """
    from resiliparse.parse.encoding import detect_encoding

    try:
        text = html.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _as(html, detect_encoding(html, from_html_meta=True) or "windows-1252")
    return CONTROLS.sub("", text.replace("\f", " "))


def _as(html: bytes, encoding: str) -> str:
    wider = WHATWG.get(encoding.lower(), encoding)
    return html.decode(wider if _is_known(wider) else "windows-1252", "replace")


def _is_known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def whole_page(html: bytes, url: str | None = None) -> str:
    """Render all visible text of a page, a block a line, with list bullets and what ``<noscript>`` holds.

    >>> whole_page(b"<ul><li>One<li>Two</ul><noscript><p>Three</noscript>").split()
    ['•', 'One', '•', 'Two', 'Three']

    Source: resiliparse (Bevendorff et al. 2018); Discourse forums keep their posts in ``<noscript>``.
    """
    return EXTRACTORS["whole-page"].run(html, url)


def page_language(html: bytes) -> str | None:
    """Give the code of a page's language: that of its text, or where it does not tell, its declared one.

    >>> page_language("<p>Der Zug nach München fährt heute eine Stunde später ab.".encode())
    'de'
    >>> page_language(b"<html lang=pt-BR><p>1 2 3"), page_language(b"<p>1 2 3")
    ('pt', None)
    """
    spoken = language_of(segment_text(whole_page(html)))
    return _declared(html) if spoken == UNKNOWN else spoken


def _declared(html: bytes) -> str | None:
    from resiliparse.parse.html import HTMLTree

    page: Any = HTMLTree.parse(decoded(html)).document
    root = page.query_selector("html[lang]")
    return (root.getattr("lang") or "").strip().lower().split("-")[0] or None if root else None


@dataclass(frozen=True)
class Extractor:
    """An extractor: called with a page, its address and language, it gives the text it takes for content.

    The language is a two-letter code; where it is not known, jusText takes the page for English.
    Called, it gives ``""`` where the library fails or finds nothing; ``run`` lets the
    library's error through. A library that is not installed is a DataError.

    >>> EXTRACTORS["resiliparse"](b"<article><p>A story.</article>")
    'A story.'
    """

    module: str
    function: Callable[[str, str | None, str | None], str | None]

    def __call__(self, html: bytes, url: str | None = None, language: str | None = None) -> str:
        """Extract; nothing where the library fails."""
        try:
            return self.run(html, url, language)
        except DataError:
            raise
        except Exception:  # whatever a library trips over, it gave no text
            return ""

    def run(self, html: bytes, url: str | None = None, language: str | None = None) -> str:
        """Extract, and let the library's errors through."""
        logging.getLogger(self.module).addHandler(SILENT)  # unless the program asks to hear of them
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # libraries warn of their own age and of extras they miss
            try:
                return self.function(decoded(html), url, language) or ""
            except ModuleNotFoundError as error:
                raise _missing(error) if error.name in (self.module, WHOLE_PAGE_NEEDS) else error from None


def _missing(error: ModuleNotFoundError) -> DataError:
    extra = "train" if error.name == WHOLE_PAGE_NEEDS else "peers"
    return DataError(f"{error.name} is not installed; pip install 'boilerplate-classifier[{extra}]'")


def _trafilatura(html: str, url: str | None, language: str | None) -> str | None:
    import trafilatura

    return trafilatura.extract(html, url=url, include_comments=False)


def _trafilatura_recall(html: str, url: str | None, language: str | None) -> str | None:
    import trafilatura

    return trafilatura.extract(html, url=url, include_comments=True, favor_recall=True)


def _resiliparse(html: str, url: str | None, language: str | None) -> str:
    return _plain_text(html, main_content=True, comments=True)


def _whole_page(html: str, url: str | None, language: str | None) -> str:
    return _plain_text(html, main_content=False, noscript=True)


def _plain_text(html: str, **options: Any) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(html, alt_texts=False, **options))


def _justext(html: str, url: str | None, language: str | None) -> str:
    import justext

    name = STOP_LISTS.get(language or "en")
    options: dict[str, Any] = {"stoplist": justext.get_stoplist(name)} if name else NO_STOP_LIST
    return "\n".join(part.text for part in justext.justext(html, **options) if not part.is_boilerplate)


def _boilerpy3(html: str, url: str | None, language: str | None) -> str | None:
    from boilerpy3.extractors import ArticleExtractor

    # Where its parser fails, it goes on with what was read.
    text: str | None = ArticleExtractor(raise_on_failure=False).get_content(html)
    return text


def _readability(html: str, url: str | None, language: str | None) -> str:
    import readability

    return _plain_text(readability.Document(html, url=url).summary(html_partial=True), main_content=False)


def _newspaper4k(html: str, url: str | None, language: str | None) -> str | None:
    import newspaper

    # It wants some address, and would fetch the page's images.
    article = newspaper.Article(url or "https://example.org/", fetch_images=False)
    article.download(input_html=html)
    article.parse()
    text: str | None = article.text
    return text


def _inscriptis(html: str, url: str | None, language: str | None) -> str:
    from inscriptis import get_text

    return str(get_text(html))


# One line an extractor: its name, the module it needs, and what it makes of (html, url, language).
EXTRACTORS = {
    "trafilatura": Extractor("trafilatura", _trafilatura),
    "trafilatura-recall": Extractor("trafilatura", _trafilatura_recall),
    "resiliparse": Extractor("resiliparse", _resiliparse),
    "justext": Extractor("justext", _justext),
    "boilerpy3": Extractor("boilerpy3", _boilerpy3),
    "readability": Extractor("readability", _readability),
    "newspaper4k": Extractor("newspaper", _newspaper4k),
    "inscriptis": Extractor("inscriptis", _inscriptis),
    "whole-page": Extractor(WHOLE_PAGE_NEEDS, _whole_page),
}
