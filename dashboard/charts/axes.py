"""The axes of the page figure: one of time, its echo at the foot, and one upward for each panel."""

import re
from datetime import timedelta
from html import unescape

from dashboard import style
from dashboard.charts.panel import Panel, View

TICKS = [
    {"dtickrange": [None, 86_400_000 * 27], "value": "%-d %b"},
    {"dtickrange": [86_400_000 * 27, "M11"], "value": "%b %Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]


STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 364)  # days between ticks counted from day 0
MOST_TICKS = {False: 14, True: 3}  # on a wide screen, on a narrow one


def x_axis(view: View) -> dict:
    """Dates at the top; days since day 0 where the reader aligned the axis, and then the dates stand at the foot alone."""
    return {
        "type": "date",
        "range": list(shown(view)),
        "anchor": "free",
        "position": 1,
        "side": "top",
        "showgrid": True,
        "gridcolor": "#EEF0F3",
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": style.PALE,
        "hoverformat": "%-d %b %Y",
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "cursor",
        "spikethickness": 1,
        "spikecolor": style.GREY,
        "spikedash": "solid",
        "automargin": False,
        "fixedrange": False,
        **(_days_since(view) if view.anchor else _dates(view)),
    }


def shown(view: View) -> tuple[str, str]:
    """What the time axis begins with: the zoom, else the whole window."""
    if view.zoom:
        return view.zoom[0].isoformat(sep=" "), view.zoom[1].isoformat(sep=" ")
    return view.start.isoformat(), (view.end + timedelta(days=1)).isoformat()


def _dates(view: View) -> dict:
    return {"tickformatstops": TICKS, "nticks": MOST_TICKS[view.narrow], "tickangle": 0}


def _days_since(view: View) -> dict:
    """Ticks a round number of days apart, over the whole window."""
    span = (view.zoom[1] - view.zoom[0]).days if view.zoom else (view.end - view.start).days
    step = next((step for step in STEPS if span / step <= MOST_TICKS[view.narrow]), STEPS[-1])
    first = -(-(view.start - view.anchor.day).days // step)
    days = [step * count for count in range(first, (view.end - view.anchor.day).days // step + 1)]
    return {
        "tickvals": [(view.anchor.day + timedelta(days=day)).isoformat() for day in days],
        "ticktext": [f"{'day ' * (day == 0 or not view.narrow)}{day}".replace("-", "−") for day in days],
    }


def foot_axis(view: View) -> dict:
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
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": style.PALE,
        "showspikes": False,
        **_dates(view),
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


def y_axis(panel: Panel, view: View, domain: list[float]) -> dict:
    lanes = panel.axis.get("lanes", False)
    names = (
        {"ticktext": [_short(name, SHORT[view.narrow]) for name in panel.axis["ticktext"]]}
        | ({"tickfont": {"size": 9}} if view.narrow else {})
        if lanes
        else {}
    )
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
        **names,
    }
    if panel.empty:
        axis |= {"range": [0, 1], "tickvals": [], "showgrid": False}
    return axis


SHORT = {False: 38, True: 18}  # letters of a lane's name that the margin holds, on a wide screen, on a narrow one
_MARKUP = re.compile(r"<[^>]*>")


def _short(name: str, letters: int) -> str:
    """A lane's name; a longer one than the margin holds is cut, without the colour of its parts. Cut as text, not as markup, in which a
    sign is several letters."""
    plain = unescape(_MARKUP.sub("", name))
    return name if len(plain) <= letters else style.as_label(plain[: letters - 1] + "…")
