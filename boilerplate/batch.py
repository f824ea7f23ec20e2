"""The job: many inputs through a cleaner, into files that appear whole or not at all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, tee
from pathlib import Path

import numpy as np

from boilerplate.cleaner import Cleaner
from boilerplate.document import Cleaned, OutputError, Record
from boilerplate.features import count_words
from boilerplate.formats import (
    STREAM,
    WRITERS,
    Failed,
    Source,
    find_sources,
    format_of,
    is_stream,
    opened,
    read,
    suffix_of,
)
from boilerplate.labels import LABELS

__all__ = ["Count", "Job", "Summary", "Tally", "check_targets", "clean_sources", "plan", "run"]

DOCUMENTS_COUNTED = 256  # at once; counting words is a column operation

Watch = Callable[[Record | Failed], None]
OnFailure = Callable[[Failed], None]
OnDone = Callable[[Record, Cleaned], None]
Answer = tuple[Record, Cleaned, bytes]


@dataclass(frozen=True, slots=True)
class Job:
    """What is read, and where what comes out goes; ``targets`` has one path a source, or one for all.

    A target of None is standard output.
    """

    sources: tuple[Source, ...]
    targets: tuple[Path | None, ...]
    format: str = "text"
    overwrite: bool = False
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many paragraphs, and how many words in them.

    >>> Count(1, 20) + Count(2, 5)
    Count(paragraphs=3, words=25)
    """

    paragraphs: int = 0
    words: int = 0

    def __add__(self, other: Count) -> Count:
        """Add the two counts."""
        return Count(self.paragraphs + other.paragraphs, self.words + other.words)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: records cleaned and failed, and what was kept and removed, by label.

    >>> Summary(records=1, kept={"body": Count(3, 90)}, removed={"legal": Count(1, 10)}).removed_share
    0.1
    """

    records: int = 0
    failed: int = 0
    doubtful: int = 0
    kept: Mapping[str, Count] = field(default_factory=dict)
    removed: Mapping[str, Count] = field(default_factory=dict)

    @property
    def total_kept(self) -> Count:
        """The count over all labels of what was kept."""
        return sum(self.kept.values(), Count())

    @property
    def total_removed(self) -> Count:
        """The count over all labels of what was removed."""
        return sum(self.removed.values(), Count())

    @property
    def removed_share(self) -> float:
        """The share of all words that was removed."""
        words = self.total_removed.words
        return words / max(1, words + self.total_kept.words)


class Tally:
    """Counts while a run goes on; ``summary`` freezes them."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.records = self.failed = self.doubtful = 0
        self._paragraphs: Counter[tuple[str, bool]] = Counter()
        self._words: Counter[tuple[str, bool]] = Counter()
        self._waiting: list[Cleaned] = []

    def add(self, cleaned: Cleaned) -> None:
        """Count one more document."""
        self.records += 1
        self.doubtful += cleaned.doubtful
        self._waiting.append(cleaned)
        if len(self._waiting) == DOCUMENTS_COUNTED:
            self._count()

    def _count(self) -> None:
        words = count_words([cleaned.document for cleaned in self._waiting])
        ends = np.cumsum([len(cleaned.document) for cleaned in self._waiting], dtype=np.int64)
        for cleaned, own_words in zip(self._waiting, np.split(words, ends[:-1]), strict=False):
            best = cleaned.probabilities.argmax(axis=1)
            cells = 2 * best + cleaned.keep
            paragraphs = np.bincount(cells, minlength=2 * len(cleaned.labels))
            counted = np.bincount(cells, weights=own_words, minlength=2 * len(cleaned.labels))
            keys = [(str(label), keep) for label in cleaned.labels for keep in (False, True)]
            self._paragraphs.update(dict(zip(keys, paragraphs.tolist(), strict=True)))
            self._words.update(dict(zip(keys, map(int, counted.tolist()), strict=True)))
        self._waiting.clear()

    def summary(self) -> Summary:
        """Give what was counted so far."""
        self._count()
        return Summary(self.records, self.failed, self.doubtful, self._counts(True), self._counts(False))

    def _counts(self, keep: bool) -> dict[str, Count]:
        counts = {
            label: Count(self._paragraphs[label, keep], self._words[label, keep])
            for label in map(str, LABELS)
        }
        return {label: count for label, count in counts.items() if count.paragraphs}


# -- where the output goes, checked before anything is cleaned


def plan(
    inputs: Sequence[str | Path],
    output: str | None = None,
    *,
    format: str | None = None,
    overwrite: bool = False,
    encoding: str | None = None,
) -> Job:
    """Find what there is to read and where each answer goes, and refuse what would lose something.

    Raises FormatError for inputs that cannot be read, OutputError for outputs that exist
    or are inputs, ValueError for a call that makes no sense.

    >>> job = plan(["-"], "clean.jsonl")
    >>> [str(source) for source in job.sources], job.targets[0].name, job.format
    (['standard input'], 'clean.jsonl', 'jsonl')
    """
    place = None if output in (None, STREAM) else Path(str(output))
    sources = tuple(find_sources(inputs, skip=place))
    format = format or (place and format_of(place)) or _format_for(sources)
    many = len(sources) > 1 or any(Path(given).is_dir() for given in inputs)
    as_folder = many or str(output).endswith(("/", os.sep))
    targets = (place,) if format == "jsonl" else _text_targets(sources, place, as_folder=as_folder)
    check_targets(sources, targets, overwrite=overwrite)
    return Job(sources, targets, format, overwrite, encoding)


