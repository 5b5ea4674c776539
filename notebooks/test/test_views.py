"""What display draws, in a real front end: trusted, not trusted, exported, and in
JupyterLab's dark theme. Each test leaves a screenshot in .build/screens."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import sync_playwright

from lab import CHROMIUM_FLAGS, Lab, Notebook, chromium, write_notebook
from session import KERNEL
from test_browser import SCREENS

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]

NOTEBOOKS = Path(__file__).resolve().parent.parent

WEIGHTS = """import (
	"math"
	"strings"

	"attune/display"
)

words := strings.Fields("The cat sat on the mat because it was tired")
var layers [][]float32
for l := 0; l < 3; l++ {
	var w []float32
	for h := 0; h < 4; h++ {
		for i := range words {
			row, sum := make([]float64, len(words)), 0.0
			for j := range row {
				row[j] = math.Exp(2 * math.Sin(float64(i*(h+2)+j*(l+3))))
				sum += row[j]
			}
			for _, x := range row {
				w = append(w, float32(x/sum))
			}
		}
	}
	layers = append(layers, w)
}
attention, err := display.ReadAttention(layers, words, nil)
attention = attention.WithRandom(1)"""
HEAD, MODEL, TOKENS, PLOT, LOOP = 1, 2, 3, 4, 5
CELLS = [
    WEIGHTS,
    "attention.HeadView(1)",
    "attention.ModelView()",
    "attention.TokenView(-1)",
    'display.Contour("Hills", "x", "y", func(x, y float64) float64 { return math.Sin(x) * math.Cos(y) },'
    " [2]float64{-3, 3}, [2]float64{-2, 2}, 0)",
    "for range display.Progress(1000) {\n}",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A notebook to be run in the browser, and one that was run elsewhere, which
    JupyterLab does not trust."""
    folder = tmp_path_factory.mktemp("views")
    write_notebook(folder / "fresh.ipynb", KERNEL, CELLS)
    notebook = nbformat.read(folder / "fresh.ipynb", as_version=4)
    NotebookClient(notebook, kernel_name=KERNEL, timeout=300).execute()
    nbformat.write(notebook, folder / "run.ipynb")
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (folder / "run.html").write_text(html)
    SCREENS.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module", params=["light", "dark"])
def lab(request, folder, tmp_path_factory):
    theme = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[request.param]
    server = Lab(folder, tmp_path_factory.mktemp("runtime"), theme)
    server.theme = request.param
    yield server
    server.close()


def opened(lab, browser, name):
    return Notebook(browser.new_page(viewport={"width": 1280, "height": 1400}), lab.url, name)


def output(notebook, n):
    area = notebook.cell(n).locator(".jp-OutputArea").first
    area.scroll_into_view_if_needed()
    return area


def test_trusted_views_answer_to_the_pointer(lab, browser):
    notebook = opened(lab, browser, "fresh.ipynb")
    notebook.run_all(timeout=300)
    for n in (HEAD, MODEL):
        area = output(notebook, n)
        assert area.locator("object").count() == 1
        before = area.screenshot(path=SCREENS / f"views-trusted-{lab.theme}-{n}.png")
        box = area.locator("object").bounding_box()
        spot = {HEAD: (60, 110), MODEL: (180, 120)}[n]
        notebook.page.mouse.move(box["x"] + spot[0], box["y"] + spot[1])
        notebook.page.wait_for_timeout(500)
        assert area.screenshot(path=SCREENS / f"views-hover-{lab.theme}-{n}.png") != before
        notebook.page.mouse.move(0, 0)
    for n in (TOKENS, PLOT, LOOP):
        output(notebook, n).screenshot(path=SCREENS / f"views-trusted-{lab.theme}-{n}.png")
    notebook.page.close()


