"""The benchmark itself: its two text rules by hand, and its tables on pages written for this project."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import out_of_fold
import peers
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rules import c4_lines, long_lines
from typer import Typer
from typer.testing import CliRunner, Result

from boilerplate.extractors import EXTRACTORS, Extractor
from boilerplate.fitting import TrainOptions
from boilerplate.pages import Page
from boilerplate.train import train
from boilerplate.trainer import Options

TESTS = Path(__file__).resolve().parent.parent
SEEDS = TESTS.parent / "seeds" / "articles"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two pages with a ground truth: their labelled content."""
    rows = []
    for line in (TESTS / "pages" / "labelled.jsonl").read_text(encoding="utf-8").splitlines():
        page = json.loads(line)
        kept = [block["text"] for block in page["blocks"] if block["label"] in ("body", "heading")]
        name = page["doc"].removeprefix("pages/")
        html = (TESTS / "pages" / f"{name}.html").read_bytes()
        fixed = {"title": "", "author": "", "with": [kept[1][:40]], "without": ["Orte"]}
        rows.append(
            {"corpus": "pages", "page_id": name, "url": page["url"], "page_type": "article", "html": html}
            | {"main_content": "\n".join(kept), **fixed}
        )
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "own.parquet")
    return tmp_path / "own.parquet"


def run(main: object, *arguments: object) -> Result:
    app = Typer()
    app.command()(main)  # type: ignore[type-var]
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def cells(output: str, name: str) -> list[str]:
    [row] = [line for line in output.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        ("The mill burnt down last night.", True),
        ("Did the mill burn down, then?", True),
        ("He said: “The mill burnt down.”", True),
        ('He said: "The mill burnt down"', True),
        ("The mill burnt down last night", False),  # no end of a sentence
        ("The mill burnt down.", False),  # four words
        ("Turn on JavaScript to read this page.", False),
        ("By reading on you accept our Terms of Use.", False),
        ("This page uses cookies, as you may know.", False),
    ],
)
def test_a_line_under_the_rules_of_c4(line: str, stays: bool) -> None:
    assert c4_lines(f"  {line} \n\n") == (line if stays else "")


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        ("one two three four five six seven", True),
        ("one two three four five six — !", False),
        ("关闭了三年的老", True),
        ("关闭了三年的", False),
    ],
)
def test_a_line_of_seven_words(line: str, stays: bool) -> None:
    assert long_lines(f"Home\n{line}") == (line if stays else "")


def test_peers_are_scored_on_the_same_pages(table: Path) -> None:
    done = run(peers.main, table)
    assert "### own, articles: 2 pages of 2 sites" in done.stdout
    whole, rule = cells(done.stdout, "whole page as text"), cells(done.stdout, "lines of ≥ 7 words, on text")
    assert float(whole[2]) == 1.0 > float(whole[1])  # all of the story and more
    assert float(rule[1]) > float(whole[1])
    assert float(rule[2]) < 1.0  # headings are short
    assert all(float(row[6].replace(",", "")) > 0 for row in (whole, rule))
    assert cells(done.stdout, "jusText")[7:] == ["0", "0"]
    assert "trafilatura " in done.stdout.splitlines()[0]


def test_what_is_not_installed_is_skipped_with_a_line(table: Path) -> None:
    done = run(peers.main, table)
    for name, peer in peers.PEERS.items():
        there = find_spec(peer.module) is not None
        assert (f"| {name} |" in done.stdout) == there
        assert (
            f"{name} is skipped: {peer.module} is not installed here" in done.stderr.splitlines()
        ) != there


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that was trained on one of the two pages."""
    folder = tmp_path_factory.mktemp("models")
    ferry, _ = (TESTS / "pages" / "labelled.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "ferry.jsonl").write_text(ferry, encoding="utf-8")
    small = Options(widths=(8, 8, 8), fewest_steps=9, epochs=1, members=1)
    options = TrainOptions(folds=2, thin=1, workers=1, network=small)
    train([SEEDS / "en-lighthouse-bats.jsonl", folder / "ferry.jsonl"], folder / "mine", options)
    return folder / "mine"


def test_pages_a_model_was_trained_on_are_left_out_for_everybody(table: Path, mine: Path) -> None:
    done = run(peers.main, table, "--model", mine)
    assert "### own, articles: 1 page" in done.stdout
    assert all(cells(done.stdout, f"mine, {convention}, on text") for convention in ("page", "article"))


def test_texts_made_elsewhere_are_scored_and_not_timed(table: Path, tmp_path: Path) -> None:
    texts = tmp_path / "perfect.json"
    [truth] = [row["main_content"] for row in pq.read_table(table).to_pylist() if row["page_id"] == "ferry"]
    texts.write_text(json.dumps({"pages/ferry": truth}))
    done = run(peers.main, table, "--texts", texts)
    assert "### own, articles: 1 pages of 1 sites" in done.stdout
    row = cells(done.stdout, "perfect")
    assert row[1:4] == ["1.000", "1.000", "1.000 [1.000, 1.000]"]
    assert row[6] == ""


def test_a_peer_that_fails_gives_nothing_and_is_counted() -> None:
    def fail(*page: object) -> str:
        raise RuntimeError("no")

    page = Page("a/1", None, "article", b"<p>A story.</p>", main_content="A story.")
    failing, fine = Extractor("json", fail), EXTRACTORS["whole-page"]
    found = peers.measure([("a", page)] * 3, {"failing": failing, "fine": fine}, {})
    assert (found["a"].tallies["failing"].failed, found["a"].tallies["failing"].empty) == (3, 3)
    assert (found["a"].tallies["fine"].failed, found["a"].tallies["fine"].empty) == (0, 0)


def test_our_texts_out_of_fold_hold_every_page_under_both_conventions(
    table: Path, tmp_path: Path, mine: Path
) -> None:
    seeds = [SEEDS / f"{name}.jsonl" for name in ("en-lighthouse-bats", "ar-bir-alsidra")]
    done = run(out_of_fold.main, *seeds, "--pages", table, "-o", tmp_path, "--model", mine, "--folds", 2)
    assert done.exit_code == 0
    for convention in out_of_fold.CONVENTIONS:
        texts = json.loads((tmp_path / f"boilerplate, {convention}.json").read_text(encoding="utf-8"))
        assert set(texts) == {"pages/ferry", "pages/muehle"}
