"""What people look at: documents with their labels, progress, tables, errors.

Colours and styles show on a terminal only; ``NO_COLOR`` is honoured.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from boilerplate.batch import Count, Summary
from boilerplate.document import Cleaned, LabelledParagraph
from boilerplate.labels import LABELS, Label

__all__ = [
    "drawing",
    "errors_console",
    "picture_of",
    "print_card",
    "print_document",
    "print_error",
    "print_report",
    "print_scores",
    "print_summary",
    "progress",
    "saying",
    "visible",
]

COLOURS: dict[str, str] = {
    Label.BODY: "green",
    Label.HEADING: "green",
    Label.CAPTION: "green",
    Label.BYLINE: "cyan",
    Label.AUTHOR_BIO: "bright_cyan",
    Label.NEWSLETTER: "bright_magenta",
    Label.STORY_LINK: "yellow",
    Label.NAVIGATION: "blue",
    Label.SOCIAL: "bright_blue",
    Label.COMMENTS: "magenta",
    Label.PROMOTION: "red",
    Label.LEGAL: "bright_yellow",
    Label.OTHER: "bright_black",
}
LABEL_WIDTH = max(map(len, LABELS))
SVG_WIDTH = 100
PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {127: 0x2421}
PICTURES |= dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD)


def drawing() -> Console:
    """Give a console that only records, the same in every environment."""
    return Console(
        record=True,
        file=io.StringIO(),
        width=SVG_WIDTH,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        highlight=False,
    )


def picture_of(console: Console) -> str:
    """Give what a drawing console recorded as SVG, without the fonts that rich would fetch from the network.

    >>> console = drawing()
    >>> console.print("a line")
    >>> "http" in picture_of(console).replace("http://www.w3.org", "")
    False
    """
    picture = console.export_svg(title="boilerplate")
    return re.sub(r"<!--.*?-->|@font-face \{.*?\}", "", picture, flags=re.DOTALL)


def print_document(console: Console, cleaned: Cleaned, title: str = "") -> None:
    """Print every paragraph with mark, label and score: aligned lines, or columns in colour on a terminal.

    >>> import numpy as np
    >>> from boilerplate.segment import segment_text
    >>> document = segment_text("Two lines:\\nShare this")
    >>> sure = np.array([[0.9, 0.1], [0.2, 0.8]], dtype=np.float32)
    >>> cleaned = Cleaned(document, ("body", "social"), sure, sure[:, 0], sure[:, 0] > 0.5)
    >>> print_document(Console(), cleaned, "a.txt")
    == a.txt ==
      body       0.90  Two lines:
    - social     0.80  Share this
    """
    if title:
        console.print(Text(f"== {visible(title)} ==", style="bold"), soft_wrap=True)
    if cleaned.doubtful:
        console.print(Text("doubtful: nearly everything would be removed", style="bold red"), soft_wrap=True)
    print_one = _print_styled if console.is_terminal else _print_plain
    for paragraph in cleaned.paragraphs:
        print_one(console, paragraph)


def _print_plain(console: Console, paragraph: LabelledParagraph) -> None:
    """Print one paragraph unwrapped, its further lines under its first."""
    start = f"{_mark(paragraph)} {paragraph.label:<{LABEL_WIDTH}} {paragraph.score:.2f}  "
    lines = visible(paragraph.text).split("\n")
    console.out(start + ("\n" + " " * len(start)).join(lines), highlight=False)


def _print_styled(console: Console, paragraph: LabelledParagraph) -> None:
    """Print one paragraph in columns: kept plain, removed struck and in the colour of its label."""
    colour = COLOURS.get(paragraph.label, "")
    grid = Table.grid(padding=(0, 1), expand=True)
    for width in (1, LABEL_WIDTH, 4):
        grid.add_column(width=width)
    grid.add_column(ratio=1)
    text = Text(visible(paragraph.text), style="" if paragraph.keep else f"dim strike {colour}")
    label = Text(paragraph.label, style=colour)
    grid.add_row(_mark(paragraph), label, Text(f"{paragraph.score:.2f}", style="dim"), text)
    console.print(grid)


def _mark(paragraph: LabelledParagraph) -> str:
    return " " if paragraph.keep else "-"


def visible(text: str) -> str:
    """Give a text with its control characters shown as pictures, so that it cannot command a terminal.

    >>> visible("a\\x1b[31mb\\r\\n")
    'a␛[31mb\\n'
    """
    return text.replace("\r\n", "\n").translate(PICTURES)


@cache
def errors_console() -> Console:
    """Give the one console on standard error: progress and messages must know of each other."""
    return Console(stderr=True, highlight=False)


def print_error(message: str) -> None:
    """Print one error on one line of standard error."""
    errors_console().print(Text.assemble(("boilerplate: ", "bold red"), visible(message)), soft_wrap=True)


def print_summary(summary: Summary) -> None:
    """Print what was kept and removed by label, and one closing line."""
    console = errors_console()
    if summary.total_kept.paragraphs or summary.total_removed.paragraphs:
        console.print(_table_of(summary))
    console.print(_closing_line(summary), soft_wrap=True)


def _table_of(summary: Summary) -> Table:
    table = _plain_table("label", "kept", "words kept", "removed", "words removed")
    for label in map(str, LABELS):
        kept, removed = summary.kept.get(label, Count()), summary.removed.get(label, Count())
        if kept.paragraphs or removed.paragraphs:
            table.add_row(Text(label, style=COLOURS[label]), *_cells(kept), *_cells(removed))
    table.add_row("all", *_cells(summary.total_kept), *_cells(summary.total_removed), style="bold")
    return table


def _cells(count: Count) -> tuple[str, str]:
    return f"{count.paragraphs:,}", f"{count.words:,}"


def _closing_line(summary: Summary) -> str:
    """Say it in one line.

    >>> _closing_line(Summary(records=12, failed=1, kept={"body": Count(3, 90)}))
    '12 cleaned, 0% of the words removed, 1 failed'
    """
    parts = [f"{summary.records:,} cleaned"]
    parts += [f"{summary.removed_share:.0%} of the words removed"] if summary.records else []
    parts += [f"{summary.doubtful:,} doubtful"] if summary.doubtful else []
    parts += [f"{summary.failed:,} failed"] if summary.failed else []
    return ", ".join(parts)


@contextmanager
def progress(total: int | None, *, shown: bool) -> Iterator[Callable[[], None]]:
    """Show how far a run is, on a terminal only; call the value given to move one step on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = errors_console()
    if not (shown and console.is_terminal):
        yield lambda: None
        return
    columns = TextColumn("cleaning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    # Standard output is data, and stays what it is.
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=False)
    with bar:
        task = bar.add_task("cleaning", total=total)
        yield lambda: bar.advance(task)