def test_views_degrade_to_pictures_without_trust(lab, browser):
    notebook = opened(lab, browser, "run.ipynb")
    for n in (HEAD, MODEL):
        area = output(notebook, n)
        assert area.locator("object").count() == 0
        picture = area.locator("img")
        assert picture.count() == 1 and picture.get_attribute("alt").startswith("attention")
        assert picture.evaluate("i => i.naturalWidth") > 300
        assert area.inner_text().strip() in ("", "[2]:", "[3]:"), "the SVG's text leaked"
        area.screenshot(path=SCREENS / f"views-untrusted-{lab.theme}-{n}.png")
    plot = output(notebook, PLOT).locator("img")
    assert plot.get_attribute("alt").startswith("plot: Hills; x from -3 to 3")
    assert plot.evaluate("i => i.naturalWidth") > 300
    output(notebook, PLOT).screenshot(path=SCREENS / f"views-untrusted-{lab.theme}-{PLOT}.png")
    shaded = output(notebook, TOKENS).locator("span[title]")
    assert shaded.count() == 20
    assert "rgba(" in shaded.first.evaluate("s => getComputedStyle(s).backgroundColor")
    assert output(notebook, LOOP).locator("progress").get_attribute("value") == "1.0000"
    notebook.page.close()


@pytest.mark.parametrize("name, cells", [("07-attention", ("probe", "measures", "rollout", "witnesses")), ("08-monitor", ("budget",))])
def test_notebooks_look_as_the_readme_shows_them(lab, folder, browser, readme, name, cells):
    """Runs a notebook in the browser, as a reader does."""
    source = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.write(source, folder / f"{name}-{lab.theme}.ipynb")
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    notebook = Notebook(page, lab.url, f"{name}-{lab.theme}.ipynb")
    notebook.run_all(timeout=300)
    code = [c.id for c in source.cells if c.cell_type == "code"]
    for cell in cells:
        area = output(notebook, code.index(cell))
        assert area.locator("object, img, span[title]").count() > 0
        area.screenshot(path=SCREENS / f"{name}-{cell}-{lab.theme}.png")
    picture = output(notebook, code.index(cells[-1])).locator("object, img").first
    if lab.theme == "light":
        page.mouse.move(0, 0)
        readme({"07-attention": "attention.png", "08-monitor": "monitor.png"}[name], picture.screenshot)
    page.close()


def test_exported_page_is_whole_without_a_network(folder, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    asked = []
    page.on("request", lambda r: asked.append(r.url))
    # The export's own template asks for MathJax and RequireJS; the views must not ask.
    page.route("http*://**", lambda route: route.abort())
    page.goto((folder / "run.html").as_uri())
    page.wait_for_timeout(1500)
    assert page.locator("object").count() == 2
    assert page.locator("object").first.bounding_box()["width"] > 300
    # nbconvert puts a sentence of its own where a picture has no description.
    said = page.locator("img").evaluate_all("all => all.map(i => i.alt)")
    assert len(said) >= 3 and all(said) and not any("No description" in s for s in said), said
    assert [u for u in asked if u.startswith("http") and "cdnjs" not in u] == []
    page.screenshot(path=SCREENS / "views-exported.png", full_page=True)
    page.close()


def test_a_page_of_two_hundred_outputs_scrolls(lab, folder, browser):
    notebook = nbformat.read(folder / "run.ipynb", as_version=4)
    shown = [notebook.cells[n] for n in (MODEL, PLOT, TOKENS, LOOP)]
    notebook.cells = [nbformat.from_dict({**shown[i % 4], "id": f"c{i}"}) for i in range(200)]
    nbformat.write(notebook, folder / "many.ipynb")
    many = opened(lab, browser, "many.ipynb")
    assert many.panel.locator(".jp-OutputArea-output").count() >= 200
    taken = many.page.evaluate(
        """async () => {
            const view = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer');
            let worst = 0;
            for (let y = 0; y < view.scrollHeight; y += 1200) {
                const t = performance.now();
                view.scrollTop = y;
                await new Promise(requestAnimationFrame);
                worst = Math.max(worst, performance.now() - t);
            }
            return [view.scrollTop, worst];
        }"""
    )
    print(f"worst frame of 200 outputs: {taken[1]:.0f} ms")
    assert taken[0] > 20_000
    many.page.close()
