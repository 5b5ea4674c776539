"""The tour: what a newcomer must see in it, beside the figures it promises
(test_notebooks.py holds those).

It is run once, as it stands, with a count of the live updates: the notebook itself
keeps only the last state of each output.
"""

import base64
import re
import struct
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from session import KERNEL

TOUR = Path(__file__).resolve().parent.parent / "01-tour.ipynb"

pytestmark = pytest.mark.timeout(900)


class Counting(NotebookClient):
    """A client that counts the updates of what was shown already, by cell."""

    updates: Counter

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] == "update_display_data":
            self.updates[cell.id] += 1
        return super().process_message(msg, cell, cell_index)


@pytest.fixture(scope="module")
def run():
    notebook = nbformat.read(TOUR, as_version=4)
    client = Counting(notebook, kernel_name=KERNEL, timeout=600, resources={"metadata": {"path": str(TOUR.parent)}})
    client.updates = Counter()
    client.execute()
    return {c.id: c for c in notebook.cells if c.cell_type == "code"}, client.updates


@pytest.fixture(scope="module")
def cells(run):
    return run[0]


def shown(cell, kind):
    """What the cell shows in the form of that MIME type."""
    return [o.data[kind] for o in cell.outputs if kind in o.get("data", {})]


def said(cell):
    streams = "".join(o.text for o in cell.outputs if o.output_type == "stream")
    return "\n".join([streams, *shown(cell, "text/plain")])


def figure(cell, pattern):
    found = re.search(pattern, said(cell))
    assert found, f"{pattern!r} is not in {said(cell)!r}"
    return float(found.group(1))


def sizes(cell):
    """(width, height) in pixels of every PNG of the cell (PNG specification, 11.2.2)."""
    return [struct.unpack(">II", base64.b64decode(png)[16:24]) for png in shown(cell, "image/png")]


def test_only_the_mistake_fails(cells):
    failed = [c for c in cells.values() if any(o.output_type == "error" for o in c.outputs)]
    assert [c.id for c in failed] == ["mistake"]
    assert "raises-exception" in failed[0].metadata.tags
    error = "\n".join(o.evalue for o in failed[0].outputs if o.output_type == "error")
    assert "does have method Gravity" in error
    assert "This line does not run" not in said(failed[0])


def test_table(cells):
    (html,) = shown(cells["table"], "text/html")
    assert "<table" in html and "Jupiter" in html


def test_digits_are_pictures(cells):
    ((width, height),) = sizes(cells["sheet"])
    assert width >= 400 and height >= 100
    assert "1438 images" in said(cells["sheet"]) and "359 images" in said(cells["sheet"])


def test_weights_sum_to_one(cells):
    assert figure(cells["weights"], r"sums to 1 within ([0-9.]+e[+-][0-9]+)") < 1e-5
    (html,) = shown(cells["map"], "text/html")
    assert html.count("<img") == 2, "the digit and its map"


def test_learns_by_attending(cells):
    attending = figure(cells["verdict"], r"with attention: +([0-9.]+) %")
    uniform = figure(cells["verdict"], r"uniform weights: +([0-9.]+) %")
    assert attending >= 95
    assert attending - uniform >= 2
    assert uniform >= 50, "the network to compare with did not learn at all"


def test_charts_are_live(run):
    cells, updates = run
    for name, charts in {"attentive": 2, "uniform": 1}.items():
        assert len(sizes(cells[name])) == charts
        assert updates[name] >= 2, f"{name}: nothing moved while the network trained"


def test_right_and_wrong_case(cells):
    maps = shown(cells["cases"], "text/html")
    assert [m.count("<img") for m in maps] == [2, 2]
    read = re.findall(r"a (\d), read as (\d)", said(cells["cases"]))
    assert len(read) == 2
    assert read[0][0] == read[0][1] and read[1][0] != read[1][1] and read[0][0] == read[1][0]


def test_monitor_saw_the_training(cells):
    for name in ["parameters", "gradients", "optimizer state", "activations", "process (RSS)"]:
        assert re.search(rf"^{re.escape(name)} ", said(cells["summary"]), re.MULTILINE), name
