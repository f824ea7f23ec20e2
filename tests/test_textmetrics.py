"""Texts against truth, by hand: what each benchmark counts, and how it sums up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.corpora import Truth
from boilerplate.textmetrics import (
    Counts,
    shingle_counts,
    snippet_counts,
    text_figures,
    text_words,
    word_counts,
)

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "Case", "case", "7", "雨", "\n"]), max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, 2 me!", ["Don", "t", "stop", "2", "me"]),
        ("北京 2024年", ["北", "京", "2024", "年"]),
        ("カタカナ・ひら", ["カ", "タ", "カ", "ナ", "ひ", "ら"]),
        ("ฝนตก", ["ฝ", "น", "ต", "ก"]),
        ("iPhone手机", ["iPhone", "手", "机"]),
        (" — … ", []),
    ],
)
def test_a_word_is_a_run_of_letters_or_one_character_of_a_script_without_spaces(
    text: str, words: list[str]
) -> None:
    assert text_words(text) == words


@pytest.mark.parametrize(
    ("predicted", "reference", "counts"),
    [
        ("a a b", "a b b c", (2, 1, 2)),
        ("Case", "case", (1, 0, 0)),
        ("", "a b", (0, 0, 2)),
        ("a b", "", (0, 2, 0)),
        ("b a", "a b", (2, 0, 0)),
    ],
)
def test_words_are_a_bag_in_lower_case(predicted: str, reference: str, counts: tuple[int, int, int]) -> None:
    assert word_counts(predicted, reference) == counts


@pytest.mark.parametrize(
    ("predicted", "reference", "counts"),
    [
        ("a b c d e", "a b c d", (1, 1, 0)),
        ("a b c d a b c d", "a b c d", (1, 4, 0)),
        ("a b", "a b", (1, 0, 0)),
        ("a b", "a b c", (0, 1, 1)),
        ("A b c d", "a b c d", (0, 1, 1)),
        ("", "a b c d", (0, 0, 1)),
        ("雨雨雨雨", "雨雨雨雨", (1, 0, 0)),
    ],
)
def test_shingles_are_runs_of_four_in_their_case(
    predicted: str, reference: str, counts: tuple[int, int, int]
) -> None:
    assert shingle_counts(predicted, reference) == counts


def test_snippets_are_found_whatever_white_space_stands_in_them() -> None:
    assert snippet_counts("One\n two. Share", ["One two.", "three"], ["Share", "Follow us"]) == (1, 1, 1)
    assert snippet_counts("", ["a"], ["b"]) == (0, 0, 1)


def test_precision_recall_and_f1_of_counts() -> None:
    counts = Counts(right=6, wrong=2, missed=6)
    assert (counts.precision, counts.recall, counts.f1) == pytest.approx((0.75, 0.5, 0.6))
    assert (Counts(0, 0, 0).precision, Counts(0, 0, 0).recall, Counts(0, 0, 0).f1) == (0, 0, 0)


PAGES = ["a b c d x", "a b", ""]
TRUTHS = [
    Truth("a b c d", ("a b",), ("x",)),
    Truth("a b c d", ("a b", "c"), ("q",)),
    Truth("", (), ()),
]


def values(pages: list[str], truths: list[Truth]) -> dict[str, float]:
    figures = text_figures(pages, truths, [str(i) for i in range(len(pages))])
    return {name: estimate.value for name, estimate in figures.items()}


def test_word_f1_is_the_mean_of_the_pages_and_a_rightly_empty_page_is_right() -> None:
    found = values(PAGES, TRUTHS)
    assert found["word precision"] == pytest.approx((4 / 5 + 1 + 1) / 3)
    assert found["word recall"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert found["word F1"] == pytest.approx((8 / 9 + 2 / 3 + 1) / 3)


def test_shingle_f1_is_of_the_means_over_the_pages_that_have_them() -> None:
    found = values(PAGES, TRUTHS)
    # page 1: one of two found is right, none missed; page 2: its one run is wrong; page 3 has neither
    assert found["shingle precision"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["shingle recall"] == pytest.approx((1 + 0) / 2)
    assert found["shingle F1"] == pytest.approx(2 * 0.25 * 0.5 / 0.75)


def test_snippets_are_pooled_over_pages() -> None:
    found = values(PAGES, TRUTHS)
    assert found["snippet precision"] == pytest.approx(2 / 3)
    assert found["snippet recall"] == pytest.approx(2 / 3)
    assert found["snippet F1"] == pytest.approx(2 / 3)


def test_a_measure_without_truth_is_left_out() -> None:
    only_snippets = values(["a b"], [Truth(None, ("a",), ("b",))])
    assert list(only_snippets) == ["snippet precision", "snippet recall", "snippet F1"]
    assert only_snippets["snippet F1"] == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert list(values(["a b"], [Truth("a", (), ())])) == [
        f"{measure} {figure}" for measure in ("word", "shingle") for figure in ("precision", "recall", "F1")
    ]
    assert text_figures([], [], []) == {}


def test_the_interval_is_over_sites() -> None:
    good, bad = Truth("a", (), ()), Truth("b", (), ())
    one_site = text_figures(["a", "a"], [good, bad], ["x", "x"])["word F1"]
    two_sites = text_figures(["a", "a"], [good, bad], ["x", "y"])["word F1"]
    assert one_site.as_list() == [0.5, 0.5, 0.5]
    assert two_sites.as_list() == [0.5, 0.0, 1.0]


@given(TEXTS, TEXTS)
def test_exchanging_texts_exchanges_wrong_and_missed(a: str, b: str) -> None:
    for compare in (word_counts, shingle_counts):
        there, back = compare(a, b), compare(b, a)
        assert (there.right, there.wrong, there.missed) == (back.right, back.missed, back.wrong)


@given(TEXTS)
def test_a_text_is_itself(text: str) -> None:
    for compare in (word_counts, shingle_counts):
        counts = compare(text, text)
        assert counts.wrong == counts.missed == 0
    assert values([text], [Truth(text, (), ())])["word F1"] == 1.0
