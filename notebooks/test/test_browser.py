"""attune in a real JupyterLab, driven as a person drives it."""

import os
import shutil
import time
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import sync_playwright

from lab import CHROMIUM_FLAGS, Lab, Notebook, chromium, write_notebook
from session import KERNEL

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / ".build" / "screens"
TOUR = ROOT / "notebooks" / "01-tour.ipynb"

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(600),
]

PICTURE = """import (
	"image"
	"image/color"
)

picture := image.NewRGBA(image.Rect(0, 0, 400, 200))
for x := 0; x < 400; x++ {
	for y := 0; y < 200; y++ {
		picture.Set(x, y, color.RGBA{uint8(x / 2), uint8(y), 160, 255})
	}
}
picture"""

LIVE = """import (
	"fmt"
	"time"

	"attune/display"
)

live := display.NewLive()
for step := 1; step <= 20; step++ {
	live.Update(display.Markdown(fmt.Sprintf("step **%d** of 20", step)))
	time.Sleep(200 * time.Millisecond)
}"""

ENDLESS = "kept := 41\nfor {\n}"
AFTER = "fmt.Println(kept + 1)"
MISTAKE = "total := 0\nfor i := 0; i < 3; i++ {\n\ttotal += itotal\n}"
TABLE = """type planet struct {
	Name  string
	Moons int
}

[]planet{{"Earth", 1}, {"Mars", 2}, {"Jupiter", 97}}"""
TYPING = 'import "strings"\n'
# A word of its own that goes on like what is typed: JupyterLab offers it beside the kernel's.
UNIMPORTED = "SearchMine := 1\n"
CALL = "SearchMine\n"
RED = '[data-mime-type="application/vnd.jupyter.stderr"]'


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "basics.ipynb", KERNEL, [PICTURE, LIVE, ENDLESS, AFTER, MISTAKE, TABLE, TYPING, UNIMPORTED, CALL])
    if TOUR.exists():
        shutil.copy(TOUR, folder / TOUR.name)
    server = Lab(folder, tmp_path_factory.mktemp("runtime"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def basics(lab, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    yield Notebook(page, lab.url, "basics.ipynb")
    page.close()


@pytest.fixture(autouse=True)
def screenshot(request):
    """Keeps what the page looked like at the end of each test, passed or not."""
    yield
    os.makedirs(SCREENS, exist_ok=True)
    notebook = next((v for v in request.node.funcargs.values() if isinstance(v, Notebook)), None)
    if notebook:
        notebook.page.screenshot(path=SCREENS / f"{request.node.name}.png")


def test_picture(basics):
    basics.run(0)
    assert basics.image_widths(basics.cell(0)) == [400]


def test_live_output(basics):
    """The text changes while the cell runs, in one output that stays one."""
    basics.start(1)
    seen = watch(basics, 1, seconds=60)
    assert len(seen) >= 5, seen
    assert basics.text(1).strip() == "step 20 of 20"
    assert basics.outputs(1) == 1


def watch(notebook, n, seconds):
    """The different texts that cell n showed while it ran."""
    seen, deadline = [], time.monotonic() + seconds
    while notebook.prompt(n) in ("[ ]:", "[*]:") and time.monotonic() < deadline:
        text = notebook.text(n).strip()
        if text and (not seen or seen[-1] != text):
            seen.append(text)
        notebook.page.wait_for_timeout(50)
    return seen


def test_interrupt(basics):
    """The toolbar's square stops an endless loop, and the values stay."""
    basics.start(2)
    basics.page.wait_for_timeout(2000)
    assert basics.prompt(2) == "[*]:"
    basics.interrupt()
    basics.finish(2, timeout=30)
    assert "nterrupt" in basics.text(2)
    basics.run(3)
    assert basics.text(3).strip() == "42"


def test_mistake(basics):
    """The compiler's own words, with the cell's line."""
    basics.run(4)
    assert "undefined: itotal" in basics.text(4)
    assert "total += itotal" in basics.text(4)


def test_table(basics):
    basics.run(5)
    cells = basics.cell(5).locator(".jp-RenderedHTMLCommon td").all_inner_texts()
    assert "Jupiter" in cells and "97" in cells


def test_completion(basics):
    basics.run(6)
    basics.type_into(6, "strings.ToUpp")
    offered = basics.completions()
    assert any("ToUpper" in label for label in offered), offered


def test_completion_of_a_package_not_imported(basics):
    """The members are offered, and the cell that names the package gets the import."""
    basics.type_into(7, "sort.SearchI")
    offered = basics.completions()
    assert any("SearchInts" in label for label in offered), offered
    basics.page.locator(".jp-Completer-item", has_text="SearchInts").first.click()
    basics.page.keyboard.type("([]int{1, 2}, 2)")
    source = basics.cell(7).locator(".cm-content").inner_text()
    assert source.split("\n")[:2] == ["SearchMine := 1", "sort.SearchInts([]int{1, 2}, 2)"]
    basics.page.keyboard.press("Escape")
    basics.run(7)
    assert 'import "sort" was added' in basics.text(7)
    assert basics.text(7).strip().endswith("1")


def test_documentation(basics):
    """Shift-Tab inside a call shows the signature, the parameter at the cursor in bold."""
    basics.type_into(8, 'strings.Repeat("a", ')
    basics.page.keyboard.press("Shift+Tab")
    tooltip = basics.page.locator(".jp-Tooltip")
    tooltip.wait_for(timeout=10_000)
    assert "func strings.Repeat(s string, count int) string" in tooltip.inner_text()
    assert tooltip.locator("pre b").all_inner_texts() == ["count int"]
    basics.page.keyboard.press("Escape")


def mistakes():
    """The numbers of the tour's code cells that fail on purpose."""
    code = [c for c in nbformat.read(TOUR, as_version=4).cells if c.cell_type == "code"]
    return [n for n, c in enumerate(code) if "raises-exception" in c.metadata.get("tags", [])]


@pytest.mark.skipif(not TOUR.exists(), reason="the tour is not in this checkout")
def test_tour(lab, browser, readme):
    """The tour from top to bottom: pictures of real size, and outputs that move."""
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    try:
        tour = Notebook(page, lab.url, TOUR.name)
        changes = tour.run_all(timeout=500)
        widths = tour.image_widths()
        SCREENS.mkdir(parents=True, exist_ok=True)
        for n in range(tour.panel.locator(".jp-CodeCell").count()):
            if tour.cell(n).locator(".jp-OutputArea-output :is(img, object)").count():
                tour.cell(n).screenshot(path=SCREENS / f"tour-{n}.png")
        assert widths and max(widths) > 200, widths
        assert max(changes.values(), default=0) >= 3, f"nothing moved while it ran: {changes}"
        # JupyterLab shows errors as it shows standard error.
        red = [n for n in range(tour.panel.locator(".jp-CodeCell").count()) if tour.cell(n).locator(RED).count()]
        assert red == mistakes()
        readme("tour.png", lambda path: photograph(tour, path))
    finally:
        page.close()


def drag(page, box, to):
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*to, steps=20)
    page.wait_for_timeout(300)
    page.mouse.up()
    page.wait_for_timeout(500)


def photograph(tour, path):
    """The whole window: the training with its charts, beside it where the network looks."""
    page = tour.page
    page.set_viewport_size({"width": 1500, "height": 1180})
    code = [c.id for c in nbformat.read(TOUR, as_version=4).cells if c.cell_type == "code"]
    tour.cell(code.index("cases")).locator(".jp-OutputArea-output img").first.click(button="right")
    page.locator('.lm-Menu-item[data-command="notebook:create-output-view"]').click()
    page.locator(".jp-LinkedOutputView").wait_for(timeout=10_000)
    tour.panel.first.click(position={"x": 5, "y": 200})
    page.keyboard.press("Control+b")  # the list of files goes
    page.wait_for_timeout(1000)
    drag(page, page.locator(".lm-TabBar-tab", has_text="Output View").bounding_box(), (1440, 500))
    handle = page.locator("#jp-main-dock-panel > .lm-DockPanel-handle[data-orientation=horizontal]:not(.lm-mod-hidden)")
    drag(page, handle.bounding_box(), (820, 500))
    tour.cell(code.index("attentive")).evaluate("cell => cell.scrollIntoView({block: 'start'})")
    page.locator(".jp-LinkedOutputView, .jp-LinkedOutputView *").evaluate_all("all => all.forEach(e => { e.scrollTop = 0; })")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    page.screenshot(path=path)
