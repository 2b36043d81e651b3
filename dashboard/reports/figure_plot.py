"""Where days and values of a figure stand in pixels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from math import log10

from dashboard.charts.panel import DAY_MS
from dashboard.reports import svg


@dataclass(frozen=True)
class Box:
    """Edges in pixels, downward."""

    left: float
    right: float
    top: float
    foot: float


@lru_cache(maxsize=65_536)
def moment(text: str) -> datetime:
    """An ISO date or date-time."""
    return datetime.fromisoformat(text) if len(text) > 10 else datetime.combine(date.fromisoformat(text), time())


@dataclass
class Plot:
    """Where days and values stand: the plot's box, its reach in time, the y axes by name; and the definitions that its marks ask for."""

    box: Box
    first: datetime
    last: datetime
    panels: dict[str, dict]
    prefix: str
    patterns: dict[tuple, str] = field(default_factory=dict)

    def x(self, at: str) -> float:
        share = (moment(at) - self.first) / (self.last - self.first)
        return self.box.left + share * (self.box.right - self.box.left)

    def days(self, milliseconds: float) -> float:
        """How wide a time is."""
        return (
            milliseconds
            / (DAY_MS * ((self.last - self.first).total_seconds() / 86_400))
            * (self.box.right - self.box.left)
        )

    def paper(self, share: float) -> float:
        return self.box.foot - share * (self.box.foot - self.box.top)

    def panel(self, axis: str) -> Box:
        low, high = self.panels[axis]["domain"]
        return Box(self.box.left, self.box.right, self.paper(high), self.paper(low))

    def y(self, axis: str, value: float) -> float:
        given, box = self.panels[axis], self.panel(axis)
        low, high = given["range"]
        kind = given.get("type", "linear")
        if kind not in ("linear", "log"):
            raise svg.UnknownMark(f"axis {kind}")
        if (
            kind == "log" and value <= 0
        ):  # it has no place: a line or bar that begins there leaves the panel at its foot
            return 2 * box.foot - box.top
        place = log10(value) if kind == "log" else value
        return box.foot - (place - low) / (high - low) * (box.foot - box.top)

    def across(self, ref: str, value: str | float) -> float:
        if ref == "paper":
            return self.box.left + float(value) * (self.box.right - self.box.left)
        return self.x(value)

    def upward(self, ref: str, value: float) -> float:
        return self.paper(float(value)) if ref == "paper" else self.y(ref, float(value))

    def pattern(self, shape: str, size: float, colour: str, ground: str | None) -> str:
        """The url of a hatching, defined once."""
        key = (shape, size, colour, ground)
        name = self.patterns.setdefault(key, f"{self.prefix}-hatch-{len(self.patterns)}")
        return f"url(#{name})"

    def clip(self, axis: str) -> str:
        return f"url(#{self.prefix}-clip-{axis})"

    def definitions(self) -> Iterator[str]:
        for axis in self.panels:
            box = self.panel(axis)
            edges = {"x": box.left, "y": box.top, "width": box.right - box.left, "height": box.foot - box.top}
            rect = svg.element("rect", **{name: float(value) for name, value in edges.items()})
            yield svg.element("clipPath", rect, id=f"{self.prefix}-clip-{axis}")
        for (shape, size, colour, ground), name in self.patterns.items():
            yield svg.hatch(name, shape, size, colour, ground)
