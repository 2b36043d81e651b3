"""Troughs of ciclosporin below the doses with their target band. What is no trough stands in a panel of its own, on its own scale: levels
two hours after the dose are ten times as high."""

from datetime import date, timedelta

from dashboard import style
from dashboard.charts import trough
from dashboard.charts.panel import Panel, View

PLACE = 82
TITLE = "Ciclosporin trough"
OPTIONAL = True
COMPANION = True  # of the drug
SCALES = True
ANALYTES = ("ciclosporin_level",)


def rows(page: dict) -> list[dict]:
    """The troughs, as `trough.of` gives them; of a drug given with no level at all its first day."""
    levels = trough.of(page, "ciclosporin")
    if not levels:
        return trough.unmeasured(page, "ciclosporin")
    return [row for row in levels if row.get("sample_timing") in trough.TROUGH]


def panel(rows: list[dict], view: View) -> Panel:
    numbers = trough.limits(view)
    drawn = Panel("ciclosporin_level", TITLE, "ng/mL", height=84)
    levels = trough.measured(rows)
    bands = constant_bands(levels, numbers, "c0", view)
    trough.levels_panel(drawn, [("Ciclosporin trough", levels, style.GREEN, "circle")], bands, view, ANALYTES)
    if drawn.empty:
        drawn.title = "Ciclosporin level"
        trough.say_given(drawn, rows, view, "ciclosporin")
    else:
        trough.say(drawn, f"band: trough {trough.between(numbers, 'c0')}" if bands else "")
    return drawn


def constant_bands(levels: list[dict], numbers: dict[str, dict], of: str, view: View) -> list[trough.Band]:
    """One range at all times: from the first start or level to the end of the drug or the last level, whichever is farther."""
    if not levels or f"{of}_low" not in numbers:
        return []
    first, last = (levels[place]["at"][:10] for place in (0, -1))
    starts = [start for start, _ in levels[0]["stretches"]]
    ends = [end for _, end in levels[0]["stretches"]]
    start = min([*starts, date.fromisoformat(first)])
    end = None if None in ends else max([*ends, date.fromisoformat(last) + timedelta(days=1)])
    return trough.clipped(start, end, float(numbers[f"{of}_low"]["value"]), float(numbers[f"{of}_high"]["value"]), view)
