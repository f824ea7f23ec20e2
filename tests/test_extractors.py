"""Extractors: every one on real pages, and what a page's bytes, language and missing libraries do."""

from __future__ import annotations

import socket
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boilerplate.document import DataError
from boilerplate.extractors import (
    EXTRACTORS,
    STOP_LISTS,
    Extractor,
    decoded,
    page_language,
    whole_page,
)

PAGES = Path(__file__).resolve().parent / "pages"
FERRY, MILL, TEAHOUSE = (
    (PAGES / name).read_bytes() for name in ("ferry.html", "muehle.html", "chaguan.html")
)
HERE = [name for name, extractor in EXTRACTORS.items() if find_spec(extractor.module)]


@pytest.mark.parametrize("name", EXTRACTORS)
def test_an_extractor_gives_the_story_in_order(name: str) -> None:
    pytest.importorskip(EXTRACTORS[name].module, reason=f"{name} comes with the extra peers")
    text = EXTRACTORS[name](FERRY, "https://courier.example.org/news/ferry", "en")
    places = [text.find(part) for part in ("eleven sheep", "painted it yellow", "insurance", "the autumn")]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["trafilatura", "justext", "boilerpy3"])
def test_what_surrounds_the_story_goes(name: str) -> None:
    text = EXTRACTORS[name](FERRY)
    assert "All rights reserved" not in text
    assert "Sport" not in text


def test_the_whole_page_is_all_that_can_be_seen_and_noscript_block_by_block() -> None:
    lines = [line.strip() for line in whole_page(FERRY).splitlines() if line.strip()]
    assert lines[:4] == ["• Home", "• News", "• Sport", "Ferry returns to the island after nine years"]
    assert lines[-2:] == [
        "© 2024 Island Courier. All rights reserved.",
        "Please switch on scripts to see the weather.",
    ]
    assert len(lines) == 15


@pytest.mark.parametrize("name", HERE)
def test_nothing_is_fetched(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **more: asked.append(address) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: asked.append(address))
    picture = b'<article><img src="https://courier.example.org/goats.jpg" width="900" height="600">'
    EXTRACTORS[name](FERRY.replace(b"<article>", picture), "https://courier.example.org/news/ferry", "en")
    assert asked == []


@pytest.mark.parametrize("name", HERE)
def test_umlauts_survive_a_page_in_an_old_encoding(name: str) -> None:
    assert "Zähne aus Eichenholz" in EXTRACTORS[name](MILL, language="de")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (b'<meta charset="koi8-r"><p>\xcd\xc9\xd2', "мир"),
        (b'<meta charset="iso-8859-1"><p>\x93So.\x94', "“So.”"),  # browsers read Windows-1252 there
        (b"\xef\xbb\xbf<p>caf\xc3\xa9", "<p>café"),
        ("<p>Ein größeres Gerät für die Bäckerei, sagte er, müßte doch möglich sein.".encode(), "größeres"),
        (b"<p>a\0\x08b\x0cc", "ab c"),
        (b"", ""),
    ],
)
def test_bytes_are_decoded_as_browsers_do(html: bytes, text: str) -> None:
    assert text in decoded(html)
    assert "\0" not in decoded(html)


def test_a_page_speaks_the_language_of_its_text_whatever_it_declares() -> None:
    assert page_language(FERRY) == "en"
    assert page_language(MILL.replace(b'lang="de"', b'lang="en-US"')) == "de"
    assert page_language(TEAHOUSE) == "zh"
    assert page_language(b'<html lang="sv-SE"><p>1 2 3') == "sv"
    assert page_language(b"<p>1 2 3") is None
    assert page_language(b"") is None


def test_justext_needs_the_stop_list_of_the_page() -> None:
    justext = EXTRACTORS["justext"]
    assert "Pflaumenkuchen" in justext(MILL, language="de")
    assert justext(MILL, language="fi") == ""
    assert "Pflaumenkuchen" not in justext(MILL)  # not known: taken for English


def test_justext_judges_a_language_without_a_stop_list_by_length_alone() -> None:
    assert "老茶馆星期六重新开门" in EXTRACTORS["justext"](TEAHOUSE, language="zh")


def test_every_stop_list_is_one_of_justext() -> None:
    import justext

    assert set(STOP_LISTS.values()) <= set(justext.get_stoplists())


@pytest.mark.parametrize("name", HERE)
def test_a_page_without_text_gives_nothing(name: str) -> None:
    for html in (b"", b" ", b"<!-- -->", b"<html></html>", b"<script>let a = 1</script>"):
        assert EXTRACTORS[name](html).strip() == ""


@pytest.mark.parametrize("name", HERE)
@settings(max_examples=15)
@given(html=st.binary(max_size=200))
def test_no_bytes_make_an_extractor_fail(name: str, html: bytes) -> None:
    assert isinstance(EXTRACTORS[name](html), str)


def test_a_library_that_fails_gives_nothing_and_run_says_why() -> None:
    import lxml.etree

    assert EXTRACTORS["justext"](b"<!-- -->") == ""
    with pytest.raises(lxml.etree.ParserError, match="empty"):
        EXTRACTORS["justext"].run(b"<!-- -->")


def test_a_library_that_is_not_installed_is_named_with_the_way_out() -> None:
    absent = Extractor("no_such_library", lambda *page: import_module("no_such_library"))  # type: ignore[return-value]
    with pytest.raises(
        DataError, match=r"no_such_library is not installed; pip install 'boilerplate-cl.*peers"
    ):
        absent(b"<p>So.")


def test_a_library_that_misses_a_part_of_its_own_is_installed() -> None:
    partial = Extractor("trafilatura", lambda *page: import_module("no_such_part"))  # type: ignore[return-value]
    assert partial(b"<p>So.") == ""
    with pytest.raises(ModuleNotFoundError, match="no_such_part"):
        partial.run(b"<p>So.")