def _format_for(sources: Iterable[Source]) -> str:
    return "jsonl" if any(suffix_of(source) == ".jsonl" for source in sources) else "text"


def _text_targets(
    sources: Sequence[Source], place: Path | None, *, as_folder: bool
) -> tuple[Path | None, ...]:
    if _format_for(sources) == "jsonl":
        raise ValueError("the records of a .jsonl input are written as JSON lines only: give --format jsonl")
    if place is None and as_folder:
        raise ValueError("a folder or several inputs need a place to go: -o FOLDER, or --format jsonl")
    if place is None or not (as_folder or place.is_dir()):
        return (place,)
    if format_of(place) and not place.is_dir():
        raise ValueError(f"{place} names a text file, but a folder or several inputs need a folder")
    if place.exists() and not place.is_dir():
        raise OutputError(f"{place}: is a file; a folder or several inputs need a folder")
    return tuple(place / source.id for source in sources)


def check_targets(
    sources: Iterable[Source], targets: Iterable[Path | None], *, overwrite: bool = False
) -> None:
    """Refuse outputs that are inputs as well, that are folders, or that exist already; None and devices pass.

    >>> check_targets([], [Path("/")])
    Traceback (most recent call last):
    boilerplate.document.OutputError: /: is a folder; the output needs the name of a file
    """
    inputs = {os.path.realpath(source.path) for source in sources if source.path}
    files = [target for target in targets if target and not is_stream(target)]
    for target in files:
        if os.path.realpath(target) in inputs:
            raise OutputError(f"{target}: is an input as well; the output needs another place")
        if target.is_dir():
            raise OutputError(f"{target}: is a folder; the output needs the name of a file")
    existing = [target for target in files if os.path.lexists(target)]
    if existing and not overwrite:
        more = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise OutputError(f"{existing[0]}: exists already{more}; --overwrite replaces it")


# -- the run


def run(job: Job, cleaner: Cleaner, watch: Watch = lambda outcome: None) -> Summary:
    """Clean every source of a job and write what comes out; a bad record is counted and never stops the rest.

    ``watch`` is told of each record when it is written, and of each one that failed.
    Raises OutputError where nothing more can be written, as on a full disk.
    """
    tally = Tally()

    def failed(failure: Failed) -> None:
        tally.failed += 1
        watch(failure)

    def done(record: Record, cleaned: Cleaned) -> None:
        tally.add(cleaned)
        watch(record)

    pairs = clean_sources(cleaner, job.sources, encoding=job.encoding, failed=failed)
    answers = _encode(pairs, job.format, failed)
    if len(job.targets) > 1:
        _write_each(job, answers, done)
    else:
        first = next(answers, None)
        if first or not tally.failed:  # where every record failed, no empty file is left behind
            _write_all(job, chain([first] if first else [], answers), done)
    return tally.summary()


def clean_sources(
    cleaner: Cleaner,
    sources: Iterable[Source],
    *,
    encoding: str | None = None,
    failed: OnFailure = lambda failure: None,
) -> Iterator[tuple[Record, Cleaned]]:
    """Read and clean sources in order, each record with its answer; ``failed`` is told of those without."""
    records, ahead = tee(_readable(sources, encoding, failed))
    yield from zip(records, cleaner.clean_many(ahead), strict=True)


def _readable(sources: Iterable[Source], encoding: str | None, failed: OnFailure) -> Iterator[Record]:
    for outcome in chain.from_iterable(read(source, encoding=encoding) for source in sources):
        if isinstance(outcome, Record):
            yield outcome
        else:
            failed(outcome)


def _encode(pairs: Iterable[tuple[Record, Cleaned]], format: str, failed: OnFailure) -> Iterator[Answer]:
    for record, cleaned in pairs:
        try:
            yield record, cleaned, WRITERS[format](record, cleaned)
        except OutputError as error:
            failed(Failed(record.id, str(error)))


def _write_each(job: Job, answers: Iterable[Answer], done: OnDone) -> None:
    """Write each answer to a file of its own."""
    targets = {source.id: target for source, target in zip(job.sources, job.targets, strict=True)}
    for record, cleaned, data in answers:
        with opened(targets[record.id], overwrite=job.overwrite) as file:
            file.write(data)
        done(record, cleaned)


def _write_all(job: Job, answers: Iterable[Answer], done: OnDone) -> None:
    """Write all answers to one file."""
    with opened(job.targets[0], overwrite=job.overwrite) as file:
        for record, cleaned, data in answers:
            file.write(data)
            done(record, cleaned)
