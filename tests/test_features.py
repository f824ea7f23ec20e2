"""Features of a batch are those of its documents, whatever the text."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boilerplate.columns import CONVENTIONS, WORD_BITS
from boilerplate.features import FEATURES, Features, count_words, feature_names, featurize
from boilerplate.fitting import join_features
from boilerplate.segment import segment_text

TEXTS = st.text(alphabet=st.characters(exclude_categories=[])) | st.lists(
    st.sampled_from(
        [
            "Home | News | Sport",
            "The council met on Monday, and it met again on Tuesday; nobody came to any of its meetings, "
            "so it went on meeting.",
            "市议会星期一开会讨论旧磨坊的未来。",
            "© 2024",
            "\ud800",
            "…",
            "\u0301",
            "Home",
            "\u200b",
        ]
    )
).map("\n".join)
BATCHES = st.lists(st.tuples(TEXTS, st.sampled_from(CONVENTIONS)), max_size=6)


def features_of(batch: list[tuple[str, str]]) -> Features:
    return featurize([segment_text(text) for text, _ in batch], [convention for _, convention in batch])


def assert_same(one: Features, other: Features) -> None:
    """Hold two batches equal to the bit."""
    for name in ("dense", "words", "offsets", "lengths", "sizes"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a.dtype, a.shape) == (b.dtype, b.shape), name
        assert a.tobytes() == b.tobytes(), name


def columns_of(text: str) -> dict[str, list[float]]:
    features = featurize([segment_text(text)])
    return dict(zip(feature_names(), features.dense.T.tolist(), strict=True))


@given(BATCHES, st.integers(0, 6))
def test_a_batch_is_the_sum_of_its_parts(batch: list[tuple[str, str]], cut: int) -> None:
    whole = features_of(batch)
    assert_same(whole, join_features([features_of(batch[:cut]), features_of(batch[cut:])]))
    if batch:
        assert_same(whole, join_features([features_of([one]) for one in batch]))


@given(BATCHES)
def test_every_value_is_a_number_and_every_word_an_id(batch: list[tuple[str, str]]) -> None:
    features = features_of(batch)
    assert features.dense.dtype == np.float32
    assert np.isfinite(features.dense).all()
    assert features.dense.shape == (len(features), len(feature_names()))
    assert (features.words < 1 << WORD_BITS).all()
    assert features.offsets[-1] == len(features.words)
    assert (np.diff(features.offsets) >= 5).all()
    assert int(features.lengths.sum()) == len(features) == len(features.groups)
    assert (features.sizes >= 0).all()


def test_names_match_columns_and_are_all_different() -> None:
    assert feature_names() == tuple(FEATURES)
    assert len(set(feature_names())) == len(feature_names())


PROSE = "The council met on Monday and " * 5 + "went home."


@given(TEXTS, TEXTS, TEXTS)
@example(PROSE, "Home\nNews", PROSE)
@example("Home\nNews", f"Home\nNews\n{PROSE}", "Home\nNews")
def test_context_never_crosses_a_border(before: str, text: str, after: str) -> None:
    batch = features_of([(before, "article"), (text, "article"), (after, "page")])
    low = int(batch.lengths[0])
    own = slice(low, low + int(batch.lengths[1]))
    assert batch.dense[own].tobytes() == features_of([(text, "article")]).dense.tobytes()


def test_no_documents_and_empty_documents_have_no_rows() -> None:
    assert len(featurize([])) == 0
    features = featurize([segment_text(""), segment_text("a"), segment_text("\n")])
    assert features.lengths.tolist() == [0, 1, 0]
    assert features.groups.tolist() == [1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Two words", 2),
        ("one", 1),
        ("1,234.5 km", 4),
        ("don't", 2),
        ("well-known e-mail", 4),
        ("COVID19 in 2020", 3),
        ("—…!?", 0),
        ("| → ★ ©", 0),
        ("😀 hello 😀", 1),
        ("café naïve", 2),
        ("cafe\u0301 nai\u0308ve", 2),
        ("你好世界", 4),
        ("第3章", 3),
        ("東京タワー", 5),
        ("カフェとcoffee", 5),
        ("สวัสดี", 4),
        ("မြန်မာ", 3),
        ("សួស្តី", 3),
        ("안녕하세요 세계", 2),
        ("مرحبا بالعالم", 2),
        ("नमस्ते दुनिया", 2),
        ("Привет, мир!", 2),
        ("Γειά σου Κόσμε", 3),
        ("שלום עולם", 2),
        ("\u200b", 0),
        ("\ud800", 0),
        ("a_b", 2),
        ("x²", 1),
    ],
)
def test_words_are_runs_of_letters_and_digits_or_single_signs_of_scripts_without_spaces(
    line: str, words: int
) -> None:
    assert count_words([segment_text(line)]).tolist() == [words]


@pytest.mark.parametrize(("line", "words"), [("วันที่5", 4), ("ดีOK", 2), ("❤\ufe0fThanks", 1)])
def test_a_letter_behind_a_sign_and_its_mark_begins_a_word(line: str, words: int) -> None:
    assert count_words([segment_text(line)]).tolist() == [words]


@given(st.lists(TEXTS, max_size=4))
def test_counted_words_are_the_sizes_of_the_features(texts: list[str]) -> None:
    documents = [segment_text(text) for text in texts]
    assert count_words(documents).tolist() == featurize(documents).sizes.tolist()


@given(st.lists(st.sampled_from(["abc", "Ab1", "9", "é", ",", ".", "-", "(x)", "|"]), max_size=30))
def test_in_an_alphabet_words_are_what_a_regular_expression_finds(parts: list[str]) -> None:
    line = " ".join(["x", *parts])
    assert count_words([segment_text(line)]).tolist() == [len(re.findall(r"[^\W_]+", line))]


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("Hello\nhello", "begins_upper", [1, 0]),
        ("Hello.\nHello\n“Hello.”", "ends_stop", [1, 0, 1]),
        ("a, b\nab", "commas", [0.25, 0]),
        ("12 ab", "digits", [0.4]),
        ("a\nb\nc", "place", [0, 0.5, 1]),
        ("…\na", "no_word", [1, 0]),
        ("ab cdef", "word_length", [3]),
        ("AB cd", "upper", [0.5]),
        ("1999 and 20", "years", [float(np.log1p(np.float32(1)))]),
        ("Share\nShare\nOther", "repeated", [float(np.log1p(np.float32(1)))] * 2 + [0]),
        ("garden\ngarden tools\nat", "on_topic", [1, 0.5, -1]),
        ("Home | News", "capitalised", [1]),
    ],
)
def test_columns_hold_what_their_names_say(text: str, name: str, values: list[float]) -> None:
    assert columns_of(text)[name] == pytest.approx(values)


def test_distance_to_prose_is_counted_within_the_document() -> None:
    found = columns_of(f"Menu\n{PROSE}\nShare\nPrint")
    near, next_but_one, far = (float(np.log1p(np.float32(n))) for n in (1, 2, 64))
    assert found["since_prose"] == pytest.approx([far, 0, near, next_but_one])
    assert found["until_prose"] == pytest.approx([near, 0, far, far])


def test_the_convention_is_seen_by_each_document_alone() -> None:
    features = features_of([("a\nb", "page"), ("c", "article")])
    assert features.dense[:, feature_names().index("page_convention")].tolist() == [1, 1, 0]


def test_case_and_digits_do_not_change_a_words_id() -> None:
    ids = [featurize([segment_text(line)]).words[:3].tolist() for line in ("July 14", "july 14", "JULY 25")]
    assert ids[0] == ids[1] == ids[2]
    assert ids[0] != featurize([segment_text("June 14")]).words[:3].tolist()


def test_the_order_of_words_changes_the_ids_of_pairs_only() -> None:
    one, other = (
        featurize([segment_text(line)]).words for line in ("read more stories", "stories read more")
    )
    assert set(one[0:9:3].tolist()) == set(other[0:9:3].tolist())
    assert set(one[1:9:3].tolist()) != set(other[1:9:3].tolist())
