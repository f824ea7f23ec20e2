"""A model folder is looked at, audited, and only then built; every refusal says what to do."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boilerplate.cleaner import load
from boilerplate.document import ModelError, OutputError
from boilerplate.evaluate import evaluate
from boilerplate.features import feature_names
from boilerplate.labels import LABELS, POLICIES, Policy
from boilerplate.store import (
    FEWEST_WORDS,
    FORMAT,
    HERE,
    Calibration,
    default_model,
    describe,
    load_model,
    loss_threshold,
    save_model,
    write_arrays,
)

SEEDS = Path(__file__).resolve().parent.parent / "seeds" / "articles"
HELD_OUT = SEEDS.parent / "heldout"
TEXT = "Home\n\nThe council met on Monday.\n\nShare this story"


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small model, to be spoilt."""
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def change_card(folder: Path, **values: object) -> None:
    card = json.loads((folder / "card.json").read_text())
    card.update(values)
    card = {name: value for name, value in card.items() if value is not None}
    (folder / "card.json").write_text(json.dumps(card))


def change_weights(folder: Path, data: bytes) -> None:
    """Write other weights, and a card that vouches for them."""
    (folder / "weights.npz").write_bytes(data)
    change_card(folder, weights=hashlib.sha256(data).hexdigest())


def without(folder: Path, name: str) -> bytes:
    with np.load(folder / "weights.npz") as arrays:
        left = {key: arrays[key] for key in arrays.files if key != name}
    write_arrays(folder / "less.npz", left)
    return (folder / "less.npz").read_bytes()


def pickled(folder: Path) -> bytes:
    with np.load(folder / "weights.npz") as arrays:
        left = dict(arrays)
    left["text.mean"] = np.array([{"a": 1}], dtype=object)
    buffer = io.BytesIO()
    np.savez(buffer, **left, allow_pickle=True)
    return buffer.getvalue()


def broken_inside(folder: Path) -> bytes:
    data = bytearray((folder / "weights.npz").read_bytes())
    with zipfile.ZipFile(folder / "weights.npz") as archive:
        entry = max(archive.infolist(), key=lambda e: e.compress_size)
    middle = entry.header_offset + entry.compress_size // 2
    data[middle : middle + 64] = bytes(64)
    return bytes(data)


Spoil = Callable[[Path], object]
SPOILT: list[tuple[str, Spoil, str]] = [
    (
        "another format",
        lambda f: change_card(f, format=FORMAT + 1),
        f"format {FORMAT + 1}, this version reads {FORMAT}",
    ),
    ("no format", lambda f: change_card(f, format=None), "format None"),
    (
        "other features",
        lambda f: change_card(f, features=["characters", "moon"]),
        "'moon' where this version has 'words'",
    ),
    (
        "fewer features",
        lambda f: change_card(f, features=list(feature_names())[:-1]),
        "None where this version has",
    ),
    ("features that are none", lambda f: change_card(f, features=7), "made with other features"),
    (
        "other labels",
        lambda f: change_card(f, labels=["body", "rest"]),
        "'rest' where this version has 'heading'",
    ),
    ("other word ids", lambda f: change_card(f, word_bits=18), "made with other word_bits"),
    ("no card", lambda f: (f / "card.json").unlink(), "is no model folder: it has no card.json"),
    ("a card that is no JSON", lambda f: (f / "card.json").write_text("{"), "card.json cannot be read"),
    (
        "a card in no encoding",
        lambda f: (f / "card.json").write_bytes(b"\xff\xfe\x00"),
        "card.json cannot be read",
    ),
    ("a card that is a list", lambda f: (f / "card.json").write_text("[]"), "card.json is no model card"),
    ("no weights", lambda f: (f / "weights.npz").unlink(), "weights.npz is missing"),
    (
        "weights cut short",
        lambda f: (f / "weights.npz").write_bytes(b"PK"),
        "is damaged or not the one its card",
    ),
    (
        "tampered weights",
        lambda f: (f / "weights.npz").write_bytes(without(f, "text.member.0.prior")),
        "is damaged or not",
    ),
    ("no digest", lambda f: change_card(f, weights=None), "is damaged or not the one its card"),
    ("no archive", lambda f: change_weights(f, b"nothing of the kind"), "weights.npz cannot be read"),
    ("empty weights", lambda f: change_weights(f, b""), "weights.npz cannot be read"),
    (
        "half an archive",
        lambda f: change_weights(f, (f / "weights.npz").read_bytes()[:9000]),
        "cannot be read",
    ),
    ("an archive broken inside", lambda f: change_weights(f, broken_inside(f)), "cannot be read"),
    ("a pickled array", lambda f: change_weights(f, pickled(f)), "cannot be read"),
    ("no mean", lambda f: change_weights(f, without(f, "text.mean")), "array 'mean' is missing"),
    (
        "no weights of a layer",
        lambda f: change_weights(f, without(f, "text.member.0.last.weights")),
        "'last.weights' is missing",
    ),
    (
        "no calibration",
        lambda f: change_weights(f, without(f, "calibration.codes")),
        "'calibration.codes' is missing",
    ),
]


