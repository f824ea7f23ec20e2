"""The command line: parse, call, print; data on standard output, everything for people on standard error."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from boilerplate import __version__, batch
from boilerplate.cleaner import Cleaner, load
from boilerplate.document import BoilerplateError, Record
from boilerplate.formats import Failed, Source, find_sources, opened, suffix_of
from boilerplate.labels import Label, policy_named
from boilerplate.terminal import (
    drawing,
    errors_console,
    picture_of,
    print_card,
    print_document,
    print_error,
    print_report,
    print_scores,
    print_summary,
    progress,
    saying,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="boilerplate",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code: 0, 1 on errors, 2 on wrong usage, 130 on Ctrl-C.

    >>> main(["clean", "no-such-file.txt"])
    1
    """
    try:
        app(None if argv is None else list(argv), prog_name="boilerplate")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BoilerplateError as error:
        print_error(str(error))
        return 1
    return 0


def _option(*names: str, metavar: str | None = None, **more: Any) -> Any:
    """Declare an option whose default, None or False, says nothing to a reader."""
    return typer.Option(*names, metavar=metavar, show_default=False, **more)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"boilerplate {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
]


@app.callback()
def _program(version: Version = False) -> None:
    """Take the boilerplate out of scraped articles: every paragraph gets a label, no word is changed."""


# -- clean

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Texts (.txt, .text, .md), JSON lines with a text field (.jsonl), folders of texts, "
        "or - for standard input.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    _option(
        "-o",
        "--output",
        metavar="OUT",
        help="A file; a folder where the input is a folder or several. Left out, or -: standard output.",
    ),
]
Model = Annotated[Path | None, _option(metavar="DIR", help="A model folder instead of the packaged model.")]
PolicyName = Annotated[
    Literal["balanced", "careful", "strict", "metadata"],
    typer.Option(
        help="[b]balanced[/b]: what is likelier content stays. [b]careful[/b]: next to no content is lost. "
        "[b]strict[/b]: boilerplate goes first. [b]metadata[/b]: bylines and author notes stay too."
    ),
]
Keep = Annotated[list[Label] | None, _option(metavar="LABEL", help="Keep this label as well; repeatable.")]
Drop = Annotated[list[Label] | None, _option(metavar="LABEL", help="Remove this label as well; repeatable.")]
MaxContentLoss = Annotated[
    float | None,
    _option(metavar="SHARE", help="The share of content words that may be lost by mistake, as in 0.005."),
]
Convention = Annotated[
    Literal["article", "page"],
    typer.Option(
        help="What counts as content: the [b]article[/b] alone, or what the [b]page[/b] is for "
        "(a forum's posts, a shop's description)."
    ),
]
Format = Annotated[
    Literal["text", "jsonl"] | None,
    _option(
        help="[b]text[/b]: the article alone. [b]jsonl[/b]: a line a document, with label, score and place "
        "of every paragraph. Left out: what the name of OUT says, else text."
    ),
]
Explain = Annotated[bool, _option("--explain", help="Print each paragraph with its label and score.")]
Picture = Annotated[
    Path | None, _option(metavar="FILE", help="With --explain: draw it as a picture instead.")
]
Overwrite = Annotated[bool, _option("--overwrite", help="Replace outputs that exist; inputs never are.")]
Encoding = Annotated[
    str | None,
    _option(metavar="NAME", help="Encoding of the inputs. Left out: a byte order mark decides, else UTF-8."),
]
Quiet = Annotated[bool, _option("--quiet", "-q", help="No progress and no closing table, errors only.")]


