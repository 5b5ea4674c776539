"""Live outputs ten times a second leave the page and the kernel as large as they were.

Twenty seconds by default; ATTUNE_FLAT_SECONDS=600 is the ten minutes that
bench/RESULTS.md speaks of, and prints its table."""

import json
import os
import statistics

import psutil
import pytest
from playwright.sync_api import sync_playwright

from lab import CHROMIUM_FLAGS, Lab, Notebook, chromium, write_notebook
from session import KERNEL

SECONDS = float(os.environ.get("ATTUNE_FLAT_SECONDS", "20"))
LOOKS = 20  # at the page and the processes, evenly over that time

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(300 + 2 * SECONDS),
]

PREPARE = """%monitor on
import (
	"fmt"
	"image"
	"image/color"
	"runtime"
	"time"

	"attune/display"
	"attune/stdlib/monitor"
)

type held struct{ Goroutines, Heap int }

// look is what this process holds when nothing is left to collect.
func look() held {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return held{runtime.NumGoroutine(), int(m.HeapAlloc)}
}"""

# A picture, markup, a progress bar and Markdown, each new ten times a second, beside the
# monitor's own chart and bar, which are new twice a second.
LIVE = """monitor.Show()
picture, words, said := display.NewLive(), display.NewLive(), display.NewLive()
var looks []held
updates, begin := 0, time.Now()
const seconds = %g
bar := display.NewBar("updates", int(seconds*10))
for i := 0; time.Since(begin).Seconds() < seconds; i++ {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for x := 0; x < 64; x++ {
		for y := 0; y < 64; y++ {
			img.Set(x, y, color.RGBA{uint8(x * i), uint8(y + i), uint8(i), 255})
		}
	}
	picture.Update(img)
	words.Update(display.HTML(fmt.Sprintf("<table><tr><td>update</td><td>%%d</td></tr></table>", i)))
	said.Update(display.Markdown(fmt.Sprintf("update **%%d**", i)))
	bar.Add(1)
	updates++
	if i %% (int(seconds*10) / 20) == 0 {
		looks = append(looks, look())
	}
	time.Sleep(time.Until(begin.Add(time.Duration(i+1) * 100 * time.Millisecond)))
}
bar.Done()"""

TELL = """fmt.Print("[", updates)
for _, l := range looks {
	fmt.Printf(", [%d, %d]", l.Goroutines, l.Heap)
}
fmt.Print("]")"""

# Counts what changes in the outputs, by the text that carries the number.
COUNT = """() => {
    window.seen = new Set();
    new MutationObserver(() => {
        const cell = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) table td + td');
        if (cell) window.seen.add(cell.textContent);
    }).observe(document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)'), {childList: true, subtree: true});
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flat")
    write_notebook(folder / "flat.ipynb", KERNEL, [PREPARE, LIVE % SECONDS, TELL])
    server = Lab(folder, tmp_path_factory.mktemp("runtime"))
    yield server
    server.close()


def kernel_of(lab):
    """The front and the worker that the server started."""
    tree = psutil.Process(lab.process.pid).children(recursive=True)
    front = next(p for p in tree if p.name() == "attune")
    return front, next(p for p in front.children() if p.name().startswith("attune-worker"))


def look(cdp, front, worker):
    cdp.send("HeapProfiler.collectGarbage")
    cdp.send("HeapProfiler.collectGarbage")
    counters = cdp.send("Memory.getDOMCounters")
    return {
        "page: JavaScript heap, MB": cdp.send("Runtime.getHeapUsage")["usedSize"] / 1e6,
        "page: DOM nodes": counters["nodes"],
        "page: event listeners": counters["jsEventListeners"],
        "front: resident, MB": front.memory_info().rss / 1e6,
        "front: threads": front.num_threads(),
        "front: descriptors": front.num_fds(),
        "worker: resident, MB": worker.memory_info().rss / 1e6,
        "worker: threads": worker.num_threads(),
        "worker: descriptors": worker.num_fds(),
    }


# By how much the last third may be above the second: what comes and goes, and what a
# collector has not given back yet. What is kept of each of the updates would be more: an
# update makes some twenty nodes.
MAY_GROW = {
    "page: JavaScript heap, MB": 3, "page: DOM nodes": 800, "page: event listeners": 100,
    "front: resident, MB": 12, "front: threads": 3, "front: descriptors": 3,
    "worker: resident, MB": 40, "worker: threads": 3, "worker: descriptors": 3,
    "worker: goroutines": 3, "worker: Go heap, MB": 4,
}  # fmt: skip


def test_live_updates_leave_nothing_behind(lab):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        notebook = Notebook(page, lab.url, "flat.ipynb")
        notebook.run(0)
        assert notebook.text(0) == ""
        page.evaluate(COUNT)
        cdp = page.context.new_cdp_session(page)
        front, worker = kernel_of(lab)
        notebook.start(1)
        looks = []
        for _ in range(LOOKS):
            page.wait_for_timeout(1000 * SECONDS / LOOKS)
            looks.append(look(cdp, front, worker))
        notebook.finish(1, timeout=60 + SECONDS)
        assert "Error" not in notebook.text(1), notebook.text(1)
        shown = page.evaluate("() => window.seen.size")
        notebook.run(2)
        updates, *held = json.loads(notebook.text(2))
        browser.close()
    for at, (goroutines, heap) in zip(looks, held):
        at |= {"worker: goroutines": goroutines, "worker: Go heap, MB": heap / 1e6}
    looks = [at for at in looks if len(at) == len(MAY_GROW)]
    print(f"{updates} updates in {SECONDS:.0f} s, {shown} of them seen in the page")
    grew = {}
    for what, may in MAY_GROW.items():
        values = [at[what] for at in looks]
        third = len(values) // 3
        middle, last = statistics.median(values[third : 2 * third]), statistics.median(values[-third:])
        print(f"{what}: first {values[0]:.4g}, middle third {middle:.4g}, last third {last:.4g}")
        if last > middle + may:
            grew[what] = (middle, last)
    assert not grew
    assert shown > 0.5 * updates, "the page did not keep up"
