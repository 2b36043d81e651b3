"""What a panel's values are drawn on: as they are, logarithmically, or in percent of one result, which is then named.

A percentage needs one exact result above zero that is 100 %. Where there is none the panel stays linear and says why.
"""

from dataclasses import dataclass
from datetime import date

from dashboard import style
from dashboard.charts.panel import SCALES, Panel, View


@dataclass(frozen=True)
class Scale:
    """The scale drawn (a key of panel.SCALES): a value stands at `factor` times itself. `unit` is the panel's unit text, which names
    the scale; `note` says why another was asked for and is not drawn."""

    kind: str
    unit: str
    factor: float = 1.0
    note: str = ""

    def y(self, value: float) -> float | None:
        """Where a value stands; None where the scale has no place for it."""
        if self.kind == "log" and value <= 0:
            return None
        return value * self.factor

    @property
    def percent(self) -> bool:
        return self.kind in ("baseline", "peak")

    def percentage(self, row: dict) -> str:
        """A numeric result in percent: '62 %', '>110 %'."""
        share = bound(row) * self.factor
        return f"{sign(row)}{share:.0f} %" if share >= 10 else f"{sign(row)}{style.number(share)} %"

    def lines(self, lines: list[dict]) -> list[dict]:
        """Threshold dicts that have a place, each with it as `y` where that is not the value itself."""
        placed = [line for line in lines if self.y(float(line["value"])) is not None]
        return [line | {"y": self.y(float(line["value"]))} for line in placed] if self.percent else placed


AS_IT_IS = Scale("linear", "")


def chosen(panel: Panel, series: list[list[dict]], view: View) -> Scale:
    """The scale the reader chose for a panel of these observations, as far as it can be drawn."""
    kind = view.scale_of(panel.name)
    if kind == "log":
        zeros = any(row["low"] is not None and bound(row) <= 0 for rows in series for row in rows)
        note = "0 has no place on this scale: it stands at the foot" if zeros else ""
        return Scale("log", ", ".join(part for part in (panel.unit, SCALES["log"]) if part), note=note)
    if kind not in ("baseline", "peak"):
        return Scale("linear", panel.unit)
    numeric = [rows for rows in series if any(row["low"] is not None for row in rows)]
    if not numeric:
        return Scale("linear", panel.unit)
    if len(numeric) > 1:
        return _linear(panel, f"{SCALES[kind]} is not drawn: {len(numeric)} assays or units are never mixed")
    known = [row for row in numeric[0] if _counts(row, view)]
    if not known:
        return _linear(panel, f"{SCALES[kind]} cannot be told: no result by {style.day(view.as_of)}")
    whole, which = _baseline(known, view) if kind == "baseline" else (peak(known), "")
    if why := _unfit(whole, f"the {kind}"):
        return _linear(panel, f"{SCALES[kind]} cannot be told: {why}")
    unit = style.unit(whole["unit"]) or panel.unit
    said = f"{style.number(whole['value'])} {unit}".strip()
    dated = whole["partial"] or style.day(whole["at"])
    note = _perhaps_higher(known, whole) if kind == "peak" else ""
    return Scale(kind, f"{SCALES[kind]}{which}: {said}, {dated} = 100 %", 100 / whole["value"], note)


def _linear(panel: Panel, why: str) -> Scale:
    return Scale("linear", ", ".join(part for part in (panel.unit, SCALES["linear"]) if part), note=why)


def _counts(row: dict, view: View) -> bool:
    """Whether a result may be 100 %: a number, settled, and known to be of a day up to the as-of day."""
    return row["low"] is not None and row["status"] != "preliminary" and _on(row) <= view.as_of


def _baseline(rows: list[dict], view: View) -> tuple[dict, str]:
    """The last result up to the day of therapy start, else the first; and what to say of the choice."""
    start = view.baseline if view.baseline and view.baseline <= view.as_of else None
    before = [row for row in rows if start and _on(row) <= start]
    return (before[-1], "") if before else (rows[0], " (first result)")


def peak(rows: list[dict]) -> dict:
    """The first of the highest results, exact or bounded from below; of equal ones a '>' is the higher."""
    return max(rows, key=lambda row: (row["low"], row["value"] is None))


def _perhaps_higher(rows: list[dict], whole: dict) -> str:
    """The first censored result that may lie above the peak, in words."""
    for row in rows:
        if row["value"] is None and (row["high"] is None or row["high"] > whole["low"]):
            return f"the {row['original_value']} of {style.day(row['at'])} may have been higher"
    return ""


def _unfit(row: dict, what: str) -> str:
    if row["value"] is None:
        return f"{what} of {style.day(row['at'])} is {row['original_value']}"
    return "" if row["value"] > 0 else f"{what} of {style.day(row['at'])} is {style.number(row['value'])}"


def bound(row: dict) -> float | None:
    """The finite end of a result: its value, or where its open interval begins or ends; None of a coded one."""
    if row["value"] is not None:
        return row["value"]
    return row["low"] if row["high"] is None else row["high"]


def sign(row: dict) -> str:
    """'' of an exact result, else the sign of its bound."""
    if row["value"] is not None:
        return ""
    if row["high"] is None:
        return ">" if row["low_open"] else "≥"
    return "<" if row["high_open"] else "≤"


def _on(row: dict) -> date:
    return date.fromisoformat(row["at"][:10])
