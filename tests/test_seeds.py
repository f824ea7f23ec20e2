"""The articles written for this project: enough of them, of every kind, and none like the seed."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from boilerplate.characters import code_points, folds
from boilerplate.columns import Columns
from boilerplate.corpora import read_labelled
from boilerplate.labels import CONTENT, LABELS
from boilerplate.segment import segment_text

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
HELD_OUT = SEEDS / "heldout"
SEED = HELD_OUT / "000_855a69fbbe596df4.jsonl"
RUN = 5


def rows(files: list[Path]) -> dict[str, dict[str, Any]]:
    """Give the one document of each file."""
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


TRAIN = rows(sorted((SEEDS / "articles").glob("*.jsonl")))
HELD = rows([file for file in sorted(HELD_OUT.glob("*.jsonl")) if file != SEED])
THE_SEED = rows([SEED])[SEED.name]
WRITTEN = {**TRAIN, **HELD}
LINES = [
    json.loads(row)
    for file in sorted((SEEDS / "lines").glob("*.jsonl"))
    for row in file.read_text(encoding="utf-8").splitlines()
]


def words(text: str) -> list[str]:
    """Give the words of a text as the program counts them, in lower case, digits as 0."""
    columns = Columns.of([segment_text(text)])
    starts, lengths, _, _ = columns.tokens
    letters = folds()[code_points(text) & 0x1FFFF].tolist()
    return [
        "".join(map(chr, letters[start : start + length]))
        for start, length, is_word in zip(
            starts.tolist(), lengths.tolist(), columns.is_word.tolist(), strict=True
        )
        if is_word
    ]


def runs(row: dict[str, Any], *, furniture: bool) -> set[tuple[str, ...]]:
    """Give every run of five words inside the blocks of a document, or inside its furniture."""
    found: set[tuple[str, ...]] = set()
    for block in row["blocks"]:
        if not furniture or block["label"] not in CONTENT:
            own = words(block["text"])
            found |= {tuple(own[i : i + RUN]) for i in range(len(own) - RUN + 1)}
    return found


def test_there_are_enough_documents_and_ten_beside_the_seed_are_held_out() -> None:
    assert len(HELD) == 10
    assert len(WRITTEN) >= 32
    assert len(read_labelled([SEEDS / "articles"])) == len(TRAIN)
    assert len(read_labelled([SEEDS / "articles", HELD_OUT], held_out=True)) == len(WRITTEN) + 1


def test_they_are_of_ten_languages_and_more() -> None:
    languages = {row["language"] for row in WRITTEN.values()}
    assert len({language.split("-")[0] for language in languages}) >= 10
    assert {"zh", "ar", "hi", "en"} <= {language.split("-")[0] for language in languages}
    assert len({row["language"].split("-")[0] for row in HELD.values()}) >= 5


def test_all_labels_occur_among_those_trained_on_and_those_held_out() -> None:
    for documents in (TRAIN, HELD):
        assert {block["label"] for row in documents.values() for block in row["blocks"]} == set(LABELS)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_document_is_complete(name: str) -> None:
    row = WRITTEN[name]
    assert row["doc"] == Path(name).stem
    assert row["kind"] == "text"
    assert all(block["text"].strip() == block["text"] != "" for block in row["blocks"])
    labels = [block["label"] for block in row["blocks"]]
    assert labels.count("body") >= 2
    assert "heading" in labels
    assert set(labels) - set(CONTENT)


def test_hosts_and_names_are_all_different_and_none_is_real() -> None:
    hosts = [row["url"].split("/")[2] for row in WRITTEN.values()]
    assert len(set(hosts)) == len(hosts)
    assert all(host.endswith(".example") for host in hosts)
    assert len({row["doc"] for row in WRITTEN.values()}) == len(WRITTEN)


@pytest.mark.parametrize("name", WRITTEN)
def test_none_shares_a_run_of_five_words_with_the_seeds_furniture(name: str) -> None:
    assert runs(WRITTEN[name], furniture=False) & runs(THE_SEED, furniture=True) == set()


def test_no_line_shares_a_run_of_five_words_with_the_seeds_furniture() -> None:
    assert {run for row in LINES for run in runs(row, furniture=False)} & runs(
        THE_SEED, furniture=True
    ) == set()


def test_lines_are_of_every_label_in_every_language_and_none_stands_twice() -> None:
    languages = {row["language"] for row in LINES}
    assert len(languages) >= 30
    assert {(row["language"], block["label"]) for row in LINES for block in row["blocks"]} == set(
        product(languages, LABELS)
    )
    texts = [(row["language"], block["text"].casefold()) for row in LINES for block in row["blocks"]]
    assert len(texts) == len(set(texts)) > 20_000
    assert len(read_labelled([SEEDS / "lines"])) == len(texts)


def test_no_line_of_furniture_held_out_is_trained_on() -> None:
    trained = {
        tuple(words(block["text"]))
        for row in [*TRAIN.values(), *LINES]
        for block in row["blocks"]
        if block["label"] not in CONTENT
    }
    shared = {
        block["text"]
        for row in HELD.values()
        for block in row["blocks"]
        if block["label"] not in CONTENT and len(own := words(block["text"])) >= RUN and tuple(own) in trained
    }
    assert shared == set()


def test_the_seed_is_labelled_line_by_line_over_its_own_text() -> None:
    text = (SEEDS / "000_855a69fbbe596df4.txt").read_text(encoding="utf-8")
    assert THE_SEED["text"] == text
    assert [block["text"] for block in THE_SEED["blocks"]] == [p.text for p in segment_text(text).paragraphs]
    assert all(text[block["start"] : block["end"]] == block["text"] for block in THE_SEED["blocks"])


def test_the_seed_is_the_one_handed_over(shared_data: Path) -> None:
    name = "000_855a69fbbe596df4.txt"
    assert (SEEDS / name).read_bytes() == (shared_data / "seeds" / name).read_bytes()
