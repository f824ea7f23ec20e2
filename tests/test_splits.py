"""Splits keep sites whole and near-duplicate pages on one side; planted leaks are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.corpora import WHOLE, LabelledDocument, read_labelled
from boilerplate.labels import LABELS
from boilerplate.segment import segment_text
from boilerplate.splits import described, near_duplicates, site_folds, split_groups

SEEDS = Path(__file__).resolve().parent.parent / "seeds" / "articles"


@pytest.fixture(scope="module")
def documents() -> list[LabelledDocument]:
    return read_labelled([SEEDS])


def page(text: str, name: str, site: str, view: str = WHOLE) -> LabelledDocument:
    document = segment_text(text)
    allowed = np.ones((len(document), len(LABELS)), dtype=bool)
    return LabelledDocument(document, allowed, name, site, view)


def words(low: int, high: int) -> str:
    return " ".join(f"w{k}" for k in range(low, high))


def sides(documents: list[LabelledDocument], folds: int, seed: int) -> dict[str, set[int]]:
    """Name the folds in which the pages of each text stand."""
    found: dict[str, set[int]] = {}
    for one, fold in zip(documents, site_folds(documents, folds, seed).tolist(), strict=True):
        found.setdefault(one.document.text, set()).add(fold)
    return found


def test_no_site_is_on_both_sides_of_a_fold(documents: list[LabelledDocument]) -> None:
    same = [replace(one, site=f"s{n % 7}") for n, one in enumerate(documents)]
    fold = site_folds(same, 3)
    assert len({(one.site, int(k)) for one, k in zip(same, fold, strict=True)}) == 7
    assert set(fold.tolist()) == {0, 1, 2}
    assert site_folds([], 3).tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_a_page_planted_under_another_site_stands_on_its_side(
    documents: list[LabelledDocument], seed: int
) -> None:
    planted = [
        replace(one, page=f"copy/{n}", site=f"mirror{n}.example") for n, one in enumerate(documents[:20])
    ]
    found = sides([*documents, *planted], 5, seed)
    assert all(len(folds) == 1 for folds in found.values())


def test_by_site_alone_the_planted_pages_would_leak(documents: list[LabelledDocument]) -> None:
    """The test above can fail: dealt by site alone, a page and its copy part."""
    planted = [
        replace(one, page=f"copy/{n}", site=f"mirror{n}.example") for n, one in enumerate(documents[:20])
    ]
    blind = [replace(one, document=segment_text("")) for one in [*documents, *planted]]
    blind = [replace(one, allowed=one.allowed[:0]) for one in blind]
    fold = site_folds(blind, 5)
    assert any(fold[n] != fold[len(documents) + n] for n in range(20))


def test_the_frame_of_a_site_neither_hides_nor_makes_a_copy() -> None:
    story, frame, other_frame = words(0, 200), words(1000, 1400), words(2000, 2400)
    boilerplate = [label not in ("body", "heading", "caption") for label in LABELS]

    def framed(frame: str, story: str, name: str) -> LabelledDocument:
        one = page(f"{frame}\n{story}", name, f"{name}.example")
        one.allowed[0] = boilerplate
        return one

    copies = [framed(frame, story, "a"), framed(other_frame, story, "b"), framed(frame, words(300, 500), "c")]
    assert [(a.page, b.page) for a, b in near_duplicates(copies)] == [("a", "b")]
    assert split_groups(copies).tolist() == [0, 0, 1]


@pytest.mark.parametrize(("changed", "one_group"), [(0, True), (10, True), (150, False)])
def test_pages_are_near_duplicates_by_the_share_of_their_shingles(changed: int, one_group: bool) -> None:
    text = words(0, 200)
    other = words(0, 200 - changed) + " " + words(5000, 5000 + changed)
    groups = split_groups([page(text, "a", "a.org"), page(other, "b", "b.org")])
    assert (groups[0] == groups[1]) == one_group


def test_groups_join_through_a_third_site() -> None:
    first, second = words(0, 100), words(500, 600)
    chain = [
        page(first, "1", "a.org"),
        page(first, "2", "b.org"),
        page(second, "3", "b.org"),
        page(second, "4", "c.org"),
        page(words(900, 999), "5", "d.org"),
    ]
    assert split_groups(chain).tolist() == [0, 0, 0, 0, 1]


def test_views_stay_with_their_page_and_the_whole_page_speaks_for_them() -> None:
    text = words(0, 100)
    documents = [
        page(words(0, 9), "1", "a.org", "jusText"),
        page(text, "1", "a.org"),
        page(words(40, 49), "2", "b.org", "readability"),
        page(text, "2", "b.org"),
    ]
    assert split_groups(documents).tolist() == [0, 0, 0, 0]


def test_pages_without_words_are_dealt_too() -> None:
    documents = [page("", str(n), f"{n}.org") for n in range(4)] + [page("***", "5", "5.org")]
    assert sorted(np.bincount(site_folds(documents, 2)).tolist()) == [2, 3]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 30)), min_size=3, max_size=30), st.integers(0, 9))
def test_every_group_stands_in_one_fold_whatever_the_seed(pages: list[tuple[int, int]], seed: int) -> None:
    documents = [page(f"{n}\n" * size, str(n), f"{site}.org") for n, (site, size) in enumerate(pages)]
    fold = site_folds(documents, 3, seed)
    assert len({(one.site, k) for one, k in zip(documents, fold.tolist(), strict=True)}) == len(
        {one.site for one in documents}
    )
    assert fold.tolist() == site_folds(documents, 3, seed).tolist()


def test_another_seed_gives_other_folds_as_even_as_before(documents: list[LabelledDocument]) -> None:
    one, other = site_folds(documents, 5, 0), site_folds(documents, 5, 1)
    assert one.tolist() != other.tolist()
    for fold in (one, other):
        loads = np.bincount(fold, [len(document.document) for document in documents])
        assert loads.max() < 1.2 * loads.min()


def test_a_card_can_say_how_it_was_split() -> None:
    assert described(5, 3) == {
        "by": "site; sites joined where pages share 70% of their 5-word shingles (MinHash)",
        "folds": 5,
        "seed": 3,
    }
