"""What a panel is given (View) and what it gives back (Panel). Positions are days on one shared axis and pixels within a panel."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

PLOT_WIDTH = 660  # pixels of the plot on a 1280 pixel screen: labels are placed for it, wider screens only gain room
NARROW_WIDTH = 226  # the same on a phone held upright
DAY_MS = 86_400_000

# How a panel's values may be drawn. Linear unless the reader asks; what is drawn is said in the panel's title.
SCALES = {"linear": "linear", "log": "logarithmic", "baseline": "% of baseline", "peak": "% of peak"}


@dataclass(frozen=True)
class Anchor:
    """Day 0 of the time axis: 'triple therapy' of 2021-09-07."""

    name: str
    day: date


@dataclass(frozen=True)
class View:
    """The window [start, end] in days, the as-of day, what is ringed (record ids), the threshold lines on offer
    (dicts: criterion, title, name, value, unit, tag, instead_of), and what the reader chose.

    `scales` by panel (SCALES; linear where absent), `held` rows by analyte (queries.HELD), `exchanges` days with a plasma exchange up to
    the as-of day, `opened` drug classes drawn drug by drug, `anchor` day 0 (None: calendar), `baseline` the day of therapy start that
    percentages of baseline refer to, `bands` by analyte the cohort's percentiles (cohort_band.py), `narrow` for a phone held upright,
    `zoom` what the time axis begins with (None: the whole window), `drawing` a number that changes when the browser must draw anew.
    """

    start: date
    end: date
    as_of: date
    ringed: frozenset[str] = frozenset()
    thresholds: tuple[dict, ...] = ()
    scales: dict[str, str] = field(default_factory=dict)
    held: dict[str, list[dict]] = field(default_factory=dict)
    exchanges: tuple[date, ...] = ()
    opened: frozenset[str] = frozenset()
    anchor: Anchor | None = None
    baseline: date | None = None
    bands: dict[str, list[dict]] = field(default_factory=dict)
    narrow: bool = False
    zoom: tuple[datetime, datetime] | None = None
    drawing: int = 0

    def scale_of(self, panel: str) -> str:
        return self.scales.get(panel, "linear")

    def pixel(self, day: str) -> float:
        """Where an ISO date or date-time lies across the plot."""
        days = (date.fromisoformat(day[:10]) - self.start).days
        return days * self.width / max(1, (self.end - self.start).days)

    @property
    def width(self) -> int:
        return NARROW_WIDTH if self.narrow else PLOT_WIDTH

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

    `axis` has the y axis' range, ticks and type; `lines` the threshold dicts drawn; `points` (record ids, x, y) and `intervals`
    (record ids, lane, from, to) of everything that can be ringed; `table` the rows of the panel's table twin (dicts: date, what, value,
    unit, remark, source; what lasts also has `until`, the day after its last, None while it lasts), everything drawn up to the end of the
    record; `factor` is what a value is multiplied by on the scale drawn; `empty` explains a panel without data in one line, which is then
    all that is drawn; `note` is said under the title.
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
    intervals: list[tuple[frozenset[str], float, date, date]] = field(default_factory=list)
    table: list[dict] = field(default_factory=list)
    factor: float = 1.0
    empty: str = ""
    note: str = ""
