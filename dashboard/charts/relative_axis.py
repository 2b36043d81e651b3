"""The time axis of a de-identified figure: days since the first record, as numbers.

A figure is made on dates, of one patient as of any other; where those count from a first record, every place on the time axis becomes a
number of days at the end. So neither an axis, a hover box nor what the browser is sent holds a date.
"""

import re
from datetime import datetime

from dashboard import relative_days, style
from dashboard.charts.panel import DAY_MS

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_HOVERED = re.compile(r"%\{x\|[^}]*\}")
_OF_DATES = ("type", "tickformatstops", "tickvals", "ticktext", "hoverformat", "dtick", "tickformat")


def counted(figure: dict, narrow: bool) -> dict:
    """The figure with days for dates."""
    layout = figure["layout"]
    axes = {name: _axis(axis, narrow) for name, axis in layout.items() if name.startswith("xaxis")}
    return {
        "data": [_trace(trace) for trace in figure["data"]],
        "layout": layout
        | axes
        | {
            "shapes": [_placed(shape, ("x0", "x1")) for shape in layout["shapes"]],
            "annotations": [_placed(note, ("x",)) for note in layout["annotations"]],
        },
    }


def day(text: str) -> float:
    """Where a date or moment lies, in days since the first record."""
    moment = datetime.fromisoformat(text)
    zero = datetime.combine(relative_days.ZERO, datetime.min.time())
    return round((moment - zero).total_seconds() / 86_400, 4)


def _axis(axis: dict, narrow: bool) -> dict:
    kept = {name: value for name, value in axis.items() if name not in _OF_DATES}
    if "range" in axis:
        kept["range"] = [_place(end) for end in axis["range"]]
    ticks = {"tickmode": "auto", "tickprefix": "day ", "showtickprefix": "first" if narrow else "all"}
    return kept | ticks | {"type": "linear", "zerolinecolor": style.GREY, "zerolinewidth": 1, "hoverformat": ".1~f"}


def _trace(trace: dict) -> dict:
    made = _placed(trace, ("x", "base"))
    if "base" in trace:  # a bar: its x is how long it lasts
        made["x"] = [length / DAY_MS for length in trace["x"]]
    elif trace["type"] == "bar" and isinstance(trace.get("width"), list):
        made["width"] = [width / DAY_MS for width in trace["width"]]
    template = trace.get("hovertemplate", "")
    if _HOVERED.search(template):
        made["customdata"] = [None if x is None else relative_days.said(datetime.fromisoformat(x)) for x in trace["x"]]
        made["hovertemplate"] = _HOVERED.sub("%{customdata}", template)
    return made


def _placed(part: dict, names: tuple[str, ...]) -> dict:
    return part | {name: _place(part[name]) for name in names if name in part}


def _place(value):
    if isinstance(value, (list, tuple)):
        return [_place(one) for one in value]
    return day(value) if isinstance(value, str) and _DATE.fullmatch(value) else value
