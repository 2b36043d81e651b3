"""What lights up when a flag is chosen: a ring around each record that decided, its mark in full; everything else is dimmed."""

import re
from datetime import timedelta
from itertools import pairwise

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.panel import Panel, View

DIMMED = 0.5  # how much is left of what is no evidence
FRAME = 0.4  # of a lane: how far a frame reaches above and below its middle
CLEAR = 0.03  # of a lane, free between the frames of neighbours


def lit(panel: Panel, view: View) -> list[dict]:
    """The traces of a panel, dimmed while a flag is chosen, and over them its evidence: a dot in a ring per point, a frame per interval."""
    if not view.ringed:
        return panel.traces
    return [_dimmed(trace) for trace in panel.traces] + _frames(panel, view) + _rings(panel, view)


def _dimmed(trace: dict) -> dict:
    """Of an area the fill too, which does not follow the opacity of its trace."""
    fill = {"fillcolor": _ALPHA.sub(_thinner, trace["fillcolor"])} if "fillcolor" in trace else {}
    return trace | {"opacity": min(trace.get("opacity", 1), DIMMED)} | fill


_ALPHA = re.compile(r"([0-9.]+)\)$")


def _thinner(alpha: re.Match) -> str:
    return f"{float(alpha[1]) * DIMMED:g})"


def _rings(panel: Panel, view: View) -> list[dict]:
    held = [(x, y) for ids, x, y in panel.points if ids & view.ringed]
    if not held:
        return []
    told = [_labels_of(trace, set(held)) for trace in panel.traces if trace["name"] == "labels"]
    at = {"x": [x for x, _ in held], "y": [y for _, y in held], "hoverinfo": "skip", "cliponaxis": False}
    dot = {"symbol": "circle", "size": 8, "color": style.INK}
    ring = {
        "symbol": "circle-open",
        "size": 19,
        "color": style.VERMILION,
        "line": {"width": 3, "color": style.VERMILION},
    }
    return [
        {"type": "scatter", "mode": "markers", "name": "evidence mark", "marker": dot, **at},
        {"type": "scatter", "mode": "markers", "name": "evidence", "marker": ring, **at},
        *(trace for trace in told if trace["text"]),
    ]


def _labels_of(labels: dict, held: set[tuple[str, float]]) -> dict:
    """Of a panel's labels those of the evidence, in full."""
    places = [place for place, at in enumerate(zip(labels["x"], labels["y"], strict=True)) if at in held]
    return labels | {
        "name": "evidence labels",
        **{part: [labels[part][place] for place in places] for part in ("x", "y", "text", "textposition")},
    }


def _frames(panel: Panel, view: View) -> list[dict]:
    """A frame around the part of each interval that is in the window."""
    xs, ys = [], []
    reaches = _reaches(panel)
    for ids, lane, from_date, to_date in panel.intervals:
        span = marks.overlapping(from_date, to_date, view) if ids & view.ringed else None
        if span:
            start, end = (day.isoformat() for day in (span[0], max(span[1], span[0] + timedelta(days=1))))
            xs += [start, end, end, start, start, None]
            top, foot = lane - reaches[lane], lane + reaches[lane]
            ys += [top, top, foot, foot, top, None]
    if not xs:
        return []
    line = {"color": style.VERMILION, "width": 2.5}
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "evidence frame",
            "x": xs,
            "y": ys,
            "line": line,
            "hoverinfo": "skip",
        }
    ]


def _reaches(panel: Panel) -> dict[float, float]:
    """How far a frame reaches from the middle of each lane: less than half the way to what stands nearest above or below."""
    lanes = sorted({lane for _, lane, _, _ in panel.intervals} | {y for _, _, y in panel.points})
    apart = [float("inf"), *(below - above for above, below in pairwise(lanes)), float("inf")]
    return {lane: min(FRAME, min(apart[place : place + 2]) / 2 - CLEAR) for place, lane in enumerate(lanes)}
