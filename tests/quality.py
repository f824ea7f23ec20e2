"""Measure what tests/test_quality.py holds the packaged model to, and write it to tests/quality.json.

``make quality`` runs it. It writes the digests of the weights and of the data; the out-of-fold
figures of the packaged configuration; the figures of small refits, each with the band that
seeds alone explain; and what is wrong in the held-out articles. It refuses to write anything worse
than what stands there, unless told ``--allow-worse``; then say in CHANGELOG why.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from boilerplate.cleaner import load
from boilerplate.corpora import LabelledDocument, read_labelled
from boilerplate.evaluate import evaluate
from boilerplate.fitting import TrainOptions, fit_network, predict
from boilerplate.labels import CONTENT, LABELS
from boilerplate.metrics import score, scored
from boilerplate.splits import near_duplicates, site_folds
from boilerplate.store import load_model
from boilerplate.trainer import Options

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BOILERPLATE_DATA", ROOT.parent / "shared"))
PINS = ROOT / "tests" / "quality.json"
HELD_OUT = ROOT / "seeds" / "heldout"
GOLD, RESIDUE = DATA / "gold" / "gold-dev.jsonl", DATA / "gold" / "residue-dev.parquet"

FOLDS = 5
SEEDS = 4  # refits that a band is measured by
DEVIATIONS = 3  # of those refits, on either side of their mean
NARROWEST = 0.03  # half a band: another machine's sums differ in their last bits


@dataclass(frozen=True)
class Gate:
    """A refit small enough for every run of CI: fold 0 of some data, by a small network."""

    paths: tuple[Path, ...]
    options: TrainOptions


GATES = {
    "seeds": Gate(
        (ROOT / "seeds" / "articles",),
        TrainOptions(
            folds=FOLDS,
            thin=1,
            workers=1,
            network=Options(
                members=1,
                widths=(32, 48, 32),
                epochs=6,
                fewest_steps=700,
                views=1,
                dropout=0.1,
                smoothing=0.0,
            ),
        ),
    ),
    "gold-dev": Gate(
        (GOLD,),
        TrainOptions(
            folds=FOLDS,
            thin=1,
            workers=1,
            network=Options(members=1, widths=(32, 48, 32), epochs=8, views=1),
        ),
    ),
}


def sides(gate: Gate) -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Give what a gate's refit learns from, and fold 0, which it is measured on."""
    documents = read_labelled(gate.paths)
    fold = site_folds(documents, FOLDS)
    taught = [one for one, k in zip(documents, fold, strict=True) if k != 0]
    return taught, [one for one, k in zip(documents, fold, strict=True) if k == 0]


def leaks(taught: Sequence[LabelledDocument], measured: Sequence[LabelledDocument]) -> list[str]:
    """Name the measured pages that were taught as well: by name, site or text, or nearly the same text."""
    known = {trace for one in taught for trace in _traces(one)}
    sides = {id(one): "taught" for one in taught} | {id(one): "measured" for one in measured}
    alike = [
        pair for pair in near_duplicates([*taught, *measured]) if len({sides[id(one)] for one in pair}) == 2
    ]
    copied = {one.page for pair in alike for one in pair if sides[id(one)] == "measured"}
    return [one.page for one in measured if one.page in copied or known & set(_traces(one))]


def _traces(one: LabelledDocument) -> Iterator[tuple[str, str]]:
    yield "page", one.page
    yield "text", " ".join(one.document.text.split())
    if "." in one.site:  # else a page without an address, whose site is its corpus
        yield "site", one.site


def refitted(
    taught: Sequence[LabelledDocument], measured: Sequence[LabelledDocument], options: TrainOptions
) -> dict[str, float]:
    """Fit on the one side and give the headline figures of the other."""
    figures = score(scored(measured, predict(fit_network(taught, options), measured)))
    assert figures.macro_f1 is not None
    return {"macro-F1": figures.macro_f1.value, "removed at 1 % lost": figures.removed[0.01].value}


def band(values: Sequence[float]) -> dict[str, float]:
    """Give the first of several refits' figures, and the band in which a refit may lie."""
    half = max(DEVIATIONS * float(np.std(values, ddof=1)), NARROWEST)
    mean = float(np.mean(values))
    found = {"value": values[0], "floor": mean - half, "ceiling": mean + half}
    return {name: round(value, 4) for name, value in found.items()}


