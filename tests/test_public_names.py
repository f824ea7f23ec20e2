"""What users may rely on is listed, sorted, documented and shown at work."""

from __future__ import annotations

import inspect
import types
from importlib import import_module
from pathlib import Path

import pytest

import boilerplate

ROOMS = sorted(path.stem for path in Path(boilerplate.__file__).parent.glob("*.py") if path.stem[0] != "_")
CONTRACT = {
    "clean",
    "load",
    "Cleaner",
    "Cleaned",
    "Policy",
    "Record",
    "BoilerplateError",
    "ModelError",
    "FormatError",
}
NAMES = [name for name in boilerplate.__all__ if not name.startswith("__")]


def test_all_is_sorted_and_names_everything_public_and_nothing_else() -> None:
    public = {
        name
        for name, value in vars(boilerplate).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert list(boilerplate.__all__) == sorted(public | {"__version__"})


def test_the_names_of_the_contract_are_there() -> None:
    assert set(boilerplate.__all__) >= CONTRACT


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_says_what_it_is_and_shows_it(name: str) -> None:
    text = inspect.getdoc(getattr(boilerplate, name)) or ""
    assert text.splitlines()[0].endswith("."), "one sentence first"
    assert ">>>" in text


@pytest.mark.parametrize("name", ["clean", "clean_many", "clean_batch", "explain"])
def test_a_public_method_shows_itself_too(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(boilerplate.Cleaner, name)) or "")


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "cli"])
def test_a_rooms_public_names_are_listed_sorted_and_exist(room: str) -> None:
    module = import_module(f"boilerplate.{room}")
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), name.islower(), name)
    )
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_and_everything_public_in_it_says_what_it_is(room: str) -> None:
    module = import_module(f"boilerplate.{room}")
    assert module.__doc__
    for name, value in vars(module).items():
        if inspect.isroutine(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            assert inspect.getdoc(value), name


@pytest.mark.parametrize("name", NAMES)
def test_a_public_function_is_typed(name: str) -> None:
    value = getattr(boilerplate, name)
    if inspect.isfunction(value):
        signature = inspect.signature(value)
        assert signature.return_annotation is not signature.empty
        assert all(p.annotation is not p.empty for p in signature.parameters.values())


def test_the_version_is_three_numbers() -> None:
    assert all(part.isdigit() for part in boilerplate.__version__.split("."))
    assert boilerplate.__version__.count(".") == 2
