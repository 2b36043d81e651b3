"""The marks of a figure as SVG: lines and steps, fills, symbols, their texts, and bars. What is not known raises UnknownMark."""

from collections.abc import Iterator

from dashboard import style
from dashboard.reports import svg
from dashboard.reports.figure_plot import Plot

SHARED = [
    "type",
    "name",
    "x",
    "y",
    "xaxis",
    "yaxis",
    "showlegend",
    "hoverinfo",
    "hovertext",
    "hovertemplate",
    "opacity",
    "cliponaxis",
]
SCATTER = frozenset(
    [
        *SHARED,
        *[
            "mode",
            "line",
            "connectgaps",
            "fill",
            "fillcolor",
            "fillpattern",
            "marker",
            "text",
            "textposition",
            "textfont",
        ],
    ]
)
BAR = frozenset(
    [
        *SHARED,
        *[
            "orientation",
            "width",
            "base",
            "offset",
            "text",
            "textposition",
            "insidetextanchor",
            "textangle",
            "constraintext",
            "textfont",
            "marker",
        ],
    ]
)
MARKER = frozenset({"symbol", "size", "color", "line", "opacity", "pattern"})
PATTERN = frozenset({"shape", "size", "solidity", "fgcolor", "bgcolor"})
BESIDE = 9  # pixels between the middle of a mark and a text beside it: the largest marks of a lane reach so far
FAINTEST = 0.45  # how much of a hatching's colour a printer still shows


def traces(found: list[dict], plot: Plot) -> list[str]:
    """Every trace in Plotly's order: of a panel the bars, then the rest."""
    parts = []
    for axis in plot.panels:
        own = [trace for trace in found if trace["yaxis"] == axis]
        for trace in sorted(own, key=lambda trace: trace["type"] != "bar"):
            if trace.get("opacity", 1) == 0:
                continue
            inside = "".join(_trace(trace, plot))
            if inside:
                clip = plot.clip(axis) if trace.get("cliponaxis", True) else None
                opacity = trace.get("opacity", 1)
                parts.append(svg.element("g", inside, clip_path=clip, opacity=None if opacity == 1 else opacity))
    return parts


def _trace(trace: dict, plot: Plot) -> Iterator[str]:
    if trace["type"] == "bar":
        svg.known(trace, BAR, "bar")
        yield from (_bars if trace.get("orientation") == "h" else _columns)(trace, plot)
        return
    if trace["type"] != "scatter":
        raise svg.UnknownMark(f"trace {trace['type']}")
    svg.known(trace, SCATTER, "scatter")
    modes = set(trace["mode"].split("+"))
    if modes - {"lines", "markers", "text"} or trace.get("connectgaps"):
        raise svg.UnknownMark(f"mode {trace['mode']}")
    if "lines" in modes:
        yield from _line(trace, plot)
    if "markers" in modes:
        yield from _markers(trace, plot)
    if "text" in modes:
        yield from _texts(trace, plot)


# ---- lines


