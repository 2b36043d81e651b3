"""What a panel is given (View) and what it gives back (Panel). Positions are days on one shared axis and pixels within a panel."""

from dataclasses import dataclass, field
from datetime import date, timedelta

PLOT_WIDTH = 660  # pixels of the plot on a 1280 pixel screen: labels are placed for it, wider screens only gain room
DAY_MS = 86_400_000


@dataclass(frozen=True)
class View:
    """The window [start, end] in days, the as-of day, what is ringed (record ids), the threshold lines on offer
    (dicts: criterion, title, name, value, unit, tag) the panels to draw on a logarithmic
    scale, and how many results of an analyte are held."""

    start: date
    end: date
    as_of: date
    ringed: frozenset[str] = frozenset()
    thresholds: tuple[dict, ...] = ()
    logarithmic: frozenset[str] = frozenset()
    held: dict[str, int] = field(default_factory=dict)

    def pixel(self, day: str) -> float:
        """Where an ISO date or date-time lies across the plot."""
        days = (date.fromisoformat(day[:10]) - self.start).days
        return days * PLOT_WIDTH / max(1, (self.end - self.start).days)

    @property
    def after(self) -> date:
        """The day after the as-of day: what is drawn from here on had not happened."""
        return self.as_of + timedelta(days=1)

    def lines(self, criterion: str, unit: str, naming: str = "") -> list[dict]:
        """The thresholds of one rule in one unit whose name contains a word, lowest first."""
        return sorted(
            (
                line
                for line in self.thresholds
                if line["criterion"] == criterion and line["unit"] == unit and naming in line["name"]
            ),
            key=lambda line: line["value"],
        )


@dataclass
class Panel:
    """One band of the figure: traces and shapes without their axis, which the page gives them.

    `axis` has the y axis' range, ticks and type; `lines` the threshold dicts drawn; `points` (record ids, x, y) of everything that can be
    ringed; `empty` explains a panel without data in one line, which is then all that is drawn.
    """

    name: str
    title: str
    unit: str = ""
    height: int = 90
    traces: list[dict] = field(default_factory=list)
    axis: dict = field(default_factory=dict)
    lines: list[dict] = field(default_factory=list)
    shapes: list[dict] = field(default_factory=list)
    points: list[tuple[frozenset[str], str, float]] = field(default_factory=list)
    empty: str = ""
    note: str = ""