def outside(figures: Mapping[str, float], pins: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Tell each figure that leaves its band, and what that may mean."""
    wrong = []
    for name, value in figures.items():
        if value < pins[name]["floor"]:
            wrong.append(f"{name} is {value:.3f}, below its floor {pins[name]['floor']}: it got worse")
        if value > pins[name]["ceiling"]:
            wrong.append(f"{name} is {value:.3f}, above its ceiling {pins[name]['ceiling']}: look for a leak")
    return wrong


def gate_figures(gate: Gate) -> dict[str, dict[str, float]]:
    """Refit a gate with several seeds and give the band of each figure."""
    taught, measured = sides(gate)
    if leaking := leaks(taught, measured):
        raise SystemExit(f"on both sides of the split: {', '.join(leaking)}")
    refits = [refitted(taught, measured, replace(gate.options, seed=seed)) for seed in range(SEEDS)]
    return {name: band([figures[name] for figures in refits]) for name in refits[0]}


def held_out_figures() -> dict[str, float]:
    """Count the paragraphs of the held-out articles that the packaged model keeps or removes wrongly."""
    cleaner, articles = load(), read_labelled([HELD_OUT], held_out=True)
    answers = [cleaner.clean(one.document.text) for one in articles]
    wrong = [
        int((answer.keep != [LABELS[k] in CONTENT for k in one.labels]).sum())
        for answer, one in zip(answers, articles, strict=True)
    ]
    macro = evaluate(None, [HELD_OUT]).scores["whole page"].macro_f1
    assert macro is not None
    return {"paragraphs wrong": sum(wrong), "articles wrong": sum(map(bool, wrong)), "macro-F1": macro.value}


def data_digests() -> dict[str, str]:
    """Digest the files of labels that figures were measured on."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (GOLD, RESIDUE)}


def headline(card: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Give the out-of-fold figures that training measured; floor and ceiling are the ends of the interval."""
    found = {}
    for view, own in card["figures_out_of_fold"].items():
        for name, key in (("macro-F1", "macro_f1"), ("removed at 1 % lost", "removed_at_1_percent_lost")):
            if own[key] is not None:
                low, high = own[f"{key}_interval"]
                found[f"{view}, {name}"] = {"value": own[key], "floor": low, "ceiling": high}
    return found


def measured() -> dict[str, Any]:
    """Measure everything; the out-of-fold figures are those of the folds that training refitted."""
    if not GOLD.exists():
        raise SystemExit(f"no labelled corpora in {DATA}; name their folder in BOILERPLATE_DATA")
    say = lambda message: print(message, file=sys.stderr)  # noqa: E731
    say("held-out articles")
    card = load_model().card
    found: dict[str, Any] = {
        "weights": card["weights"],
        "data": data_digests(),
        "held out": {name: round(value, 4) for name, value in held_out_figures().items()},
        "out of fold": headline(card),
        "refits": {},
    }
    for name, gate in GATES.items():
        say(f"refits of {name}")
        options = asdict(gate.options)
        found["refits"][name] = {"options": options, "figures": gate_figures(gate)}
    return found


def worse(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Tell what got worse between two measurements."""
    wrong = []
    for name in ("paragraphs wrong", "articles wrong"):
        if new["held out"][name] > old["held out"][name]:
            wrong.append(f"held out, {name}: {old['held out'][name]} before, now {new['held out'][name]}")
    pairs = [
        (f"refit of {name}", own["figures"], new["refits"][name]["figures"])
        for name, own in old["refits"].items()
    ]
    pairs.append(("out of fold", old.get("out of fold", {}), new.get("out of fold", {})))
    for where, before, now in pairs:
        for name in before.keys() & now.keys():
            if now[name]["value"] < before[name]["floor"]:
                wrong.append(f"{where}, {name}: {before[name]['value']} before, now {now[name]['value']}")
    return wrong


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--allow-worse", action="store_true", help="write figures that are worse than before")
    given = parser.parse_args(argv)
    old = json.loads(PINS.read_text(encoding="utf-8")) if PINS.exists() else None
    new = measured()
    if old and (wrong := worse(new, old)) and not given.allow_worse:
        print("not written, for it got worse (--allow-worse):", *wrong, sep="\n  ", file=sys.stderr)
        return 1
    PINS.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
