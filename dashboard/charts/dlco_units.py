"""DLCO in its unit, for those who follow the value itself; % predicted has a panel of its own."""

from dashboard import style
from dashboard.charts import lung_function, results
from dashboard.charts.panel import Panel, View

PLACE = 52
TITLE = "DLCO"
DEFAULT = False
SCALES = True
ANALYTES = ("dlco",)


def rows(page: dict) -> list[dict]:
    """Results that count: before a bronchodilator, no stage of a challenge."""
    return [row for row in results.of(page, *ANALYTES) if row["phase"] in (None, "pre")]


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("dlco_units", TITLE, "mL/min/mmHg", height=60)
    series = [(TITLE, rows, style.ORANGE, "diamond")]
    return results.results_panel(drawn, series, view, gap_days=lung_function.GAP_DAYS, analytes=ANALYTES)
