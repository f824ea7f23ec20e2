"""Formats: what is read is the file to the letter, what is written is whole or not there."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boilerplate.document import Cleaned, Document, FormatError, OutputError, Record
from boilerplate.formats import WRITERS, Failed, Source, find_sources, format_of, opened, read

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
TRICKY = "\ufeffTitle\r\n\r\nOne\x00two\u2028three\rfour\x85\u200bfive\n"


def kept_whole(text: str) -> Cleaned:
    """Give an answer that keeps a text as one paragraph."""
    document = Document(text, np.array([0]), np.array([len(text)]))
    one = np.ones((1, 1), dtype=np.float32)
    return Cleaned(document, ("body",), one, one[:, 0], np.array([True]))


def write(text: str, path: Path, format: str, *, overwrite: bool = False) -> None:
    with opened(path, overwrite=overwrite) as file:
        file.write(WRITERS[format](Record(path.name, text), kept_whole(text)))


def read_one(path: Path, encoding: str | None = None) -> Record:
    (record,) = read(Source(path.name, path), encoding=encoding)
    assert isinstance(record, Record), record
    return record


def reason_for(path: Path, encoding: str | None = None) -> str:
    (failed,) = read(Source(path.name, path), encoding=encoding)
    assert isinstance(failed, Failed)
    return failed.reason


# -- laws


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@example(TRICKY)
@example("\ufeff\ufeff")
@example("a\r\nb\rc\n")
@example("\x00")
@example("")
def test_text_written_and_read_is_the_same_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("law") / "story.txt"
    write(text, path, "text")
    assert read_one(path).content == text


@given(text=st.text(st.one_of(st.characters(), st.sampled_from("\r\n\u2028\ufeff\x00\x85"))))
@example(TRICKY)
@example("lone \ud800 surrogate \\ud800")
def test_json_lines_written_and_read_are_the_same_text(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("law") / "story.jsonl"
    write(text, path, "jsonl")
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert read_one(path).content == joined, "JSON joins a pair of surrogates to one character, nothing else"
    assert path.read_bytes().count(b"\n") == 1


# -- decoding


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides_and_is_no_part_of_the_text(
    tmp_path: Path, mark: bytes, encoding: str
) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes(mark + "Un été\r\nà 5 €".encode(encoding))
    record = read_one(path)
    assert record.content == "Un été\r\nà 5 €"
    assert record.meta == {"encoding": encoding, "byte_order_mark": True}
    assert mark + str(record.content).encode(encoding) == path.read_bytes()
    assert read_one(path, encoding).content == record.content, "named as well, it is still no text"


def test_undecodable_bytes_name_file_byte_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes("Un été".encode("cp1252"))
    reason = reason_for(path)
    assert str(path) in reason
    assert "byte 3 (0xE9) is not UTF-8" in reason
    assert "--encoding cp1252" in reason
    assert read_one(path, "cp1252").content == "Un été"


def test_the_byte_is_counted_from_the_start_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes(codecs.BOM_UTF8 + b"abc\xff")
    assert "byte 6 (0xFF)" in reason_for(path)


def test_a_truncated_utf_16_file_fails(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes(codecs.BOM_UTF16_LE + b"a\x00b")
    assert "is not UTF-16-LE" in reason_for(path)


def test_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"One\r\n\r\nTwo")))
    (record,) = read(*find_sources(["-"]))
    assert isinstance(record, Record)
    assert record.content == "One\r\n\r\nTwo"


# -- files that cannot be read


def test_a_dangling_link_fails_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.symlink_to(tmp_path / "nowhere")
    assert reason_for(path) == f"{path}: cannot be read: No such file or directory"


@pytest.mark.skipif(AS_ROOT, reason="root may read every file")
def test_a_file_without_permission_fails_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text("A story.")
    path.chmod(0)
    assert reason_for(path) == f"{path}: cannot be read: Permission denied"


def test_every_bad_line_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    lines = [
        b'{"id": 7, "text": "One.", "url": "https://a.example/1"}',
        b"{broken",
        b'{"body": "Two.", "title": "T"}',
        b"[1]",
        b'{"text": 5}',
        b'{"text": "caf\xe9"}',
        b"[" * 100_000,
        b"",
        b'{"text": "Nine."}',
    ]
    path.write_bytes(b"\n".join(lines))
    first, *failed, last = read(Source("stories.jsonl", path))
    assert first == Record("7", "One.", url="https://a.example/1")
    assert last == Record("stories.jsonl:9", "Nine.")
    assert [failure.id for failure in failed] == [f"stories.jsonl:{n}" for n in range(2, 8)]
    reasons = [failure.reason for failure in failed if isinstance(failure, Failed)]
    assert reasons[0].startswith(f"{path}:2: not a line of JSON")
    assert reasons[1] == f"{path}:3: no 'text' field with a string; found body, title"
    assert f"{path}:6: byte 13 (0xE9) is not UTF-8" in reasons[4]


# -- what there is to read


def test_a_folder_gives_all_its_texts_sorted_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/y.TEXT", "a/page.html", "c.jsonl", "notes"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [source.id for source in find_sources([tmp_path])] == ["a/y.TEXT", "a/z.md", "b.txt"]


def test_ids_are_paths_below_the_folder_that_holds_all_inputs(tmp_path: Path) -> None:
    for name in ("one/a.txt", "two/a.txt", "b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [s.id for s in find_sources([tmp_path / "one/a.txt"])] == ["a.txt"]
    both = find_sources([tmp_path / "one", tmp_path / "two/a.txt", tmp_path / "one/a.txt"])
    assert [s.id for s in both] == ["one/a.txt", "two/a.txt"], "named twice, read once"


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("x")
    with pytest.raises(FormatError, match=r"no text files \(\.txt, \.text, \.md\) in .*"):
        find_sources([tmp_path])


def test_a_folder_with_the_name_of_a_text_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "story.txt").mkdir()
    with pytest.raises(FormatError, match=r"no text files .* in .*story\.txt"):
        find_sources([tmp_path / "story.txt"])


def test_an_unknown_suffix_is_refused_and_the_known_ones_listed(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("x")
    with pytest.raises(FormatError, match=r"page\.html: \.html is none of .*: \.txt, \.text, \.md, \.jsonl"):
        find_sources([path])


def test_a_named_file_without_a_suffix_is_text(tmp_path: Path) -> None:
    path = tmp_path / "README"
    path.write_text("A story.")
    assert [record.content for record in read(*find_sources([path])) if isinstance(record, Record)] == [
        "A story."
    ]


# -- writing


def test_only_lone_surrogates_are_escaped() -> None:
    line = WRITERS["jsonl"](Record("a", ""), kept_whole("é \ud800 €"))
    assert '"text": "é \\ud800 €"'.encode() in line
    assert json.loads(line)["text"] == "é \ud800 €"


def test_a_text_file_refuses_a_lone_surrogate() -> None:
    with pytest.raises(OutputError, match=r"a\.txt: .* lone surrogate \(U\+D800\).*--format jsonl"):
        WRITERS["text"](Record("a.txt", ""), kept_whole("\ud800"))


def test_a_row_says_all_about_each_paragraph() -> None:
    row = json.loads(WRITERS["jsonl"](Record("a", ""), kept_whole("One.")))
    assert row == {
        "id": "a",
        "text": "One.",
        "doubtful": False,
        "paragraphs": [
            {
                "text": "One.",
                "label": "body",
                "score": 1.0,
                "keep": True,
                "keep_probability": 1.0,
                "start": 0,
                "end": 4,
            }
        ],
    }


def write_half(path: Path, error: type[BaseException]) -> None:
    with opened(path) as file:
        file.write(b"half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_an_output_that_fails(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write_half(tmp_path / "story.txt", error)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text("old")
    with pytest.raises(OutputError, match=r"story\.txt: exists already; --overwrite replaces it"):
        write("new", path, "text")
    assert path.read_text() == "old"
    write("new", path, "text", overwrite=True)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_and_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write("new", tmp_path / "a/b/story.txt", "text")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "a/b/story.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_output_below_a_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"):
        write("new", tmp_path / "file/story.txt", "text")


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write("new", tmp_path / "link.txt", "text", overwrite=True)
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_named_and_stays() -> None:
    with pytest.raises(OutputError, match="/dev/full: cannot be written: No space left on device"):
        write("new", Path("/dev/full"), "text")
    assert Path("/dev/full").is_char_device()


def test_the_name_of_an_output_asks_for_a_format() -> None:
    assert [format_of(name) for name in ("a.JSONL", "a.md", "a", "a.pdf")] == ["jsonl", "text", None, None]
