"""attune run, and papermill, on notebooks with parameters."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from session import KERNEL

CELLS = [
    ("var lr float32 = 0.5\nlayers := []float64{1}\nsteps := 2", ["parameters"]),
    ('import "fmt"\nfmt.Printf("%T %v %T %v %v\\n", lr, lr, layers, layers, steps)', []),
    ("fresh", []),
]
PARAMETERS = {"lr": 0.1, "layers": [64, 32], "steps": 7, "fresh": "new"}


def attune():
    return KernelSpecManager().get_kernel_spec(KERNEL).argv[0]


def write(path, cells, language="go"):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code, metadata={"tags": tags}) for code, tags in cells],
        metadata={"kernelspec": {"name": KERNEL, "display_name": KERNEL, "language": language}},
    )
    nbformat.write(notebook, path)
    return path


def run(*arguments, **options):
    done = subprocess.run([attune(), "run", *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)
    return done.returncode, done.stdout + done.stderr


def read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def shape(notebook):
    """What must be the same whoever ran it: cells, tags, outputs, metadata's fields."""
    cells = []
    for cell in notebook.cells:
        outputs = [o.get("text") or o.get("data") or o.get("ename") for o in cell.get("outputs", [])]
        mill = cell.metadata.get("papermill", {})
        cells.append((
            cell.cell_type, cell.source.strip(), cell.metadata.get("tags", []), cell.get("execution_count"), outputs,
            {k: v if k in ("status", "exception") else None for k, v in mill.items()},
        ))  # fmt: skip
    mill = notebook.metadata.papermill
    return cells, sorted(mill), mill["parameters"], sorted(notebook.metadata.language_info.items())


def arguments():
    for name, value in PARAMETERS.items():
        yield from ("-p", name, value if isinstance(value, str) else json.dumps(value))


def test_as_papermill_does(tmp_path):
    """The same notebook by attune run and by papermill itself."""
    source = write(tmp_path / "in.ipynb", CELLS)
    code, said = run(source, tmp_path / "attune.ipynb", *arguments())
    assert code == 0, said
    assert said.count("done") == 4, said
    parameters = tmp_path / "parameters.json"  # JSON is YAML too
    parameters.write_text(json.dumps(PARAMETERS))
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", source, tmp_path / "papermill.ipynb", "-f", parameters],
        check=True, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    mine, theirs = read(tmp_path / "attune.ipynb"), read(tmp_path / "papermill.ipynb")
    assert shape(mine) == shape(theirs)
    assert mine.cells[2].outputs[0].text == "float32 0.1 []float64 [64 32] 7\n"
    assert mine.cells[3].outputs[0].data["text/plain"] == '"new"'


def test_papermill_on_its_command_line(tmp_path):
    source = write(tmp_path / "in.ipynb", CELLS[:2])
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", source, tmp_path / "out.ipynb", "-p", "lr", "0.1"],
        check=True, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    assert read(tmp_path / "out.ipynb").cells[2].outputs[0].text.startswith("float32 0.1 ")


def test_stops_at_the_first_error(tmp_path):
    source = write(tmp_path / "in.ipynb", [("x := 1", []), ('panic("on purpose")', []), ("x", [])])
    code, said = run(source, tmp_path / "out.ipynb")
    assert code == 1 and "code cell 2 failed" in said and "on purpose" in said
    cells = [c for c in read(tmp_path / "out.ipynb").cells if c.cell_type == "code"]
    assert [c.metadata.papermill.status for c in cells] == ["completed", "failed", "pending"]
    assert [o.output_type for o in cells[1].outputs] == ["error"]


def test_timeout(tmp_path):
    source = write(tmp_path / "in.ipynb", [("for {\n}", [])])
    code, said = run(source, tmp_path / "out.ipynb", "--timeout", "0.5s")
    assert code == 1 and "CellTimeoutError" in said
    read(tmp_path / "out.ipynb")


def test_runs_where_the_notebook_lies(tmp_path):
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "data.txt").write_text("found")
    cell = 'import ("fmt"; "os")\ntext, err := os.ReadFile("data.txt")\nfmt.Println(string(text), err)'
    source = write(tmp_path / "books" / "in.ipynb", [(cell, [])])
    code, said = run("books/in.ipynb", "out.ipynb", "-q", cwd=tmp_path)
    assert (code, said) == (0, "")
    assert read(tmp_path / "out.ipynb").cells[0].outputs[0].text == "found <nil>\n"
    assert read(source).cells[0].outputs == []


def test_needs_no_python(tmp_path):
    source = write(tmp_path / "in.ipynb", [("1 + 1", [])])
    code, said = run(source, tmp_path / "out.ipynb", env={"HOME": str(tmp_path), "PATH": ""})
    assert code == 0, said


def test_refuses(tmp_path):
    python = write(tmp_path / "python.ipynb", [("1", [])], language="python")
    for arguments, word in [
        ([python, tmp_path / "out.ipynb"], "python, not in Go"),
        ([tmp_path / "none.ipynb", tmp_path / "out.ipynb"], "no such file"),
        ([python], "a notebook to run and one to write"),
        ([python, "out", "-p", "x"], "-p lacks"),
        ([python, "out", "--fast"], "unknown option --fast"),
    ]:
        code, said = run(*arguments)
        assert code == 1 and word in said, said
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed(tmp_path, how):
    """Whatever ends it, the notebook so far is whole."""
    out = tmp_path / "out.ipynb"
    source = write(tmp_path / "in.ipynb", [('import "fmt"\nfmt.Println("one")', []), ('fmt.Println("two")\nfor {\n}', [])])
    process = subprocess.Popen([attune(), "run", source, out], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (out.exists() and "two\\n" in out.read_text().split('"outputs"')[2]):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(how)
        assert process.wait(30) != 0
    finally:
        process.kill()
    cells = [c for c in read(out).cells if c.cell_type == "code"]
    assert cells[0].outputs[0].text == "one\n" and cells[1].outputs[0].text == "two\n"
    assert cells[1].metadata.papermill.status == ("running" if how == signal.SIGKILL else "failed")
    assert not [p for p in Path(tmp_path).glob(".*")] or how == signal.SIGKILL
    assert os.path.getsize(out) > 0
