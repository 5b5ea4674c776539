"""A real JupyterLab on loopback, and one of its notebooks in a real browser."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import psutil
from playwright.sync_api import TimeoutError as BrowserTimeout

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
START = 60  # seconds for JupyterLab to answer

# What each cell shows now: its number in the notebook, its output. Not only cells that
# run: JupyterLab puts no star beside those that "run all" started.
OUTPUTS = """() => [...document.querySelectorAll(
    '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell')]
  .map((cell, n) => [n, cell.querySelector('.jp-OutputArea')?.innerHTML ?? ''])
  .filter(([n, output]) => output !== '')"""


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Lab:
    """A JupyterLab server over folder. It asks for no token: it listens on loopback
    and lives for one test run."""

    def __init__(self, folder, runtime, theme="JupyterLab Light"):
        self.runtime = Path(runtime)
        self._settings(theme)
        environment = dict(
            os.environ,
            JUPYTER_RUNTIME_DIR=str(runtime),
            JUPYTER_CONFIG_DIR=str(runtime),
            JUPYTERLAB_SETTINGS_DIR=str(self.runtime / "settings"),
            JUPYTERLAB_WORKSPACES_DIR=str(self.runtime / "workspaces"),
        )
        self.log = open(self.runtime / "lab.log", "w+")
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0",
                "--allow-root", f"--ServerApp.root_dir={folder}",
                "--IdentityProvider.token=", "--PasswordIdentityProvider.hashed_password=",
            ],
            env=environment, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.url = self._wait()

    def _settings(self, theme):
        """Keeps every cell in the page: by default JupyterLab takes out those that are
        scrolled away, and counting cells would count what is in view. Asks for no news."""
        folder = self.runtime / "settings" / "@jupyterlab"
        for extension, name, settings in [
            ("notebook-extension", "tracker", {"windowingMode": "none"}),
            ("apputils-extension", "notification", {"fetchNews": "false", "checkForUpdates": False}),
            ("apputils-extension", "themes", {"theme": theme}),
        ]:
            (folder / extension).mkdir(parents=True, exist_ok=True)
            path = folder / extension / f"{name}.jupyterlab-settings"
            path.write_text(json.dumps(settings))

    def _wait(self):
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self.process.poll() is None:
            for path in self.runtime.glob("jpserver-*.json"):
                try:
                    url = json.loads(path.read_text())["url"]
                    urllib.request.urlopen(url + "api", timeout=5).close()
                    return url
                except (ValueError, OSError):
                    pass  # half written, or not listening yet
            time.sleep(0.2)
        self.close()
        self.log.seek(0)
        raise RuntimeError("JupyterLab did not start:\n" + self.log.read()[-4000:])

    def kernel_connections(self):
        """How many connections for outputs the newest kernel keeps, as its own end sees
        it: a stopped server does not hear that it was left."""
        newest = max(self.runtime.glob("kernel-*.json"), key=lambda path: path.stat().st_mtime)
        port = json.loads(newest.read_text())["iopub_port"]
        return sum(c.status == psutil.CONN_ESTABLISHED and c.laddr.port == port for c in psutil.net_connections("tcp"))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def write_notebook(path, kernel, cells):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c) for c in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "go"}},
    )
    nbformat.write(notebook, path)


class Notebook:
    """One notebook open in JupyterLab (4.6). Times are in seconds."""

    def __init__(self, page, url, name):
        self.page = page
        page.goto(f"{url}lab/tree/{name}?reset")
        page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.panel.locator(".jp-NotebookPanel-notebook").wait_for(timeout=60_000)
        # The indicator in the notebook starts as idle, before there is a kernel; the
        # status bar names the kernel only once it is connected.
        page.locator(".jp-StatusBar-TextItem", has_text="| Idle").first.wait_for(timeout=60_000)
        self.wait_idle(60)

    def wait_idle(self, timeout):
        """Until the kernel has nothing more to do."""
        self.panel.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(
            state="attached", timeout=timeout * 1000
        )

    def cell(self, n):
        return self.panel.locator(".jp-CodeCell").nth(n)

    def start(self, n):
        self.cell(n).scroll_into_view_if_needed()
        self.cell(n).locator(".jp-InputArea-editor").first.click()
        self.page.keyboard.press("Shift+Enter")
        self.panel.locator(".jp-CodeCell").nth(n).locator(
            ".jp-InputPrompt", has_text=re.compile(r"\[(\*|\d+)\]:")
        ).wait_for(timeout=10_000)

    def prompt(self, n):
        return self.cell(n).locator(".jp-InputPrompt").first.inner_text().strip()

    def finish(self, n, timeout=120):
        """Until cell n has its number, which the front end shows once the reply is in."""
        deadline = time.monotonic() + timeout
        while not self.prompt(n).strip("[]: ").isdigit():
            if time.monotonic() > deadline:
                raise TimeoutError(f"cell {n} still shows {self.prompt(n)}")
            self.page.wait_for_timeout(50)

    def run(self, n, timeout=120):
        self.start(n)
        self.finish(n, timeout)

    def run_all(self, timeout):
        """Runs every cell; returns, when the last one has ended, how many different
        outputs each cell showed while it ran."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
        last = self.panel.locator(".jp-CodeCell").count() - 1
        seen, deadline = {}, time.monotonic() + timeout
        while not self.prompt(last).strip("[]: ").isdigit():
            for cell, output in self.page.evaluate(OUTPUTS):
                seen.setdefault(cell, set()).add(hash(output))
            if time.monotonic() > deadline:
                raise TimeoutError(f"the last cell still shows {self.prompt(last)}")
            self.page.wait_for_timeout(200)
        return {cell: len(outputs) for cell, outputs in seen.items()}

    def text(self, n):
        return "\n".join(self.cell(n).locator(".jp-OutputArea-output").all_inner_texts())

    def outputs(self, n):
        return self.cell(n).locator(".jp-OutputArea-child").count()

    def image_widths(self, scope=None):
        """The widths in pixels of the pictures, as the browser decoded them."""
        scope = scope or self.panel
        return scope.locator(".jp-OutputArea-output img").evaluate_all("all => all.map(i => i.naturalWidth)")

    def interrupt(self):
        self.panel.locator('.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]').click()

    def type_into(self, n, text):
        self.cell(n).locator(".jp-InputArea-editor .cm-content").first.click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(text)

    def completions(self, tries=3):
        """Asks for completions at the cursor; the labels that the pop-up offers.
        JupyterLab drops an answer that takes more than a second, so it asks again."""
        # Until JupyterLab has seen the cursor there, Tab indents.
        self.panel.locator(".jp-mod-completer-enabled").wait_for(timeout=10_000)
        items = self.page.locator(".jp-Completer-item")
        for _ in range(tries):
            self.page.keyboard.press("Tab")
            try:
                items.first.wait_for(timeout=5_000)
                break
            except BrowserTimeout:
                continue
        return [t.strip() for t in items.all_inner_texts()]

    def menu(self, menu, command):
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.locator(f'.lm-Menu-item[data-command="{command}"]').first.click()

    def restart(self):
        """By the menu and the question that it asks; returns when the kernel is new."""
        self.menu("Kernel", "kernelmenu:restart")
        self.page.locator(".jp-Dialog button.jp-mod-warn").click()
        self.page.locator(".jp-Dialog").wait_for(state="detached", timeout=30_000)
        self.wait_idle(60)

    def tooltip(self):
        """What Shift-Tab shows for the word at the cursor."""
        shown = self.page.locator(".jp-Tooltip")
        for _ in range(3):
            self.page.keyboard.press("Shift+Tab")
            try:
                shown.wait_for(timeout=5_000)
                break
            except BrowserTimeout:
                continue
        return shown.inner_text()

    def answer(self, text):
        """Types a line where the cell asks for one."""
        box = self.panel.locator(".jp-Stdin-input")
        box.wait_for(timeout=30_000)
        box.fill(text)
        box.press("Enter")
        box.wait_for(state="detached", timeout=10_000)  # another one would ask again


class Notebook7(Notebook):
    """One notebook open in Notebook 7, which is made of the same parts."""

    def __init__(self, page, url, name):
        self.page = page
        page.goto(f"{url}notebooks/{name}")
        self.panel = page.locator(".jp-NotebookPanel")
        self.panel.locator(".jp-CodeCell").first.wait_for(timeout=60_000)
        # Its name stands in the toolbar once the kernel is connected.
        page.locator(".jp-Toolbar-kernelName", has_text="Go (attune)").wait_for(timeout=60_000)
        self.wait_idle(60)
