"""Programs that run kernels, each as a user starts it: nbconvert, nbval, jupyter console,
and a Jupyter server with the resource-usage extension."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from http.cookiejar import CookieJar

import nbformat
import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from lab import Lab, write_notebook
from session import KERNEL

CELLS = ['import "fmt"\nfmt.Println("hello")', "xs := []int{1, 2, 3}\nxs", 'fmt.Println(len(xs), "of them")']


def jupyter(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )


def test_nbconvert_executes(tmp_path):
    write_notebook(tmp_path / "in.ipynb", KERNEL, CELLS)
    done = jupyter("nbconvert", "--to", "notebook", "--execute", "--output", "out.ipynb", tmp_path / "in.ipynb")
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [c.execution_count for c in notebook.cells] == [1, 2, 3]
    assert notebook.cells[2].outputs[0].text == "3 of them\n"
    assert notebook.metadata.language_info.name == "go"
    write_notebook(tmp_path / "bad.ipynb", KERNEL, [*CELLS, 'panic("on purpose")'])
    done = jupyter("nbconvert", "--to", "notebook", "--execute", "--output", "bad-out.ipynb", tmp_path / "bad.ipynb")
    assert done.returncode != 0 and "on purpose" in done.stderr


def test_nbval_compares(tmp_path):
    """A notebook that attune run wrote is what the kernel says again, until it is not."""
    write_notebook(tmp_path / "in.ipynb", KERNEL, CELLS)
    attune = KernelSpecManager().get_kernel_spec(KERNEL).argv[0]
    subprocess.run([attune, "run", "-q", tmp_path / "in.ipynb", tmp_path / "test_it.ipynb"], check=True, timeout=120)

    def nbval():
        return jupyter("pytest", "--nbval", "-q", "-p", "no:cacheprovider", tmp_path / "test_it.ipynb", cwd=tmp_path)

    done = nbval()
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout
    text = (tmp_path / "test_it.ipynb").read_text()
    (tmp_path / "test_it.ipynb").write_text(text.replace("3 of them", "4 of them"))
    done = nbval()
    assert done.returncode != 0 and "1 failed, 2 passed" in done.stdout, done.stdout


def test_console():
    """Cells, one of several lines, an error, a question, the end."""
    pexpect = pytest.importorskip("pexpect")
    command = ["-m", "jupyter", "console", "--simple-prompt", "--kernel", KERNEL]
    environment = dict(os.environ, JUPYTER_CONSOLE_TEST="1", TERM="dumb")
    console = pexpect.spawn(sys.executable, command, env=environment, timeout=60, encoding="utf-8")
    try:
        console.expect(r"In \[1\]")
        console.sendline("6 * 7")
        console.expect(r"Out\[1\]:\s+42")
        console.expect(r"In \[2\]")
        console.sendline('import "fmt"')
        console.expect(r"In \[3\]")
        console.sendline("fmt.Println(nowhere)")
        console.expect("undefined: nowhere")
        console.expect(r"In \[4\]")
        console.sendline("var name string; fmt.Scanln(&name); fmt.Println(\"hello\", name)")
        time.sleep(1)
        console.sendline("gopher")
        console.expect("hello gopher")
        console.expect(r"In \[5\]")
        console.sendeof()
        console.expect(["Do you really want to exit", pexpect.EOF])
        console.sendline("y")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Jupyter server; the resource-usage extension is on wherever it is installed."""
    running = Lab(tmp_path_factory.mktemp("folder"), tmp_path_factory.mktemp("runtime"))
    yield running
    running.close()


class Api:
    """The server's REST interface, with the token that it wants in what changes things."""

    def __init__(self, url):
        self.url = url
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.opener.open(url + "lab", timeout=60).close()

    def __call__(self, method, path, body=None):
        headers = {"X-XSRFToken": c.value for c in self.cookies if c.name == "_xsrf"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=headers)
        with self.opener.open(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def test_resource_usage_shows_the_kernel(server):
    """The panel's numbers are those of the kernel's processes."""
    call = Api(server.url)
    kernel = call("POST", "api/kernels", {"name": KERNEL})
    try:
        deadline = time.monotonic() + 60
        while True:
            usage = call("GET", f"api/metrics/v1/kernel_usage/get_usage/{kernel['id']}")
            content = usage.get("content") or {}
            if "pid" in content or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        assert content.get("pid"), usage
        process = psutil.Process(content["pid"])
        assert process.name() == "attune"
        held = sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
        assert 0.5 * held < content["kernel_memory"] < 2 * held
        assert content["cpu_count"] >= 1 and content["host_virtual_memory"]["total"] > held
    finally:
        call("DELETE", f"api/kernels/{kernel['id']}")
