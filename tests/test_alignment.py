"""Alignment is in order, deaf to typography, and not deceived by chance or repetition."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.alignment import coverage, line_labels, word_tokens
from boilerplate.labels import LABELS

STORY = [
    "The council met on Monday to settle the question of the old mill.",
    "Nobody had asked the miller, who lives abroad and answers no letters.",
    "A second vote is planned for the autumn, when the roof is mended.",
]


def covered(paragraphs: list[str], truth: str) -> list[float]:
    return [round(share, 2) for share in coverage(paragraphs, truth).tolist()]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It\u2019s \ufb01ne", ["it", "s", "fine"]),
        ("Stra\u00dfe ＡＢＣ", ["strasse", "abc"]),
        ("co\u00adoperate zero\u200bwidth", ["cooperate", "zerowidth"]),
        ("你好 world", ["你", "好", "world"]),
        ("カナ ภาษา", ["カ", "ナ", "ภ", "า", "ษ", "า"]),
        ("snake_case 3.5", ["snake", "case", "3", "5"]),
        (" * * ", ["**"]),
        ("", [""]),
    ],
)
def test_words_are_compared_without_case_typography_and_space(text: str, tokens: list[str]) -> None:
    assert word_tokens(text) == tokens


def test_each_paragraph_gets_its_share_of_words() -> None:
    page = ["Home", "Menu", *STORY, "Share this story with your friends"]
    assert covered(page, "\n\n".join(STORY)) == [0, 0, 1, 1, 1, 0]
    assert covered([STORY[0] + " Subscribe now and never miss another vote of council again."], STORY[0]) == [
        0.57
    ]


def test_lines_may_be_split_merged_and_set_otherwise() -> None:
    flowing = " ".join(STORY).upper().replace("’", "'").replace(" ", " \n ")
    assert covered(STORY, flowing) == [1, 1, 1]
    halves = [part for line in STORY for part in (line[:30], line[30:])]
    assert min(covered(halves, " ".join(STORY))) > 0.7
    assert covered([" ".join(STORY)], "\n".join(STORY)) == [1]


def test_a_related_headline_that_repeats_the_title_does_not_steal_its_match() -> None:
    title = "Council settles the old mill question"
    truth = "\n".join([title, *STORY])
    assert covered([title, "Read more", title, *STORY, "Related", title], truth) == [0, 0, 1, 1, 1, 1, 0, 0]
    assert covered([title, *STORY, title, title], truth) == [1, 1, 1, 1, 0, 0]


def test_a_sentence_that_stands_twice_in_the_truth_is_found_twice() -> None:
    refrain = "And the river went on as it always had."
    page = [STORY[0], refrain, STORY[1], refrain, STORY[2], refrain]
    assert covered(page, "\n".join(page[:4])) == [1, 1, 1, 1, 0, 0]


def test_short_lines_count_only_where_the_truth_goes_on_beside_them() -> None:
    recipe = ["Ingredients", "Salt", "Red pepper", "Oil", "Stir all of it in a pan until it smells good."]
    truth = "Ingredients\nSalt\nRed pepper\nOil\nStir all of it in a pan until it smells good."
    assert covered(recipe, truth) == [1, 1, 1, 1, 1]
    nav = ["Mill", "The council", "Monday", "Roof"]  # words of the story, far from it and from one another
    assert covered([*nav, *STORY, *nav], "\n".join(STORY)) == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]


def test_the_words_of_a_language_are_hardly_a_match() -> None:
    other = "It is the end of the day and the people of the town are on the way to the station."
    assert covered([other], "\n".join(STORY))[0] <= 0.1  # "of the"


def test_text_in_another_order_is_found_by_its_long_runs() -> None:
    assert covered(STORY, "\n".join([STORY[2], STORY[0], STORY[1]])) == [1, 1, 1]


def test_scripts_without_spaces_align_by_character() -> None:
    page = ["首页", "议会星期一开会，讨论旧磨坊的问题。", "没有人问过磨坊主，他住在国外。", "分享"]
    assert covered(page, "议会星期一开会,\n讨论旧磨坊的问题。没有人问过磨坊主，他住在国外") == [0, 1, 1, 0]


@pytest.mark.parametrize("page", [[], ["", " "], ["***"]])
def test_nothing_is_covered_by_nothing(page: list[str]) -> None:
    assert coverage(page, "").shape == (len(page),)
    assert covered(page, STORY[0]) == [0] * len(page)


@given(st.lists(st.text("ab 好\n.", max_size=20), max_size=12), st.text("ab 好\n.", max_size=80))
def test_a_share_is_a_share(paragraphs: list[str], truth: str) -> None:
    share = coverage(paragraphs, truth)
    assert share.dtype == np.float32
    assert ((share >= 0) & (share <= 1)).all()
    found = sum(len(word_tokens(p)) * s for p, s in zip(paragraphs, share.tolist(), strict=True))
    assert found <= len(word_tokens(truth)) + 1e-3


words = st.lists(st.integers(0, 400).map(lambda n: f"w{n}"), min_size=5, max_size=20)


@given(st.lists(words, min_size=1, max_size=8))
def test_a_page_covers_itself(lines: list[list[str]]) -> None:
    paragraphs = [" ".join(line) for line in lines]
    assert coverage(paragraphs, "\n".join(paragraphs)).min() == 1


def test_huge_pages_take_little_time() -> None:
    random = np.random.default_rng(0)
    page = [" ".join(f"w{k}" for k in random.zipf(1.3, 40) % 50_000) for _ in range(3_000)]
    begun = time.process_time()
    share = coverage(page, "\n".join(page[1_000:2_000]))
    assert time.process_time() - begun < 20
    assert share[1_000:2_000].min() > 0.9
    assert share[:1_000].mean() < 0.1


def test_lines_take_the_label_most_of_their_words_have() -> None:
    blocks = ["A headline", "By Ann Lee", "One sentence here.", "Another sentence here.", "Share"]
    labels = np.array([1, 3, 0, 0, 8])
    lines = [
        "A headline By Ann Lee",
        "One sentence here. Another sentence here.",
        "- Share",
        "An advertisement",
    ]
    assert line_labels(lines, blocks, labels).tolist() == [3, 0, 8, -1]


def test_the_same_line_takes_the_label_of_its_place() -> None:
    blocks = ["Old mill burns", "It burnt down last night.", "Read on", "Old mill burns"]
    lines = ["Old mill burns", "It burnt down last night.", "Old mill burns"]
    assert line_labels(lines, blocks, np.array([1, 0, 6, 6])).tolist() == [1, 0, 6]


def test_a_line_printed_once_more_or_elsewhere_takes_the_label_of_its_block() -> None:
    blocks = ["Photo: Ann Lee", *STORY, "***"]
    lines = [*STORY, "Photo: Ann Lee", "Photo: Ann Lee", "***", "the question of the old mill"]
    assert line_labels(lines, blocks, np.array([2, 0, 0, 0, 12])).tolist() == [0, 0, 0, 2, 2, 12, 0]


def test_blocks_without_a_label_explain_nothing() -> None:
    assert line_labels(STORY, STORY, np.array([0, -1, 0])).tolist() == [0, -1, 0]
    assert line_labels([], STORY, np.array([0, 0, 0])).tolist() == []
    assert line_labels(STORY, [], np.array([], dtype=np.int64)).tolist() == [-1, -1, -1]


@pytest.mark.slow
def test_residue_of_the_gold_pages_is_aligned_as_well_as_it_was(shared_data: Path) -> None:
    """At least the given table's share of aligned lines, extractor by extractor, and the same labels."""
    gold = {}
    with (shared_data / "gold" / "gold-dev.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            texts = [block["text"] for block in row["blocks"]]
            gold[row["doc"]] = texts, np.array([LABELS.index(block["label"]) for block in row["blocks"]])
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(4))
    for row in pq.read_table(shared_data / "gold" / "residue-dev.parquet").to_pylist():
        given = np.array([-1 if label is None else LABELS.index(label) for label in row["labels"]])
        ours = line_labels(row["lines"], *gold[row["doc"]])
        both = (given >= 0) & (ours >= 0)
        counts[row["extractor"]] += [
            (given >= 0).sum(),
            (ours >= 0).sum(),
            both.sum(),
            (given == ours)[both].sum(),
        ]
    assert len(counts) == 8
    for extractor, (given, ours, both, agreed) in counts.items():
        assert ours >= given, extractor
        assert agreed >= 0.99 * both, extractor
