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
PAIR = """import (
	"image"
	"image/color"

	"gonum.org/v1/plot"
)

drawn := func(p *plot.Plot, err error) *plot.Plot {
	if err != nil {
		panic(err)
	}
	return p
}
some := display.Series{Name: "some", Y: []float64{1, 3, 2, 5, 4, 2, 6}}
display.Beside(drawn(display.Lines("Lines", "x", "y", some)), drawn(display.Histogram("Values", "x", 0, some)))"""
TABLE = """type planet struct {
	Name   string
	MassKg float64
}

many := make([]planet, 10_000_000)
many[len(many)-1] = planet{"the last", 1.5}
many"""
GRAPH = """import (
	"attune/gpu"
	"attune/stdlib/nn"
)

dev, err := gpu.Default()
net := nn.NewNet(dev, 1)
block := net.Block("block", 32, 4, 64)
ops, err := nn.SummaryOf(net, func(t *nn.Tape) *nn.Value {
	x := t.Input(make([]float32, 2*6*32), 2, 6, 32)
	return t.CrossEntropy(t.MeanTokens(block.Apply(t, t.Add(t.ReLU(x), t.GELU(x)))), []int{1, 2})
})
ops.Graph()"""
MEDIA = """photo := image.NewRGBA(image.Rect(0, 0, 120, 80))
for x := range 120 {
	photo.Set(x, x*2/3, color.RGBA{200, 80, 40, 255})
}
tone := make([]float64, 800)
for i := range tone {
	tone[i] = math.Sin(float64(i) / 3)
}
display.Show(photo, display.Audio(8000, tone), display.Markdown("*said*"), display.LaTeX("x^2"))
display.SVG(`<svg width="90" height="40"><title>A ring</title><circle cx="20" cy="20" r="12" fill="teal"/></svg>`)"""
HEAD, MODEL, TOKENS, PLOT, LOOP, BESIDE, MANY, MADE, PLAYED = range(1, 10)
ALONE = TOKENS, PLOT, LOOP, BESIDE, MANY, MADE, PLAYED  # what does not answer to the pointer
CELLS = [
    WEIGHTS,
    "attention.HeadView(1)",
    "attention.ModelView()",
    "attention.TokenView(-1)",
    'display.Contour("Hills", "x", "y", func(x, y float64) float64 { return math.Sin(x) * math.Cos(y) },'
    " [2]float64{-3, 3}, [2]float64{-2, 2}, 0)",
    "for range display.Progress(1000) {\n}",
    PAIR,
    TABLE,
    GRAPH,
    MEDIA,
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
    for n in ALONE:
        output(notebook, n).screenshot(path=SCREENS / f"views-trusted-{lab.theme}-{n}.png")
    stands_beside_and_wraps(notebook)
    keeps_its_header(output(notebook, MANY))
    notebook.page.close()


def stands_beside_and_wraps(notebook):
    """Two plots share a wide page and follow each other on a narrow one."""
    for width, beside in ((1280, True), (760, False)):
        notebook.page.set_viewport_size({"width": width, "height": 1400})
        notebook.page.wait_for_timeout(500)
        first, second = (output(notebook, BESIDE).locator("img").nth(n).bounding_box() for n in (0, 1))
        assert (first["y"] == second["y"]) == beside, (width, first, second)
        assert first["width"] == second["width"] >= 300
    notebook.page.set_viewport_size({"width": 1280, "height": 1400})


def keeps_its_header(area):
    """Ten million rows: both ends, numbers to the right, a header that stays."""
    assert "10,000,000 rows" in area.inner_text() and "the last" in area.inner_text()
    align = area.locator("tbody tr").first.locator("td").last.evaluate("cell => getComputedStyle(cell).textAlign")
    assert align in ("right", "end"), align
    above = "e => e.getBoundingClientRect().top"
    header = area.locator("thead th").first
    before, row = header.evaluate(above), area.locator("tbody tr").first.evaluate(above)
    area.locator("table").evaluate("t => { let e = t; while (e.scrollHeight <= e.clientHeight) e = e.parentElement; e.scrollTop = 150; }")
    assert area.locator("tbody tr").first.evaluate(above) < row - 100, "nothing scrolled"
    assert abs(header.evaluate(above) - before) < 2, "the header went away"


def pictures(area):
    """What an output says of its pictures, all of which have loaded."""
    shown = area.locator("img").evaluate_all("all => all.map(i => [i.alt, i.naturalWidth])")
    assert all(width > 0 for _, width in shown), shown
    return [alt for alt, _ in shown]


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
    for n in ALONE:
        output(notebook, n).screenshot(path=SCREENS / f"views-untrusted-{lab.theme}-{n}.png")
    assert pictures(output(notebook, PLOT))[0].startswith("plot: Hills; x from -3 to 3")
    assert [alt.split(";")[0] for alt in pictures(output(notebook, BESIDE))] == ["plot: Lines", "plot: Values"]
    assert pictures(output(notebook, MADE))[0].startswith("graph, ")
    assert pictures(output(notebook, PLAYED)) == ["image, 120×80 pixels", "A ring (99 bytes)"]
    assert output(notebook, PLAYED).locator("audio").count() == 1
    shaded = output(notebook, TOKENS).locator("span[title]")
    assert shaded.count() == 20
    assert "rgba(" in shaded.first.evaluate("s => getComputedStyle(s).backgroundColor")
    assert output(notebook, LOOP).locator("progress").get_attribute("value") == "1.0000"
    assert notebook.outputs(LOOP) == 1  # the last state alone is kept
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
