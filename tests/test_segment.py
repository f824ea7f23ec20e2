"""Text to paragraphs: lossless, whatever the text, and hard-wrapped only on evidence."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.document import Document
from boilerplate.segment import is_hard_wrapped, segment_text, segment_texts

BREAKS = ["\n", "\r\n", "\r", "\v", "\f", "\u2028", "\u2029"]
WRAP = 72
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=[]))
LINES = st.text(
    alphabet=st.sampled_from(
        [*"ab.é中\ud800\0", " ", "\t", "\u00a0", "\u200b", "\u3000", *"\n\r\v\f\u2028\u2029"]
    )
)
WORD = st.text(alphabet="abcdefghijklmnop", min_size=3, max_size=12)

SENTENCES = (
    "The council met on Monday to settle the question of the old mill, which stood empty for nine years. ",
    "It will be opened again in the spring, said the mayor, who came by bicycle and left by the back door. ",
    "Nobody in the room could remember when the great wheel had last turned, though many said they did. ",
)
STORY = "".join(SENTENCES) * 2


def texts_of(text: str) -> list[str]:
    return [p.text for p in segment_text(text).paragraphs]


def check(document: Document, text: str) -> None:
    """Hold the laws of a document: its text, order, disjointness, and only white space between."""
    assert document.text is text
    at = 0
    for p in document.paragraphs:
        assert at <= p.start < p.end
        assert not text[at : p.start].strip()
        assert text[p.start : p.end] == p.text == p.text.strip()
        assert p.text
        at = p.end
    assert not text[at:].strip()


def wrapped(blocks: list[str], width: int = WRAP) -> str:
    """Wrap blocks as mail is, with a blank line between them."""
    return "\n\n".join(textwrap.fill(block, width, break_on_hyphens=False) for block in blocks)


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("", []),
        (" \t\u00a0\u3000\x85", []),
        ("\n\r\n\r\u2028\u2029\v\f", []),
        ("a", ["a"]),
        ("\n\n a \n\n", ["a"]),
        ("a\n\n\n\nb", ["a", "b"]),
        ("a\tb\n\tc\t", ["a\tb", "c"]),
        ("\u00a0a\u00a0b\u00a0", ["a\u00a0b"]),
        ("a \n \u00a0 \n b", ["a", "b"]),
        ("\u200ba\u200b\nb", ["\u200ba\u200b", "b"]),
        ("\ufeffa\nb", ["\ufeffa", "b"]),
        ("a\n\u200b\nb", ["a", "\u200b", "b"]),
        ("a\0b\n\0\nc", ["a\0b", "\0", "c"]),
        ("\ud800a\n\udc00\nb\ud83d", ["\ud800a", "\udc00", "b\ud83d"]),
        ("\ud83d\ude00\n😀", ["\ud83d\ude00", "😀"]),
        ("a\x85b", ["a\x85b"]),
        ("a\x1cb\x1d\n\x1ec", ["a\x1cb", "c"]),
        ("第一行。\n第二行。", ["第一行。", "第二行。"]),
        ("السطر الأول\nالثاني", ["السطر الأول", "الثاني"]),
        ("a\r\rb\n\rc", ["a", "b", "c"]),
    ],
)
def test_a_text_falls_into_its_lines_without_their_outer_white_space(
    text: str, paragraphs: list[str]
) -> None:
    assert texts_of(text) == paragraphs
    check(segment_text(text), text)


@pytest.mark.parametrize("line_break", BREAKS)
def test_every_kind_of_line_break_ends_a_paragraph(line_break: str) -> None:
    text = line_break.join(["one", "two", "", "three"])
    assert texts_of(text) == ["one", "two", "three"]


@given(ANY_TEXT | LINES)
def test_only_white_space_lies_between_paragraphs_which_are_ordered_and_disjoint(text: str) -> None:
    check(segment_text(text), text)


@given(st.lists(ANY_TEXT | LINES | st.just(wrapped([STORY, STORY])), max_size=6))
def test_many_texts_at_once_are_the_same_documents_as_one_by_one(texts: list[str]) -> None:
    for together, text in zip(segment_texts(texts), texts, strict=True):
        alone = segment_text(text)
        assert together.text is text
        assert together.starts.tolist() == alone.starts.tolist()
        assert together.ends.tolist() == alone.ends.tolist()


@given(LINES, st.text(alphabet=" \t\u00a0\n\r\u2028"), st.text(alphabet=" \t\u00a0\n\r\u2028"))
def test_white_space_around_a_text_changes_no_paragraph(text: str, before: str, after: str) -> None:
    assert texts_of(before + text + after) == texts_of(text)


@given(LINES)
def test_a_paragraph_cut_again_is_itself(text: str) -> None:
    for paragraph in texts_of(text):
        assert texts_of(paragraph) == [paragraph]


# hard-wrapped text


@pytest.mark.parametrize("width", [50, 60, WRAP, 78, 100])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_hard_wrapped_paragraphs_are_joined_up_to_the_blank_line(width: int, line_break: str) -> None:
    text = wrapped([STORY, SENTENCES[0], STORY], width).replace("\n", line_break)
    assert is_hard_wrapped(text)
    assert [" ".join(p.split()) for p in texts_of(text)] == [
        STORY.strip(),
        SENTENCES[0].strip(),
        STORY.strip(),
    ]
    check(segment_text(text), text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("one paragraph a line", "\n".join(SENTENCES)),
        ("one paragraph a line, blank lines between", "\n\n".join(SENTENCES)),
        ("a line wider than any wrap", textwrap.fill(STORY, 140)),
        ("lines narrower than any wrap", textwrap.fill(STORY, 30)),
        ("a menu", "Home\nNews\nSport\nWeather and traffic in the whole of the region today\nContact"),
        (
            "headlines of one length",
            "\n".join(f"Mayor opens the {n} bridge again after long repairs" for n in "abcdef"),
        ),
        (
            "a poem",
            "Whan that Aprille with his shoures soote,\nThe droghte of March hath perced to the roote,\n" * 6,
        ),
        ("a wrapped text with one long line in it", textwrap.fill(STORY, WRAP) + "\n\n" + STORY),
        ("nothing", ""),
        ("two full lines", textwrap.fill(SENTENCES[0], WRAP)),
    ],
)
def test_without_evidence_a_text_is_not_judged_hard_wrapped(name: str, text: str) -> None:
    assert not is_hard_wrapped(text), name
    assert texts_of(text) == [line.strip() for line in text.splitlines() if line.strip()]


def test_hard_wrapped_chinese_is_joined_too() -> None:
    sentence = "市议会星期一开会讨论旧磨坊的未来，这座磨坊已经空置了九年，大家都记得它转动的声音，"
    text = wrapped([sentence * 4, sentence * 3], 40)
    assert is_hard_wrapped(text)
    assert len(texts_of(text)) == 2


@given(st.lists(st.lists(WORD, min_size=60, max_size=90).map(" ".join), min_size=1, max_size=4))
def test_any_long_paragraphs_wrapped_greedily_are_judged_hard_wrapped(blocks: list[str]) -> None:
    text = wrapped(blocks)
    assert is_hard_wrapped(text)
    assert [" ".join(p.split()) for p in texts_of(text)] == blocks


@given(st.lists(st.lists(WORD, min_size=30, max_size=60).map(" ".join), min_size=2, max_size=6))
def test_the_same_paragraphs_a_line_each_are_not(blocks: list[str]) -> None:
    lines = [f"{block}." for block in blocks]
    assert texts_of("\n".join(lines)) == lines


def gold_texts(data: Path) -> Iterator[list[str]]:
    with (data / "gold" / "gold-dev.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield [block["text"] for block in json.loads(line)["blocks"]]


def residue_texts(data: Path) -> Iterator[list[str]]:
    yield from pq.read_table(data / "gold" / "residue-dev.parquet", columns=["lines"])["lines"].to_pylist()


@pytest.mark.parametrize("corpus", [gold_texts, pytest.param(residue_texts, marks=pytest.mark.slow)])
def test_no_scraped_page_is_judged_hard_wrapped_and_nearly_all_are_once_wrapped(
    corpus: Callable[[Path], Iterator[list[str]]], shared_data: Path
) -> None:
    found, found_wrapped, pages = 0, 0, 0
    for blocks in corpus(shared_data):
        pages += 1
        found += is_hard_wrapped("\n".join(blocks))
        found_wrapped += is_hard_wrapped(wrapped(blocks))
    assert pages > 1000
    assert found == 0
    assert found_wrapped >= 0.95 * pages


# sizes


def test_a_line_of_fifty_megabytes_is_one_paragraph() -> None:
    text = "word " * 10_000_000
    document = segment_text(text)
    assert (document.starts.tolist(), document.ends.tolist()) == ([0], [len(text) - 1])


def test_a_million_lines_of_one_character_are_a_million_paragraphs() -> None:
    document = segment_text("a\n" * 1_000_000)
    assert len(document) == 1_000_000
    assert set((document.ends - document.starts).tolist()) == {1}
