"""The command line: in process where it can be, a real process for bytes, signals and terminals."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from boilerplate import cli
from boilerplate.batch import plan
from boilerplate.cleaner import load
from boilerplate.labels import POLICIES, Label

COMMAND = [sys.executable, "-m", "boilerplate.cli"]
STORY = (
    "Ferry returns to the island after nine years\r\n\r\n"
    "The first ferry in nine years left the harbour on Monday with forty passengers and a brass band.\r\n\r\n"
    "Share this article\r\n\r\n"
    "The council paid for the boat by selling the old customs house, empty since 2009.\r\n\r\n"
    "Sign up for our newsletter and never miss a story. Enter your email address.\r\n\r\n"
    "Copyright 2024 Island Courier. All rights reserved.\r\n"
)
COLOUR = re.compile(r"\x1b\[[\d;]*3\d")


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_bytes(STORY.encode())
    return path


@pytest.fixture(scope="module")
def article() -> bytes:
    (cleaned,) = load().clean_many([STORY])
    return cleaned.text.encode()


def process(*arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, check=False, timeout=60, **more
    )


def on_a_terminal(*arguments: object, env: dict[str, str] | None = None) -> str:
    """Run a command whose output and errors go to a terminal, and give what the terminal got."""
    master, slave = pty.openpty()
    settings = {"TERM": "xterm-256color", "COLUMNS": "100", **(env or {})}
    inherited = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    command = [*COMMAND, *map(str, arguments)]
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=inherited | settings) as running:
        os.close(slave)
        got = b""
        try:
            while chunk := os.read(master, 65536):
                got += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
        assert running.wait(60) == 0, got
    os.close(master)
    return got.decode()


# -- data in, data out


def test_a_file_goes_to_standard_output_to_the_letter(story: Path, article: bytes) -> None:
    done = process("clean", story)
    assert (done.returncode, done.stdout, done.stderr) == (0, article, b"")
    assert b"\r\n\r\n" in article


def test_standard_input_goes_to_standard_output(article: bytes) -> None:
    done = process("clean", "-", input=STORY.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, article, b"")


def test_standard_input_in_another_encoding(article: bytes) -> None:
    done = process("clean", "-", "--encoding", "utf-16-be", input=STORY.encode("utf-16-be"))
    assert (done.returncode, done.stdout) == (0, article)


def test_standard_output_can_be_named(story: Path, article: bytes, capfdbinary: Any) -> None:
    assert cli.main(["clean", str(story), "-o", "-"]) == 0
    assert capfdbinary.readouterr().out == article


def test_json_lines_on_standard_output(story: Path, article: bytes) -> None:
    done = process("clean", story.parent, "--format", "jsonl")
    row = json.loads(done.stdout)
    assert (done.returncode, done.stderr, row["id"], row["text"]) == (0, b"", "story.txt", article.decode())


def test_a_table_closes_a_run_into_files(
    story: Path, tmp_path: Path, article: bytes, capfdbinary: Any
) -> None:
    assert cli.main(["clean", str(story), "-o", str(tmp_path / "out.txt")]) == 0
    out, err = capfdbinary.readouterr()
    assert (tmp_path / "out.txt").read_bytes() == article
    assert out == b""
    assert re.search(rb"body +\d+ +\d+ +\d+ +\d+", err)
    assert b"1 cleaned" in err
    assert b"\x1b" not in err


def test_quiet_is_quiet(story: Path, tmp_path: Path, capfdbinary: Any) -> None:
    assert cli.main(["clean", str(story), "-o", str(tmp_path / "out.txt"), "--quiet"]) == 0
    assert capfdbinary.readouterr() == (b"", b"")


def test_labels_are_kept_and_dropped(story: Path, capfdbinary: Any) -> None:
    everything = [word for label in Label for word in ("--keep", label)]
    assert cli.main(["clean", str(story), *everything]) == 0
    assert capfdbinary.readouterr().out == STORY.rstrip().encode()
    assert cli.main(["clean", str(story), "--drop", "body", "--policy", "strict", "--format", "jsonl"]) == 0
    row = json.loads(capfdbinary.readouterr().out)
    bodies = [
        paragraph["keep_probability"] for paragraph in row["paragraphs"] if paragraph["label"] == "body"
    ]
    assert bodies
    assert max(bodies) < 0.5


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("convention", ["article", "page"])
def test_every_policy_and_convention_runs(
    story: Path, policy: str, convention: str, capfdbinary: Any
) -> None:
    assert cli.main(["clean", str(story), "--policy", policy, "--convention", convention]) == 0
    assert b"brass band" in capfdbinary.readouterr().out


# -- explain


def test_explain_when_piped_is_plain_and_aligned(story: Path) -> None:
    done = process("clean", story, "--explain", env={**os.environ, "COLUMNS": "40"})
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 6
    assert all(re.fullmatch(r"[ -] [a-z_]+ +[01]\.\d\d  \S.*", line) for line in lines)
    assert len({re.search(r"[01]\.\d\d", line).start() for line in lines}) == 1  # type: ignore[union-attr]
    assert done.stderr == b""


def test_explain_names_each_of_several_documents(story: Path, capfdbinary: Any) -> None:
    (story.parent / "other.txt").write_text("Share this article\n")
    assert cli.main(["clean", str(story.parent), "--explain"]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert re.findall("^== (.*) ==$", out, re.MULTILINE) == ["other.txt", "story.txt"]


def test_explain_on_a_terminal_is_coloured_and_strikes_what_goes(story: Path) -> None:
    seen = on_a_terminal("clean", story, "--explain", "--policy", "strict", "--drop", "body")
    assert COLOUR.search(seen)
    assert re.search(r"\x1b\[2;9(;\d+)?mThe first ferry", seen), "dim and struck"
    assert re.search(r"(?m)^ +\x1b\[32mheading.* Ferry returns", seen), "plain"
    assert "1 cleaned" in seen


def test_no_color_is_honoured(story: Path) -> None:
    seen = on_a_terminal("clean", story, "--explain", env={"NO_COLOR": "1"})
    assert "Share this article" in seen
    assert not COLOUR.search(seen)


def test_a_text_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.txt"
    path.write_text("A title \x1b]0;owned\x07 and \x9b31m more")
    assert "\x1b]0;" not in (seen := on_a_terminal("clean", path, "--explain"))
    assert "␛]0;owned␇" in seen


def test_a_picture_is_drawn_and_fetches_nothing(story: Path, tmp_path: Path, capfdbinary: Any) -> None:
    arguments = ["clean", str(story), "--explain", "--svg", str(tmp_path / "story.svg")]
    assert cli.main(arguments) == 0
    picture = (tmp_path / "story.svg").read_text()
    assert picture.startswith("<svg")
    assert "brass" in picture
    assert set(re.findall(r"https?://[^\"' )]+", picture)) == {"http://www.w3.org/2000/svg"}
    assert capfdbinary.readouterr().out == b""
    assert cli.main(arguments) == 1, "it exists now"
    assert cli.main([*arguments, "--overwrite"]) == 0
    assert (tmp_path / "story.svg").read_text() == picture


# -- what a person meets on a terminal


def test_on_a_terminal_the_article_ends_with_a_line_and_a_table_follows(story: Path, article: bytes) -> None:
    seen = on_a_terminal("clean", story)
    assert article.decode().replace("\r\n", "\n") + "\n" in seen.replace("\r\n", "\n").replace("\r", "")
    assert "words removed" in seen


def test_every_command_and_option_has_help() -> None:
    for command in typer.main.get_command(cli.app).commands.values():  # type: ignore[attr-defined]
        assert command.help
        assert all(parameter.help for parameter in command.params), command.name


def test_policies_are_those_of_the_package() -> None:
    assert get_args(get_args(cli.PolicyName)[0]) == tuple(POLICIES)


def test_the_version_is_printed(capfdbinary: Any) -> None:
    assert cli.main(["--version"]) == 0
    assert re.fullmatch(rb"boilerplate \S+.*\n", capfdbinary.readouterr().out)


@pytest.mark.parametrize("arguments", [["--version"], ["clean", "-"], ["clean", "--help"]])
def test_nothing_heavy_is_loaded(arguments: Sequence[str]) -> None:
    program = (
        "import sys; from boilerplate.cli import main; main(sys.argv[1:]); "
        "print({'sklearn', 'scipy', 'datasets', 'pandas', 'pyarrow'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], input=STORY.encode(), capture_output=True, check=True
    )
    assert done.stderr == b"set()\n"


# -- faults


@pytest.mark.parametrize(
    "arguments",
    [
        ["clean"],
        ["clean", "{folder}"],
        ["clean", "{story}", "{story}2"],
        ["clean", "{story}", "--policy", "wild"],
        ["clean", "{story}", "--keep", "sidebar"],
        ["clean", "{story}", "--max-content-loss", "1.5"],
        ["clean", "{story}", "--encoding", "klingon"],
        ["clean", "{story}", "--encoding", "rot13"],
        ["clean", "{story}", "--svg", "x.svg"],
        ["clean", "{story}", "--explain", "-o", "x.txt"],
        ["clean", "{folder}", "-o", "x.txt"],
        ["clean", "{story}", "--wild"],
        ["tidy"],
        ["train", "seeds"],
    ],
)
def test_wrong_usage_is_2(story: Path, arguments: Sequence[str], capfdbinary: Any) -> None:
    story.with_name("story.txt2").write_text("x")
    (story.parent / "story.txt2").rename(story.parent / "more.txt")
    given = [
        word.format(folder=story.parent, story=story).replace("story.txt2", "more.txt") for word in arguments
    ]
    assert cli.main(given) == 2
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert b"Error" in err


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("bad.txt", b"caf\xe9", "byte 3 (0xE9) is not UTF-8"),
        ("page.html", b"<p>", ".html is none of the formats"),
        ("gone.txt", None, "no such file"),
        ("rows.jsonl", b"{broken", "rows.jsonl:1: not a line of JSON"),
    ],
)
def test_an_input_that_cannot_be_read_is_1_and_one_line(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = process("clean", tmp_path / name, "-o", tmp_path / "out.jsonl", "--quiet")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.decode().startswith(f"boilerplate: {tmp_path / name}")
    assert complaint in done.stderr.decode()
    assert not (tmp_path / "out.jsonl").exists()


def test_a_folder_without_texts_is_1(tmp_path: Path, capfdbinary: Any) -> None:
    assert cli.main(["clean", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert f"no text files (.txt, .text, .md) in {tmp_path}".encode() in capfdbinary.readouterr().err


def test_a_model_that_is_missing_is_1_and_nothing_is_made(
    story: Path, tmp_path: Path, capfdbinary: Any
) -> None:
    arguments = ["clean", str(story), "--model", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out.txt")]
    assert cli.main(arguments) == 1
    assert b"nowhere" in capfdbinary.readouterr().err
    assert not (tmp_path / "out.txt").exists()


def test_bad_files_of_a_folder_are_named_and_the_rest_is_written(
    story: Path, tmp_path: Path, article: bytes, capfdbinary: Any
) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    assert cli.main(["clean", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    err = capfdbinary.readouterr().err.decode()
    assert f"boilerplate: {tmp_path / 'bad.txt'}: byte 0 (0xFF)" in err
    assert "1 cleaned" in err
    assert "1 failed" in err
    assert (tmp_path / "out/story.txt").read_bytes() == article


def test_an_output_that_exists_is_1_and_stays(story: Path, tmp_path: Path, capfdbinary: Any) -> None:
    (tmp_path / "out.txt").write_text("old")
    assert cli.main(["clean", str(story), "-o", str(tmp_path / "out.txt")]) == 1
    assert f"{tmp_path / 'out.txt'}: exists already; --overwrite".encode() in capfdbinary.readouterr().err
    assert (tmp_path / "out.txt").read_text() == "old"


def test_an_input_is_not_written_over(story: Path, capfdbinary: Any) -> None:
    assert cli.main(["clean", str(story), "-o", str(story), "--overwrite"]) == 1
    assert b"is an input as well" in capfdbinary.readouterr().err
    assert story.read_bytes() == STORY.encode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output(story: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "clean", str(story)], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr == b"boilerplate: standard output: cannot be written: No space left on device\n"


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_disk_that_fills_up_leaves_nothing_half_written(tmp_path: Path, before: bytes | None) -> None:
    (tmp_path / "in.jsonl").write_text((json.dumps({"text": STORY}) + "\n") * 50)
    out = tmp_path / "out.jsonl"
    if before:
        out.write_bytes(before)

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    done = process(
        "clean", tmp_path / "in.jsonl", "-o", out, "--overwrite", preexec_fn=limit_files
    )  # the limit of a file's size is what a test can set; a full disk fails the same call
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"boilerplate: {out}: cannot be written: File too large\n"
    assert (out.read_bytes() if before else None) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in.jsonl",
        *(["out.jsonl"] if before else []),
    ]


def test_a_reader_that_goes_away_ends_the_run_quietly(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text((json.dumps({"text": STORY}) + "\n") * 5000)
    command = [*COMMAND, "clean", str(tmp_path / "in.jsonl")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        assert running.stdout.readline().startswith(b"{")
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 1


def test_a_reader_of_explain_that_goes_away_ends_the_run_quietly(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text((json.dumps({"text": STORY}) + "\n") * 5000)
    command = [*COMMAND, "clean", str(tmp_path / "in.jsonl"), "--explain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 1


# -- Ctrl-C


def interrupt(command: Sequence[str], when: Any) -> tuple[int, bytes]:
    """Send a real SIGINT once ``when()`` is true, and give exit code and errors."""

    def heeding() -> None:
        """Undo what a shell does to the processes it starts in the background: they ignore SIGINT."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stderr=pipe, preexec_fn=heeding) as running:
        deadline = time.monotonic() + 60
        while not when() and time.monotonic() < deadline:
            time.sleep(0.002)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
        return running.returncode, errors


