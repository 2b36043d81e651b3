"""Which panels of the overview a packet draws, and how large: all in the offline page, on paper and on a slide what fits.

The panels are those of the screen (charts/page.py), up to the as-of day. One that is left out is named, and so is one without data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashboard.charts import alt, held_marks, page
from dashboard.charts.panel import Panel, View
from dashboard.reports import figure

# Which panels stay where not all fit; what is not named comes before the last.
KEPT_FIRST = (
    "oxygen_support",
    "treatment",
    "glucocorticoid",
    "ferritin",
    "lung_function",
    "events",
    "kl6",
    "anti_mda5",
    "oxygenation",
    "infection",
    "crp",
    "ldh",
    "lymphocytes",
)
KEPT_LAST = ("flags",)  # their days stand in the table of flags
ROOM = 0.015  # of the days shown, right of the as-of day: for its own marks
BEGINS = (
    "at",
    "on_date",
    "from_date",
    "start_date",
    "applies_from",
    "start",
    "day",
)  # the first that a row has is when it begins


@dataclass(frozen=True)
class Chart:
    """The panels of a patient up to the as-of day; `empty` says of those without data why there is nothing to draw."""

    panels: tuple[Panel, ...]
    view: View
    empty: tuple[str, ...]

    def drawn(self, prefix: str, most_height: int | None = None, shape: float = 0.0) -> "Drawn":
        """The chart as SVG, of panels at most so many pixels high together (None: all), and at least `shape` times as wide as high."""
        kept = self.panels if most_height is None else fitting(self.panels, most_height)
        composed = page.composed(list(kept), self.view)
        width = max(figure.WIDTH, round(composed["layout"]["height"] * shape))
        words = alt.sentence(list(kept), self.view).removesuffix(" The table below holds the same rows.")
        left_out = tuple(panel.title for panel in self.panels if panel not in kept)
        height = composed["layout"]["height"]
        return Drawn(figure.drawn(composed, prefix, width, words), width, height, words, keys(kept), left_out)


@dataclass(frozen=True)
class Drawn:
    """SVG with its size in pixels, the same in words, which mark is which series, and the titles of the panels that did not fit."""

    svg: str
    width: int
    height: int
    words: str
    keys: str
    left_out: tuple[str, ...]


def chart(tables: dict[str, list[dict]], as_of: date, thresholds: Iterable[dict], **chosen) -> Chart | None:
    """The chart of a patient's tables (`chosen`: further fields of View); None where no panel has anything to draw.

    A packet is read elsewhere, without the screen that dims what came later: nothing dated after the as-of day is in it.
    """
    known = until(tables, as_of)
    start, _ = page.recorded_window(known, as_of)
    start = min(start, as_of - timedelta(days=3))
    window = (start, as_of + timedelta(days=round((as_of - start).days * ROOM)))
    view = page.view_of(known, as_of, (), thresholds, window, **chosen)
    found = page.drawn_panels(known, view)
    kept = tuple(panel for panel in found if not panel.empty)
    empty = tuple(f"{panel.title}: {panel.empty}" for panel in found if panel.empty)
    return Chart(kept, view, empty) if kept else None


def until(tables: dict[str, list[dict]], as_of: date) -> dict[str, list[dict]]:
    """The rows of a page's tables that begin by a day; those without a date stay."""
    return {name: [row for row in rows if (_begins(name, row) or as_of) <= as_of] for name, rows in tables.items()}


def _begins(table: str, row: dict) -> date | None:
    if table == "held":
        return held_marks.day_of(row)
    value = next((row[name] for name in BEGINS if row.get(name) is not None), None)
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    return value.date() if isinstance(value, datetime) else value


def keys(panels: Iterable[Panel]) -> str:
    """Which mark is which series, where a panel draws several: colours alone say nothing on grey paper."""
    said = []
    for panel in panels:
        names: dict[str, str] = {}
        for trace in panel.traces:
            if trace["type"] == "scatter" and trace["mode"] == "markers" and trace["x"] and not panel.axis.get("lanes"):
                marks = trace["marker"].get("symbol", "circle")
                names.setdefault(trace["name"], marks if isinstance(marks, str) else marks[0])
        if len(names) > 1:
            said.append(", ".join(f"{name}: {mark}" for name, mark in names.items()))
    return "; ".join(said)


def fitting(panels: tuple[Panel, ...], most_height: int) -> tuple[Panel, ...]:
    """The panels that fit, in their order; the first is kept however high it is."""
    order = sorted(panels, key=lambda panel: (_rank(panel.name), panels.index(panel)))
    kept, height = [], 0
    for panel in order:
        taken = panel.height + page.BETWEEN[False]
        if not kept or height + taken <= most_height:
            kept.append(panel)
            height += taken
    return tuple(panel for panel in panels if panel in kept)


def _rank(name: str) -> int:
    if name in KEPT_FIRST:
        return KEPT_FIRST.index(name)
    return len(KEPT_FIRST) + KEPT_LAST.count(name)


def caption(drawn: Drawn, empty: tuple[str, ...], where: str) -> str:
    """What is to be said under a chart: what has no data, and what did not fit and `where` it stands."""
    said = [f"Marks: {drawn.keys}."] if drawn.keys else []
    if empty:
        said.append(f"Without data: {'; '.join(empty)}.")
    if drawn.left_out:
        said.append(f"Not drawn for want of room: {', '.join(drawn.left_out)} ({where}).")
    return " ".join(said)
