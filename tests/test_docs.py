"""The documents name every command, option of a policy, and label, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from boilerplate.cli import app
from boilerplate.labels import LABELS, POLICIES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_readme_and_has_help(name: str) -> None:
    assert f"boilerplate {name}" in README
    assert COMMANDS[name].help


@pytest.mark.parametrize("name", [*map(str, LABELS), *POLICIES])
def test_every_label_and_policy_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "seeds/README.md"])
def test_links_to_files_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / document).parent.joinpath(target).exists(), target


def test_the_packaged_model_was_trained_by_the_command_of_contributing() -> None:
    import json

    card = json.loads((ROOT / "models" / "default" / "card.json").read_text(encoding="utf-8"))
    assert card["command"].removesuffix(" --overwrite") in (ROOT / "CONTRIBUTING.md").read_text(
        encoding="utf-8"
    )


def test_the_changelog_has_the_version() -> None:
    from boilerplate import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
