"""Measures attune beside the installed ipykernel, in one run and taking turns.

    python bench/kernel.py [--only PATTERN] [--quick] [--dry]

Every figure is the median of several turns, in which each kernel has its go before
the next turn begins, so that a slow minute of the machine meets all of them alike.
The table goes to standard output and between the markers of bench/RESULTS.md.
Nothing here passes or fails: the column "to reach" says what is aimed at.
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

from client import Kernel, NotStartedError, run_through

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
BEGIN, END = "<!-- kernel.py: begin -->", "<!-- kernel.py: end -->"
ECHO = ROOT / ".build" / "bin" / "echo-kernel"

LINES, BLOB = 10_000, 20_000_000
UPDATES, PICTURE, MANY = 10_000, 20 << 20, 50
CROWD_S = 120  # fifty Pythons take their time, about twenty seconds on two cores
FIB_N = 38
FIB_GO = "func fib(n int) int {\n\tif n < 2 {\n\t\treturn n\n\t}\n\treturn fib(n-1) + fib(n-2)\n}"
FIB_PYTHON = "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)"

# The same cells in both languages. {n} makes a cell that was not seen before.
CELLS = {
    "attune": {
        "setup": f'import ("attune/display"; "fmt"; "strings"; "time")\n{FIB_GO}\n'
        "var _, _, _ = strings.Repeat, time.Now, display.Show",
        "trivial": "1 + 1",
        "new": "func step{n}(x int) int { return x*{n} + {n} }\nfmt.Println(step{n}(1))",
        "lines": f'for i := 0; i < {LINES}; i++ {{\n\tfmt.Println("line", i)\n}}',
        "blob": f'fmt.Print(strings.Repeat("x", {BLOB}))',
        # Every update is drawn; what comes while one is on its way replaces it.
        "updates": f"live := display.NewLiveEvery(0)\nfor i := 0; i < {UPDATES}; i++ {{\n\tlive.Update(i)\n}}",
        "picture": 'display.Show(display.Bundle{Data: map[string]string{"text/plain": "x", '
        f'"image/png": strings.Repeat("A", {PICTURE})}}}})',
        "wait": "time.Sleep(3 * time.Second)",
        "word": "strings.ToUpp",
        "endless": "for {\n}",
        "fib": "fmt.Println(fib({n}))",
    },
    "ipykernel": {
        "setup": f"import string, time\nfrom IPython.display import display\n{FIB_PYTHON}",
        "trivial": "1 + 1",
        "new": "def step{n}(x):\n    return x * {n} + {n}\nprint(step{n}(1))",
        "lines": f'for i in range({LINES}):\n    print("line", i)',
        "blob": f'print("x" * {BLOB}, end="")',
        "updates": f"h = display(0, display_id=True)\nfor i in range({UPDATES}):\n    h.update(i)",
        "picture": f'display({{"text/plain": "x", "image/png": "A" * {PICTURE}}}, raw=True)',
        "wait": "time.sleep(3)",
        "word": "string.ascii_low",
        "endless": "while True:\n    pass",
        "fib": "print(fib({n}))",
    },
    "echo": {"setup": "1", "trivial": "1 + 1"},
}
NAMES = {"attune": "attune", "ipykernel": "python3", "echo": None}


def launch(who):
    argv = [str(ECHO), "-f", "{connection_file}"] if who == "echo" else None
    return Kernel(NAMES[who], argv)


def ready_kernel(who):
    kernel = launch(who)
    try:
        kernel.ready()
        kernel.settle()
    except NotStartedError as why:
        kernel.close()
        raise RuntimeError(f"{who} did not start: {why}") from why
    kernel.run(CELLS[who]["trivial"])
    kernel.run(CELLS[who]["setup"])
    return kernel


class Bench:
    """The kernels under measurement, and the samples of every figure."""

    def __init__(self, turns):
        self.turns = turns
        self.open = {}
        self.crowd = None  # the figures of many kernels, measured once
        self.notes = []  # kernels that did not start
        # Numbers that make cells new, in this run and in the cache of built cells.
        self.count = int(time.time())

    @property
    def kernels(self):
        """One running kernel of each kind, started when the first figure needs them:
        memory must be measured before, or kernels of a kind would share their pages."""
        if not self.open:
            self.open = {who: ready_kernel(who) for who in CELLS}
        return self.open

    def close(self):
        for kernel in self.open.values():
            kernel.close()

    def turn_about(self, kernels, sample, turns=None):
        """Medians of sample(who), taken in turns."""
        samples = {who: [] for who in kernels}
        for _ in range(turns or self.turns):
            for who in kernels:
                samples[who].append(sample(who))
        return {who: median(values) for who, values in samples.items()}

    def start(self):
        def sample(who):
            while True:
                kernel = launch(who)
                try:
                    return kernel.ready()
                except NotStartedError as why:
                    self.note(f"one {who} that was started alone: {why}")
                finally:
                    kernel.close()

        return self.turn_about(CELLS, sample)

    def note(self, what):
        """Notes a kernel that did not start, for the table; too many end the run."""
        self.notes.append(what)
        print("did not start:", what, flush=True)
        if len(self.notes) >= MANY:
            raise RuntimeError(f"{MANY} kernels did not start")

    def trivial_raw(self):
        def sample(who):
            return self.kernels[who].run(CELLS[who]["trivial"])[0]

        return self.turn_about(CELLS, sample, 20 * self.turns)

    def trivial_client(self):
        clients = {who: kernel.client() for who, kernel in self.kernels.items()}

        def sample(who):
            return run_through(clients[who], CELLS[who]["trivial"])

        try:
            return self.turn_about(CELLS, sample, 20 * self.turns)
        finally:
            # A client that no longer reads would slow the figures that follow.
            for client in clients.values():
                client.stop_channels()

    def both(self, cell, check=None):
        def sample(who):
            self.count += 1
            took, printed = self.kernels[who].run(CELLS[who][cell].replace("{n}", str(self.count)))
            if check and not check(printed):
                raise RuntimeError(f"{who} lost output of {cell}: {len(printed)} characters")
            return took

        return self.turn_about(("attune", "ipykernel"), sample)

    def hundred(self):
        """A hundred cells sent at once, to the last one's idle and reply."""

        def sample(who):
            kernel, code = self.kernels[who], CELLS[who]["trivial"]
            start = time.perf_counter()
            requests = [kernel.execute(code) for _ in range(100)]
            for _ in kernel.published(requests[-1]):
                pass
            kernel.reply(requests[-1])
            return time.perf_counter() - start

        return self.turn_about(CELLS, sample)

    def heartbeat(self):
        return self.turn_about(CELLS, lambda who: self.kernels[who].beat(), 20 * self.turns)

    def updates(self):
        return self.both("updates")

    def picture(self):
        return self.both("picture")

    def completion(self):
        """One completion while a cell sleeps."""

        def sample(who):
            kernel = self.kernels[who]
            request = kernel.execute(CELLS[who]["wait"])
            time.sleep(0.5)
            took = kernel.complete(CELLS[who]["word"])
            for _ in kernel.published(request):
                pass
            kernel.reply(request)
            return took

        return self.turn_about(("attune", "ipykernel"), sample)

    def new_cell(self):
        return self.both("new")

    def lines(self):
        want = "".join(f"line {i}\n" for i in range(LINES))
        return self.both("lines", lambda printed: printed == want)

    def blob(self):
        return self.both("blob", lambda printed: printed == "x" * BLOB)

    def interrupt(self):
        def sample(who):
            return self.kernels[who].interrupt(CELLS[who]["endless"])

        return self.turn_about(("attune", "ipykernel"), sample)

    def fib_small(self):
        def sample(who):
            return self.kernels[who].run(CELLS[who]["fib"].replace("{n}", "27"))[0]

        return self.turn_about(("attune", "ipykernel"), sample)

    def fib(self):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            program = compiled_fib(folder)

            def sample(who):
                if who == "attune":
                    return self.kernels[who].run(CELLS[who]["fib"].replace("{n}", str(FIB_N)))[0]
                return float(subprocess.run([program], check=True, capture_output=True).stdout)

            return self.turn_about(("attune", "compiled"), sample)

    def memory_after(self):
        """What is held above the start, ten seconds after five displays of 20 MiB."""

        def sample(who):
            kernel = ready_kernel(who)
            try:
                time.sleep(3)
                before = kernel.pss()
                for _ in range(5):
                    kernel.run(CELLS[who]["picture"])
                time.sleep(10)
                return kernel.pss() - before
            finally:
                kernel.close()

        return self.turn_about(("attune", "ipykernel"), sample, 1)

    def many(self):
        """Kernels that are started at once: seconds each, and PSS each, in bytes."""
        if self.crowd is None:
            self.crowd = {}
            for who in ("attune", "ipykernel"):
                start = time.perf_counter()
                kernels = [launch(who) for _ in range(MANY)]
                try:
                    up = [kernel for kernel in kernels if self.came_up(who, kernel)]
                    took = time.perf_counter() - start
                    time.sleep(2)
                    self.crowd[who] = took / len(up), sum(k.pss() for k in up) / len(up)
                finally:
                    for kernel in kernels:
                        kernel.close()
        return self.crowd

    def came_up(self, who, kernel):
        try:
            kernel.ready(CROWD_S)
        except NotStartedError as why:
            self.note(f"one {who} of {MANY} that were started at once: {why}")
            return False
        return True

    def many_start(self):
        return {who: took for who, (took, _) in self.many().items()}

    def many_memory(self):
        return {who: held for who, (_, held) in self.many().items()}

    def memory(self):
        """A kernel of each kind that has run its set-up and one cell."""
        fresh = {}
        try:
            for who in ("attune", "ipykernel"):
                fresh[who] = ready_kernel(who)
            time.sleep(1)
            return {who: kernel.pss() for who, kernel in fresh.items()}
        finally:
            for kernel in fresh.values():
                kernel.close()


