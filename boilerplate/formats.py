"""Formats at the edge: bytes to records, answers to bytes, each format two functions in a table.

Text is never edited on the way in: no newline is translated, so that offsets are
those of the file. On the way out a file appears whole or not at all.
"""

from __future__ import annotations

import codecs
import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from boilerplate.document import Cleaned, FormatError, OutputError, Record

__all__ = [
    "READERS",
    "STREAM",
    "WRITERS",
    "Failed",
    "Source",
    "find_sources",
    "format_of",
    "is_stream",
    "opened",
    "read",
    "same_place",
    "suffix_of",
]

STREAM = "-"  # on the command line: standard input or standard output
STREAM_ID = "stdin"
TEXT_SUFFIXES = (".txt", ".text", ".md")

# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read, or standard input where ``path`` is None; ``id`` names it in the output.

    >>> str(Source("stdin", None)), str(Source("story.txt", Path("news/story.txt")))
    ('standard input', 'news/story.txt')
    """

    id: str
    path: Path | None

    def __str__(self) -> str:
        """Name the source as messages do."""
        return "standard input" if self.path is None else str(self.path)


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that could not be read or written, and why; one such never stops a run."""

    id: str
    reason: str


# -- what there is to read


def find_sources(inputs: Sequence[str | Path], *, skip: Path | None = None) -> list[Source]:
    """List what inputs name: files as they are, folders with all their texts, "-" for standard input.

    Ids are paths below the folder that holds all the inputs. ``skip`` is a folder left
    out of the walk: the one that the output goes to.

    >>> find_sources(["-"])
    [Source(id='stdin', path=None)]
    >>> find_sources(["no-such-file.txt"])
    Traceback (most recent call last):
    boilerplate.document.FormatError: no-such-file.txt: no such file or folder
    """
    paths = [Path(given) for given in inputs if str(given) != STREAM]
    for path in paths:
        _check_named(path)
    root = os.path.commonpath(
        [_absolute(path if path.is_dir() else path.parent) for path in paths] or [Path("/")]
    )
    found = [text for path in paths for text in (_texts_in(path, skip) if path.is_dir() else [path])]
    sources = {_absolute(path): Source(Path(os.path.relpath(path, root)).as_posix(), path) for path in found}
    stream = [Source(STREAM_ID, None)] if len(paths) < len(inputs) else []
    return stream + list(sources.values())


def suffix_of(source: Source) -> str:
    """Give the suffix that decides how a source is read; standard input is text.

    >>> suffix_of(Source("News.TXT", Path("News.TXT")))
    '.txt'
    """
    return "" if source.path is None else source.path.suffix.lower()


def _check_named(path: Path) -> None:
    if not os.path.lexists(path):
        raise FormatError(f"{path}: no such file or folder")
    if not path.is_dir() and path.suffix.lower() not in READERS:
        known = ", ".join(filter(None, READERS))
        raise FormatError(
            f"{path}: {path.suffix} is none of the formats this version reads: {known}, "
            f"and text without a suffix. If it is text all the same: boilerplate clean - < {path}"
        )


def _texts_in(folder: Path, skip: Path | None) -> list[Path]:
    """List the text files of a folder and its subfolders, sorted."""
    texts: list[Path] = []
    for where, folders, names in os.walk(folder, onerror=_refuse_folder):
        inside = Path(where)
        folders[:] = [name for name in folders if skip is None or not same_place(inside / name, skip)]
        texts.extend(inside / name for name in names if Path(name).suffix.lower() in TEXT_SUFFIXES)
    if not texts:
        raise FormatError(f"no text files ({', '.join(TEXT_SUFFIXES)}) in {folder}")
    return sorted(texts)


def _refuse_folder(error: OSError) -> None:
    raise FormatError(f"{error.filename}: cannot be listed: {error.strerror}") from error


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  Path.resolve would follow links and change ids


