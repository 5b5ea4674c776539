"""What people do in JupyterLab and Notebook 7 beside running cells: restart, look things
up, answer questions, lose the connection, come with two browsers."""

import signal
import time

import pytest
from playwright.sync_api import sync_playwright

from lab import CHROMIUM_FLAGS, Lab, Notebook, Notebook7, chromium, write_notebook
from session import KERNEL

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(300),
]

CELLS = [
    'import ("fmt"; "strings"; "time")\nkept := 41\nvar _ = strings.ToUpper',
    "fmt.Println(kept + 1)",
    "for i := 0; ; i++ {\n\tfmt.Println(i)\n\ttime.Sleep(200 * time.Millisecond)\n}",
    "",
    'var name string\nfmt.Scanln(&name)\nfmt.Println("hello", name)',
    'import "attune/stdlib/ask"\nsecret, err := ask.Password("secret: ")\nfmt.Println(len(secret), err)',
    "for i := 0; i < 30; i++ {\n\tfmt.Println(\"tick\", i)\n\ttime.Sleep(100 * time.Millisecond)\n}",
    "for start := time.Now(); time.Since(start) < 10*time.Second; time.Sleep(20 * time.Millisecond) {\n"
    '\tfmt.Println(strings.Repeat("x", 1<<20))\n}',
]
KINDS, NAMES = [Notebook, Notebook7], ["lab", "notebook7"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    for name in ("lab", "seven", "shared", "cut-Notebook", "cut-Notebook7"):
        write_notebook(folder / f"{name}.ipynb", KERNEL, CELLS)
    running = Lab(folder, tmp_path_factory.mktemp("runtime"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module", params=KINDS, ids=NAMES)
def book(request, lab, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    name = "lab.ipynb" if request.param is Notebook else "seven.ipynb"
    yield request.param(page, lab.url, name)
    page.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    yield page
    page.close()


def test_run_and_interrupt(book):
    book.run(0)
    book.run(1)
    assert book.text(1).strip() == "42"
    book.start(2)
    book.page.wait_for_timeout(1500)
    book.interrupt()
    book.finish(2, timeout=30)
    assert "nterrupt" in book.text(2)


def test_complete_and_inspect(book):
    book.run(0)
    book.type_into(3, "strings.ToUpp")
    offered = book.completions()
    assert any("ToUpper" in label for label in offered), offered
    book.page.keyboard.press("Escape")
    book.type_into(3, "er")
    assert "func" in book.tooltip()
    book.page.keyboard.press("Escape")


def test_questions(book):
    book.run(0)
    book.start(4)
    book.answer("gopher")
    book.finish(4)
    assert "hello gopher" in book.text(4)
    book.start(5)
    assert book.panel.locator(".jp-Stdin-input").get_attribute("type") == "password"
    book.answer("hunter2")
    book.finish(5)
    assert "7 <nil>" in book.text(5) and "hunter2" not in book.text(5)


def test_restart(book):
    book.run(0)
    book.restart()
    book.run(1)
    assert "undefined" in book.text(1)
    book.run(0)
    book.run(1)
    assert book.text(1).strip() == "42"


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_reconnect_while_a_cell_runs(kind, lab, page):
    """The page's connection is made anew; what the cell prints afterwards is shown."""
    book = kind(page, lab.url, "lab.ipynb")
    book.run(0)
    book.start(6)
    page.wait_for_timeout(800)
    book.menu("Kernel", "kernelmenu:reconnect-to-kernel")
    book.wait_idle(60)
    book.run(1)
    assert book.text(1).strip() == "42"


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_kernel_let_the_server_go(kind, lab, page):
    """A server that reads nothing for longer than the kernel waits is disconnected; it
    comes back by itself, and the values are there."""
    book = kind(page, lab.url, f"cut-{kind.__name__}.ipynb")
    book.run(0)
    kept = lab.kernel_connections()
    assert kept > 0
    book.start(7)
    page.wait_for_timeout(500)
    lab.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: lab.kernel_connections() == 0, "the kernel keeps a server that reads nothing")
    finally:
        lab.process.send_signal(signal.SIGCONT)
    wait_until(lambda: lab.kernel_connections() >= kept, "the server did not connect again")
    book.run(1)
    assert book.text(1).strip() == "42"


def wait_until(holds, otherwise):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_two_browsers_on_one_kernel(kind, lab, browser):
    pages = [browser.new_context(viewport={"width": 1280, "height": 1400}).new_page() for _ in range(2)]
    try:
        one, two = [kind(page, lab.url, "shared.ipynb") for page in pages]
        one.run(0)
        two.run(1)
        assert two.text(1).strip() == "42"
        one.start(2)
        one.page.wait_for_timeout(1000)
        two.interrupt()
        one.finish(2, timeout=30)
        assert "nterrupt" in one.text(2)
    finally:
        for page in pages:
            page.context.close()