def compiled_fib(folder):
    """A plain Go program that times the same function; it prints seconds."""
    source = (
        'package main\n\nimport (\n\t"fmt"\n\t"time"\n)\n\n'
        + FIB_GO
        + f"\n\nfunc main() {{\n\tstart := time.Now()\n\tif fib({FIB_N}) == 0 {{\n\t\treturn\n\t}}\n"
        + "\tfmt.Println(time.Since(start).Seconds())\n}\n"
    )
    path = Path(folder) / "fib.go"
    path.write_text(source)
    program = str(Path(folder) / "fib")
    subprocess.run(["go", "build", "-o", program, str(path)], check=True)
    return program


MS, MB = (1e3, "ms"), (1 / 2**20, "MiB")

# figure, method, unit, what attune is set beside, what is aimed at
FIGURES = [
    ("start to kernel_info_reply", "start", MS, "ipykernel", "0.1"),
    ("memory of all processes (PSS)", "memory", MB, "ipykernel", "1.3"),
    (f"start of {MANY} kernels at once, each", "many_start", MS, "ipykernel", ""),
    (f"memory of {MANY} kernels at once (PSS), each", "many_memory", MB, "ipykernel", ""),
    ("memory above the start 10 s after five 20 MiB displays", "memory_after", MB, "ipykernel", "10 MiB"),
    ("trivial cell, raw ZeroMQ client", "trivial_raw", MS, "ipykernel", "0.2"),
    ("trivial cell, jupyter_client", "trivial_client", MS, "ipykernel", "echo + 0.5 ms"),
    ("100 cells sent at once", "hundred", MS, "ipykernel", "1"),
    ("heartbeat", "heartbeat", MS, "ipykernel", "1"),
    ("completion while a cell runs", "completion", MS, "ipykernel", "1"),
    ("new cell that declares a function", "new_cell", MS, "ipykernel", ""),
    (f"{LINES:,} prints, all received", "lines", MS, "ipykernel", "1"),
    ("20 MB print, all received", "blob", MS, "ipykernel", "1"),
    (f"{UPDATES:,} updates of a display", "updates", MS, "ipykernel", "1"),
    ("20 MiB display_data", "picture", MS, "ipykernel", "1"),
    ("interrupt of an endless loop to idle", "interrupt", MS, "ipykernel", ""),
    ("fib(27)", "fib_small", MS, "ipykernel", ""),
    (f"fib({FIB_N}) against a compiled program", "fib", MS, "compiled", "1.1"),
]