@pytest.mark.parametrize(("spoil", "says"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])
def test_a_folder_that_cannot_be_used_is_refused_by_name_with_a_way_out(
    folder: Path, spoil: Spoil, says: str
) -> None:
    spoil(folder)
    with pytest.raises(ModelError) as refusal:
        load(folder).clean(TEXT)
    assert says in str(refusal.value)
    assert str(folder) in str(refusal.value)
    assert "boilerplate train" in str(refusal.value)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.txt"
    file.write_text("x")
    for path in (file, tmp_path / "nowhere"):
        with pytest.raises(
            ModelError, match=r"is no model folder: it has no card.json; name a folder made by"
        ):
            load_model(path)


@pytest.mark.parametrize("documents", [None, "all", 3])
def test_a_card_that_does_not_say_what_it_was_trained_on_still_cleans_but_is_not_measured(
    folder: Path, documents: object, tmp_path: Path
) -> None:
    change_card(folder, documents=documents)
    assert load(folder).clean(TEXT).document.text == TEXT
    for ask in (lambda: describe(folder), lambda: evaluate(folder, [HELD_OUT])):
        with pytest.raises(ModelError, match=r"card.json does not say what it was trained on"):
            ask()
    assert evaluate(folder, [HELD_OUT], in_sample=True).scored > 1


def test_the_same_arrays_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    arrays = {"b": np.arange(5), "a": np.eye(3, dtype=np.float32), "c": np.zeros((0, 3), dtype=np.int8)}
    write_arrays(tmp_path / "one.npz", arrays)
    write_arrays(tmp_path / "two.npz", dict(sorted(arrays.items(), reverse=True)))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz", allow_pickle=False) as read:
        assert {name: read[name].tolist() for name in read.files} == {
            k: v.tolist() for k, v in arrays.items()
        }
        assert {name: read[name].dtype for name in read.files} == {k: v.dtype for k, v in arrays.items()}


def test_objects_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_arrays(tmp_path / "a.npz", {"a": np.array([{}], dtype=object)})


def test_a_saved_model_is_the_same_model(model_folder: Path, tmp_path: Path) -> None:
    model = load_model(model_folder)
    again = save_model(tmp_path / "again", model.network, model.calibration, {"documents": []}, "# a page")
    assert (again / "weights.npz").read_bytes() == (model_folder / "weights.npz").read_bytes()
    assert (again / "card.md").read_text() == "# a page"
    assert (
        load(again).clean(TEXT).probabilities.tobytes()
        == load(model_folder).clean(TEXT).probabilities.tobytes()
    )
    assert sorted(path.name for path in again.iterdir()) == ["card.json", "card.md", "weights.npz"]


