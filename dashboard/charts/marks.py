"""The four primitives every panel is drawn with: line, step, interval, point."""

from datetime import date, timedelta
from functools import lru_cache

from dashboard import style
from dashboard.charts.panel import DAY_MS, View

GAP_DAYS = 90  # two results further apart are not joined: a gap in data stays a gap
MANY = 60  # points
FADE_DAYS = 60  # an ongoing drug fades over so many days after its last confirmation
FAINT = 0.16  # what is left of it then


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
    points: list[dict], name: str, colour: str, symbol: str = "circle", shape: str = "linear", gap_days: int = GAP_DAYS
) -> list[dict]:
    """A series: the joined line, then its marks, which carry hover text (`text`) and may be `hollow`."""
    if not points:
        return []
    return [path(points, name, colour, shape, gap_days), point(points, name, colour, symbol)]


def path(
    points: list[dict], name: str, colour: str, shape: str = "linear", gap_days: int = GAP_DAYS, hover: bool = False
) -> dict:
    """The joined line alone. It carries the points' hover text where asked; a point without a place (y None) breaks it."""
    xs, ys = joined(points, gap_days)
    drawn = {
        "type": "scatter", "mode": "lines", "name": name, "x": xs, "y": ys, "connectgaps": False, "hoverinfo": "skip",
        "line": {"color": colour, "width": 2, "shape": shape},
    }  # fmt: skip
    if hover:
        texts = (point["text"] for point in points)
        del drawn["hoverinfo"]
        told = ["" if x is None else next(texts) for x in xs]
        drawn |= {"hovertext": told, "hovertemplate": "%{hovertext}<extra></extra>"}
    return drawn


def point(points: list[dict], name: str, colour: str, symbol: str | list[str] = "circle", size: int = 8) -> dict:
    """Marks with hover text. A point may be `hollow` (assumed, estimated or preliminary) and carry a `symbol` and `size` of its own."""
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [entry["x"] for entry in points], "y": [entry["y"] for entry in points],
        "hovertext": [entry.get("text", "") for entry in points], "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": _once([entry.get("symbol", symbol) for entry in points]), "size": _sizes(points, size),
            "color": _once(["#FFFFFF" if entry.get("hollow") else entry.get("colour", colour) for entry in points]),
            "line": {"color": _once([entry.get("colour", colour) for entry in points]), "width": 1.8},
        },
    }  # fmt: skip


def _sizes(points: list[dict], size: int) -> int | list[int]:
    return [point.get("size", size) for point in points] if any("size" in point for point in points) else size


def unheard(trace: dict) -> dict:
    """A trace without hover text, over another that says the same."""
    return {key: value for key, value in trace.items() if not key.startswith("hover")} | {"hoverinfo": "skip"}


def _once(values: list) -> list | str:
    """What is the same of many points is sent once."""
    return values[0] if len(values) > MANY and len(set(values)) == 1 else values


def overlapping(from_date: date, to_date: date | None, view: View) -> tuple[date, date] | None:
    """The part of [from_date, to_date) inside the window, or None: by overlap, so that what covers the window is kept."""
    last = view.end + timedelta(days=1)
    until = last if to_date is None else min(to_date, last)
    start = max(from_date, view.start)
    return (start, until) if start < until else None


def ongoing(
    from_date: date, to_date: date | None, last_confirmed: date | None
) -> list[tuple[date, date | None, float]]:
    """The pieces (from, to, opacity) of an interval: whole up to its end; with no end known, whole up to the last day it was confirmed
    (else its first day), then fading in four pieces, the last without an end: what may go on is lost in no window."""
    if to_date is not None:
        return [(from_date, to_date, 1.0)]
    sure = max(from_date, last_confirmed or from_date) + timedelta(days=1)
    pieces = [(from_date, sure, 1.0)]
    step = timedelta(days=FADE_DAYS // 4)
    for opacity in (0.6, 0.42, 0.27):
        pieces.append((sure, sure + step, opacity))
        sure += step
    return [*pieces, (sure, None, FAINT)]


def interval(lane: float, pieces: list[dict], name: str, width: float = 0.62) -> dict:
    """Bars of one lane. A piece has from_date, to_date, colour and may have text (inside), hover, opacity, outlined, outline (a colour),
    hatch, and a place (y) and width of its own."""
    own = any("width" in piece for piece in pieces)
    return {
        "type": "bar", "orientation": "h", "name": name, "y": [piece.get("y", lane) for piece in pieces],
        "width": _once([round(piece.get("width", width), 4) for piece in pieces]) if own else width,
        "base": [piece["from_date"].isoformat() for piece in pieces],
        "x": [max(1, (piece["to_date"] - piece["from_date"]).days) * DAY_MS for piece in pieces],
        "hovertext": [piece.get("hover", "") for piece in pieces], "hovertemplate": "%{hovertext}<extra></extra>",
        "text": _once([style.as_label(piece["text"]) if piece.get("text") else "" for piece in pieces]),
        "textposition": "inside", "insidetextanchor": "start", "textangle": 0, "constraintext": "none",
        "textfont": {"size": 10, "color": _once([piece.get("ink", style.INK) for piece in pieces])}, "cliponaxis": True,
        "marker": {
            "color": _once([_fill(piece) for piece in pieces]),
            "line": {
                "color": _once([_outline(piece) for piece in pieces]),
                "width": _once([1.4 if piece.get("outlined") else 0 for piece in pieces]),
            },
            "pattern": {"shape": _once([piece.get("hatch", "") for piece in pieces]), "size": 5, "solidity": 0.25},
        },
    }  # fmt: skip


_faded = lru_cache(maxsize=256)(style.faded)  # a handful of colours, thousands of bars


def _fill(piece: dict) -> str:
    return "rgba(255,255,255,0)" if piece.get("outlined") else _faded(piece["colour"], piece.get("opacity", 1.0))


def _outline(piece: dict) -> str:
    return piece.get("outline", piece["colour"]) if piece.get("outlined") else "rgba(0,0,0,0)"


def fits(text: str, from_date: date, to_date: date, view: View) -> bool:
    """Whether a text can stand inside an interval on a 1280 pixel screen."""
    days = max(1, (view.end - view.start).days)
    return (to_date - from_date).days * view.width / days > 5.4 * len(text) + 6
