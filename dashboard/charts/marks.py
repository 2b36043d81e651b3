"""The four primitives every panel is drawn with: line, step, interval, point. And where their labels fit."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import pairwise

from dashboard import style
from dashboard.charts.panel import DAY_MS, PLOT_WIDTH, View

GAP_DAYS = 90  # two results further apart are not joined: a gap in data stays a gap
FADE_DAYS = 60  # an ongoing drug fades out over so many days after its last confirmation
DENSE = 60  # points in one panel
LABEL_HEIGHT = 13
LETTER_WIDTH = 5.8


def joined(points: list[dict], gap_days: int = GAP_DAYS) -> tuple[list, list]:
    """x and y of a line through points (dicts with x, y, in order of x), broken by None where two are far apart."""
    xs, ys, before = [], [], None
    for point in points:
        if before and (date.fromisoformat(point["x"][:10]) - date.fromisoformat(before[:10])).days > gap_days:
            xs.append(None)
            ys.append(None)
        xs.append(point["x"])
        ys.append(point["y"])
        before = point["x"]
    return xs, ys


def line(
    points: list[dict], name: str, colour: str, symbol: str = "circle", dash: str = "solid", shape: str = "linear"
) -> list[dict]:
    """A series: the joined line, then its marks, which carry hover text (`text`) and may be `hollow`."""
    if not points:
        return []
    xs, ys = joined(points)
    drawn = {
        "type": "scatter", "mode": "lines", "name": name, "x": xs, "y": ys, "connectgaps": False, "hoverinfo": "skip",
        "line": {"color": colour, "width": 2, "dash": dash, "shape": shape},
    }  # fmt: skip
    return [drawn, point(points, name, colour, symbol)]


def point(points: list[dict], name: str, colour: str, symbol: str | list[str] = "circle", size: int = 8) -> dict:
    """Marks with hover text. A point may be `hollow` (assumed, estimated or preliminary) and carry a `symbol` of its own."""
    symbols = [entry.get("symbol", symbol) for entry in points]
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [entry["x"] for entry in points], "y": [entry["y"] for entry in points],
        "hovertext": [entry.get("text", "") for entry in points], "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": symbols, "size": size,
            "color": ["#FFFFFF" if entry.get("hollow") else entry.get("colour", colour) for entry in points],
            "line": {"color": [entry.get("colour", colour) for entry in points], "width": 1.8},
        },
    }  # fmt: skip


def labels(
    view: View,
    points: list[dict],
    height_of: Callable[[float], float],
    size: int = 11,
    height: float = 1e6,
    stepped: bool = False,
) -> dict:
    """The labels (`label`, and a `short` form) of points as one text trace. `height_of(y)` gives the pixels above the panel's
    foot, `height` is the panel's.

    A label goes above, below or beside its point, where it covers no other label, no other point and not the as-of line; one
    that fits nowhere is left to the hover box and the table. `stepped`: the points are joined by steps, which are kept clear too.
    """
    marks = [(view.pixel(entry["x"]), height_of(entry["y"])) for entry in points]
    as_of = view.pixel(view.after.isoformat())
    taken = [(as_of - 1, as_of + 1, -1e6, 1e6)] + [(x - 4, x + 4, y - 4, y + 4) for x, y in marks]
    taken += _steps(marks) if stepped else []
    placed = {"x": [], "y": [], "text": [], "textposition": []}
    told = _worth_telling(points)
    for number, (entry, (x, y)) in enumerate(zip(points, marks, strict=True)):
        if number not in told or not entry.get("label"):
            continue
        own = (x - 4, x + 4, y - 4, y + 4)
        others = [box for box in taken if box != own]
        for text, position, box in _choices(entry, x, y, size, not stepped):
            if (
                box[0] < -12
                or box[1] > PLOT_WIDTH + 12
                or box[3] > height + 8
                or any(_overlap(box, other) for other in others)
            ):
                continue
            taken.append(box)
            for key, value in zip(placed, (entry["x"], entry["y"], style.as_label(text), position), strict=True):
                placed[key].append(value)
            break
    return {  # unseen marks keep the text at a distance from the point
        "type": "scatter", "mode": "markers+text", "name": "labels", "hoverinfo": "skip", "cliponaxis": False,
        "textfont": {"size": size, "color": style.INK}, "marker": {"size": 9, "opacity": 0}, **placed,
    }  # fmt: skip


def _worth_telling(points: list[dict]) -> set[int]:
    """Every point of a sparse series; of a dense one, where labels would only cover each other, the extremes and the last."""
    numbers = range(len(points))
    if len(points) <= DENSE:
        return set(numbers)
    return {
        max(numbers, key=lambda number: points[number]["y"]),
        min(numbers, key=lambda number: points[number]["y"]),
        len(points) - 1,
    }


def _choices(
    entry: dict, x: float, y: float, size: int, beside: bool
) -> Iterable[tuple[str, str, tuple[float, float, float, float]]]:
    """The label, then its `short` form, in each position: text, position, box in pixels (left, right, foot, top)."""
    for text in dict.fromkeys((entry["label"], entry.get("short", entry["label"]))):
        width = LETTER_WIDTH * len(text) * size / 11
        half = width / 2
        above, below, level = (y + 5, y + 5 + LABEL_HEIGHT), (y - 5 - LABEL_HEIGHT, y - 5), (y - 6, y + 6)
        if beside and entry.get("beside"):
            yield text, "middle right", (x + 7, x + 7 + width, *level)
        yield text, "top center", (x - half, x + half, *above)
        if beside:
            yield text, "middle right", (x + 7, x + 7 + width, *level)
        yield text, "bottom center", (x - half, x + half, *below)
        if beside:
            yield text, "middle left", (x - 7 - width, x - 7, *level)
        yield text, "top right", (x + 3, x + 3 + width, *above)
        yield text, "top left", (x - 3 - width, x - 3, *above)
        yield text, "bottom right", (x + 3, x + 3 + width, *below)
        yield text, "bottom left", (x - 3 - width, x - 3, *below)


def _steps(marks: list[tuple[float, float]]) -> list[tuple[float, float, float, float]]:
    """The lines of steps through points as thin boxes."""
    boxes = []
    for (x, y), (later_x, later_y) in pairwise(marks):
        boxes += [(x, later_x, y - 1, y + 1), (later_x - 1, later_x + 1, min(y, later_y), max(y, later_y))]
    return boxes


def _overlap(one: tuple, other: tuple) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def overlapping(from_date: date, to_date: date | None, view: View) -> tuple[date, date] | None:
    """The part of [from_date, to_date) inside the window, or None: by overlap, so that what covers the window is kept."""
    last = view.end + timedelta(days=1)
    until = last if to_date is None else min(to_date, last)
    start = max(from_date, view.start)
    return (start, until) if start < until else None


def ongoing(from_date: date, to_date: date | None, last_confirmed: date | None) -> list[tuple[date, date, float]]:
    """The pieces (from, to, opacity) of an interval: whole up to its end; with no end known, whole up to the last day it was confirmed
    (else its first day), then fading out in four pieces."""
    if to_date is not None:
        return [(from_date, to_date, 1.0)]
    sure = max(from_date, last_confirmed or from_date) + timedelta(days=1)
    pieces = [(from_date, sure, 1.0)]
    step = timedelta(days=FADE_DAYS // 4)
    for opacity in (0.6, 0.42, 0.27, 0.14):
        pieces.append((sure, sure + step, opacity))
        sure += step
    return pieces


def interval(lane: float, pieces: list[dict], name: str, width: float = 0.62) -> dict:
    """Bars of one lane. A piece has from_date, to_date, colour and may have text (inside), hover, opacity, outlined, hatch."""
    return {
        "type": "bar", "orientation": "h", "name": name, "width": width, "y": [lane] * len(pieces),
        "base": [piece["from_date"].isoformat() for piece in pieces],
        "x": [max(1, (piece["to_date"] - piece["from_date"]).days) * DAY_MS for piece in pieces],
        "hovertext": [piece.get("hover", "") for piece in pieces], "hovertemplate": "%{hovertext}<extra></extra>",
        "text": [style.as_label(piece.get("text", "")) for piece in pieces],
        "textposition": "inside", "insidetextanchor": "start", "textangle": 0, "constraintext": "none",
        "textfont": {"size": 10, "color": [piece.get("ink", style.INK) for piece in pieces]}, "cliponaxis": True,
        "marker": {
            "color": [_fill(piece) for piece in pieces],
            "line": {"color": [_outline(piece) for piece in pieces], "width": [1.4 if piece.get("outlined") else 0 for piece in pieces]},
            "pattern": {"shape": [piece.get("hatch", "") for piece in pieces], "size": 5, "solidity": 0.25},
        },
    }  # fmt: skip


def _fill(piece: dict) -> str:
    return "rgba(255,255,255,0)" if piece.get("outlined") else style.faded(piece["colour"], piece.get("opacity", 1.0))


def _outline(piece: dict) -> str:
    return piece["colour"] if piece.get("outlined") else "rgba(0,0,0,0)"


def fits(text: str, from_date: date, to_date: date, view: View) -> bool:
    """Whether a text can stand inside an interval on a 1280 pixel screen."""
    return view.pixel(to_date.isoformat()) - view.pixel(from_date.isoformat()) > 5.4 * len(text) + 6
