"""Clean the pages of a benchmark by networks that saw nothing of their sites, for peers.py --texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from boilerplate.corpora import LabelledDocument, read_labelled, read_taught
from boilerplate.document import Cleaned
from boilerplate.fitting import TrainOptions, fit_network, predict
from boilerplate.labels import LABELS
from boilerplate.metrics import scored
from boilerplate.splits import site_folds
from boilerplate.store import load_model

CONVENTIONS = ("page", "article")


def cleaned(
    taught: Sequence[LabelledDocument], pages: Sequence[LabelledDocument], options: TrainOptions
) -> Iterator[tuple[str, str, str]]:
    """Give (convention, page, text) of every page, by a network fitted on the other folds.

    Folds are by site, near-duplicates on one side, over the labelled documents and the pages together.
    """
    fold = site_folds([*taught, *pages], options.folds, options.seed)
    for k in sorted(set(fold[len(taught) :].tolist())):
        typer.echo(f"fold {k + 1} of {options.folds}", err=True)
        network = fit_network([taught[i] for i in np.flatnonzero(fold[: len(taught)] != k)], options)
        own = [pages[i] for i in np.flatnonzero(fold[len(taught) :] == k)]
        for convention in CONVENTIONS:
            full = [one for one in own if len(one.document)]
            yield from ((convention, one.page, "") for one in own if not len(one.document))
            for one, rows in zip(full, scored(full, predict(network, full, convention)), strict=True):
                kept = Cleaned(one.document, LABELS, rows.probabilities, rows.content_probability, rows.keep)
                yield convention, one.page, kept.text


Data = Annotated[list[Path], typer.Argument(help="Labelled documents to learn from.")]
Tables = Annotated[list[Path], typer.Option("--pages", help="Page tables to clean; repeatable.")]
Output = Annotated[
    Path, typer.Option("-o", "--output", help="A folder; a file of texts for each convention.")
]
Model = Annotated[Path, typer.Option(help="The model whose options are refitted.")]


def main(
    data: Data, pages: Tables, output: Output, model: Model = Path("models/default"), folds: int = 5
) -> None:
    """Write ``boilerplate, page.json`` and ``boilerplate, article.json``, each {"doc": text}."""
    options = TrainOptions.from_card(load_model(model).card["options"], folds=folds)
    texts: dict[str, dict[str, str]] = {convention: {} for convention in CONVENTIONS}
    for convention, page, text in cleaned(read_taught(data, pages), read_labelled(pages), options):
        texts[convention][page] = text
    output.mkdir(parents=True, exist_ok=True)
    for convention, by_page in texts.items():
        path = output / f"boilerplate, {convention}.json"
        path.write_text(json.dumps(by_page, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