@app.command()
def clean(
    inputs: Inputs,
    output: Output = None,
    model: Model = None,
    policy: PolicyName = "balanced",
    keep: Keep = None,
    drop: Drop = None,
    max_content_loss: MaxContentLoss = None,
    convention: Convention = "article",
    format: Format = None,
    explain: Explain = False,
    svg: Picture = None,
    overwrite: Overwrite = False,
    encoding: Encoding = None,
    quiet: Quiet = False,
) -> None:
    """Clean texts: the article stays, what surrounds it goes.

    [dim]boilerplate clean story.txt[/dim]

    [dim]boilerplate clean scraped/ -o cleaned/[/dim]

    [dim]boilerplate clean scraped/ --format jsonl -o cleaned.jsonl[/dim]

    [dim]boilerplate clean story.txt --explain[/dim]
    """
    with _wrong_usage():
        _check_options(encoding, svg, explain=explain, for_machines=bool(output or format))
        chosen = policy_named(policy).changed(
            keep=keep or (), drop=drop or (), max_content_loss=max_content_loss
        )
        if explain:
            job = _plan_explaining(inputs, svg, overwrite=overwrite, encoding=encoding)
        else:
            job = batch.plan(inputs, output, format=format, overwrite=overwrite, encoding=encoding)
    cleaner = load(model, policy=chosen, convention=convention)
    summary = _explain(job, cleaner) if explain else _run(job, cleaner, quiet=quiet)
    if not quiet and (errors_console().is_terminal or any(job.targets)):
        print_summary(summary)
    raise typer.Exit(1 if summary.failed else 0)


@contextmanager
def _wrong_usage() -> Iterator[None]:
    """Tell a call that makes no sense from an error: exit code 2, with a hint at --help."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _check_options(encoding: str | None, svg: Path | None, *, explain: bool, for_machines: bool) -> None:
    if svg and not explain:
        raise ValueError("--svg is the picture of --explain: give both")
    if explain and for_machines:
        raise ValueError("--explain prints for people: leave out -o and --format")
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    except LookupError as error:
        raise ValueError(f"{error}; encodings are called utf-8, cp1252, shift_jis, ...") from None


def _plan_explaining(
    inputs: list[str], svg: Path | None, *, overwrite: bool, encoding: str | None
) -> batch.Job:
    sources = tuple(find_sources(inputs))
    batch.check_targets(sources, [svg], overwrite=overwrite)
    return batch.Job(sources, (svg,), "explain", overwrite, encoding)


def _run(job: batch.Job, cleaner: Cleaner, *, quiet: bool) -> batch.Summary:
    to_standard_output = job.targets == (None,)
    to_file = (
        not to_standard_output or sys.stdout.seekable()
    )  # beside a pipe or a text, progress would be noise
    with progress(_number_of_records(job.sources), shown=to_file and not quiet) as advance:

        def watch(outcome: Record | Failed) -> None:
            advance()
            if isinstance(outcome, Failed):
                print_error(outcome.reason)

        summary = batch.run(job, cleaner, watch)
    if to_standard_output and job.format == "text" and sys.stdout.isatty():
        typer.echo()  # the article is written to the letter, and the prompt wants a line of its own
    return summary


def _number_of_records(sources: Sequence[Source]) -> int | None:
    """Count the records, where that is known before reading."""
    return None if any(suffix_of(source) == ".jsonl" for source in sources) else len(sources)


def _explain(job: batch.Job, cleaner: Cleaner) -> batch.Summary:
    """Print every document with its labels, or draw them all in one picture."""
    tally, picture = batch.Tally(), job.targets[0]
    console = drawing() if picture else Console(highlight=False)
    titled = _number_of_records(job.sources) != 1

    def failed(failure: Failed) -> None:
        tally.failed += 1
        print_error(failure.reason)

    for record, cleaned in batch.clean_sources(cleaner, job.sources, encoding=job.encoding, failed=failed):
        tally.add(cleaned)
        print_document(console, cleaned, record.id if titled else "")
    if picture and tally.records:
        with opened(picture, overwrite=job.overwrite) as file:
            file.write(picture_of(console).encode("utf-8"))
    return tally.summary()


# -- train, evaluate, info

Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA",
        help="Labelled documents (.jsonl), tables of pages or of what extractors left of them (.parquet), "
        "folders of these, or data sets of the hub.",
    ),
]
ModelOut = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The model folder to write.")]
Folds = Annotated[int, typer.Option(min=2, help="Parts, by site, that figures are measured on.")]
Seed = Annotated[int, typer.Option(help="Decides every random choice: same seed and data, same model.")]


@app.command()
def train(
    data: Data, output: ModelOut, folds: Folds = 5, seed: Seed = 0, overwrite: Overwrite = False
) -> None:
    """Train a model on your own labelled documents.

    [dim]boilerplate train seeds/ -o models/mine[/dim]
    """
    from boilerplate import train as training
    from boilerplate.fitting import TrainOptions

    options = TrainOptions(folds=folds, seed=seed)
    scores = training.train(data, output, options, overwrite=overwrite, progress=saying)
    print_scores({view: figures.as_dict() for view, figures in scores.items()})
    saying(f"{output} is written; see {output / 'card.md'}")


Evaluated = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model folder, or [b]default[/b]: the packaged model.")
]
TestFolds = Annotated[
    int | None,
    _option(metavar="N", min=2, help="Train anew on parts of the data, by site, and test on the others."),
]
LabelledConvention = Annotated[
    Literal["article", "page"], _option(help="The convention the labels follow; the guide's is page.")
]
InSample = Annotated[bool, _option("--in-sample", help="Score documents that the model was trained on, too.")]
AsJson = Annotated[bool, _option("--json", help="Print the figures as JSON.")]
AsPage = Annotated[
    Path | None,
    _option(
        "--html", metavar="FILE", help="Write a page of figures and of the worst documents, with their text."
    ),
]
Also = Annotated[
    list[str] | None,
    _option(metavar="DATA", help="With --folds: score these as well, but train on none of them; repeatable."),
]


@app.command()
def evaluate(
    model: Evaluated,
    data: Data,
    folds: TestFolds = None,
    also: Also = None,
    convention: LabelledConvention = "page",
    in_sample: InSample = False,
    as_json: AsJson = False,
    html: AsPage = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure a model on labelled documents; figures come with intervals over sites.

    [dim]boilerplate evaluate models/mine seeds/heldout/[/dim]

    [dim]boilerplate evaluate models/mine seeds/heldout/ --html report.html[/dim]
    """
    from boilerplate import evaluate as evaluation
    from boilerplate.report import check_report, write_report

    if html:
        check_report(html, overwrite=overwrite)
    report = evaluation.evaluate(
        None if model == "default" else model,
        data,
        convention=convention,
        in_sample=in_sample,
        folds=folds,
        also=also or (),
        progress=saying,
    )
    if html:
        write_report(report, html)
    if as_json:
        typer.echo(report.as_json())
        return
    print_report(report.as_dict())
    saying(f"{report.scored:,} documents scored")
    if report.left_out:
        pages = f"{len(report.left_out):,} pages left out: the model was trained on them"
        saying(f"{pages} (--json names them)")
    if report.seen:
        saying(f"{report.seen:,} of them the model was trained on: these figures flatter it")


