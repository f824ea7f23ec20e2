"""What tests share: a small trained model, and the corpora beside the checkout where they stand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from boilerplate.cleaner import Cleaner, load
from boilerplate.fitting import TrainOptions
from boilerplate.train import train
from boilerplate.trainer import Options

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds" / "articles"
SMALL = TrainOptions(
    folds=3, thin=1, workers=1, network=Options(widths=(32, 24, 24), epochs=6, fewest_steps=150, views=1)
)

settings.register_profile("house", deadline=None, max_examples=60)
settings.load_profile("house")


def shared_root(factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all workers of this run see, and no other run."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model trained on seeds/, once for all workers."""
    folder = shared_root(tmp_path_factory) / "small-model"
    with FileLock(f"{folder}.lock"):
        if not (folder / "card.json").exists():
            train([SEEDS], folder, SMALL)
    return folder


@pytest.fixture(scope="session")
def cleaner(model_folder: Path) -> Cleaner:
    """The small model under the balanced policy."""
    return load(model_folder)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of corpora beside the checkout, or the one BOILERPLATE_DATA names."""
    folder = Path(os.environ.get("BOILERPLATE_DATA", ROOT.parent / "shared"))
    if not (folder / "gold" / "gold-dev.jsonl").exists():
        pytest.skip(f"no labelled corpora in {folder}; name their folder in BOILERPLATE_DATA")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what the gate did not check, however quiet the run."""
    skipped = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}  # type: ignore[index]
    for reason in sorted(reason for reason in skipped if "NOT CHECKED" in reason):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), red=True, bold=True)
