"""How laboratory and lung function results are drawn in any panel: exact values joined, censored ones as arrows, coded ones as words,
held ones below the scale."""

import math
from collections.abc import Callable
from datetime import date, timedelta
from itertools import zip_longest

from dashboard import style
from dashboard.charts import after_exchange, cohort_band, headings, held_marks, marks, result_text, scales
from dashboard.charts.labels import DENSE, labels
from dashboard.charts.panel import Panel, View
from dashboard.charts.scales import Scale, bound, sign

WORDS_ONLY = {"type": "linear", "range": [-0.5, 1.0], "tickvals": [], "ticktext": []}  # coded results have no scale
LINE_ONLY = (
    150  # points of a series: more marks touch one another across the plot, and take the browser half as long again
)
FOOT = 0.2  # share of the scale's height kept below it for what has no place on it
Series = tuple[str, list[dict], str, str]


def of(page: dict, *analytes: str) -> list[dict]:
    """The observations of some analytes, in order of time."""
    return sorted(
        (row for row in page["observation"] if row["analyte"] in analytes),
        key=lambda row: (row["at"], row["record_id"]),
    )


def results_panel(
    panel: Panel,
    series: list[Series],
    view: View,
    floor: float | None = 0,
    top: float | None = None,
    gap_days: int = marks.GAP_DAYS,
    analytes: tuple[str, ...] = (),
) -> Panel:
    """Fills a panel with series (name, observations, colour, symbol), their reference ranges, the days after plasma exchange, what is
    held of the `analytes` (default: those of its results and the one it is named after), its threshold lines and its table.

    Results more than `gap_days` apart are not joined.
    """
    rows = [row for _, observations, _, _ in series for row in observations]
    analytes = analytes or tuple(dict.fromkeys([panel.name, *(row["analyte"] for row in rows)]))
    held = held_marks.of(analytes, view)
    dated = [row for row in held if row["day"]]
    panel.table += [held_marks.table_row(row, panel.title) for row in held]
    if not rows and not dated:
        panel.empty = f"no result accepted: {len(held)} held, see below" if held else "never measured"
        panel.height = 24
        return panel
    scale = scales.chosen(panel, [observations for _, observations, _, _ in series], view)
    panel.unit = scale.unit if rows else ""  # what is held has no unit that is known
    panel.lines, panel.factor = scale.lines(panel.lines), scale.factor
    panel.note = "; ".join(part for part in (panel.note, scale.note, _waiting(held, len(dated), bool(rows))) if part)
    placed = [y for row in rows if row["low"] is not None and (y := scale.y(bound(row))) is not None]
    _set_axis(panel, placed + cohort_band.under(panel, rows, view), scale, view, floor, top)
    bands = []
    if placed:
        bands = [band for one in series for band in reference_band(one, panel, view, scale, len(series) > 1)]
        if len(placed) < len(rows) + len(dated):
            _make_foot(panel)
    else:
        panel.lines = []
    if not view.narrow:
        panel.height += headings.LINE * (len(headings.lines(panel)) - 1)
    lowered = bool(view.exchanges) and any(analyte in after_exchange.LOWERED for analyte in analytes)
    panel.traces += [*(after_exchange.band(panel, view) if lowered else []), *bands]
    entries = [held_marks.mark(row, foot(panel)) for row in dated]
    if entries:
        panel.traces.append(marks.point(entries, f"{panel.title}, held", style.GREY, size=9))
    for one in series:
        entries += _draw(panel, one, scale, view, gap_days, lowered)
    entries.sort(key=lambda entry: entry["x"])
    panel.traces.append(labels(view, entries, pixels(panel), panel.height))
    return panel


def _waiting(held: list[dict], drawn: int, accepted: bool) -> str:
    """What must be said of held rows beside their marks: that nothing else is known, and how many have no mark."""
    undated = f"{len(held) - drawn} held without a day that can be read" if len(held) > drawn else ""
    if accepted:
        return undated
    reasons = {held_marks.reason(row) for row in held}
    why = f"held: {reasons.pop()}" if len(reasons) == 1 else "all are held"
    return "; ".join(part for part in (f"none accepted, {why}", undated) if part)


