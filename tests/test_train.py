"""Training: the same data, the same bytes; nothing written over, nothing measured on what was learnt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import SEEDS, SMALL

from boilerplate.cleaner import load
from boilerplate.corpora import WHOLE, LabelledDocument, digest_of, read_labelled
from boilerplate.document import DataError, OutputError
from boilerplate.evaluate import evaluate
from boilerplate.fitting import TrainOptions, cross_predict, predict, scores_by_view
from boilerplate.labels import LABELS
from boilerplate.segment import segment_text
from boilerplate.splits import site_folds
from boilerplate.store import load_model
from boilerplate.train import calibration_rows, train
from boilerplate.trainer import Options

HELD_OUT = SEEDS.parent / "heldout"
TRAINED = len(list(SEEDS.glob("*.jsonl")))
TINY = replace(SMALL, folds=2, network=Options(widths=(8, 8, 6), epochs=2, fewest_steps=20, views=1))


def written(path: Path, rows: int, *, label: str | None = "body", site: str = "a{}.org") -> Path:
    lines = [
        {
            "doc": f"d{n}",
            "url": f"https://{site.format(n)}/x",
            "blocks": [{"text": f"Word {n}.", "label": label}],
        }
        for n in range(rows)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def documents() -> list[LabelledDocument]:
    return read_labelled([SEEDS])


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    folder, messages = tmp_path / "model", []
    figures = train([SEEDS], folder, TINY, progress=messages.append)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = train([SEEDS], folder, TINY, overwrite=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert sorted(files) == ["card.json", "card.md", "weights.npz"]
    assert again == figures
    assert messages[0] == f"{TRAINED} documents of {TRAINED} sites"
    assert messages[1:] == ["fold 1 of 2", "fold 2 of 2", "the final fit"]


def test_workers_do_not_matter(tmp_path: Path) -> None:
    one, two = (train([SEEDS], tmp_path / str(n), replace(TINY, workers=n)) for n in (1, 2))
    assert one == two
    assert (tmp_path / "1" / "weights.npz").read_bytes() == (tmp_path / "2" / "weights.npz").read_bytes()


def test_the_card_says_what_the_model_was_made_of(
    model_folder: Path, documents: list[LabelledDocument]
) -> None:
    card = json.loads((model_folder / "card.json").read_text())
    assert card["command"].startswith("boilerplate train ")
    assert card["documents"] == sorted({digest_of(one) for one in documents})
    assert TrainOptions.from_card(card["options"], folds=SMALL.folds) == SMALL
    assert card["views"] == [WHOLE]
    assert set(card["versions"]) == {"python", "numpy", "scipy", "scikit-learn"}
    assert set(card["figures_out_of_fold"][WHOLE]["precision_recall_f1_rows"]) == set(LABELS)
    page = (model_folder / "card.md").read_text()
    assert all(f"| {label} |" in page for label in LABELS)


def test_a_small_model_has_learnt_something_out_of_fold(model_folder: Path) -> None:
    figures = json.loads((model_folder / "card.json").read_text())["figures_out_of_fold"][WHOLE]
    assert figures["macro_f1"] > 0.3
    assert figures["removed_at_1_percent_lost"] > 0.4


def test_nothing_is_written_over(tmp_path: Path) -> None:
    taken, file = tmp_path / "taken", tmp_path / "file"
    taken.mkdir()
    (taken / "mine.txt").write_text("x")
    file.write_text("x")
    with pytest.raises(
        OutputError, match=r"taken holds something already; name another folder, or give --overwrite"
    ):
        train([SEEDS], taken, TINY)
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"file is a file; name a folder for the model"):
            train([SEEDS], file, TINY, overwrite=overwrite)
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    train([written(tmp_path / "a.jsonl", 4)], tmp_path / "model", TINY)
    assert load(tmp_path / "model").clean("Word 1.").document.text == "Word 1."


@pytest.mark.parametrize(
    ("rows", "values", "says"),
    [
        (2, {}, "2 sites cannot be split into 3 folds; add documents or give fewer --folds"),
        (6, {"site": "www.test.org"}, "1 sites cannot be split into 3 folds"),
        (6, {"label": None}, "no paragraph has a label; each block needs one of body, heading"),
    ],
)
def test_data_that_cannot_teach_are_refused_before_any_work(
    tmp_path: Path, rows: int, values: dict[str, str], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        train([written(tmp_path / "a.jsonl", rows, **values)], tmp_path / "model", SMALL)
    assert not (tmp_path / "model").exists()


def test_a_model_can_be_trained_on_residue_alone(tmp_path: Path) -> None:
    rows = [
        {
            "doc": f"d{n}",
            "url": f"https://a{n}.org/x",
            "extractor": "jusText",
            "lines": ["So.", "©"],
            "labels": ["body", "legal"],
        }
        for n in range(6)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "r.parquet")
    assert list(train([tmp_path / "r.parquet"], tmp_path / "model", TINY)) == ["jusText"]
    assert "| jusText | 6 |" in (tmp_path / "model" / "card.md").read_text()


# folds


def test_every_document_is_predicted_by_a_network_that_never_saw_its_site(
    documents: list[LabelledDocument],
) -> None:
    predictions = cross_predict(documents, TINY)
    assert [len(rows) for rows in predictions] == [len(one.document) for one in documents]
    fold = site_folds(documents, TINY.folds, TINY.seed)
    changed = [
        replace(one, allowed=np.roll(one.allowed, 3, axis=1)) if k == 0 else one
        for one, k in zip(documents, fold, strict=True)
    ]
    again = cross_predict(changed, TINY)
    for one, other, k in zip(predictions, again, fold, strict=True):
        assert (one.tobytes() == other.tobytes()) == (k == 0)  # its labels do not matter to its own fold


def test_a_page_without_text_teaches_nothing_and_is_predicted_nothing(
    documents: list[LabelledDocument],
) -> None:
    empty = LabelledDocument(segment_text(""), np.ones((0, len(LABELS)), dtype=bool), "empty", "empty.org")
    few = [*documents[:5], empty, *documents[5:8], replace(empty, page="other", site="other.org")]
    predictions = cross_predict(few, TINY)
    assert [len(rows) for rows in predictions] == [len(one.document) for one in few]


def test_predictions_do_not_depend_on_the_other_documents(
    model_folder: Path, documents: list[LabelledDocument]
) -> None:
    network = load_model(model_folder).network
    together = predict(network, documents[:7])
    assert [rows.tobytes() for rows in together] == [
        predict(network, [one])[0].tobytes() for one in documents[:7]
    ]
    assert predict(network, []) == []


def test_views_are_scored_apart_whole_pages_first(documents: list[LabelledDocument]) -> None:
    both = [*[replace(one, view="jusText") for one in documents[:3]], *documents[:5]]
    truth = [one.allowed.astype(np.float32) for one in both]
    scores = scores_by_view(both, truth)
    assert list(scores) == [WHOLE, "jusText"]
    assert [figures.documents for figures in scores.values()] == [5, 3]
    assert scores[WHOLE].macro_f1.value == scores[WHOLE].removed[0.01].value == 1.0


def test_calibration_rows_are_drawn_evenly_from_views_and_only_where_labels_are_known() -> None:
    random = np.random.default_rng(0)
    [one] = read_labelled([SEEDS])[:1]
    unknown = replace(one, allowed=np.ones_like(one.allowed), view="jusText")
    many = [one] * 900 + [unknown] * 3 + [replace(one, view="jusText")] * 900
    rows = [random.random(d.allowed.shape, dtype=np.float32) for d in many]
    calibration, views = calibration_rows(many, rows, seed=0)
    assert views == ["jusText", WHOLE]
    assert np.bincount(calibration.views).tolist() == [10_000, 10_000]
    assert calibration.labels.min() >= 0
    assert calibration.codes.shape == (20_000, 13)


# measuring


def test_documents_a_model_was_trained_on_are_left_out(model_folder: Path) -> None:
    report = evaluate(model_folder, [SEEDS, HELD_OUT])
    assert (report.scored, len(report.left_out)) == (11, TRAINED)
    assert evaluate(model_folder, [HELD_OUT]).left_out == ()
    assert evaluate(model_folder, [SEEDS, HELD_OUT], in_sample=True).scored == TRAINED + 11


def test_a_model_is_not_measured_on_nothing_but_its_own_documents(model_folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_bytes((SEEDS / "en-lighthouse-bats.jsonl").read_bytes())
    with pytest.raises(
        DataError, match="the model was trained on all of these documents; give others, or --in-sample"
    ):
        evaluate(model_folder, [own])
    assert evaluate(model_folder, [own], in_sample=True).scored == 1


def test_a_configuration_can_be_refitted_fold_by_fold(tmp_path: Path) -> None:
    train([SEEDS], tmp_path / "model", TINY)
    report = evaluate(tmp_path / "model", [SEEDS], folds=2)
    assert (report.scored, report.left_out) == (TRAINED, ())  # none of those held out
    alone = report.scores[WHOLE].macro_f1
    assert alone is not None
    assert 0 < alone.value < 1
    also = evaluate(tmp_path / "model", [SEEDS], folds=2, also=[HELD_OUT])
    assert also.scored == TRAINED + 11
    assert list(also.scores) == ["whole page, articles", "whole page, heldout"]
    with pytest.raises(DataError, match="name it once"):
        evaluate(tmp_path / "model", [SEEDS], folds=2, also=[SEEDS])
