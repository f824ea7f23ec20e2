"""Run every notebook of this folder from top to bottom; a cell that fails fails the run."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

for path in sorted(Path(__file__).parent.glob("*.ipynb")):
    NotebookClient(
        nbformat.read(path, as_version=4), timeout=600, resources={"metadata": {"path": path.parent}}
    ).execute()
    sys.stdout.write(f"{path.name} ran\n")
