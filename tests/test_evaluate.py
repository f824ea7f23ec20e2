"""Measuring: what is left out, what is named, what figures stand for, and leaks that must show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boilerplate.cli import main
from boilerplate.corpora import WHOLE, LabelledDocument, Truth, digest_of, read_labelled
from boilerplate.evaluate import FEW, RESIDUE_MEAN_OF, _most_first, _parts, _remembered, _texts, evaluate
from boilerplate.store import load_model

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
HELD_OUT = SEEDS / "heldout"
ARTICLES = SEEDS / "articles"
DOCUMENTS = read_labelled([ARTICLES])


def sure(one: LabelledDocument) -> np.ndarray:
    """Predict the truth."""
    return one.allowed.astype(np.float32) / one.allowed.sum(axis=1, keepdims=True)


def test_pages_the_model_was_trained_on_are_left_out_by_name(model_folder: Path) -> None:
    report = evaluate(model_folder, [ARTICLES, HELD_OUT])
    assert report.scored == 11
    assert report.seen == 0
    assert list(report.left_out) == sorted(one.page for one in DOCUMENTS)


def test_in_sample_says_how_many_were_trained_on(model_folder: Path) -> None:
    report = evaluate(model_folder, [ARTICLES, HELD_OUT], in_sample=True)
    assert (report.scored, report.seen, report.left_out) == (len(DOCUMENTS) + 11, len(DOCUMENTS), ())


def test_the_report_is_plain_json_and_the_same_twice(model_folder: Path) -> None:
    one, two = (evaluate(model_folder, [HELD_OUT]) for _ in range(2))
    assert one == two
    found = json.loads(one.as_json())
    assert found["model"] == load_model(model_folder).card["weights"]
    assert found["convention"] == "page"
    assert found["scores"][WHOLE]["documents"] == 11
    low, high = found["scores"][WHOLE]["macro_f1_interval"]
    assert low <= found["scores"][WHOLE]["macro_f1"] <= high
    assert list(found["scores"][WHOLE]["removed_low_high_at_loss"]) == ["0.2%", "0.5%", "1.0%", "2.0%"]
    assert "worst" not in found


def test_the_digest_of_the_data_is_of_what_is_measured(model_folder: Path, tmp_path: Path) -> None:
    seed = HELD_OUT / "de-freibad.jsonl"
    row = json.loads(seed.read_text(encoding="utf-8"))
    digests = {evaluate(model_folder, [seed]).data}
    for change in ("label", "text"):
        changed = json.loads(json.dumps(row))
        changed.pop("text", None)
        first = changed["blocks"][0]
        first.pop("start", None)
        first[change] = {"label": "social", "text": "Another"}[change]
        other = tmp_path / "de-freibad.jsonl"
        other.write_text(json.dumps(changed), encoding="utf-8")
        digests.add(evaluate(model_folder, [other]).data)
    assert len(digests) == 3
    assert evaluate(model_folder, [seed]).data in digests


def test_page_types_and_languages_have_figures_of_their_own() -> None:
    kinds = [replace(one, kind="article" if k % 2 else "forum") for k, one in enumerate(DOCUMENTS[:20])]
    pages, _ = _remembered((one, sure(one)) for one in kinds)
    parts = _parts(pages)
    assert {name: own.documents for name, own in parts["page type"].items()} == {"article": 10, "forum": 10}
    assert sum(own.documents for own in parts["language"].values()) == 20
    assert {page.language for page in pages} >= {"ar", "de"}


def test_few_pages_of_a_kind_are_counted_together() -> None:
    assert list(_most_first(["a"] * 5 + ["b"] * 7 + ["c", "d"]).items()) == [
        ("b", list(range(5, 12))),
        ("a", list(range(5))),
        (FEW, [12, 13]),
    ]


def test_the_worst_pages_come_first_and_right_ones_not_at_all() -> None:
    good, bad, worse = (one for one in DOCUMENTS[:3])
    everything = np.zeros_like(sure(bad))
    everything[:, 0] = 1
    nothing = np.zeros_like(sure(worse))
    nothing[:, -1] = 1
    _, worst = _remembered([(good, sure(good)), (bad, everything), (worse, nothing)])
    assert [page.document.page for page in worst] == [worse.page, bad.page]
    content = worst[0].rows.content == 1
    words = worst[0].rows.words
    assert worst[0].wrong == pytest.approx(words[content].sum() / words.sum())


def test_texts_are_what_is_kept_against_the_truth_of_the_corpus() -> None:
    one = DOCUMENTS[0]
    paragraphs = [p.text for p in one.document.paragraphs]
    content = [i for i, k in enumerate(one.labels) if k in (0, 1, 2)]
    body = "\n".join(paragraphs[i] for i in content)
    gone = next(p for i, p in enumerate(paragraphs) if i not in content and p not in body)
    truth = Truth(body, (paragraphs[content[0]],), (gone,))
    pages, _ = _remembered([(replace(one, source="a.parquet", truth=truth), sure(one))])
    figures = _texts(pages)["a.parquet"]
    assert {name: estimate.value for name, estimate in figures.items()} == {
        f"{measure} {figure}": 1.0
        for measure in ("word", "shingle", "snippet")
        for figure in ("precision", "recall", "F1")
    }
    everything = np.zeros_like(sure(one))
    everything[:, 0] = 1
    pages, _ = _remembered([(replace(one, truth=truth), everything)])
    [figures] = _texts(pages).values()
    assert figures["word recall"].value == 1.0
    assert figures["word precision"].value < 1.0
    assert figures["snippet precision"].value == 0.5


def test_the_mean_of_the_extractors_leaves_out_whole_pages(tmp_path: Path, model_folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    others = [name for name in RESIDUE_MEAN_OF if name != "trafilatura"]
    rows = [
        {
            "doc": f"x/{k}",
            "url": f"https://{k}.org/",
            "extractor": extractor,
            "lines": lines,
            "labels": labels,
        }
        for k in range(4)
        for extractor, lines, labels in (
            *((name, ["A story that is told here.", "Share this"], ["body", "social"]) for name in others),
            ("trafilatura", ["A story that is told here.", "Leave a Reply"], ["body", None]),
            ("whole-page", ["Home", "A story that is told here."], ["navigation", "body"]),
        )
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "residue.parquet")
    report = evaluate(model_folder, [tmp_path])
    assert list(report.scores) == sorted([*RESIDUE_MEAN_OF, "whole-page"])
    halves = [report.scores[view].removed[0.01].value for view in RESIDUE_MEAN_OF]
    assert report.residue[0.01].value == pytest.approx(np.mean(halves))


def test_folds_score_other_data_without_learning_from_it(tmp_path: Path) -> None:
    from boilerplate.fitting import TrainOptions, cross_predict
    from boilerplate.trainer import Options

    tiny = TrainOptions(
        folds=2, thin=1, workers=1, network=Options(widths=(8, 8, 8), epochs=1, fewest_steps=10)
    )
    taught, other = DOCUMENTS[:12], DOCUMENTS[12:16]
    misled = [replace(one, allowed=np.roll(one.allowed, 3, axis=1)) for one in other]
    one = cross_predict([*taught, *other], tiny, taught=len(taught))
    two = cross_predict([*taught, *misled], tiny, taught=len(taught))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert len(one) == 16


def test_the_command_prints_figures_with_intervals(
    model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model_folder), str(HELD_OUT)]) == 0
    out, err = capsys.readouterr()
    assert "macro-F1" in out
    assert "95 %" in out
    assert load_model(model_folder).card["weights"] in out
    assert "11 documents scored" in err


def test_the_command_warns_of_figures_in_sample(
    model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = str(ARTICLES / "en-lighthouse-bats.jsonl")
    assert main(["evaluate", str(model_folder), one, "--in-sample"]) == 0
    assert "these figures flatter it" in capsys.readouterr().err
    assert main(["evaluate", str(model_folder), one]) == 1
    assert "give others, or --in-sample" in capsys.readouterr().err


def test_a_table_of_pages_is_measured_by_its_texts(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    story = ["The mill at the river burnt down on Monday night.", "Nobody was hurt, the fire brigade said."]
    body = "".join(f"<p>{line}</p>" for line in story)
    row = {
        "corpus": "own",
        "url": "https://news.example.org/mill",
        "page_type": "article",
        "html": f"<html><body><nav><a href='/'>Home</a></nav>{body}</body></html>".encode(),
        "title": "The mill",
        "author": None,
        "main_content": "\n".join(story),
        "with": ["burnt down"],
        "without": ["Home"],
    }
    rows = [row | {"page_id": k, "url": f"https://n{k}.org/mill"} for k in ("1", "2")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "own.parquet")
    report = evaluate(model_folder, [tmp_path / "own.parquet"])
    figures = report.texts["own.parquet"]
    assert set(figures) == {
        f"{measure} {figure}"
        for measure in ("word", "shingle", "snippet")
        for figure in ("precision", "recall", "F1")
    }
    assert report.scores[WHOLE].macro_f1 is None  # the truth names no label
    assert main(["evaluate", str(model_folder), str(tmp_path / "own.parquet")]) == 0
    out = capsys.readouterr().out
    assert f"{figures['word F1'].value:.3f}" in out
    assert "shingle F1" in out


def test_known_pages_are_known_by_name_whatever_the_file(model_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "renamed.jsonl"
    copy.write_bytes((ARTICLES / "en-lighthouse-bats.jsonl").read_bytes())
    [one] = read_labelled([copy])
    assert digest_of(one) in load_model(model_folder).documents
