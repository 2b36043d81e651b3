"""The patient page measured: rows to figure JSON, Streamlit's own validation, payload, and the time until Chromium has drawn it.

The peer is the same six panels as they are usually drawn: `make_subplots`, and one `add_vline` per event.
"""

import statistics
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import plotly
import plotly.graph_objects as go
import plotly.io
import plotly.tools
from plotly.subplots import make_subplots

from dashboard import data
from dashboard.charts.page import page_figure
from tests.browser.serving import CHROMIUM, chromium, serving

PEER = "make_subplots and add_vline in a loop"
RUNS = 5
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
CHART = ".st-key-timeline .js-plotly-plot"
MARK = f"() => {{ document.querySelector('{CHART}').beforeChange = true; }}"
REDRAWN = (
    f"() => {{ const chart = document.querySelector('{CHART}'); return chart?._fullLayout && !chart.beforeChange; }}"
)
READY = f"() => document.querySelector('{CHART}')?.mda5Bound"


@dataclass
class Page:
    """What one benchmark draws: `store`, `patient`, the `panels`, the as-of day, and the rows read once, warm."""

    store: Path
    patient: str
    panels: tuple[str, ...]
    as_of: date
    rows: dict[str, list[dict]]
    size: str


def read(store: Path, patient: str) -> dict[str, list[dict]]:
    """The rows of a patient's page as the screen reads them."""
    data.store_folder = lambda: store
    return data.patient_page(patient)


def ours(page: Page) -> str:
    return to_json(page_figure(page.rows, page.as_of, thresholds=data.thresholds(), shown=page.panels))


def to_json(figure: dict | go.Figure) -> str:
    """As Streamlit writes it."""
    return plotly.io.to_json(figure, validate=False)


def naive(series: list[tuple[list, list]], events: list[str]) -> str:
    """Six panels one under the other, each event a line through all of them."""
    figure = make_subplots(rows=len(series), cols=1, shared_xaxes=True)
    for row, (x, y) in enumerate(series, start=1):
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines+markers"), row=row, col=1)
    for day in events:
        figure.add_vline(x=day)
    return to_json(figure)


def validation_seconds(figure: dict) -> float:
    """What Streamlit spends on checking the figure, above the building of it."""
    taken = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        plotly.tools.return_figure_from_figure_or_data(figure, validate_figure=True)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def drawn_seconds(figures: dict[str, str]) -> dict[str, float]:
    """By name the median time Chromium takes from a figure's JSON to its last mark, in a page of its own with plotly.js alone."""
    found = {}
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_content("<div id='chart' style='width:900px'></div>")
        page.add_script_tag(path=str(PLOTLY_JS))
        for name, figure in figures.items():
            draw = """async text => {
                const began = performance.now(), figure = JSON.parse(text);
                await Plotly.newPlot('chart', figure.data, figure.layout);
                await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
                const taken = performance.now() - began;
                Plotly.purge('chart');
                return taken / 1000; }"""
            found[name] = statistics.median(page.evaluate(draw, figure) for _ in range(RUNS))
    return found


def app_seconds(page: Page, query: str, change) -> dict[str, float]:
    """In the dashboard itself, the browser included: until the page of a server just started stands, and the median until the chart is
    drawn again after `change(browser page, number)`."""
    with serving(page.store) as address, chromium() as browser:
        shown = browser.new_page(viewport={"width": 1280, "height": 720})
        begin = time.perf_counter()
        shown.goto(f"{address}/patient?patient={page.patient}&{query}")
        shown.wait_for_function(READY, timeout=180_000)
        opened, taken = time.perf_counter() - begin, []
        for number in range(RUNS):
            shown.wait_for_function(READY, timeout=60_000)
            shown.evaluate(MARK)
            begin = time.perf_counter()
            change(shown, number)
            shown.wait_for_function(REDRAWN, timeout=60_000)
            taken.append(time.perf_counter() - begin)
        return {"opened": opened, "redrawn": statistics.median(taken)}


def detail(page: Page, peer_json: str, query: str, change, peer_drawn: tuple[str, str] | None = None) -> dict:
    """Everything but the seconds of rows to JSON; what needs Chromium is left out where there is none. `peer_drawn`: words and JSON of
    what Chromium is given of a peer that it could not draw whole."""
    figure = page_figure(page.rows, page.as_of, thresholds=data.thresholds(), shown=page.panels)
    text = to_json(figure)
    said = {
        "Streamlit's validation, ms": round(validation_seconds(figure) * 1000, 1),
        "payload, kB": round(len(text.encode()) / 1000),
        "payload of the peer, kB": round(len(peer_json.encode()) / 1000),
    }
    if CHROMIUM is None:
        return said
    words, peer_text = peer_drawn or ("the peer drawn, ms", peer_json)
    drawn = drawn_seconds({"ours": text, "peer": peer_text})
    shown = app_seconds(page, query, change)
    return said | {
        "drawn by plotly.js in Chromium, ms": round(drawn["ours"] * 1000),
        words: round(drawn["peer"] * 1000),
        "page opened for the first time, s": round(shown["opened"], 1),
        "redrawn in the dashboard after a change, ms": round(shown["redrawn"] * 1000),
    }