def _set_axis(
    panel: Panel, placed: list[float], scale: Scale, view: View, floor: float | None, top: float | None
) -> None:
    """The y axis that holds every value placed; none where there is none."""
    if not placed:
        panel.axis, panel.height = WORDS_ONLY, 44
        return
    panel.axis = axis(placed, panel, view, floor, None if top is None else top * scale.factor)
    if scale.percent:
        panel.axis["ticktext"] = [f"{text} %" for text in panel.axis["ticktext"]]


def _make_foot(panel: Panel) -> None:
    """Room below the scale, parted from it by a line, for what has no place on it."""
    low, high = panel.axis["range"]
    panel.axis["range"] = [low - (high - low) * FOOT, high]
    panel.height += 12
    edge = _values(panel, low)[0]
    line = {"type": "line", "y0": edge, "y1": edge, "line": {"color": style.PALE, "width": 1}, "layer": "below"}
    panel.shapes.append({"xref": "paper", "x0": 0, "x1": 1, **line})


def _draw(panel: Panel, one: Series, scale: Scale, view: View, gap_days: int, lowered: bool) -> list[dict]:
    """Draws one series and returns its marks, for labels."""
    name, rows, colour, symbol = one
    common = result_text.shared(rows)
    template = result_text.template(name, common)
    reach = after_exchange.days_of(view) if lowered else -1
    exact, others = [], []
    for row in rows:
        exchange = after_exchange.said(date.fromisoformat(row["at"][:10]), view, reach) if lowered else ""
        panel.table.append(result_text.table_row(row, name, scale, exchange))
        entry = _entry(row, panel, scale)
        entry["text"] = result_text.hover(row, common, scale, exchange)
        (others if "symbol" in entry else exact).append(entry)
        panel.points.append((frozenset([row["record_id"]]), entry["x"], entry["y"]))
    drawn = _line(exact, others, name, colour, symbol, gap_days)
    if others:
        drawn.append(marks.point(others, name, colour, size=11))
    for trace in drawn:
        if "hovertext" in trace:
            trace["hovertemplate"] = template
    panel.traces += drawn
    return exact + others


def _line(exact: list[dict], others: list[dict], name: str, colour: str, symbol: str, gap_days: int) -> list[dict]:
    """The line of a series, broken where a result has no place on the scale, and its marks; of a dense one the line carries the hover
    text, and marks stand only where the line shows nothing: at lone results and at hollow ones."""
    if not exact:
        return []
    off = [entry | {"y": None} for entry in others if entry.get("off")]
    through = sorted(exact + off, key=lambda entry: entry["x"]) if off else exact
    if len(exact) < LINE_ONLY:
        return [
            marks.path(through, name, colour, gap_days=gap_days),
            marks.point(exact, name, colour, symbol, 8 if len(exact) <= DENSE else 5),
        ]
    path = marks.path(through, name, colour, gap_days=gap_days, hover=True)
    padded = [None, *path["y"], None]
    lone = {
        path["x"][i] for i, y in enumerate(path["y"]) if y is not None and padded[i] is None and padded[i + 2] is None
    }
    seen = [entry for entry in exact if entry["hollow"] or entry["x"] in lone]
    return [path, marks.unheard(marks.point(seen, name, colour, symbol, 5))] if seen else [path]


def _entry(row: dict, panel: Panel, scale: Scale) -> dict:
    """The mark of a result; one with a `symbol` of its own stands outside the line."""
    if row["low"] is None:
        return word(row, panel)
    y = scale.y(bound(row))
    if y is None:  # zero on a logarithmic scale
        return {
            "x": row["at"],
            "y": foot(panel),
            "label": _label(row, scale),
            "symbol": "circle-x",
            "hollow": True,
            "off": True,
            "record_id": row["record_id"],
        }
    return arrow(row, scale) if row["value"] is None else mark(row, scale)


