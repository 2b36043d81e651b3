"""The patient page's figure, rows to JSON, against the same panels by make_subplots with add_vline in a loop."""

import json
from datetime import date, timedelta

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts.page import page_figure
from pipelines.catalog import catalog

SIZE = "2,000 records of one patient, warm"
PEER = "make_subplots and add_vline in a loop"
PEER_RUNS = 1  # the peer takes most of a minute
ANALYTES = {"ferritin": 800, "anti_mda5": 90, "ldh": 400, "crp": 3, "kl6": 1200, "fvc_percent": 70, "dlco_percent": 50}
FIRST = date(2024, 1, 1)


def prepare() -> dict:
    from tests.dashboard import hand_made

    days = [(FIRST + timedelta(days=day)).isoformat() for day in range(250)]
    results = [
        hand_made.result(analyte, day, base + at % 17)
        for analyte, base in ANALYTES.items()
        for at, day in enumerate(days)
    ]
    oxygen = [hand_made.oxygen(day, 1 + at % 5, flow=2.0 + at % 4) for at, day in enumerate(days[:200])]
    courses = [hand_made.pulse("cyclophosphamide", "cyclophosphamide", day, 750) for day in days[::6]]
    courses += [hand_made.course("tacrolimus", "cni", days[at], days[at + 7], 4) for at in range(0, 60, 8)]
    rows = hand_made.page(observation=results, oxygen_support=oxygen, treatment_course=courses)
    thresholds = [
        {"criterion": criterion.id, "title": criterion.title, "name": one.name, "value": float(one.value), "unit": one.unit, "tag": one.tag}
        for criterion in catalog().criteria.values() for one in criterion.thresholds.values()
    ]  # fmt: skip
    count = sum(len(found) for found in rows.values())
    assert count >= 2000, f"{count} records"
    return {
        "rows": rows,
        "as_of": FIRST + timedelta(days=200),
        "thresholds": thresholds,
        "results": results,
        "oxygen": oxygen,
        "courses": courses,
    }


def ours(state: dict) -> str:
    return json.dumps(page_figure(state["rows"], state["as_of"], thresholds=state["thresholds"]), default=str)


def peer(state: dict) -> str:
    """The same series on the same panels, the courses as vertical lines."""
    figure = make_subplots(rows=len(ANALYTES) + 1, cols=1, shared_xaxes=True)
    for row, analyte in enumerate(ANALYTES, start=1):
        points = [point for point in state["results"] if point["analyte"] == analyte]
        trace = go.Scatter(
            x=[point["at"] for point in points], y=[point["value"] for point in points], mode="lines+markers"
        )
        figure.add_trace(trace, row=row, col=1)
    trace = go.Scatter(
        x=[point["at"] for point in state["oxygen"]], y=[point["level"] for point in state["oxygen"]], line_shape="hv"
    )
    figure.add_trace(trace, row=len(ANALYTES) + 1, col=1)
    for course in state["courses"]:
        figure.add_vline(x=str(course["from_date"]))
    return figure.to_json()
