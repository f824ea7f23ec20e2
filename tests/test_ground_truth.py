"""A ground truth leaves of each paragraph's labels what it can speak of, and is seldom wrong."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.alignment import word_tokens
from boilerplate.ground_truth import Truth, allowed_by, share_found
from boilerplate.labels import BOILERPLATE, CONTENT, LABELS, Label
from boilerplate.pages import read_pages

FIRST = "The council met on Monday to settle the question of the old mill, at last."
SECOND = "Nobody had asked the miller, who lives abroad and answers no letters of theirs."
PROSE = "Our paper has told the stories of this valley since the year in which the mill was built."
ALL, NOT_BODY = frozenset(LABELS), frozenset(LABELS) - {Label.BODY}


def possible(truth: Truth, paragraphs: list[str], kind: str | None = "article") -> list[frozenset[Label]]:
    rows = allowed_by(truth, paragraphs, kind)
    return [frozenset(label for label, is_so in zip(LABELS, row, strict=True) if is_so) for row in rows]


def test_what_stands_in_the_truth_is_content_and_the_rest_by_its_place() -> None:
    page = ["Home", FIRST, "Advertisement", SECOND, "Most read"]
    expected = [NOT_BODY, CONTENT, ALL, CONTENT, BOILERPLATE]
    assert possible(Truth(f"{FIRST} {SECOND}"), page) == expected


def test_prose_behind_a_truth_that_seems_cut_short_is_unknown() -> None:
    story = [FIRST, SECOND] * 6  # so much that the other prose is little beside it
    told = Truth(" ".join(story))
    assert possible(told, [*story, PROSE, "Most read"])[-2:] == [NOT_BODY, BOILERPLATE]
    assert possible(told, [*story, PROSE, PROSE + " Always.", "Most read"])[-3:] == [ALL, ALL, BOILERPLATE]
    assert possible(told, [*story, PROSE, PROSE + " Always.", "Most read"], "forum")[-3:] == [ALL, ALL, ALL]


def test_a_truth_that_does_not_stand_on_the_page_says_nothing_of_the_rest() -> None:
    elsewhere = " ".join(f"word{k}" for k in range(99))
    assert possible(Truth(f"{FIRST} {elsewhere}"), ["Home", FIRST, "Most read"]) == [ALL, CONTENT, ALL]
    assert possible(Truth(elsewhere), ["Home", FIRST]) == [ALL, ALL]


def test_half_a_paragraph_is_unknown() -> None:
    assert possible(Truth(f"{FIRST} {SECOND}"), [FIRST, f"{SECOND[:35]} and then a good deal else"])[1] == ALL


def test_lists_of_teasers_are_content_of_pages_that_are_no_article() -> None:
    wide = CONTENT | {Label.BYLINE, Label.STORY_LINK, Label.PROMOTION}
    assert possible(Truth(FIRST), [FIRST], "listing") == [wide]
    assert possible(Truth(FIRST), [FIRST], None) == [CONTENT]


def test_a_snippet_speaks_of_the_one_paragraph_that_holds_it() -> None:
    page = ["Imprint", FIRST, SECOND, f"{SECOND} Again."]
    truth = Truth(present=("question of the OLD mill", "answers no letters"), absent=("imprint",))
    assert possible(truth, page) == [NOT_BODY, CONTENT, ALL, ALL]


def test_a_snippet_that_must_be_absent_speaks_of_paragraphs_that_are_mostly_it() -> None:
    page = ["Share", "Share this", FIRST.replace("council", "share"), SECOND]
    assert possible(Truth(absent=("Share",)), page) == [NOT_BODY, NOT_BODY, ALL, ALL]
    assert possible(Truth(absent=("since the year in which",)), [FIRST, PROSE]) == [ALL, NOT_BODY]


def test_snippets_that_contradict_leave_what_was_known() -> None:
    both = Truth(present=("the question of",), absent=("question of the old mill",))
    assert possible(both, [FIRST]) == [frozenset({Label.HEADING, Label.CAPTION})]


def test_the_title_is_the_headline_where_it_stands_once() -> None:
    truth = Truth(FIRST, title="An Old Mill")
    assert possible(truth, ["An old mill", FIRST, "Most read"])[0] == {Label.HEADING}
    assert possible(truth, ["An old mill", FIRST, "An old mill"])[0] == NOT_BODY
    assert possible(truth, [FIRST, "An old mill"])[1] == BOILERPLATE
    assert possible(Truth(title="An old mill"), ["An old mill", FIRST])[0] == ALL


def test_the_author_between_title_and_story_is_the_byline() -> None:
    truth = Truth(FIRST, title="An old mill", author="Ann Lee")
    page = ["Ann Lee", "An old mill", "Home", "By ANN LEE, Monday", FIRST, "Ann Lee"]
    assert possible(truth, page) == [
        NOT_BODY,
        {Label.HEADING},
        NOT_BODY,
        {Label.BYLINE},
        CONTENT,
        BOILERPLATE,
    ]


def test_without_a_truth_or_a_page_nothing_is_known() -> None:
    assert possible(Truth(), [FIRST, "Home"]) == [ALL, ALL]
    assert allowed_by(Truth(FIRST), []).shape == (0, 13)
    assert share_found(np.ones(2, dtype=np.float32), np.array([1, 2]), "one two three") == 1


texts = st.lists(
    st.sampled_from([FIRST, SECOND, PROSE, "Home", "Share", "An old mill", "Ann Lee"]), max_size=9
)


@given(texts, texts, st.lists(st.sampled_from(["mill", "Share", FIRST[:20]]), max_size=2), st.booleans())
def test_something_is_always_possible(
    page: list[str], told: list[str], snippets: list[str], forum: bool
) -> None:
    truth = Truth(" ".join(told) or None, tuple(snippets), tuple(snippets), "An old mill", "Ann Lee")
    allowed = allowed_by(truth, page, "forum" if forum else "article")
    assert allowed.shape == (len(page), len(LABELS))
    assert allowed.any(axis=1).all()


@pytest.mark.slow
def test_truths_are_seldom_wrong_about_pages_labelled_by_reading(shared_data: Path) -> None:
    """Words whose label by reading was ruled out: below 2 % in every corpus; heads right in 95 %."""
    table = pq.read_table(
        shared_data / "gold" / "residue-dev.parquet", filters=[("extractor", "=", "whole-page")]
    )
    read = {row["doc"]: row for row in table.to_pylist()}
    words: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
    heads: dict[Label, list[bool]] = {Label.HEADING: [], Label.BYLINE: []}
    for file in sorted((shared_data / "data").glob("*.parquet")):
        for page in read_pages(file):
            if page.doc not in read:
                continue
            lines = read[page.doc]["lines"]
            labels = np.array([-1 if x is None else LABELS.index(x) for x in read[page.doc]["labels"]])
            truth = Truth(page.main_content, page.with_, page.without, page.title, page.author)
            allowed = allowed_by(truth, lines, page.kind)
            size = np.array([len(word_tokens(line)) for line in lines]) * (labels >= 0)
            right = allowed[np.arange(len(labels)), labels]
            known = ~allowed.all(axis=1)
            words[page.doc.split("/")[0]] += [size.sum(), size[known].sum(), size[~right].sum()]
            for label, found in heads.items():
                rows = (labels >= 0) & (allowed.sum(axis=1) == 1) & allowed[:, LABELS.index(label)]
                found += (labels[rows] == LABELS.index(label)).tolist()
    for corpus, (every, known, wrong) in words.items():
        assert wrong <= 0.02 * every, corpus
        assert known >= (0.1 if corpus == "trafilatura-eval" else 0.4) * every, corpus
    for label, found in heads.items():
        assert len(found) > 200
        assert np.mean(found) >= 0.95, label