def _label(row: dict, scale: Scale) -> str:
    text = scale.percentage(row) if scale.percent else sign(row) + style.number(bound(row))
    return f"({text})" if row.get("computed") else text


def mark(row: dict, scale: Scale) -> dict:
    """An exact result as a point; hollow where it is not judged: preliminary, or computed here."""
    return {
        "x": row["at"],
        "y": scale.y(row["value"]),
        "record_id": row["record_id"],
        "label": _label(row, scale),
        "hollow": row["status"] == "preliminary" or row.get("computed", False),
    }


def arrow(row: dict, scale: Scale) -> dict:
    """A censored result: an arrow from its bound towards where the value may lie."""
    return {
        "x": row["at"],
        "y": scale.y(bound(row)),
        "record_id": row["record_id"],
        "label": _label(row, scale),
        "symbol": "triangle-up" if row["high"] is None else "triangle-down",
        "hollow": True,
    }


def word(row: dict, panel: Panel) -> dict:
    """A coded result has no height: it stands at the foot of the panel with its word."""
    return {
        "x": row["at"],
        "y": foot(panel),
        "record_id": row["record_id"],
        "label": row["coded"] or "",
        "symbol": "diamond",
        "hollow": True,
    }


def foot(panel: Panel) -> float:
    """The y of what has no place on the scale: below it, where room was made."""
    if panel.axis is WORDS_ONLY:
        return 0
    low, high = panel.axis["range"]
    y = low + (high - low) * 0.09
    return _values(panel, y)[0]


def reference_band(one: Series, panel: Panel, view: View, scale: Scale, several: bool) -> list[dict]:
    """Each result's own reference range, from its day to the next result's: laboratories and assays differ.

    A one-sided range reaches the edge of the scale. Results in a row with one range share a box. Of several series in one panel each
    has ranges of its own colour.
    """
    _, rows, own, _ = one
    colour = own if several else style.GREEN
    low_edge, high_edge = _values(panel, *panel.axis["range"])
    last = (view.end + timedelta(days=1)).isoformat()
    xs, ys, before = [], [], None
    for row, later in zip_longest(rows, rows[1:]):
        limits, end = (row["ref_low"], row["ref_high"]), later["at"] if later else last
        if limits == before and limits != (None, None) and xs:
            xs[-4:-2] = [end, end]
            continue
        before = limits
        low = low_edge if limits[0] is None else max(low_edge, limits[0] * scale.factor)
        high = high_edge if limits[1] is None else min(high_edge, limits[1] * scale.factor)
        if limits == (None, None) or low >= high:
            before = None
            continue
        xs += [row["at"], row["at"], end, end, row["at"], None]
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
            "fillcolor": style.faded(colour, 0.12),
            "line": {"width": 0},
        }
    ]


def axis(values: list[float], panel: Panel, view: View, floor: float | None, top: float | None) -> dict:
    """A y axis that holds every value and every threshold line, linear unless asked to be logarithmic."""
    held = values + [line.get("y", float(line["value"])) for line in panel.lines]
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
    powers = range(math.floor(low), math.floor(high) + 1)
    within = [
        [size * 10.0**power for power in powers for size in sizes if low <= math.log10(size * 10.0**power) <= high]
        for sizes in ((1,), (1, 3), (1, 2, 5))
    ]
    ticks = next((found for found in within if len(found) >= 2), within[-1] or [min(held)])
    ticks = ticks[:: math.ceil(len(ticks) / 4)]
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


def _values(panel: Panel, *along: float) -> list[float]:
    """Positions along the axis as values: of a logarithmic one, powers of ten."""
    return [10**at for at in along] if panel.axis["type"] == "log" else list(along)


def pixels(panel: Panel) -> Callable[[float], float]:
    """A function from a y value to pixels above the foot of the panel."""
    low, high = panel.axis["range"]

    def height_of(y: float) -> float:
        if panel.axis["type"] == "log":
            y = math.log10(y) if y > 0 else low
        return (y - low) / (high - low) * panel.height

    return height_of