def _runs(trace: dict, plot: Plot) -> list[list[tuple[float, float]]]:
    """The unbroken runs of a line's points in pixels."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in zip(trace["x"], trace["y"], strict=True):
        if at is None or value is None:
            runs.append([])
        else:
            runs[-1].append((plot.x(at), plot.y(trace["yaxis"], value)))
    return [run for run in runs if run]


def _line(trace: dict, plot: Plot) -> Iterator[str]:
    runs, line = _runs(trace, plot), trace["line"]
    if trace.get("fill") not in (None, "toself", "tozeroy"):
        raise svg.UnknownMark(f"fill {trace['fill']}")
    shape = line.get("shape", "linear")
    if shape not in ("linear", "hv"):
        raise svg.UnknownMark(f"line {shape}")
    if trace.get("fill"):
        yield from _fill(trace, runs, plot)
    paths = [path for run in runs if (path := _path(run, shape))]
    strokes = svg.stroked({"color": style.INK} | line)
    if paths and strokes:
        yield svg.element("path", d="".join(paths), fill="none", stroke_linejoin="round", **strokes)


def _path(run: list[tuple[float, float]], shape: str) -> str:
    if len(run) < 2:
        return ""
    told = [f"M{svg.number(run[0][0])},{svg.number(run[0][1])}"]
    for x, y in run[1:]:
        told.append(f"H{svg.number(x)}V{svg.number(y)}" if shape == "hv" else f"L{svg.number(x)},{svg.number(y)}")
    return "".join(told)


def _fill(trace: dict, runs: list[list[tuple[float, float]]], plot: Plot) -> Iterator[str]:
    if trace["fill"] == "tozeroy":
        zero = plot.y(trace["yaxis"], 0)
        runs = [[(run[0][0], zero), *run, (run[-1][0], zero)] for run in runs]
    d = "".join(f"{path}Z" for run in runs if (path := _path(run, "linear")))
    if not d:
        return
    pattern = trace.get("fillpattern")
    if pattern:
        yield svg.element("path", d=d, fill=_hatching(pattern, trace["fillcolor"], plot))
    else:
        yield svg.element("path", d=d, **svg.filled(trace["fillcolor"]))


def _hatching(pattern: dict, colour: str, plot: Plot) -> str:
    svg.known(pattern, PATTERN, "hatching")
    solid, alpha = svg.paint(pattern.get("fgcolor", colour))
    strong = style.faded(solid, max(alpha, FAINTEST))
    return plot.pattern(pattern["shape"], pattern.get("size", 8), strong, pattern.get("bgcolor"))


# ---- points and their texts


def _each(value: object, count: int) -> list:
    return list(value) if isinstance(value, list | tuple) else [value] * count


def _places(trace: dict, plot: Plot) -> list[tuple[float, float] | None]:
    """Where each point stands; None: nowhere on this axis, or outside the days shown."""
    found: list[tuple[float, float] | None] = []
    logarithmic = plot.panels[trace["yaxis"]].get("type") == "log"
    for at, value in zip(trace["x"], trace["y"], strict=True):
        nowhere = at is None or value is None or (logarithmic and value <= 0)
        x = None if nowhere else plot.x(at)
        outside = x is None or not plot.box.left - 0.5 <= x <= plot.box.right + 0.5
        found.append(None if outside else (x, plot.y(trace["yaxis"], value)))
    return found


def _markers(trace: dict, plot: Plot) -> Iterator[str]:
    marker = trace["marker"]
    svg.known(marker, MARKER - {"pattern"}, "marker")
    if marker.get("opacity", 1) == 0:
        return
    count = len(trace["x"])
    edge = marker.get("line", {})
    own = (marker.get("symbol", "circle"), marker.get("size", 6), marker.get("color", style.INK))
    parts = [_each(value, count) for value in (*own, edge.get("color"), edge.get("width", 0))]
    for at, name, size, colour, rim, width in zip(_places(trace, plot), *parts, strict=True):
        if at is None:
            continue
        d, solid = svg.symbol(name, size)
        if solid:
            look = svg.filled(colour) | (svg.stroked({"color": rim, "width": width}) if rim else {})
        else:  # an open symbol is drawn in its own colour, or that of its edge where it is hollow
            look = {"fill": "none"} | svg.stroked({"color": rim or colour, "width": width or 1.5})
        yield svg.element("path", d=d, transform=f"translate({svg.number(at[0])},{svg.number(at[1])})", **look)


def _texts(trace: dict, plot: Plot) -> Iterator[str]:
    count = len(trace["x"])
    away = trace["marker"]["size"] / 1.6 + 1 if "markers" in trace["mode"] else 0
    font = trace["textfont"]
    parts = (
        _each(trace["text"], count),
        _each(trace.get("textposition", "middle center"), count),
        _each(font["color"], count),
    )
    for at, label, position, colour in zip(_places(trace, plot), *parts, strict=True):
        if at is None or not label:
            continue
        vertical, horizontal = position.split()
        beside = BESIDE if vertical == "middle" and away else away
        x = at[0] + {"left": -beside, "center": 0, "right": beside}[horizontal]
        y = at[1] + {"top": -away, "middle": 0, "bottom": away}[vertical]
        across = {"left": "end", "center": "middle", "right": "start"}[horizontal]
        stands = {"top": "bottom", "middle": "middle", "bottom": "top"}[vertical]
        yield svg.text(label, x, y, font["size"], colour, across, stands)


# ---- bars


def _bars(trace: dict, plot: Plot) -> Iterator[str]:
    """Bars of a lane: from `base`, so many milliseconds long, `width` high in the units of the axis."""
    count = len(trace["x"])
    boxes = []
    for base, long, middle, wide in zip(
        trace["base"], trace["x"], trace["y"], _each(trace["width"], count), strict=True
    ):
        left = plot.x(base)
        one, other = (plot.y(trace["yaxis"], middle + side * wide / 2) for side in (-1, 1))
        boxes.append((left, left + plot.days(long), min(one, other), max(one, other)))
    yield from _filled_boxes(trace, boxes, plot)
    texts, colours = _each(trace["text"], count), _each(trace["textfont"]["color"], count)
    for (left, _, top, foot), label, colour in zip(boxes, texts, colours, strict=True):
        if label:
            yield svg.text(label, max(left, plot.box.left) + 3, (top + foot) / 2, trace["textfont"]["size"], colour)


def _columns(trace: dict, plot: Plot) -> Iterator[str]:
    """Upright bars from 0, each from its day on."""
    if trace.get("offset") != 0:
        raise svg.UnknownMark("upright bars about their day")
    zero = plot.y(trace["yaxis"], 0)
    boxes = []
    for at, value, wide in zip(trace["x"], trace["y"], _each(trace["width"], len(trace["x"])), strict=True):
        left, top = plot.x(at), plot.y(trace["yaxis"], value)
        boxes.append((left, left + plot.days(wide), min(zero, top), max(zero, top)))
    yield from _filled_boxes(trace, boxes, plot)


def _filled_boxes(trace: dict, boxes: list[tuple[float, float, float, float]], plot: Plot) -> Iterator[str]:
    marker, count = trace["marker"], len(boxes)
    svg.known(marker, MARKER - {"symbol", "size"}, "marker")
    pattern, edge = marker.get("pattern", {}), marker["line"]
    hatches, colours = _each(pattern.get("shape", ""), count), _each(marker["color"], count)
    grounds, inks = _each(pattern.get("bgcolor"), count), _each(pattern.get("fgcolor"), count)
    rims, widths = _each(edge.get("color"), count), _each(edge["width"], count)
    for (left, right, top, foot), hatch, colour, ground, ink, rim, width in zip(
        boxes, hatches, colours, grounds, inks, rims, widths, strict=True
    ):
        if right < plot.box.left or left > plot.box.right:
            continue
        shared = {"shape": hatch, "size": pattern.get("size", 8)} | ({"bgcolor": ground} if ground else {})
        fill = {"fill": _hatching(shared, ink or colour, plot)} if hatch else svg.filled(colour)
        line = svg.stroked({"color": rim, "width": width}) if rim and width else {}
        edges = {"x": float(left), "y": float(top), "width": float(max(right - left, 0.8)), "height": float(foot - top)}
        yield svg.element("rect", **edges, **fill, **line)