def test_ctrl_c_in_one_output_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text((json.dumps({"text": STORY}) + "\n") * 100_000)
    out = tmp_path / "out"
    command = [*COMMAND, "clean", str(tmp_path / "in.jsonl"), "-o", str(out / "all.jsonl")]
    code, errors = interrupt(command, lambda: any(out.glob(".*.part")))
    assert code == 130
    assert b"Traceback" not in errors
    assert list(out.iterdir()) == []


def test_ctrl_c_in_a_folder_leaves_whole_files_only(tmp_path: Path, article: bytes) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number in range(5000):
        (source / f"{number:05}.txt").write_bytes(STORY.encode())
    code, errors = interrupt([*COMMAND, "clean", str(source), "-o", str(out)], lambda: any(out.glob("*.txt")))
    assert code == 130
    assert b"Traceback" not in errors
    written = list(out.iterdir())
    assert 0 < len(written) < 5000
    assert {path.read_bytes() for path in written} == {article}
    assert len(plan([source], str(out), overwrite=True).sources) == 5000


def test_ctrl_c_while_waiting_for_input() -> None:
    started = time.monotonic()
    code, errors = interrupt([*COMMAND, "clean", "-"], lambda: time.monotonic() > started + 1.5)
    assert code == 130
    assert b"Traceback" not in errors
