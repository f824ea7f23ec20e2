"""From labelled documents to a model folder: folds, calibration rows, the final fit, the card."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boilerplate.corpora import LabelledDocument, digest_of, read_labelled
from boilerplate.document import DataError, OutputError
from boilerplate.features import count_words
from boilerplate.fitting import TrainOptions, cross_predict, fit_network, scores_by_view
from boilerplate.labels import LABELS
from boilerplate.metrics import Scores
from boilerplate.splits import described
from boilerplate.store import Calibration, save_model

__all__ = ["calibration_rows", "train"]

Floats = NDArray[np.float32]

CALIBRATION_ROWS = 20_000
CONVENTION = "page"  # labels follow LABELS.md to the letter, so figures do


def train(
    paths: Sequence[Path | str],
    output: Path | str,
    options: TrainOptions | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda message: None,
) -> dict[str, Scores]:
    """Train a model on labelled data, write its folder, and give its out-of-fold figures by view.

    Folders named ``heldout`` are left out. Wrong data raise DataError, a folder that
    stands there already OutputError.

    >>> import tempfile
    >>> from boilerplate.trainer import Options
    >>> small = Options(widths=(8, 8, 8), fewest_steps=9, epochs=1)
    >>> quick = TrainOptions(folds=2, thin=1, workers=1, network=small)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     figures = train(["seeds/articles"], folder, quick)
    >>> list(figures)
    ['whole page']
    """
    _check_output(Path(output), overwrite)
    documents = read_labelled(paths)
    options = (options or TrainOptions()).sized(documents)
    _check_documents(documents, options)
    progress(f"{len(documents):,} documents of {len({one.site for one in documents}):,} sites")
    predictions = cross_predict(documents, options, CONVENTION, progress)
    figures = scores_by_view(documents, predictions)
    progress("the final fit")
    network = fit_network(documents, options)
    calibration, views = calibration_rows(documents, predictions, options.seed)
    facts = _facts(documents, options, figures, views, paths, output)
    save_model(output, network, calibration, facts, _page(facts))
    return figures


def _check_output(output: Path, overwrite: bool) -> None:
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; name a folder for the model")
    if not overwrite and output.is_dir() and any(output.iterdir()):
        raise OutputError(f"{output} holds something already; name another folder, or give --overwrite")


def _check_documents(documents: Sequence[LabelledDocument], options: TrainOptions) -> None:
    sites = len({one.site for one in documents})
    if sites < options.folds:
        raise DataError(
            f"{sites} sites cannot be split into {options.folds} folds; add documents or give fewer --folds"
        )
    if not any(one.labels.max(initial=-1) >= 0 for one in documents):
        raise DataError("no paragraph has a label; each block needs one of " + ", ".join(LABELS))


def calibration_rows(
    documents: Sequence[LabelledDocument], predictions: Sequence[Floats], seed: int
) -> tuple[Calibration, list[str]]:
    """Draw out-of-fold rows with known labels, as many of each view, and name the views.

    >>> documents = read_labelled(["seeds/articles"])
    >>> rows, views = calibration_rows(documents, [one.allowed.astype(np.float32) for one in documents], 0)
    >>> views, len(rows.labels) == sum(len(one.document) for one in documents)
    (['whole page'], True)
    """
    views = sorted({one.view for one in documents})
    lengths = [len(one.document) for one in documents]
    view = np.repeat([views.index(one.view) for one in documents], lengths)
    labels = np.concatenate([one.labels for one in documents])
    random = np.random.default_rng(seed)
    chosen = []
    for number in range(len(views)):
        rows = np.flatnonzero((view == number) & (labels >= 0))
        chosen.append(random.permutation(rows)[: CALIBRATION_ROWS // len(views)])
    some = np.sort(np.concatenate(chosen))
    words = count_words([one.document for one in documents])
    probabilities = np.concatenate(predictions)
    return Calibration.of(probabilities[some], labels[some], words[some], view[some]), views


def _facts(
    documents: Sequence[LabelledDocument],
    options: TrainOptions,
    figures: dict[str, Scores],
    views: list[str],
    paths: Sequence[Path | str],
    output: Path | str,
) -> dict[str, Any]:
    """Say in the card what the model was made of, and how well it did out of fold."""
    libraries = ("numpy", "scipy", "scikit-learn")
    return {
        "command": shlex.join(["boilerplate", "train", *map(str, paths), "-o", str(output)]),
        "options": asdict(options),
        "split": described(options.folds, options.seed),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in libraries}},
        "data": hashlib.sha256("".join(sorted(digest_of(one) for one in documents)).encode()).hexdigest(),
        "views": views,
        "figures_out_of_fold": {view: scores.as_dict() for view, scores in figures.items()},
        "documents": sorted({digest_of(one) for one in documents}),
    }


def _page(facts: dict[str, Any]) -> str:
    """Write the card for people."""
    view, first = next(iter(facts["figures_out_of_fold"].items()))  # whole pages, where there are any
    rows = [
        f"| {name} | {p:.2f} | {r:.2f} | {f:.2f} | {n:,} |"
        for name, (p, r, f, n) in first["precision_recall_f1_rows"].items()
    ]
    views = [
        f"| {name} | {own['documents']:,} | "
        f"{_cell(own, 'macro_f1')} | {_cell(own, 'removed_at_1_percent_lost')} |"
        for name, own in facts["figures_out_of_fold"].items()
    ]
    return "\n".join(
        [
            "# Model card",
            "",
            f"Made by `{facts['command']}`; data digest `{facts['data'][:16]}`.",
            "Figures are out of fold by site: no page was scored by a network that saw its site. "
            "In brackets: 95 % intervals over sites.",
            "",
            "| view | documents | macro-F1, 13 labels | boilerplate words removed at 1 % of content lost |",
            "|---|---|---|---|",
            *views,
            "",
            f"By label, {view}:",
            "",
            "| label | precision | recall | F1 | paragraphs |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _cell(figures: dict[str, Any], name: str) -> str:
    """Write a figure with its interval over sites, or a dash."""
    if figures[name] is None:
        return "–"
    low, high = figures[f"{name}_interval"]
    return f"{figures[name]:.3f} [{low:.3f}, {high:.3f}]"
