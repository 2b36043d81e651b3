"""The chart without a browser: the figure that charts/page.py composes for the screen, drawn as SVG.

The subset of Plotly's marks that the panels use is drawn; anything else raises UnknownMark. The same figure gives the same bytes.
"""

from datetime import date, datetime, timedelta

from dashboard import relative_days, style
from dashboard.charts.page import LEFT, RIGHT
from dashboard.reports import figure_marks, svg
from dashboard.reports.figure_plot import Box, Plot, moment

WIDTH = LEFT[False] + 660 + RIGHT[False]  # pixels: the width that labels are placed for
MOST_TICKS = 9  # of the time axis: so many whole dates stand beside each other
STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 365, 730, 1825, 3650)  # days between ticks
LAYOUT = frozenset(
    [
        "shapes",
        "annotations",
        "height",
        "margin",
        "hovermode",
        "hoversubplots",
        "barmode",
        "bargap",
        "showlegend",
        "plot_bgcolor",
        "paper_bgcolor",
        "font",
        "dragmode",
        "uirevision",
        "hoverlabel",
        "meta",
    ]
)
X_AXIS = frozenset(
    [
        "type",
        "range",
        "anchor",
        "position",
        "side",
        "showgrid",
        "gridcolor",
        "ticks",
        "ticklen",
        "tickcolor",
        "automargin",
        "fixedrange",
        "tickvals",
        "ticktext",
        "tickformatstops",
        "nticks",
        "tickangle",
        "tickmode",
        "matches",
        "overlaying",
        "hoverformat",
        "showspikes",
        "spikemode",
        "spikesnap",
        "spikethickness",
        "spikecolor",
        "spikedash",
    ]
)
Y_AXIS = frozenset(
    [
        "domain",
        "anchor",
        "side",
        "fixedrange",
        "zeroline",
        "automargin",
        "gridcolor",
        "tickfont",
        "showspikes",
        "type",
        "range",
        "tickvals",
        "ticktext",
        "showgrid",
    ]
)
SHAPE = frozenset(["type", "xref", "yref", "x0", "x1", "y0", "y1", "layer", "line", "fillcolor", "name"])
ANNOTATION = frozenset(
    [
        "text",
        "xref",
        "x",
        "xanchor",
        "xshift",
        "yref",
        "y",
        "yanchor",
        "yshift",
        "align",
        "showarrow",
        "font",
        "bgcolor",
        "name",
        "hovertext",
    ]
)


def drawn(figure: dict, prefix: str = "chart", width: float = WIDTH, alt: str = "") -> str:
    """A figure of `page.compose` as one SVG element of so many pixels across; its ids begin with `prefix`. Raises UnknownMark."""
    layout = figure["layout"]
    axes = {name for name in layout if name.startswith(("xaxis", "yaxis"))}
    svg.known(layout, LAYOUT | axes, "layout")
    plot = _plot(layout, width, prefix)
    below, above = _shapes(layout["shapes"], plot)
    parts = [
        svg.element("rect", width=float(width), height=float(layout["height"]), fill="#FFFFFF"),
        *_time_axis(layout, plot),
        *_value_axes(plot),
        *below,
        *figure_marks.traces(figure["data"], plot),
        *above,
        *(_annotation(one, plot) for one in layout["annotations"]),
    ]
    defs = svg.element("defs", "".join(plot.definitions()))
    return svg.element(
        "svg", defs + "".join(parts), xmlns="http://www.w3.org/2000/svg", width=float(width), height=float(layout["height"]),
        viewBox=f"0 0 {svg.number(width)} {svg.number(layout['height'])}", font_family=svg.FAMILY, role="img", aria_label=alt or None,
    )  # fmt: skip


def _plot(layout: dict, width: float, prefix: str) -> Plot:
    """Where everything is: the plot's box in pixels, the reach of time, and each panel's box."""
    margin = layout["margin"]
    box = Box(margin["l"], width - margin["r"], margin["t"], layout["height"] - margin["b"])
    first, last = (moment(text) for text in layout["xaxis"]["range"])
    panels = {}
    for name, axis in layout.items():
        if name.startswith("yaxis"):
            svg.known(axis, Y_AXIS, "y axis")
            panels["y" + name.removeprefix("yaxis")] = axis
    return Plot(box, first, last, panels, prefix)


# ---- axes