def test_a_model_that_cannot_be_written_is_an_output_error_and_leaves_no_part(
    model_folder: Path, tmp_path: Path
) -> None:
    model = load_model(model_folder)
    (tmp_path / "taken").write_text("x")
    (tmp_path / "out" / "weights.npz").mkdir(parents=True)
    for place in (tmp_path / "taken" / "model", tmp_path / "out"):
        with pytest.raises(OutputError, match="cannot be written"):
            save_model(place, model.network, model.calibration, {}, "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["weights.npz"]


def test_weights_are_read_when_first_needed(folder: Path) -> None:
    model = load_model(folder)
    (folder / "weights.npz").unlink()
    with pytest.raises(ModelError, match=r"weights.npz cannot be read"):
        _ = model.network


def test_describe_gives_the_card_without_its_documents_and_every_policys_threshold(
    model_folder: Path,
) -> None:
    found = describe(model_folder)
    assert "documents" not in found
    assert found["training_documents"] == len(
        json.loads((model_folder / "card.json").read_text())["documents"]
    )
    assert list(found["thresholds"]) == list(POLICIES)
    assert found["folder"] == str(model_folder)
    json.dumps(found)


def test_the_packaged_model_is_found_beside_the_package_or_its_absence_explained() -> None:
    places = [HERE / "models" / "default", HERE.parent / "models" / "default"]
    if any((place / "card.json").exists() for place in places):
        assert default_model() in places
    else:
        with pytest.raises(ModelError, match="install the package again"):
            default_model()


# thresholds


@pytest.mark.parametrize(
    ("probability", "words", "loss", "threshold"),
    [
        ([0.1, 0.2, 0.2, 0.9], [1, 1, 1, 97], 0.0, 0.1),
        ([0.1, 0.2, 0.2, 0.9], [1, 1, 1, 97], 0.01, 0.2),
        ([0.1, 0.2, 0.2, 0.9], [1, 1, 1, 97], 0.02, 0.2),
        ([0.1, 0.2, 0.2, 0.9], [1, 1, 1, 97], 0.03, 0.9),
        ([0.1, 0.2, 0.2, 0.9], [1, 1, 1, 97], 0.99, 0.9),
        ([0.5], [0], 0.0, 0.5),
        ([], [], 0.01, 0.5),
    ],
)
def test_a_threshold_loses_at_most_the_stated_share_and_equal_scores_fall_together(
    probability: list[float], words: list[int], loss: float, threshold: float
) -> None:
    assert loss_threshold(np.array(probability), np.array(words, dtype=int), loss) == threshold


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50)), min_size=1),
    st.sampled_from([0, 0.01, 0.1, 0.5]),
)
def test_no_higher_threshold_keeps_to_the_loss(rows: list[tuple[int, int]], loss: float) -> None:
    probability, words = np.array(rows).T

    def lost(threshold: float) -> float:
        return float(words[probability < threshold].sum() / words.sum())

    found = loss_threshold(probability, words, loss)
    assert lost(found) <= loss
    assert all(lost(other) > loss for other in probability if other > found)


def calibration_of(content: np.ndarray, views: np.ndarray, words: int = 10) -> Calibration:
    """Rows of body (even) and legal (odd) with these probabilities of being body."""
    probabilities = np.zeros((len(content), 13), dtype=np.float32)
    probabilities[:, LABELS.index("body")] = content
    probabilities[:, LABELS.index("legal")] = 1 - content
    labels = np.where(np.arange(len(content)) % 2, LABELS.index("legal"), LABELS.index("body"))
    return Calibration.of(probabilities, labels, np.full(len(content), words), views)


def test_without_a_stated_loss_the_more_likely_wins() -> None:
    assert calibration_of(np.linspace(0, 1, 10), np.zeros(10)).threshold(Policy()) == 0.5


def test_a_stated_loss_holds_in_every_view_with_words_enough() -> None:
    random = np.random.default_rng(0)
    views = np.repeat([0, 1, 2], [4000, 4000, 20])
    content = np.clip(random.normal(np.where(views == 1, 0.4, 0.8), 0.1), 0, 1)
    content[views == 2] = 0.01
    calibration = calibration_of(content, views)
    assert 2000 * 10 > FEWEST_WORDS > 10 * 10
    threshold = calibration.threshold(Policy(max_content_loss=0.01))
    body = np.arange(len(content)) % 2 == 0
    for view in (0, 1):
        own = body & (views == view)
        assert (content[own] < threshold).mean() <= 0.012
    assert (content[body & (views == 2)] < threshold).all()


def test_a_stated_loss_holds_where_nearly_all_content_is_certain() -> None:
    content = np.random.default_rng(0).uniform(0.9965, 0.9999, 2000)
    threshold = calibration_of(content, np.zeros(2000)).threshold(Policy(max_content_loss=0.1))
    assert (content[::2] < threshold).mean() <= 0.1


@pytest.mark.parametrize(
    "labels", [["body"], ["body", "heading", "caption"], ["legal"], ["byline", "author_bio"]]
)
def test_any_set_of_labels_has_a_threshold_that_falls_with_the_stated_loss(
    model_folder: Path, labels: list[str]
) -> None:
    calibration = load_model(model_folder).calibration
    losses = [0.5, 0.1, 0.03, 0.005, 0.0]
    thresholds = [calibration.threshold(Policy(keep=labels, max_content_loss=loss)) for loss in losses]
    assert thresholds == sorted(thresholds, reverse=True)


def test_small_probabilities_keep_their_order_when_coded() -> None:
    content = np.array([0.0, 1e-4, 3e-4, 1e-3, 1e-2, 0.5, 0.99, 1.0])
    codes = calibration_of(content, np.zeros(8)).codes[:, LABELS.index("body")]
    assert codes.tolist() == sorted(set(codes.tolist()))
