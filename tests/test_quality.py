"""The gate: the packaged model is the one that was measured, and what was measured still holds.

tests/quality.py measures (``make quality``) and tests/quality.json keeps what came out. A refit
above its ceiling fails as one below its floor does: something leaked.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quality
from quality import GATES, PINS, band, leaks, outside, refitted, sides, worse

from boilerplate.corpora import LabelledDocument
from boilerplate.document import Document
from boilerplate.store import load_model

PINNED: dict[str, Any] = json.loads(PINS.read_text(encoding="utf-8"))
SEEDS = GATES["seeds"]
TAUGHT, MEASURED = sides(SEEDS)
SEED_PINS = PINNED["refits"]["seeds"]["figures"]


@pytest.fixture
def corpora() -> Path:
    if not quality.GOLD.exists():
        pytest.skip(
            f"NOT CHECKED: the digests of the corpora and a refitted fold of gold-dev; no corpora in "
            f"{quality.DATA}, name their folder in BOILERPLATE_DATA"
        )
    return quality.DATA


def test_the_packaged_weights_are_those_that_were_measured() -> None:
    assert load_model().card["weights"] == PINNED["weights"], "measure the new weights: make quality"


def test_the_corpora_are_those_that_were_measured_on(corpora: Path) -> None:
    assert quality.data_digests() == PINNED["data"], "the data changed: measure anew with make quality"


def test_the_card_tells_the_figures_that_were_measured_out_of_fold() -> None:
    assert PINNED["out of fold"] == quality.headline(load_model().card)


@pytest.mark.parametrize("name", GATES)
def test_the_refits_are_those_whose_bands_were_measured(name: str) -> None:
    options = json.loads(json.dumps(quality.asdict(GATES[name].options)))
    assert options == PINNED["refits"][name]["options"], "measure the bands anew: make quality"


def test_the_held_out_articles_come_out_no_worse() -> None:
    found, pinned = quality.held_out_figures(), PINNED["held out"]
    assert found["paragraphs wrong"] <= pinned["paragraphs wrong"]
    assert found["articles wrong"] <= pinned["articles wrong"]
    assert found["macro-F1"] == pytest.approx(pinned["macro-F1"], abs=0.01)


def test_nothing_stands_on_both_sides_of_the_split() -> None:
    assert leaks(TAUGHT, MEASURED) == []
    assert TAUGHT
    assert MEASURED


@pytest.mark.slow
def test_a_refitted_fold_of_the_seeds_stays_in_its_band() -> None:
    assert outside(refitted(TAUGHT, MEASURED, SEEDS.options), SEED_PINS) == []


@pytest.mark.slow
def test_a_refitted_fold_of_gold_stays_in_its_band(corpora: Path) -> None:
    gate = GATES["gold-dev"]
    taught, measured = sides(gate)
    assert leaks(taught, measured) == []
    figures = refitted(taught, measured, gate.options)
    assert outside(figures, PINNED["refits"]["gold-dev"]["figures"]) == []


# planted: the gate must see them


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"page": "another-name"},
        {"page": "another-name", "site": "another.org", "view": "thinned"},
    ],
    ids=["the very page", "under another name", "on another site"],
)
def test_one_page_on_both_sides_is_named(change: dict[str, str]) -> None:
    leaked = MEASURED[3]
    assert leaks([*TAUGHT, replace(leaked, **change)], MEASURED) == [leaked.page]  # type: ignore[arg-type]


def test_a_copy_with_other_furniture_is_named() -> None:
    leaked = max(MEASURED, key=lambda one: len(one.document.text))
    some = np.flatnonzero(leaked.allowed[:, :3].any(axis=1))  # its content alone
    document = Document(leaked.document.text, leaked.document.starts[some], leaked.document.ends[some])
    copy = replace(leaked, document=document, allowed=leaked.allowed[some], page="copy", site="mirror.org")
    assert leaks([*TAUGHT, copy], MEASURED) == [leaked.page]


def test_another_page_of_a_measured_site_is_named() -> None:
    on_site = [replace(MEASURED[0], site="one.org"), replace(MEASURED[1], site="two.org")]
    assert leaks([replace(TAUGHT[0], site="two.org")], on_site) == [MEASURED[1].page]
    corpus = [replace(MEASURED[0], site="corpus")]  # pages without an address are no leak of one another
    assert leaks([replace(TAUGHT[0], site="corpus")], corpus) == []


@pytest.mark.slow
def test_pages_on_both_sides_break_the_ceiling() -> None:
    found = outside(refitted([*TAUGHT, *MEASURED], MEASURED, SEEDS.options), SEED_PINS)
    assert any(line.startswith("macro-F1") and line.endswith("look for a leak") for line in found)


def mislabelled(one: LabelledDocument, share: float, random: np.random.Generator) -> LabelledDocument:
    """Exchange the labels of a share of the paragraphs among all of the page."""
    exchanged = one.allowed[random.permutation(len(one.allowed))]
    chosen = random.random(len(one.allowed)) < share
    return replace(one, allowed=np.where(chosen[:, None], exchanged, one.allowed))


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.0, 0.2])
def test_permuted_labels_fall_through_the_floor(share: float) -> None:
    random = np.random.default_rng(0)
    taught = [mislabelled(one, share, random) for one in TAUGHT]
    found = outside(refitted(taught, MEASURED, SEEDS.options), SEED_PINS)
    assert any(line.startswith("macro-F1") and line.endswith("it got worse") for line in found)


# the gate itself


def test_a_band_is_as_wide_as_refits_differ_and_never_narrower_than_machines_do() -> None:
    assert band([0.6, 0.6, 0.6, 0.6]) == {"value": 0.6, "floor": 0.57, "ceiling": 0.63}
    assert band([0.5, 0.6, 0.7]) == {"value": 0.5, "floor": 0.3, "ceiling": 0.9}


def test_figures_outside_a_band_are_told_on_either_side() -> None:
    pins = {"a": {"floor": 0.4, "ceiling": 0.6}}
    assert outside({"a": 0.5}, pins) == []
    assert outside({"a": 0.3}, pins) == ["a is 0.300, below its floor 0.4: it got worse"]
    assert outside({"a": 0.7}, pins) == ["a is 0.700, above its ceiling 0.6: look for a leak"]


def test_worse_figures_are_not_written_unasked() -> None:
    assert worse(PINNED, PINNED) == []
    new = json.loads(json.dumps(PINNED))
    new["held out"]["paragraphs wrong"] += 1
    new["refits"]["seeds"]["figures"]["macro-F1"]["value"] = 0.1
    assert [line.split(":")[0] for line in worse(new, PINNED)] == [
        "held out, paragraphs wrong",
        "refit of seeds, macro-F1",
    ]