def row(label, unit, beside, aim, values):
    factor, name = unit

    def cell(who):
        return f"{values[who] * factor:,.2f}" if who in values else ""

    # What is left above the start may be less than nothing; then there is no ratio.
    ratio = f"{values['attune'] / values[beside]:.3g}" if min(values["attune"], values[beside]) > 0 else ""
    columns = [f"{label}, {name}", cell("attune"), cell("ipykernel"), cell("echo"), cell("compiled")]
    return "| " + " | ".join([*columns, ratio, aim]) + " |"


def machine():
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    cpu = model.group(1) if model else platform.machine()
    return f"{len(os.sched_getaffinity(0))} cores of {cpu}, {platform.system()} {platform.release().split('-')[0]}"


def command(*argv):
    return subprocess.run(argv, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def table(rows, notes):
    go = command("go", "env", "GOVERSION")
    load = os.getloadavg()[0]
    return "\n".join([
        f"Measured {datetime.date.today()} by `./install.sh bench` at {command('git', 'rev-parse', '--short', 'HEAD')},"
        f" on {machine()}, {go}, ipykernel {version('ipykernel')} on Python {platform.python_version()},"
        f" pyzmq {version('pyzmq')}; load average at the end {load:.1f}.",
        "Medians of turns taken one after the other; the ratio is attune's figure over ipykernel's,"
        " or over the compiled program's.",
        "",
        "| figure | attune | ipykernel | echo kernel | compiled Go | ratio | to reach |",
        "|---|---|---|---|---|---|---|",
        *rows,
        *(["", "Did not start: " + "; ".join(notes) + "."] if notes else []),
    ])  # fmt: skip


def write(text):
    old = RESULTS.read_text() if RESULTS.exists() else f"# Results\n\n## The kernel\n\n{BEGIN}\n{END}\n"
    if BEGIN not in old:
        old += f"\n## The kernel\n\n{BEGIN}\n{END}\n"
    before, rest = old.split(BEGIN)
    RESULTS.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="figures whose name holds this, case ignored")
    parser.add_argument("--quick", action="store_true", help="three turns instead of nine")
    parser.add_argument("--dry", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args()
    rows, bench = [], Bench(3 if options.quick else 9)
    try:
        for label, method, *rest in FIGURES:
            if options.only.lower() not in label.lower():
                continue
            rows.append(row(label, *rest, getattr(bench, method)()))
            print(rows[-1], flush=True)
    finally:
        bench.close()
    text = table(rows, bench.notes)
    print("\n" + text)
    if not options.dry and not options.only:
        write(text)


if __name__ == "__main__":
    sys.exit(main())
