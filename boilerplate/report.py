"""The report a person looks at: one page of figures and of the worst documents, in one file.

Nothing is fetched and no script runs in it; all text of documents is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from boilerplate.document import OutputError
from boilerplate.evaluate import Report, WorstPage
from boilerplate.formats import opened
from boilerplate.intervals import Estimate
from boilerplate.labels import LABELS
from boilerplate.metrics import Scores

__all__ = ["check_report", "render_report", "write_report"]

PANEL = (240, 130)  # width and height of a curve
SHOWN = 400  # characters of a paragraph
RUN = 3  # removed paragraphs one after the other, before they are counted instead of shown
GROUPS = {1: "content", 0: "boilerplate", -1: "?"}  # of what is known where the label is not
FATES = {
    # of what is content or not, and kept or not
    (1, True): "kept",
    (1, False): "lost",
    (0, True): "left",
    (0, False): "removed",
    (-1, True): "unknown kept",
    (-1, False): "unknown removed",
}


def check_report(path: Path, *, overwrite: bool = False) -> None:
    """Refuse early, with OutputError, what could not be written after a long run.

    >>> check_report(Path("README.md"))
    Traceback (most recent call last):
    boilerplate.document.OutputError: README.md stands there already; name another file, or give --overwrite
    """
    _environment()
    if path.exists() and not overwrite:
        raise OutputError(f"{path} stands there already; name another file, or give --overwrite")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is no folder; make it first")


def write_report(report: Report, path: Path) -> None:
    """Write a report as one HTML file, over what stands there.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "report.html"
    >>> write_report(Report("abc", "def", "page", 3, (), {}), path)
    >>> path.read_text()[:15]
    '<!doctype html>'
    """
    with opened(path, overwrite=True) as file:
        file.write(render_report(report).encode("utf-8", "replace"))


def render_report(report: Report) -> str:
    """Give a report as HTML.

    >>> "3 documents" in render_report(Report("abc", "def", "page", 3, (), {}))
    True
    """
    first = next(iter(report.scores), "")
    return str(
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            first=first,
            curves=list(_curves(report)),
            confusion=_confusion(report.scores[first]) if first and report.scores[first].macro_f1 else [],
            labels=LABELS,
            texts=[(name, _by_measure(figures)) for name, figures in report.texts.items()],
            worst=[_shown(page) for page in report.worst],
        )
    )


def _environment() -> Any:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise OutputError(
            "the HTML report needs jinja2: pip install 'boilerplate-classifier[report]', or leave out --html"
        ) from None
    return Environment(
        loader=PackageLoader("boilerplate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True)
class _Curve:
    """A residue curve as the points of a line and of the band around it."""

    name: str
    estimates: dict[float, Estimate]

    def points(self, end: str) -> list[tuple[float, float]]:
        width, height = PANEL
        step = width / max(len(self.estimates) - 1, 1)
        return [(i * step, height * (1 - getattr(one, end))) for i, one in enumerate(self.estimates.values())]

    @property
    def dots(self) -> list[tuple[float, float, float, Estimate]]:
        places = zip(self.points("value"), self.estimates.items(), strict=True)
        return [(x, y, loss, estimate) for (x, y), (loss, estimate) in places]

    @property
    def line(self) -> str:
        return _path(self.points("value"))

    @property
    def band(self) -> str:
        return _path([*self.points("high"), *reversed(self.points("low"))])


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _curves(report: Report) -> Iterator[_Curve]:
    if report.residue:
        yield _Curve("mean of the extractors", report.residue)
    for view, figures in report.scores.items():
        if figures.removed:
            yield _Curve(view, figures.removed)


def _confusion(scores: Scores) -> list[tuple[str, int, list[float]]]:
    """Give for each label that is there its rows and the share predicted as each label."""
    return [
        (str(label), sum(row), [count / sum(row) for count in row])
        for label, row in zip(LABELS, scores.confusion, strict=True)
        if sum(row)
    ]


def _by_measure(figures: dict[str, Estimate]) -> dict[str, dict[str, Estimate]]:
    """Turn ``{"word F1": ...}`` into ``{"word": {"F1": ...}}``."""
    found: dict[str, dict[str, Estimate]] = {}
    for name, estimate in figures.items():
        measure, figure = name.split(" ")
        found.setdefault(measure, {})[figure] = estimate
    return found


def _shown(page: WorstPage) -> dict[str, Any]:
    """Give a page's name, how much is wrong, and its paragraphs, each with its fate."""
    one, rows = page.document, page.rows
    fates = [FATES[each] for each in zip(rows.content.tolist(), rows.keep.tolist(), strict=True)]
    predicted = [LABELS[k] for k in rows.probabilities.argmax(axis=1)]
    true = [LABELS[k] if k >= 0 else GROUPS[c] for k, c in zip(rows.truth, rows.content, strict=True)]
    lines = list(zip(fates, true, predicted, [p.text for p in one.document.paragraphs], strict=True))
    return {"name": one.page, "wrong": page.wrong, "kind": one.kind, "lines": list(_folded(lines))}


def _folded(lines: Sequence[tuple[str, str, str, str]]) -> Iterator[tuple[str, str, str, str]]:
    """Cut long paragraphs, and count long runs of what was rightly removed instead of showing them."""
    for fate, run in groupby(lines, key=lambda line: line[0]):
        own = list(run)
        if fate in ("removed", "unknown removed") and len(own) > RUN:
            yield "folded", "", "", f"{len(own)} paragraphs removed"
        else:
            yield from ((*rest, text if len(text) <= SHOWN else f"{text[:SHOWN]} …") for *rest, text in own)  # type: ignore[misc]
