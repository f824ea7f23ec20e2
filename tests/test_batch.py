"""The job: nothing lost, nothing half written, the bad ones counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from boilerplate.batch import Count, Summary, clean_sources, plan, run
from boilerplate.cleaner import Cleaner, load
from boilerplate.document import OutputError, Record
from boilerplate.features import count_words
from boilerplate.formats import Failed, find_sources
from boilerplate.segment import segment_text

STORY = (
    "Ferry returns to the island after nine years\r\n\r\n"
    "The first ferry in nine years left the harbour on Monday with forty passengers and a brass band.\r\n\r\n"
    "Share this article\r\n\r\n"
    "The council paid for the boat by selling the old customs house, which had stood empty since 2009.\r\n"
)
OTHER = (
    "Copyright 2024. All rights reserved.\n\nThe bakery on the corner has sold its last loaf of rye bread."
)


@pytest.fixture(scope="module")
def cleaner() -> Cleaner:
    return load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "in"
    (place / "sub").mkdir(parents=True)
    (place / "a.txt").write_bytes(STORY.encode())
    (place / "sub/b.md").write_bytes(OTHER.encode())
    return place


def cleaned_texts(cleaner: Cleaner) -> list[str]:
    return [cleaned.text for cleaned in cleaner.clean_many([STORY, OTHER])]


def files_in(place: Path) -> dict[str, bytes]:
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()
    }


# -- where the output goes


def test_a_folder_is_mirrored(folder: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    summary = run(plan([folder], str(tmp_path / "out")), cleaner)
    first, second = cleaned_texts(cleaner)
    assert files_in(tmp_path / "out") == {"a.txt": first.encode(), "sub/b.md": second.encode()}
    assert (summary.records, summary.failed) == (2, 0)


def test_a_file_goes_to_a_file_or_into_a_folder(folder: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    article = cleaned_texts(cleaner)[0].encode()
    run(plan([folder / "a.txt"], str(tmp_path / "clean.txt")), cleaner)
    run(plan([folder / "a.txt"], f"{tmp_path}/new/"), cleaner)
    run(plan([folder / "a.txt"], str(tmp_path)), cleaner)
    for name in ("clean.txt", "new/a.txt", "a.txt"):
        assert (tmp_path / name).read_bytes() == article


def test_json_lines_hold_every_record_in_order(folder: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    run(plan([folder], str(tmp_path / "all.jsonl")), cleaner)
    rows = [json.loads(line) for line in (tmp_path / "all.jsonl").read_bytes().splitlines()]
    assert [row["id"] for row in rows] == ["a.txt", "sub/b.md"]
    assert [row["text"] for row in rows] == cleaned_texts(cleaner)
    for row, text in zip(rows, (STORY, OTHER), strict=True):
        assert all(text[p["start"] : p["end"]] == p["text"] for p in row["paragraphs"])
        assert [p["text"] for p in row["paragraphs"]] == [p.text for p in segment_text(text).paragraphs]


def test_json_lines_are_read_and_written(tmp_path: Path, cleaner: Cleaner) -> None:
    rows = [{"id": "one", "text": STORY}, {"id": "two", "text": OTHER}, {"id": "none", "text": ""}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run(plan([tmp_path / "in.jsonl"], str(tmp_path / "out.jsonl")), cleaner)
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert [(row["id"], row["text"]) for row in written] == list(
        zip(("one", "two", "none"), [*cleaned_texts(cleaner), ""], strict=True)
    )


def test_an_output_folder_inside_the_input_is_never_an_input(folder: Path, cleaner: Cleaner) -> None:
    run(plan([folder], str(folder / "out")), cleaner)
    again = plan([folder], str(folder / "out"), overwrite=True)
    assert [source.id for source in again.sources] == ["a.txt", "sub/b.md"]


# -- refusals, all before anything is cleaned


def test_outputs_that_exist_are_refused_before_the_run(
    folder: Path, tmp_path: Path, cleaner: Cleaner
) -> None:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub/b.md").write_text("old")
    with pytest.raises(OutputError, match=r"b\.md: exists already; --overwrite replaces it"):
        plan([folder], str(out))
    assert files_in(out) == {"sub/b.md": b"old"}
    run(plan([folder], str(out), overwrite=True), cleaner)
    assert files_in(out)["sub/b.md"] == cleaned_texts(cleaner)[1].encode()


def test_an_input_is_never_written_over(folder: Path, tmp_path: Path) -> None:
    before = files_in(folder)
    (tmp_path / "link.txt").symlink_to(folder / "a.txt")
    for inputs, output in (
        ([folder], folder),
        ([folder / "a.txt"], folder / "a.txt"),
        ([folder / "a.txt"], folder / "sub/../a.txt"),
        ([folder / "a.txt"], tmp_path / "link.txt"),
        ([tmp_path / "link.txt"], folder / "a.txt"),
    ):
        with pytest.raises(OutputError, match="is an input as well"):
            plan(inputs, str(output), overwrite=True)
    assert files_in(folder) == before


def test_outputs_of_the_wrong_kind_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file; a folder or several inputs need a folder"):
        plan([folder], str(tmp_path / "file"))
    with pytest.raises(OutputError, match="is a folder; the output needs the name of a file"):
        plan([folder], str(tmp_path), format="jsonl")
    with pytest.raises(ValueError, match="names a text file"):
        plan([folder], str(tmp_path / "out.txt"))
    with pytest.raises(ValueError, match="need a place to go"):
        plan([folder])
    (tmp_path / "in.jsonl").write_text("")
    with pytest.raises(ValueError, match="give --format jsonl"):
        plan([tmp_path / "in.jsonl"], format="text")


# -- faults


def test_bad_files_are_told_and_counted_and_the_rest_is_written(
    folder: Path, tmp_path: Path, cleaner: Cleaner
) -> None:
    (folder / "aa.txt").write_bytes(b"caf\xe9")
    (folder / "dangling.txt").symlink_to("nowhere")
    told: list[Record | Failed] = []
    summary = run(plan([folder], str(tmp_path / "out")), cleaner, told.append)
    assert (summary.records, summary.failed) == (2, 2)
    assert sorted(files_in(tmp_path / "out")) == ["a.txt", "sub/b.md"]
    assert sorted(outcome.id for outcome in told if isinstance(outcome, Failed)) == ["aa.txt", "dangling.txt"]
    assert [outcome.id for outcome in told if isinstance(outcome, Record)] == ["a.txt", "sub/b.md"]


@pytest.mark.parametrize("output", ["out.txt", "out.jsonl"])
def test_nothing_is_made_where_every_record_failed(tmp_path: Path, cleaner: Cleaner, output: str) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    summary = run(plan([tmp_path / "bad.txt"], str(tmp_path / output)), cleaner)
    assert summary == Summary(failed=1)
    assert list(files_in(tmp_path)) == ["bad.txt"]


def test_a_lone_surrogate_fails_as_text_and_passes_as_json(tmp_path: Path, cleaner: Cleaner) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"text": STORY.replace("forty", "\ud800")}))
    summary = run(plan([path], str(tmp_path / "out.jsonl")), cleaner)
    (row,) = map(json.loads, (tmp_path / "out.jsonl").read_bytes().splitlines())
    assert (summary.records, summary.failed) == (1, 0)
    assert any("\ud800" in paragraph["text"] for paragraph in row["paragraphs"])


def test_reading_runs_no_further_ahead_than_a_batch(tmp_path: Path, cleaner: Cleaner) -> None:
    """The first answer comes before all inputs are read: memory does not grow with the corpus."""
    path = tmp_path / "in.jsonl"
    path.write_text((json.dumps({"text": STORY * 10}) + "\n") * 5_000)
    with path.open("ab") as file:
        file.write(b"broken\n")
    failures: list[Failed] = []
    answers = clean_sources(cleaner, find_sources([path]), failed=failures.append)
    next(answers)
    assert not failures


# -- figures


def test_the_summary_adds_up(folder: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    summary = run(plan([folder], str(tmp_path / "out")), cleaner)
    documents = [segment_text(text) for text in (STORY, OTHER)]
    total = summary.total_kept + summary.total_removed
    assert total == Count(sum(map(len, documents)), int(count_words(documents).sum()))
    kept = [paragraph for cleaned in answers(cleaner) for paragraph in cleaned if paragraph.keep]
    assert summary.total_kept.paragraphs == len(kept)
    assert {label: count.paragraphs for label, count in summary.kept.items()} == {
        label: sum(paragraph.label == label for paragraph in kept) for label in {p.label for p in kept}
    }


def answers(cleaner: Cleaner) -> Iterator[list]:  # type: ignore[type-arg]  # of LabelledParagraph
    return (cleaned.paragraphs for cleaned in cleaner.clean_many([STORY, OTHER]))


def test_more_documents_than_are_counted_at_once(tmp_path: Path, cleaner: Cleaner) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text((json.dumps({"text": STORY}) + "\n" + json.dumps({"text": ""}) + "\n") * 300)
    summary = run(plan([path], str(tmp_path / "out.jsonl")), cleaner)
    words = int(count_words([segment_text(STORY)]).sum())
    assert summary.records == 600
    assert summary.total_kept + summary.total_removed == Count(4 * 300, words * 300)


def test_an_empty_run_has_a_summary(tmp_path: Path, cleaner: Cleaner) -> None:
    (tmp_path / "in.jsonl").write_text("")
    assert run(plan([tmp_path / "in.jsonl"], str(tmp_path / "out.jsonl")), cleaner) == Summary()
    assert (tmp_path / "out.jsonl").read_bytes() == b""
