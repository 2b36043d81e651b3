"""The paper the strip is drawn on: pixels from the top while it grows, shares of the whole once its height is known."""

import textwrap
from dataclasses import dataclass, field

from dashboard import style

LETTER = 5.5  # pixels a letter takes at size 11, on the wide side

UNSEEN = {
    "type": "scatter",
    "mode": "markers",
    "name": "nothing",
    "x": [0],
    "y": [0],
    "opacity": 0,
    "hoverinfo": "skip",
}


@dataclass(frozen=True)
class Form:
    """Measures in pixels for one width of screen."""

    width: int
    left: int
    per_band: int
    between: int
    plot: int
    size: int

    @property
    def line(self) -> float:
        """Pixels a line of text takes."""
        return round(self.size * 1.3, 1)

    @property
    def across(self) -> int:
        return self.width - self.left - 12


WIDE = Form(width=1190, left=124, per_band=4, between=20, plot=74, size=11)
NARROW = Form(width=340, left=40, per_band=2, between=12, plot=66, size=10)


@dataclass
class Sheet:
    """Traces, shapes, annotations and axes as they are drawn. `top` is where the next thing goes; y positions given to `write` and `rule`
    are pixels from the top."""

    form: Form
    columns: int  # in a full band
    top: float = 0
    traces: list[dict] = field(default_factory=list)
    shapes: list[dict] = field(default_factory=list)
    annotations: list[dict] = field(default_factory=list)
    axes: dict[str, dict] = field(default_factory=dict)

    def domain(self, place: int) -> list[float]:
        """The share of the width that a column takes."""
        each = self.column_width
        left = place * (each + self.form.between)
        return [left / self.form.across, min(1.0, (left + each) / self.form.across)]

    @property
    def column_width(self) -> float:
        return (self.form.across - self.form.between * (self.columns - 1)) / self.columns

    def wrapped(self, text: str, width: float | None = None, hyphens: bool = False) -> list[str]:
        """A text in lines that fit a column, safe as labels."""
        letters = int((width or self.column_width) / self.letter)
        return [style.as_label(line) for line in textwrap.wrap(text, letters, break_on_hyphens=hyphens)]

    def clipped(self, text: str, end: str = "") -> str:
        """A text in one line of a column, cut short before its end where it must be. Plain, not yet a label."""
        letters = int(self.column_width / self.letter) - len(end) - 1
        return (text if len(text) <= letters else text[: letters - 1].rstrip(" ,") + "…") + end

    @property
    def letter(self) -> float:
        """Pixels a letter takes."""
        return LETTER * self.form.size / 11

    def write(self, text: str, y: float, name: str, **more) -> None:
        """A label whose top is at y; its x is a share of the width unless `xref` says otherwise."""
        font = {"size": self.form.size, "color": more.pop("color", style.INK)}
        self.annotations.append(
            {"text": text, "xref": "paper", "x": 0, "xanchor": "left", "align": "left", "yref": "paper", "yanchor": "top",
             "showarrow": False, "font": font, "name": name, "y": y, "borderpad": 0} | more
        )  # fmt: skip

    def rule(self, axis: str, x: float, y0: float, y1: float, name: str, to: float | None = None, **more) -> None:
        """A line at a day, or a rectangle up to another, from y0 to y1."""
        shape = {
            "type": "line" if to is None else "rect",
            "xref": axis,
            "yref": "paper",
            "x0": x,
            "x1": x if to is None else to,
        }
        self.shapes.append(shape | {"y0": y0, "y1": y1, "name": name} | more)

    def finished(self, meta: dict) -> dict:
        """The figure, with every y in shares of its height."""
        total = max(round(self.top), 1)
        if not self.traces:  # text alone: a figure without a trace cannot be shown
            self.traces.append(UNSEEN)
            self.axes |= {
                "xaxis": {"visible": False, "position": total},
                "yaxis": {"visible": False, "domain": [0, total]},
            }
        for shape in self.shapes:
            if shape["yref"] == "paper":
                shape |= {"y0": 1 - shape["y0"] / total, "y1": 1 - shape["y1"] / total}
        for note in self.annotations:
            if note["yref"] == "paper":
                note["y"] = 1 - note["y"] / total
        for name, axis in self.axes.items():
            if name.startswith("yaxis"):
                axis["domain"] = [max(0.0, 1 - edge / total) for edge in reversed(axis["domain"])]
            else:
                axis["position"] = max(0.0, 1 - axis["position"] / total)
        margin = {"l": self.form.left, "r": 12, "t": 6, "b": 6, "pad": 0}
        layout = {
            **self.axes, "shapes": self.shapes, "annotations": self.annotations, "height": total + 12, "margin": margin,
            "hovermode": "closest", "showlegend": False, "dragmode": False, "plot_bgcolor": "#FFFFFF", "paper_bgcolor": "#FFFFFF",
            "font": {"family": style.FONT, "size": self.form.size, "color": style.INK}, "meta": meta,
            "hoverlabel": {"bgcolor": "#FFFFFF", "bordercolor": style.PALE, "font": {"size": 12, "color": style.INK}, "align": "left"},
        }  # fmt: skip
        return {"data": self.traces, "layout": layout}
