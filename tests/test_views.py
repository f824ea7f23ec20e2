"""Views of a page keep its lines in order, and what they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.views import SCRIPTS, disguised, thinned

NAMES = ["_han", "_caseless", "_misread_han", "_misread_alphabet"]
PAGE = ["navigation"] * 4 + ["body"] * 3 + ["social"] * 2 + ["body"] + ["legal"] * 5
CONTENT = np.array([label == "body" for label in PAGE])


@pytest.mark.parametrize("script", range(len(SCRIPTS)), ids=NAMES)
@given(
    lines=st.lists(st.text(alphabet=st.characters(exclude_categories=[])), max_size=5), salt=st.integers(0, 9)
)
def test_any_lines_can_be_disguised_and_come_out_the_same_each_time(
    script: int, lines: list[str], salt: int
) -> None:
    once = disguised(lines, script, salt)
    assert len(once) == len(lines)
    assert once == disguised(lines, script, salt)


@pytest.mark.parametrize("script", range(len(SCRIPTS)), ids=NAMES)
def test_a_disguise_hides_every_word_but_no_number(script: int) -> None:
    [hidden] = disguised(["Share this story with 25 friends"], script, 0)
    assert not {"share", "this", "story", "with", "friends"} & set(hidden.lower().split())
    assert "25" in hidden


@pytest.mark.parametrize("script", range(len(SCRIPTS)), ids=NAMES)
def test_the_same_word_is_the_same_in_any_line_and_case(script: int) -> None:
    one, other, salted = (
        disguised([line], script, salt)[0] for line, salt in (("Share", 0), ("SHARE", 0), ("Share", 1))
    )
    assert one == other != salted


@given(st.integers(0, 2**32 - 1))
def test_thinning_keeps_all_content_in_order(seed: int) -> None:
    chosen = thinned(CONTENT, PAGE, np.random.default_rng(seed)).tolist()
    assert chosen == sorted(set(chosen))
    assert set(np.flatnonzero(CONTENT).tolist()) <= set(chosen)


def test_thinning_leaves_out_whole_runs_more_often_than_not() -> None:
    chosen = [thinned(CONTENT, PAGE, np.random.default_rng(seed)) for seed in range(40)]
    assert 0 < np.mean([len(rows) for rows in chosen]) < len(PAGE)
    gone = [i for i in range(len(PAGE)) if not any(i in rows for rows in chosen)]
    assert gone == []


def test_thinning_never_leaves_a_page_empty() -> None:
    nothing = np.zeros(3, dtype=bool)
    for seed in range(40):
        assert len(thinned(nothing, ["legal"] * 3, np.random.default_rng(seed)))