def same_place(one: Path, other: Path) -> bool:
    """Say whether two paths lead to one file or folder, links followed.

    >>> same_place(Path("a/../story.txt"), Path("story.txt"))
    True
    """
    return os.path.realpath(one) == os.path.realpath(other)


# -- readers


def read(source: Source, *, encoding: str | None = None) -> Iterator[Record | Failed]:
    """Read the records of one source; what cannot be read comes as ``Failed``, never as an exception.

    >>> list(read(Source("gone.txt", Path("gone.txt"))))
    [Failed(id='gone.txt', reason='gone.txt: cannot be read: No such file or directory')]
    """
    try:
        yield from READERS[suffix_of(source)](source, encoding)
    except FormatError as error:
        yield Failed(source.id, str(error))


def read_text(source: Source, encoding: str | None) -> Iterator[Record]:
    """Read a whole file, or standard input, as one text.

    Raises FormatError where it cannot be opened or decoded.
    """
    with _reading(source) as file:
        data = file.read()
    text, meta = decode(data, str(source), encoding)
    yield Record(source.id, text, meta=meta)


def read_jsonl(source: Source, encoding: str | None) -> Iterator[Record | Failed]:
    """Read JSON lines with a ``text`` field, and ``id`` and ``url`` where given.

    A bad line is a ``Failed`` that names file and line; the lines after it are read.
    """
    with _reading(source) as file:
        for number, line in enumerate(file, start=1):
            place = f"{source}:{number}"
            try:
                if line.strip():
                    yield _record_of(line, place, f"{source.id}:{number}", encoding)
            except FormatError as error:
                yield Failed(f"{source.id}:{number}", str(error))


def _record_of(line: bytes, place: str, default_id: str, encoding: str | None) -> Record:
    try:
        row = json.loads(decode(line, place, encoding)[0])
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{place}: not a line of JSON: {error}") from error
    if not isinstance(row, dict):
        raise FormatError(
            f'{place}: a line holds an object such as {{"text": ...}}, not {type(row).__name__}'
        )
    text, url = row.get("text"), row.get("url")
    if not isinstance(text, str):
        raise FormatError(f"{place}: no 'text' field with a string; found {', '.join(row) or 'no field'}")
    return Record(str(row.get("id", default_id)), text, url=url if isinstance(url, str) else None)


def decode(data: bytes, name: str, encoding: str | None = None) -> tuple[str, dict[str, Any]]:
    """Decode bytes by their byte order mark, by the encoding named, or as UTF-8; newlines stay as they are.

    The second value says how to make the very bytes again.

    >>> decode(b"\\xef\\xbb\\xbfOne\\r\\n", "a.txt")
    ('One\\r\\n', {'encoding': 'utf-8', 'byte_order_mark': True})
    >>> decode(b"caf\\xe9", "a.txt", "cp1252")[0]
    'café'

    Raises FormatError, naming file and byte, where they are not in that encoding.
    """
    mark, chosen = _encoding_of(data, encoding)
    try:
        text = data[len(mark) :].decode(chosen)
    except UnicodeDecodeError as error:
        place = error.start + len(mark)
        raise FormatError(
            f"{name}: byte {place} (0x{data[place]:02X}) is not {chosen.upper()}; "
            "if it is in another encoding, name it, as in --encoding cp1252"
        ) from error
    return text, {"encoding": chosen, "byte_order_mark": bool(mark)}


def _encoding_of(data: bytes, named: str | None) -> tuple[bytes, str]:
    """Give the mark that data begin with and their encoding; a named encoding beats the mark of another."""
    wanted = codecs.lookup(named).name if named else None
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark) and wanted in (None, encoding):
            return mark, encoding
    return b"", wanted or "utf-8"


@contextmanager
def _reading(source: Source) -> Iterator[BinaryIO]:
    try:
        if source.path is None:
            yield sys.stdin.buffer
        else:
            with source.path.open("rb") as file:
                yield file
    except OSError as error:
        raise FormatError(f"{source}: cannot be read: {error.strerror or error}") from error