def ticks(first: datetime, last: datetime) -> list[date]:
    """Days of the time axis that are named: round numbers of days apart, first days of months where they are at least a month apart and
    no days since a first record."""
    span = (last - first).days
    step = next((step for step in STEPS if span / step <= MOST_TICKS), STEPS[-1])
    if step < 28 or relative_days.is_relative(first):
        start = (first + timedelta(days=1)).date() if first.time() > datetime.min.time() else first.date()
        begun = relative_days.number(start) if relative_days.is_relative(start) else start.toordinal()
        aligned = start + timedelta(days=-begun % step)
        return [aligned + timedelta(days=step * place) for place in range(span // step + 1)]
    months = max(1, round(step / 30.4))
    found, place = [], first.year * 12 + (first.month - 1)
    place += -place % months
    while (day := date(place // 12, place % 12 + 1, 1)) <= last.date():
        if day >= first.date():
            found.append(day)
        place += months
    return found


def _time_axis(layout: dict, plot: Plot) -> list[str]:
    """Lines and names of days: at the top what the axis counts, at the foot its dates."""
    top, foot = layout["xaxis"], layout.get("xaxis2", {})
    svg.known({**top, **foot}, X_AXIS, "x axis")
    dated = [(day.isoformat(), style.day(day)) for day in ticks(plot.first, plot.last)]
    counted = list(zip(top["tickvals"], top["ticktext"], strict=True)) if "tickvals" in top else dated
    parts = []
    for pairs, y, stands in ((counted, plot.box.top, "bottom"), (dated, plot.box.foot, "top")):
        away = -1 if stands == "bottom" else 1
        for at, words in pairs:
            x = plot.x(at)
            if not plot.box.left - 1 <= x <= plot.box.right + 1:
                continue
            if stands == "bottom":
                line = {"stroke": top["gridcolor"], "stroke_width": 1.0}
                parts.append(svg.element("path", d=f"M{svg.number(x)},{plot.box.top}V{plot.box.foot}", **line))
            parts.append(svg.element("path", d=f"M{svg.number(x)},{y}v{away * 4}", stroke=style.GREY, stroke_width=1.0))
            parts.append(svg.text(words, x, y + away * 7, 11, style.INK, "middle", stands))
    return parts


def _value_axes(plot: Plot) -> list[str]:
    """Of every panel the lines and names of its ticks."""
    parts = []
    for name, axis in plot.panels.items():
        names = axis.get("ticktext") or [style.number(value) for value in axis["tickvals"]]
        for value, words in zip(axis["tickvals"], names, strict=True):
            y = plot.y(name, value)
            panel = plot.panel(name)
            if not panel.top - 0.5 <= y <= panel.foot + 0.5:
                continue
            if axis.get("showgrid", True):
                d = f"M{svg.number(plot.box.left)},{svg.number(y)}H{svg.number(plot.box.right)}"
                parts.append(svg.element("path", d=d, stroke=axis["gridcolor"], stroke_width=1.0))
            left = axis["side"] == "left"
            x = plot.box.left - 4 if left else plot.box.right + 4
            font = axis["tickfont"]
            parts.append(svg.text(words, x, y, font["size"], font["color"], "end" if left else "start"))
    return parts


# ---- shapes and annotations


def _shapes(shapes: list[dict], plot: Plot) -> tuple[list[str], list[str]]:
    """What lies below the marks, and what above them."""
    layers: dict[str, list[str]] = {"below": [], "above": []}
    for shape in shapes:
        svg.known(shape, SHAPE, "shape")
        left, right = plot.across(shape["xref"], shape["x0"]), plot.across(shape["xref"], shape["x1"])
        one, other = plot.upward(shape["yref"], shape["y0"]), plot.upward(shape["yref"], shape["y1"])
        if shape["xref"] != "paper":  # the figure ends where the plot does
            left, right = (min(max(x, plot.box.left - 1), plot.box.right) for x in (left, right))
        line = svg.stroked(shape["line"])
        if shape["type"] == "rect":
            drawn = svg.element(
                "rect", x=float(left), y=float(min(one, other)), width=float(right - left), height=float(abs(other - one)),
                **svg.filled(shape.get("fillcolor")), **line,
            )  # fmt: skip
        elif shape["type"] == "line":
            drawn = svg.element(
                "path", d=f"M{svg.number(left)},{svg.number(one)}L{svg.number(right)},{svg.number(other)}", **line
            )
        else:
            raise svg.UnknownMark(f"shape {shape['type']}")
        layers[shape["layer"]].append(drawn)
    return layers["below"], layers["above"]


ACROSS = {"left": "start", "center": "middle", "right": "end"}


def _annotation(one: dict, plot: Plot) -> str:
    svg.known(one, ANNOTATION, "annotation")
    if one["showarrow"]:
        raise svg.UnknownMark("arrow of an annotation")
    x = plot.across(one["xref"], one["x"]) + one.get("xshift", 0)
    y = plot.upward(one["yref"], one["y"]) - one.get("yshift", 0)
    font = {"size": 12, "color": style.INK} | one.get("font", {})
    y += {"top": 3, "middle": 0, "bottom": -3}[one["yanchor"]]
    return svg.text(
        one["text"], x, y, font["size"], font["color"], ACROSS[one["xanchor"]], one["yanchor"], one.get("bgcolor")
    )
