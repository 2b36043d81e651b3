"""How laboratory and lung function results are drawn in any panel: exact values joined, censored ones as arrows, coded ones as words."""

import math
from collections.abc import Callable
from datetime import timedelta

from dashboard import style
from dashboard.charts import marks
from dashboard.charts.labels import labels
from dashboard.charts.panel import Panel, View

WORDS_ONLY = {"type": "linear", "range": [-0.5, 1.0], "tickvals": [], "ticktext": []}  # coded results have no scale


def of(page: dict, *analytes: str) -> list[dict]:
    """The observations of some analytes, in order of time."""
    return sorted(
        (row for row in page["observation"] if row["analyte"] in analytes),
        key=lambda row: (row["at"], row["record_id"]),
    )


def results_panel(
    panel: Panel,
    series: list[tuple[str, list[dict], str, str]],
    view: View,
    floor: float | None = 0,
    top: float | None = None,
    gap_days: int = marks.GAP_DAYS,
) -> Panel:
    """Fills a panel with series (name, observations, colour, symbol), the reference band of the first, and its threshold lines.

    Results more than `gap_days` apart are not joined.
    """
    rows = [row for _, observations, _, _ in series for row in observations]
    if not rows:
        held = view.held.get(panel.name)
        panel.empty = f"no result accepted: {len(held)} held, see below" if held else "never measured"
        panel.height = 24
        return panel
    bounds = [bound(row) for row in rows if bound(row) is not None]
    panel.axis = axis(bounds, panel, view, floor, top) if bounds else WORDS_ONLY
    panel.height = panel.height if bounds else 44
    height_of = pixels(panel)
    panel.traces += reference_band(series[0][1], panel, view)
    labelled = []
    for name, observations, colour, symbol in series:
        exact = [mark(row, name, row["value"]) for row in observations if row["value"] is not None]
        panel.traces += marks.line(exact, name, colour, symbol, gap_days=gap_days)
        others = [arrow(row, name) for row in observations if row["value"] is None and row["low"] is not None]
        others += [word(row, name, panel) for row in observations if row["low"] is None]
        if others:
            panel.traces.append(marks.point(others, name, colour, size=11))
        labelled += exact + others
        panel.points += [
            (frozenset([row["record_id"]]), entry["x"], entry["y"])
            for row, entry in _with_rows(observations, exact, others)
        ]
    in_order = sorted(labelled, key=lambda entry: entry["x"])
    panel.traces.append(labels(view, in_order, height_of, panel.height))
    return panel


def _with_rows(observations: list[dict], exact: list[dict], others: list[dict]) -> list[tuple[dict, dict]]:
    entry_of = {entry["record_id"]: entry for entry in exact + others}
    return [(row, entry_of[row["record_id"]]) for row in observations]


def bound(row: dict) -> float | None:
    """The finite end of a result: its value, or where its open interval begins or ends."""
    if row["value"] is not None:
        return row["value"]
    return row["low"] if row["high"] is None else row["high"]


def mark(row: dict, name: str, y: float) -> dict:
    """An exact result as a point; hollow where it is not judged: preliminary, or computed here."""
    return {
        "x": row["at"],
        "y": y,
        "record_id": row["record_id"],
        "label": f"({style.number(y)})" if row.get("computed") else style.number(y),
        "text": hover(row, name),
        "hollow": row["status"] == "preliminary" or row.get("computed", False),
    }


def arrow(row: dict, name: str) -> dict:
    """A censored result: an arrow from its bound towards where the value may lie."""
    above = row["high"] is None
    sign = (">" if row["low_open"] else "≥") if above else ("<" if row["high_open"] else "≤")
    y = row["low"] if above else row["high"]
    return {
        "x": row["at"],
        "y": y,
        "record_id": row["record_id"],
        "label": f"{sign}{style.number(y)}",
        "text": hover(row, name),
        "symbol": "triangle-up" if above else "triangle-down",
        "hollow": True,
    }