Reader = Callable[[Source, str | None], Iterable[Record | Failed]]
READERS: dict[str, Reader] = {
    **dict.fromkeys(TEXT_SUFFIXES, read_text),
    "": read_text,
    ".jsonl": read_jsonl,
}


# -- writers


def write_text(record: Record, cleaned: Cleaned) -> bytes:
    """Give the article alone, as UTF-8, with nothing added.

    Raises OutputError where it holds a lone surrogate, which no UTF-8 file can hold.
    """
    text = cleaned.text
    try:
        # A text that itself begins with a mark needs another before it, or readers would take it away.
        return text.encode("utf-8-sig" if text.startswith("\ufeff") else "utf-8")
    except UnicodeEncodeError as error:
        raise OutputError(
            f"{record.id}: the article holds a lone surrogate (U+{ord(text[error.start]):04X}), "
            "which a text file cannot hold; use --format jsonl"
        ) from error


def write_jsonl(record: Record, cleaned: Cleaned) -> bytes:
    """Give one line of JSON with the article and every paragraph, kept or not.

    Lone surrogates, and nothing else, are escaped.
    """
    row = {
        "id": record.id,
        "text": cleaned.text,
        "doubtful": bool(cleaned.doubtful),
        "paragraphs": _rows_of(cleaned),
    }
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _rows_of(cleaned: Cleaned) -> list[dict[str, Any]]:
    """Give a row a paragraph, from the columns and not from paragraph objects, which cost much more."""
    text, starts, ends = cleaned.document.text, cleaned.document.starts, cleaned.document.ends
    columns = {
        "text": [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)],
        "label": [str(cleaned.labels[best]) for best in cleaned.probabilities.argmax(axis=1).tolist()],
        "score": _rounded(cleaned.probabilities.max(axis=1, initial=0)),
        "keep": cleaned.keep.tolist(),
        "keep_probability": _rounded(cleaned.keep_probability),
        "start": starts.tolist(),
        "end": ends.tolist(),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _rounded(values: NDArray[np.float32]) -> list[float]:
    rounded: list[float] = np.round(values.astype(np.float64), 6).tolist()
    return rounded


Writer = Callable[[Record, Cleaned], bytes]
WRITERS: dict[str, Writer] = {"text": write_text, "jsonl": write_jsonl}
FORMATS = {**dict.fromkeys(TEXT_SUFFIXES, "text"), ".jsonl": "jsonl"}


def format_of(path: str | Path) -> str | None:
    """Give the output format that a file's name asks for, if it asks for one.

    >>> format_of("clean.jsonl"), format_of("clean.txt"), format_of("clean")
    ('jsonl', 'text', None)
    """
    return FORMATS.get(Path(path).suffix.lower())


@contextmanager
def opened(path: Path | None, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open an output that appears whole when the block ends well, and not at all otherwise.

    None is standard output. Raises OutputError where it cannot be written or stands there already.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "story.txt"
    >>> with opened(target) as file:
    ...     _ = file.write(b"A story.")
    ...     target.exists()
    False
    >>> target.read_bytes()
    b'A story.'
    """
    try:
        if path is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif is_stream(path):
            with path.open("wb") as file:
                yield file
        else:
            with _whole(Path(os.path.realpath(path)), overwrite=overwrite) as file:
                yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if path is None else path
        raise OutputError(f"{name}: cannot be written: {error.strerror or error}") from error


def is_stream(path: Path) -> bool:
    """Say whether a path is a device or a pipe, which is written straight and never replaced.

    >>> is_stream(Path(os.devnull)), is_stream(Path("story.txt"))
    (True, False)
    """
    mode = path.stat().st_mode if path.exists() else stat.S_IFREG
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


@contextmanager
def _whole(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Write beside the path, then move there, so that no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and not overwrite:
            raise OutputError(f"{path}: exists already; --overwrite replaces it")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
