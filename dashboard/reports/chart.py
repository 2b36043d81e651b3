"""Which panels of the overview a packet draws, and how large: all in the offline page, on paper and on a slide what fits.

The panels are those of the screen (charts/page.py), up to the as-of day. One that is left out is named, and so is one without data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from dashboard.charts import alt, page
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
    "infection",
    "crp",
    "ldh",
    "oxygenation",
    "lymphocytes",
)
KEPT_LAST = ("flags",)  # their days stand in the table of flags
ROOM = 0.04  # of the days shown, right of the as-of day


@dataclass(frozen=True)
class Chart:
    """The panels of a patient up to the as-of day; `empty` says of those without data why there is nothing to draw."""

    panels: tuple[Panel, ...]
    view: View
    empty: tuple[str, ...]

    def drawn(self, prefix: str, most_height: int | None = None, shape: float = 0.0) -> "Drawn":
        """The chart as SVG, of panels at most so many pixels high together (None: all), and at least `shape` times as wide as high."""
        kept = self.panels if most_height is None else fitting(self.panels, most_height)
        composed = page.compose(list(kept), self.view)
        width = max(figure.WIDTH, round(composed["layout"]["height"] * shape))
        words = alt.sentence(list(kept), self.view).removesuffix(" The table below holds the same rows.")
        left_out = tuple(panel.title for panel in self.panels if panel not in kept)
        height = composed["layout"]["height"]
        return Drawn(figure.drawn(composed, prefix, width, words), width, height, words, left_out)


@dataclass(frozen=True)
class Drawn:
    """SVG with its size in pixels, the same in words, and the titles of the panels that did not fit."""

    svg: str
    width: int
    height: int
    words: str
    left_out: tuple[str, ...]


def chart(tables: dict[str, list[dict]], as_of: date, thresholds: Iterable[dict], **chosen) -> Chart | None:
    """The chart of a patient's tables (`chosen`: further fields of View); None where no panel has anything to draw."""
    start, _ = page.recorded_window(tables, as_of)
    start = min(start, as_of - timedelta(days=3))
    window = (start, as_of + timedelta(days=max(1, round((as_of - start).days * ROOM))))
    view = page.view_of(tables, as_of, (), thresholds, window, **chosen)
    found = page.drawn_panels(tables, view)
    kept = tuple(panel for panel in found if not panel.empty)
    empty = tuple(f"{panel.title}: {panel.empty}" for panel in found if panel.empty)
    return Chart(kept, view, empty) if kept else None


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
    said = []
    if empty:
        said.append(f"Without data: {'; '.join(empty)}.")
    if drawn.left_out:
        said.append(f"Not drawn for want of room: {', '.join(drawn.left_out)} ({where}).")
    return " ".join(said)
