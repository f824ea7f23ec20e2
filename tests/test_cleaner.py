"""The names users rely on, and answers that no batch, order, thread or process changes."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import boilerplate
from boilerplate import Cleaned, Cleaner, FormatError, ModelError, Policy, Record
from boilerplate.cleaner import BATCH_DOCUMENTS
from boilerplate.corpora import read_labelled
from boilerplate.labels import CONTENT, LABELS, POLICIES

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
STORY = (SEEDS / "000_855a69fbbe596df4.txt").read_text(encoding="utf-8")
ODD = [
    "",
    "\n \n",
    "a",
    "\ud800",
    "1 min read",
    "\0",
    "Home\r\nNews\r\nSport",
    "😀\u2028b",
    "市议会星期一开会。\n分享",
]
POLICY_NAMES = sorted(POLICIES)


def seeds() -> list[str]:
    return [
        one.document.text for one in read_labelled([SEEDS / "articles", SEEDS / "heldout"], held_out=True)
    ]


TEXTS = [*seeds(), *ODD, STORY]


def bits(answer: Cleaned) -> tuple[object, ...]:
    """Everything an answer says, to the bit."""
    arrays = (answer.probabilities, answer.keep_probability, answer.keep)
    return (
        answer.document.text,
        tuple(answer.spans),
        answer.doubtful,
        *(array.tobytes() for array in arrays),
    )


def all_bits(cleaner: Cleaner, texts: list[str]) -> list[tuple[object, ...]]:
    return [bits(answer) for answer in cleaner.clean_many(texts)]


@pytest.fixture(scope="module")
def alone(cleaner: Cleaner) -> list[tuple[object, ...]]:
    """The answers, each text cleaned by itself."""
    return [bits(cleaner.clean(text)) for text in TEXTS]


# the contract of names


def test_an_answer_has_the_names_of_the_contract(cleaner: Cleaner) -> None:
    answer = cleaner.clean(STORY)
    assert answer.document.text == STORY
    assert isinstance(answer.text, str)
    assert isinstance(answer.doubtful, bool)
    paragraph = answer.paragraphs[0]
    assert STORY[paragraph.start : paragraph.end] == paragraph.text
    assert paragraph.label in LABELS
    assert paragraph.score == max(paragraph.probabilities.values())
    assert list(paragraph.probabilities) == list(LABELS)
    assert sum(paragraph.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert paragraph.keep_probability == pytest.approx(
        sum(paragraph.probabilities[label] for label in CONTENT), abs=1e-6
    )
    assert paragraph.keep == (paragraph.keep_probability >= cleaner.threshold)
    assert [p for p in answer.paragraphs if not p.keep] == answer.removed
    assert answer.text == STORY[slice(*answer.spans[0])] + "".join(
        STORY[max(p.end for p in answer.paragraphs if p.end <= start) : end]
        for start, end in answer.spans[1:]
    )


def test_a_small_model_keeps_most_of_a_story_and_removes_most_around_it(cleaner: Cleaner) -> None:
    answer = cleaner.clean(STORY)
    assert "A senior military official estimated on Sunday" in answer.text
    assert "Previous Story" not in answer.text


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_cleaned_and_survive_inside(cleaner: Cleaner, text: str) -> None:
    answer = cleaner.clean(text)
    assert answer.document.text == text
    assert " ".join(p.text for p in answer.paragraphs).split() == text.split()


def test_bytes_and_records_are_texts_too(cleaner: Cleaner) -> None:
    text = "Caf\u00e9\n\nShare this"
    items = [text, text.encode(), Record("a", text), Record("b", text.encode(), url="https://a.org")]
    assert len({bits(answer) for answer in cleaner.clean_many(items)}) == 1


@pytest.mark.parametrize("kind", ["html", "markdown", "pdf"])
def test_an_unknown_kind_is_refused(cleaner: Cleaner, kind: str) -> None:
    says = f"this version cannot clean kind '{kind}'; kinds are text"
    with pytest.raises(FormatError, match=says):
        list(cleaner.clean_many(["a"], kind=kind))
    with pytest.raises(FormatError, match=says):
        cleaner.clean(Record("a", "b", kind=kind))
    with pytest.raises(FormatError, match=says):
        cleaner.clean_batch({"text": ["a"]}, kind=kind)


def test_bytes_that_are_no_utf_8_are_refused_with_their_place(cleaner: Cleaner) -> None:
    with pytest.raises(FormatError, match="bytes are not UTF-8 at 3; decode them first"):
        cleaner.clean(b"Caf\xe9")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"policy": "gentle"}, "unknown policy 'gentle'; policies are balanced"),
        ({"convention": "forum"}, "unknown convention 'forum'; conventions are article, page"),
    ],
)
def test_an_unknown_policy_or_convention_is_refused(
    model_folder: Path, values: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        boilerplate.load(model_folder, **values)


def test_cleaning_is_lazy(cleaner: Cleaner) -> None:
    seen = []

    def texts() -> Iterator[str]:
        for number in range(3 * BATCH_DOCUMENTS):
            seen.append(number)
            yield "a"

    answers = cleaner.clean_many(texts())
    assert seen == []
    next(answers)
    assert len(seen) <= BATCH_DOCUMENTS


# the same whatever the company


def test_a_batch_gives_each_text_the_answer_it_has_alone(
    cleaner: Cleaner, alone: list[tuple[object, ...]]
) -> None:
    assert all_bits(cleaner, TEXTS) == alone
    assert all_bits(cleaner, TEXTS[::-1]) == alone[::-1]


@given(st.lists(st.integers(0, len(TEXTS) - 1), max_size=30))
def test_any_choice_and_order_of_texts_gives_the_same_answers(
    cleaner: Cleaner, alone: list[tuple[object, ...]], chosen: list[int]
) -> None:
    assert all_bits(cleaner, [TEXTS[i] for i in chosen]) == [alone[i] for i in chosen]


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=[])), max_size=8))
def test_any_texts_at_all_are_cleaned_alike_alone_and_together(cleaner: Cleaner, texts: list[str]) -> None:
    assert all_bits(cleaner, texts) == [bits(cleaner.clean(text)) for text in texts]


def test_many_short_texts_cross_batches_unharmed(cleaner: Cleaner) -> None:
    texts = [f"{number} min read" for number in range(2 * BATCH_DOCUMENTS + 3)]
    answers = list(cleaner.clean_many(texts))
    assert [answer.document.text for answer in answers] == texts
    assert bits(answers[-1]) == bits(cleaner.clean(texts[-1]))


def test_threads_share_a_cleaner(cleaner: Cleaner, alone: list[tuple[object, ...]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: bits(cleaner.clean(text)), TEXTS * 2)) == alone * 2


def test_a_spawned_process_gives_the_same_answers(cleaner: Cleaner, alone: list[tuple[object, ...]]) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(all_bits, cleaner, TEXTS).result() == alone


# travelling


def test_a_pickled_cleaner_is_small_and_the_same(model_folder: Path) -> None:
    policy = Policy(keep={"body", "byline"}, max_content_loss=0.02)
    cleaner = boilerplate.load(model_folder, policy=policy, convention="page")
    cleaner.clean(STORY)
    data = pickle.dumps(cleaner)
    again = pickle.loads(data)
    assert len(data) < 2000
    assert (again.policy, again.convention) == (policy, "page")
    assert bits(again.clean(STORY)) == bits(cleaner.clean(STORY))


def test_a_cleaner_is_not_revived_from_another_model(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in model_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    data = pickle.dumps(boilerplate.load(folder))
    card = (folder / "card.json").read_text()
    digest = boilerplate.load(folder).model.card["weights"]
    (folder / "card.json").write_text(card.replace(digest, "0" * 64))
    with pytest.raises(ModelError, match="changed since the cleaner was sent here"):
        pickle.loads(data)


# policies and conventions


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_a_policy_keeps_what_is_at_least_as_probable_as_its_threshold(model_folder: Path, name: str) -> None:
    cleaner = boilerplate.load(model_folder, policy=name)
    for answer in cleaner.clean_many(TEXTS):
        kept = np.array([label in cleaner.policy.keep for label in LABELS])
        assert answer.keep_probability == pytest.approx(answer.probabilities[:, kept].sum(axis=1), abs=1e-6)
        if not answer.doubtful or cleaner.policy.when_doubtful == "clean":
            assert (answer.keep == (answer.keep_probability >= cleaner.threshold)).all()
        else:
            assert answer.keep.all()


def test_a_larger_stated_loss_removes_no_less(model_folder: Path) -> None:
    kept = []
    for loss in (0.0, 0.005, 0.03, 0.2):
        cleaner = boilerplate.load(model_folder, policy=Policy(max_content_loss=loss, when_doubtful="clean"))
        kept.append(sum(int(answer.keep.sum()) for answer in cleaner.clean_many(TEXTS)))
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > kept[-1]


def test_metadata_keeps_all_that_balanced_keeps_and_more(model_folder: Path) -> None:
    plain, metadata = (
        list(boilerplate.load(model_folder, policy=name).clean_many(TEXTS))
        for name in ("balanced", "metadata")
    )
    assert all((a.keep <= b.keep).all() for a, b in zip(plain, metadata, strict=True))
    assert sum(int(b.keep.sum()) for b in metadata) > sum(int(a.keep.sum()) for a in plain)


FURNITURE = (
    "Previous Story\n\nNext Story\n\nShare this\n\nSubscribe to our newsletter\n\n© 2024 All rights reserved"
)


@pytest.mark.parametrize("when", ["keep", "clean"])
def test_a_doubtful_document_is_given_back_whole_or_cleaned_as_the_policy_says(
    model_folder: Path, when: str
) -> None:
    policy = Policy(keep=[], when_doubtful=when)
    answer = boilerplate.load(model_folder, policy=policy).clean(FURNITURE)
    assert answer.doubtful
    assert answer.text == (FURNITURE if when == "keep" else "")


def test_a_share_of_zero_never_doubts_and_a_text_without_words_is_never_doubtful(model_folder: Path) -> None:
    never = boilerplate.load(model_folder, policy=Policy(keep=[], doubtful_share=0.0))
    assert not never.clean(FURNITURE).doubtful
    nothing = boilerplate.load(model_folder, policy=Policy(keep=[]))
    assert [nothing.clean(text).doubtful for text in ("", "—\n…", "word")] == [False, False, True]


def test_the_policy_changes_decisions_and_not_probabilities(model_folder: Path) -> None:
    found = {
        tuple(
            answer.probabilities.tobytes()
            for answer in boilerplate.load(model_folder, policy=name).clean_many(TEXTS)
        )
        for name in POLICY_NAMES
    }
    assert len(found) == 1


def test_the_convention_changes_probabilities(model_folder: Path) -> None:
    article, page = (boilerplate.load(model_folder, convention=name) for name in ("article", "page"))
    assert article.clean(STORY).probabilities.tobytes() != page.clean(STORY).probabilities.tobytes()


# batches of columns


def test_a_batch_of_columns_comes_back_with_its_column_cleaned(cleaner: Cleaner) -> None:
    batch = {"id": [1, 2, 3], "story": [STORY, None, "Home"], "url": ["a", None, "c"]}
    out = cleaner.clean_batch(batch, column="story")
    answers = [cleaner.clean(text) for text in (STORY, "", "Home")]
    assert list(out) == ["id", "story", "url", "doubtful", "removed"]
    assert (out["id"], out["url"]) == (batch["id"], batch["url"])
    assert out["story"] == [answer.text for answer in answers]
    assert out["doubtful"] == [answer.doubtful for answer in answers]
    for removed, answer in zip(out["removed"], answers, strict=True):
        assert [(row["start"], row["end"], row["label"], row["text"]) for row in removed] == [
            (p.start, p.end, p.label, p.text) for p in answer.removed
        ]
    assert batch["story"][0] is STORY


def test_a_missing_column_is_named(cleaner: Cleaner) -> None:
    with pytest.raises(FormatError, match="no column 'text' in the batch; it has id, body"):
        cleaner.clean_batch({"id": [1], "body": ["a"]})


def test_an_empty_batch_is_an_empty_batch(cleaner: Cleaner) -> None:
    assert cleaner.clean_batch({"text": []}) == {"text": [], "doubtful": [], "removed": []}


@pytest.mark.parametrize("workers", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_dataset_is_mapped_batch_by_batch(cleaner: Cleaner, workers: int | None) -> None:
    texts = [*seeds()[:12], "1 min read", ""]
    table = datasets.Dataset.from_dict({"text": texts, "id": list(range(len(texts)))})
    mapped = table.map(cleaner.clean_batch, batched=True, batch_size=5, num_proc=workers)
    assert mapped["id"] == list(range(len(texts)))
    assert mapped["text"] == [cleaner.clean(text).text for text in texts]
    assert [len(removed) for removed in mapped["removed"]] == [
        len(cleaner.clean(text).removed) for text in texts
    ]


@pytest.mark.xfail(
    reason="datasets takes a first batch of empty lists for lists of nothing", raises=TypeError
)
def test_a_dataset_whose_first_batch_loses_nothing_is_mapped_too(cleaner: Cleaner) -> None:
    whole = replace(cleaner, policy=Policy(keep=LABELS)).clean_batch
    assert whole({"text": ["a"]})["removed"] == [[]]
    texts = ["", STORY]
    table = datasets.Dataset.from_dict({"text": texts})
    mapped = table.map(cleaner.clean_batch, batched=True, batch_size=1, writer_batch_size=1)
    assert [len(removed) for removed in mapped["removed"]] == [0, len(cleaner.clean(STORY).removed)]


# explanations


def test_an_explanation_tells_words_features_and_neighbours(cleaner: Cleaner) -> None:
    answer = cleaner.clean("The council met on Monday.\n\nLeave a Reply\n\nPrevious Story")
    found = cleaner.explain(answer, 1)
    paragraph = answer.paragraphs[1]
    assert (found.text, found.label) == ("Leave a Reply", paragraph.label)
    assert found.score == pytest.approx(paragraph.score, abs=1e-6)
    assert {word for word, _ in found.words} == {"Leave", "a", "Reply"}
    assert {name for name, _ in found.neighbours} == {"-1", "+1"}
    assert len(found.features) == 41
    for pairs in (found.words, found.features, found.neighbours):
        sizes = [abs(weight) for _, weight in pairs]
        assert sizes == sorted(sizes, reverse=True)
    assert str(found).startswith("'Leave a Reply' is ")
    assert len(str(found).splitlines()) == 4


def test_words_are_weighed_by_what_the_word_table_gives_them(cleaner: Cleaner) -> None:
    network, line = cleaner.model.network, "Leave a Reply now"
    answer = cleaner.clean(line)
    found = dict(cleaner.explain(answer, 0).words)
    best = int(answer.probabilities[0].argmax())
    for word in line.split():
        own = boilerplate.features.featurize([boilerplate.segment.segment_text(word)]).words[0]
        expected = network.words[own, best] * network.word_scale[best] / np.sqrt(3 * 4 + 5)
        assert found[word] == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("i", [0, 250, 499, -1])
def test_the_explained_label_is_the_answers_own_in_a_long_document(cleaner: Cleaner, i: int) -> None:
    answer = cleaner.clean("\n".join(["Home", "The council met on Monday and stayed until noon."] * 250))
    found = cleaner.explain(answer, i)
    assert found.text == answer.paragraphs[i].text
    assert found.label == answer.paragraphs[i].label
    assert found.score == pytest.approx(answer.paragraphs[i].score, abs=1e-6)


def test_any_paragraph_can_be_explained_and_none_beyond(cleaner: Cleaner) -> None:
    answer = cleaner.clean("…\n\ud800\n" + "word " * 400)
    for i in range(len(answer.document)):
        assert str(cleaner.explain(answer, i))
    with pytest.raises(IndexError):
        cleaner.explain(answer, len(answer.document))
