"""Every notebook of the repository, run from top to bottom by nbclient.

A cell says in its own metadata which figures it must come to:

    "metadata": {"attune": {"figures": [
        {"says": "held-out accuracy: ([0-9.]+) %", "least": 95, "most": 100}
    ]}}

The pattern is looked for in all that the cell shows as text; its group is a number
within the two bounds. A notebook whose own metadata say {"attune": {"ci": {"epochs": 1}}}
runs here with these values in its cell of parameters, for the sake of time.
"""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from session import KERNEL

FOLDER = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RAN = FOLDER.parent / ".build" / "notebooks"


def outputs(notebook):
    return [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]


def shown(cell):
    """All that a cell shows as text."""
    texts = [o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "\n".join(texts)


def figures(notebook):
    """Yields each figure that the notebook promises, and what its cell shows."""
    for cell in notebook.cells:
        for figure in cell.metadata.get("attune", {}).get("figures", []):
            yield figure, shown(cell)


def shortened(notebook):
    """Puts the values that a notebook names for this place into its cell of parameters."""
    for name, value in notebook.metadata.get("attune", {}).get("ci", {}).items():
        cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
        cell.source, n = re.subn(rf"(?m)^{name} := [^ \n]+", f"{name} := {value}", cell.source)
        assert n == 1, f"{name} is not set in the cell of parameters"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_runs(path):
    notebook = nbformat.read(path, as_version=4)
    shortened(notebook)
    client = NotebookClient(
        notebook, kernel_name=KERNEL, timeout=600, resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute()  # raises on the first cell that fails
    os.makedirs(RAN, exist_ok=True)
    nbformat.write(notebook, RAN / path.name)
    assert outputs(notebook), "a notebook that shows nothing teaches nothing"
    html, _ = HTMLExporter().from_notebook_node(notebook)
    # nbconvert puts this sentence where a picture has no description.
    assert "No description has been provided for this image" not in html
    for figure, text in figures(notebook):
        found = re.search(figure["says"], text)
        assert found, f"{figure['says']!r} is not in {text!r}"
        assert figure["least"] <= float(found.group(1)) <= figure["most"], found.group()


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


@pytest.mark.skipif(not (FOLDER / "01-tour.ipynb").exists(), reason="the tour is not in this checkout")
def test_tour_promises_figures():
    """What the tour claims to reach is held to, not only shown."""
    assert list(figures(nbformat.read(FOLDER / "01-tour.ipynb", as_version=4)))