Gold = Annotated[
    Path,
    typer.Argument(metavar="GOLD", help="Labelled documents (.jsonl); their ids are those of the pages."),
]
Pages = Annotated[
    list[str], typer.Argument(metavar="PAGES...", help="Page tables (.parquet, .jsonl), folders or hub ids.")
]
ResidueOut = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The .parquet to write.")]
ChosenExtractors = Annotated[
    list[str] | None,
    _option("--extractor", metavar="NAME", help="Run only this one; repeatable. Left out: all of them."),
]
Workers = Annotated[int, typer.Option(metavar="N", min=1, help="Processes that share the pages.")]


@app.command()
def residue(
    gold: Gold,
    pages: Pages,
    output: ResidueOut,
    extractor: ChosenExtractors = None,
    workers: Workers = 1,
    overwrite: Overwrite = False,
) -> None:
    """Run extractors over labelled pages and label what they leave, line by line.

    [dim]boilerplate residue gold.jsonl pages.parquet -o residue.parquet[/dim]
    """
    from boilerplate.extractors import EXTRACTORS
    from boilerplate.residue import write_residue

    chosen = extractor or tuple(EXTRACTORS)
    tally = write_residue(
        [gold], pages, output, extractors=chosen, workers=workers, overwrite=overwrite, progress=saying
    )
    for line in tally.said():
        saying(line)


Described = Annotated[
    Path | None,
    typer.Argument(metavar="MODEL", help="A model folder. Left out: the packaged one.", show_default=False),
]


@app.command()
def info(model: Described = None) -> None:
    """Print a model's card: labels, policies, figures, and the command that trained it."""
    from boilerplate.store import describe

    print_card(describe(model))


if __name__ == "__main__":
    sys.exit(main())
