"""Where the labels of points fit: beside, above or below, covering no other label, no point, no step and not the as-of line."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from dashboard import style
from dashboard.charts.panel import View

DENSE = 60  # points in one panel: with more, labels would only cover each other
LINE_HEIGHT = 13  # pixels
LETTER_WIDTH = 5.8  # pixels at size 11, on the wide side
Box = tuple[float, float, float, float]  # left, right, foot, top in pixels

STEPPED = (
    "top center",
    "bottom center",
    "top right",
    "top left",
    "bottom right",
    "bottom left",
)  # the line runs beside
ROUND = (*STEPPED, "middle right", "middle left")
LANES = ("middle right", "middle left")  # above and below are other lanes


def labels(
    view: View,
    points: list[dict],
    height_of: Callable[[float], float],
    height: float = 1e6,
    positions: tuple[str, ...] = ROUND,
    size: int = 11,
) -> dict:
    """The labels (`label`, and a `short` form) of points, in order of x, as one text trace.

    `height_of(y)` gives the pixels above the panel's foot, `height` is the panel's. A label is placed in the first of the
    positions in which it fits; one that fits nowhere is left to the hover box and the table.
    """
    marks = [(view.pixel(entry["x"]), height_of(entry["y"])) for entry in points]
    as_of = view.pixel(view.after.isoformat())
    taken = [_mark_box(x, y) for x, y in marks] + (_steps(marks) if positions is STEPPED else [])
    placed: dict[str, list] = {"x": [], "y": [], "text": [], "textposition": []}
    for number in _worth_telling(points):
        entry, (x, y) = points[number], marks[number]
        others = [mark for mark in marks if mark != (x, y)]
        covered = [box for box in taken if box != _mark_box(x, y)]
        room = (-12, as_of) if x < as_of else (as_of, view.width + 12)  # a label stays on its side of the as-of line
        for text, position in _choices(entry, positions):
            box = _box(position, x, y, LETTER_WIDTH * len(text) * size / 11)
            inside = room[0] <= box[0] and box[1] <= room[1] and box[3] <= height + 8
            if inside and not _covers(box, covered) and not _reads_as_anothers(box, (x, y), others):
                taken.append(box)
                told = (entry["x"], entry["y"], style.as_label(text), position)
                for key, value in zip(placed, told, strict=True):
                    placed[key].append(value)
                break
    return {  # unseen marks keep the text at a distance from the point
        "type": "scatter", "mode": "markers+text", "name": "labels", "hoverinfo": "skip", "cliponaxis": False,
        "textfont": {"size": size, "color": style.INK}, "marker": {"size": 9, "opacity": 0}, **placed,
    }  # fmt: skip


def _worth_telling(points: list[dict]) -> list[int]:
    """Every labelled point of a sparse series, the `weighty` first, then the last; of a dense one the last and the extremes."""
    numbers = [number for number in reversed(range(len(points))) if points[number].get("label")]
    numbers.sort(key=lambda number: not points[number].get("weighty", False))
    if len(points) <= DENSE or not numbers:
        return numbers
    by_height = sorted(numbers, key=lambda number: points[number]["y"])
    return list(dict.fromkeys((numbers[0], by_height[-1], by_height[0])))


def _choices(entry: dict, positions: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """The label in each position, then its short form in each."""
    for text in dict.fromkeys((entry["label"], entry.get("short", entry["label"]))):
        for position in positions:
            yield text, position


def _mark_box(x: float, y: float) -> Box:
    return x - 4, x + 4, y - 4, y + 4


def _box(position: str, x: float, y: float, width: float) -> Box:
    """The box of a text in one of Plotly's positions about a point."""
    vertical, horizontal = position.split()
    foot, top = {"top": (y + 5, y + 5 + LINE_HEIGHT), "middle": (y - 6, y + 6), "bottom": (y - 5 - LINE_HEIGHT, y - 5)}[
        vertical
    ]
    away = 7 if vertical == "middle" else 3
    left = {"center": x - width / 2, "right": x + away, "left": x - away - width}[horizontal]
    return left, left + width, foot, top


def _reads_as_anothers(box: Box, own: tuple[float, float], others: list[tuple[float, float]]) -> bool:
    """Whether another mark stands nearer to the label's middle than its own: it would be taken for the label of that one."""
    x, y = (box[0] + box[1]) / 2, (box[2] + box[3]) / 2
    away = (own[0] - x) ** 2 + (own[1] - y) ** 2
    return any((other[0] - x) ** 2 + (other[1] - y) ** 2 < away for other in others)


def _steps(marks: list[tuple[float, float]]) -> list[Box]:
    """The lines of steps through points as thin boxes."""
    boxes = []
    for (x, y), (later_x, later_y) in pairwise(marks):
        boxes += [(x, later_x, y - 1, y + 1), (later_x - 1, later_x + 1, min(y, later_y), max(y, later_y))]
    return boxes


def _covers(box: Box, others: list[Box]) -> bool:
    left, right, foot, top = box
    return any(left < other[1] and other[0] < right and foot < other[3] and other[2] < top for other in others)
