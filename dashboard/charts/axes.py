"""The axes of the page figure: one of time, its echo at the foot, and one upward for each panel."""

from datetime import timedelta

from dashboard import style
from dashboard.charts.panel import Panel, View

TICKS = [
    {"dtickrange": [None, 86_400_000 * 27], "value": "%-d %b"},
    {"dtickrange": [86_400_000 * 27, "M11"], "value": "%b %Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]


def x_axis(view: View) -> dict:
    return {
        "type": "date",
        "range": [view.start.isoformat(), (view.end + timedelta(days=1)).isoformat()],
        "anchor": "free",
        "position": 1,
        "side": "top",
        "showgrid": True,
        "gridcolor": "#EEF0F3",
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": style.PALE,
        "tickformatstops": TICKS,
        "nticks": 14,
        "hoverformat": "%-d %b %Y",
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "cursor",
        "spikethickness": 1,
        "spikecolor": style.GREY,
        "spikedash": "solid",
        "automargin": False,
        "fixedrange": False,
    }


def foot_axis() -> dict:
    """The dates once more at the foot of a tall figure, following the one x axis."""
    return {
        "type": "date",
        "matches": "x",
        "overlaying": "x",
        "tickmode": "auto",
        "anchor": "free",
        "position": 0,
        "side": "bottom",
        "showgrid": False,
        "nticks": 14,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": style.PALE,
        "tickformatstops": TICKS,
        "showspikes": False,
    }


def foot_mark(view: View, axis: str) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "dates",
        "x": [view.start.isoformat()],
        "y": [0],
        "xaxis": "x2",
        "yaxis": axis,
        "opacity": 0,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def y_axis(panel: Panel, domain: list[float]) -> dict:
    lanes = panel.axis.get("lanes", False)
    axis = {
        "domain": domain,
        "anchor": "x",
        "side": "left" if lanes else "right",
        "fixedrange": True,
        "zeroline": False,
        "automargin": False,
        "gridcolor": "#F3F4F6" if not lanes else "#EEF0F3",
        "tickfont": {"size": 11, "color": style.INK if lanes else style.GREY},
        "showspikes": False,
        **{key: value for key, value in panel.axis.items() if key != "lanes"},
    }
    if panel.empty:
        axis |= {"range": [0, 1], "tickvals": [], "showgrid": False}
    return axis