def word(row: dict, name: str, panel: Panel) -> dict:
    """A coded result has no height: it stands at the foot of the panel with its word."""
    low, high = panel.axis["range"]
    y = 0 if panel.axis is WORDS_ONLY else low + (high - low) * 0.08 if panel.axis["type"] == "linear" else 10**low
    return {
        "x": row["at"],
        "y": y,
        "record_id": row["record_id"],
        "label": row["coded"] or "",
        "text": hover(row, name),
        "symbol": "diamond",
        "hollow": True,
    }


def hover(row: dict, name: str) -> str:
    """What the hover box says of a result: as printed, with its date, assay and source line."""
    printed = " ".join(str(part) for part in (row["original_value"], row["original_unit"]) if part)
    parts = [f"{name}: {printed}" + (" (unit assumed)" if row.get("unit_assumed") else "")]
    parts += [str(row[key]) for key in ("assay", "laboratory", "activity", "remark") if row.get(key)]
    if row.get("partial"):
        parts.append(f"dated {row['partial']}")
    if row["status"] != "final":
        parts.append(row["status"])
    parts += [style.day(row["at"]), f"{row['file']}:{row['line']}"]
    return style.as_label(" · ".join(parts))


def reference_band(observations: list[dict], panel: Panel, view: View) -> list[dict]:
    """Each result's own reference range, from its day to the next result's: laboratories and assays differ.

    A one-sided range reaches the edge of the panel.
    """
    low_edge, high_edge = panel.axis["range"]
    if panel.axis["type"] == "log":
        low_edge, high_edge = 10**low_edge, 10**high_edge
    xs, ys = [], []
    for row, later in zip(observations, [*observations[1:], None], strict=True):
        if row["ref_low"] is None and row["ref_high"] is None:
            continue
        start, end = row["at"], later["at"] if later else (view.end + timedelta(days=1)).isoformat()
        low = low_edge if row["ref_low"] is None else max(low_edge, row["ref_low"])
        high = high_edge if row["ref_high"] is None else min(high_edge, row["ref_high"])
        xs += [start, start, end, end, start, None]
        ys += [low, high, high, low, low, None]
    if not xs:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "reference range",
            "x": xs,
            "y": ys,
            "fill": "toself",
            "hoverinfo": "skip",
            "fillcolor": style.faded(style.GREEN, 0.12),
            "line": {"width": 0},
        }
    ]


def axis(values: list[float], panel: Panel, view: View, floor: float | None, top: float | None) -> dict:
    """A y axis that holds every value and every threshold line, linear unless asked to be logarithmic."""
    held = values + [float(line["value"]) for line in panel.lines]
    if view.scale_of(panel.name) == "log":
        return _logarithmic_axis([value for value in held if value > 0] or [1.0])
    low, high = min(held, default=0.0), max(held, default=1.0)
    low = low if floor is None else min(floor, low)
    high = max(high, top or high)
    room = (high - low or 1.0) * 0.26  # for the label above the highest point
    ticks = _ticks(low, high)
    return {
        "type": "linear",
        "range": [low - (high - low or 1.0) * 0.06, high + room],
        "tickvals": ticks,
        "ticktext": [style.number(tick) for tick in ticks],
    }


def _logarithmic_axis(held: list[float]) -> dict:
    low, high = math.log10(min(held)) - 0.15, math.log10(max(held)) + 0.3
    ticks = [float(10**power) for power in range(math.ceil(low), math.floor(high) + 1)] or [min(held)]
    return {
        "type": "log",
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [f"{style.number(tick)}" for tick in ticks],
    }


def _ticks(low: float, high: float) -> list[float]:
    """Two to four round numbers in [low, high]."""
    span = high - low or 1.0
    step = next(
        size * 10.0**power for power in range(-4, 9) for size in (1, 2, 2.5, 5) if span / (size * 10.0**power) <= 3.5
    )
    first = int(low // step) + (low % step > 1e-9)
    return [round(step * count, 6) for count in range(int(first), int(high // step + 1e-9) + 1)]


def pixels(panel: Panel) -> Callable[[float], float]:
    """A function from a y value to pixels above the foot of the panel."""
    low, high = panel.axis["range"]

    def height_of(y: float) -> float:
        if panel.axis["type"] == "log":
            y = math.log10(y) if y > 0 else low
        return (y - low) / (high - low) * panel.height

    return height_of
