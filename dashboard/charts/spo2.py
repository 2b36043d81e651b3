"""Oxygen saturation as measured at the bedside, often a long series: what is drawn holds the extremes of every stretch."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 15
TITLE = "SpO₂"
DEFAULT = False
ANALYTES = ("spo2",)
GAP_DAYS = 2  # a day without a saturation is a gap


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("spo2", TITLE, "%", height=88)
    least = min((row["value"] for row in rows if row["value"] is not None), default=90)
    floor = min(85.0, least)
    return results.results_panel(
        drawn, [(TITLE, rows, style.BLUE, "circle")], view, floor=floor, top=100, gap_days=GAP_DAYS
    )