def print_card(card: Mapping[str, Any]) -> None:
    """Print a model's card, an entry a line.

    >>> print_card({"labels": ["body", "legal"], "figures": {"macro_f1": 0.71234, "words": 100}})
    labels: body, legal
    figures
      macro_f1: 0.7123
      words: 100
    """
    _print_entries(Console(highlight=False), card, indent="")


def _print_entries(console: Console, entries: Mapping[str, Any], indent: str) -> None:
    for name, value in entries.items():
        if isinstance(value, Mapping):
            console.print(Text(f"{indent}{name}", style="bold"), soft_wrap=True)
            _print_entries(console, value, f"{indent}  ")
        else:
            console.print(Text.assemble(f"{indent}{name}: ", _shown(value)), soft_wrap=True)


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))


def print_scores(scores: Mapping[str, Mapping[str, Any]]) -> None:
    """Print figures: a line a view, then precision, recall and F1 of each label in the first view.

    ``scores`` has, for each view, what ``metrics.Scores.as_dict`` gives.
    """
    console, first = Console(highlight=False), next(iter(scores))
    console.print(_table_of_views(scores))
    if scores[first]["precision_recall_f1_rows"]:
        console.print()
        console.print(_table_of_labels(first, scores[first]["precision_recall_f1_rows"]))


def print_report(report: Mapping[str, Any]) -> None:
    """Print what ``evaluate.Report.as_dict`` gives: figures, parts, texts, and what was measured."""
    console = Console(highlight=False)
    print_scores(report["scores"])
    first = next(iter(report["scores"]))
    for by, parts in report["parts"].get(first, {}).items():
        console.print()
        console.print(_table_of_views(parts, f"{first}, by {by}"))
    if report["residue"]:
        console.print()
        console.print(_table_of_curve("mean of the extractors", report["residue"]))
    if report["texts"]:
        console.print()
        console.print(_table_of_texts(report["texts"]))
    console.print()
    for name in ("model", "data"):
        console.print(f"{name} {report[name]}", soft_wrap=True)


def _table_of_curve(name: str, curve: Mapping[str, Sequence[float]]) -> Table:
    table = _plain_table(name, "removed", "95 %")
    for loss, (value, *interval) in curve.items():
        table.add_row(f"at {loss} lost", f"{value:.3f}", _interval(interval))
    return table


def _table_of_texts(texts: Mapping[str, Mapping[str, Sequence[float]]]) -> Table:
    measures = ("word F1", "shingle F1", "snippet F1")
    table = _plain_table("text", *(heading for measure in measures for heading in (measure, "95 %")))
    for name, figures in texts.items():
        cells: list[str] = []
        for measure in measures:
            value, *interval = figures.get(measure, (None,))
            cells += ["-", ""] if value is None else [f"{value:.3f}", _interval(interval)]
        table.add_row(Text(visible(name)), *cells)
    return table


def _interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:.3f}–{ends[1]:.3f}"


def _table_of_views(scores: Mapping[str, Mapping[str, Any]], title: str = "view") -> Table:
    table = _plain_table(title, "documents", "macro-F1", "95 %", "removed at 1% lost", "95 %", "ECE")
    for view, own in scores.items():
        cells = _with_interval(own, "macro_f1") + _with_interval(own, "removed_at_1_percent_lost")
        table.add_row(
            Text(visible(view)),
            f"{own['documents']:,}",
            *cells,
            "-" if own["ece"] is None else f"{own['ece']:.3f}",
        )
    return table


def _with_interval(own: Mapping[str, Any], name: str) -> tuple[str, str]:
    if own[name] is None:
        return "-", ""
    return f"{own[name]:.3f}", _interval(own[f"{name}_interval"])


def _table_of_labels(view: str, labels: Mapping[str, Sequence[Any]]) -> Table:
    table = _plain_table(view, "precision", "recall", "F1", "paragraphs")
    for label, (*figures, rows) in labels.items():
        shown = [f"{figure:.3f}" if rows else "-" for figure in figures]
        table.add_row(Text(label, style=COLOURS[label]), *shown, f"{rows:,}")
    return table


def _plain_table(first: str, *headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def saying(message: str) -> None:
    """Say on standard error how far a long run is."""
    errors_console().print(Text(visible(message)), highlight=False)
