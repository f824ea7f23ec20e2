"""The house: rooms import only rooms of a lower rank, and the core knows no file, clock or terminal."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "boilerplate"
RANKS = {
    "labels": 0,
    "document": 0,
    "characters": 0,
    "views": 0,
    "intervals": 0,
    "alignment": 1,
    "pages": 1,
    "ground_truth": 2,
    "segment": 1,
    "columns": 1,
    "features": 2,
    "corpora": 3,
    "extractors": 2,
    "formats": 1,
    "languages": 1,
    "network": 3,
    "wordscores": 3,
    "residue": 4,
    "alignment_report": 4,
    "textmetrics": 4,
    "trainer": 4,
    "store": 4,
    "explanation": 4,
    "classifier": 5,
    "metrics": 5,
    "cleaner": 5,
    "splits": 6,
    "fitting": 7,
    "batch": 6,
    "evaluate": 8,
    "train": 8,
    "terminal": 8,
    "report": 9,
    "cli": 10,
}
CORE = [
    "labels",
    "document",
    "characters",
    "views",
    "segment",
    "columns",
    "features",
    "network",
    "wordscores",
    "trainer",
    "classifier",
    "explanation",
]
EDGES = {
    "os",
    "io",
    "sys",
    "time",
    "datetime",
    "random",
    "logging",
    "socket",
    "urllib",
    "subprocess",
    "shutil",
    "tempfile",
}
TABLE = {"characters"}  # reads the one file that is part of its code
HEAVY = [
    "sklearn",
    "scipy",
    "datasets",
    "pandas",
    "pyarrow",
    "joblib",
    "tldextract",
    "typer",
    "rich",
    "jinja2",
    "py3langid",
    "rapidfuzz",
    "datasketch",
    "resiliparse",
]


def tree(room: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{room}.py").read_text(encoding="utf-8"))


def imports(room: str) -> set[str]:
    """Name every module a room imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(room)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{room}: imports are absolute"
            found.add(node.module or "")
            if node.module == "boilerplate":
                found |= {f"boilerplate.{alias.name}" for alias in node.names}
    return found


def rooms_of(room: str) -> set[str]:
    return {name.split(".")[1] for name in imports(room) if name.startswith("boilerplate.")} & set(RANKS)


def test_every_room_has_a_rank_and_every_rank_a_room() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"} == set(RANKS)


@pytest.mark.parametrize("room", RANKS)
def test_a_room_imports_only_rooms_of_a_lower_rank(room: str) -> None:
    higher = {other: RANKS[other] for other in rooms_of(room) if RANKS[other] >= RANKS[room]}
    assert not higher, f"{room} is of rank {RANKS[room]}"


@pytest.mark.parametrize("room", sorted(set(RANKS) - {"cli"}))
def test_no_room_but_the_outermost_imports_the_package_as_a_whole(room: str) -> None:
    assert "boilerplate" not in imports(room)


@pytest.mark.parametrize("room", CORE)
def test_a_core_room_opens_nothing_prints_nothing_and_knows_no_clock(room: str) -> None:
    assert not {name.split(".")[0] for name in imports(room)} & EDGES
    calls = [node.func for node in ast.walk(tree(room)) if isinstance(node, ast.Call)]
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    methods = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    assert not names & {"open", "print", "input", "exec", "eval", "breakpoint"}
    assert not methods & {"read_text", "read_bytes", "write_text", "write_bytes", "open", "getenv"}
    if room not in TABLE:
        assert not methods & {"load", "save", "savez", "savez_compressed", "fromfile", "tofile"}
        assert "pathlib" not in imports(room)


@pytest.mark.parametrize("room", RANKS)
def test_nothing_is_ever_unpickled(room: str) -> None:
    assert not {name.split(".")[0] for name in imports(room)} & {
        "pickle",
        "dill",
        "cloudpickle",
        "shelve",
        "marshal",
    }
    for node in ast.walk(tree(room)):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False


@pytest.mark.parametrize("room", RANKS)
def test_a_module_fits_a_few_screens_and_a_function_one(room: str) -> None:
    functions = [node for node in ast.walk(tree(room)) if isinstance(node, ast.FunctionDef)]
    long = {f.name: lines for f in functions if (lines := (f.end_lineno or 0) - f.lineno + 1) > 60}
    assert long == {}
    assert len((PACKAGE / f"{room}.py").read_text(encoding="utf-8").splitlines()) <= 500


def loaded_by(code: str) -> list[str]:
    """Run code in a fresh Python and name the heavy packages it loaded."""
    probe = f"import sys\n{code}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=PACKAGE.parent, check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import boilerplate") == []


def test_cleaning_a_text_loads_nothing_heavy(model_folder: Path) -> None:
    assert (
        loaded_by(f"import boilerplate\nboilerplate.load({str(model_folder)!r}).clean('x\\n\\ny').text") == []
    )


def test_cleaning_with_the_packaged_model_loads_nothing_heavy() -> None:
    if not (PACKAGE.parent / "models" / "default" / "card.json").exists():
        pytest.skip("models/default is not there yet; boilerplate train makes it")
    assert loaded_by("import boilerplate\nboilerplate.clean('x').text") == []


def test_the_probe_sees_what_is_loaded() -> None:
    assert "sklearn" in loaded_by("import boilerplate.classifier")
