"""Every notebook of the repository, run from top to bottom by nbclient."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from session import KERNEL

FOLDER = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RAN = FOLDER.parent / ".build" / "notebooks"


def outputs(notebook):
    return [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_runs(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, kernel_name=KERNEL, timeout=600, resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute()  # raises on the first cell that fails
    os.makedirs(RAN, exist_ok=True)
    nbformat.write(notebook, RAN / path.name)
    assert outputs(notebook), "a notebook that shows nothing teaches nothing"
    errors = [o for o in outputs(notebook) if o.output_type == "error"]
    assert not errors


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_stored_clean(path):
    """Notebooks are kept without outputs, for attune, and valid."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "attune"
    assert notebook.metadata.kernelspec.display_name == "Go (attune)"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
