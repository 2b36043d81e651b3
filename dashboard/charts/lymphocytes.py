"""Lymphocyte count, with the limit below which the rule that reads it is met. Left out where it was never measured."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 63
TITLE = "Lymphocytes"
ANALYTES = ("lymphocytes",)
SCALES = True
OPTIONAL = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    lines = view.lines("lymphopenia", "10*9/L", "grade_2")
    drawn = Panel("lymphocytes", TITLE, "10⁹/L", height=60, lines=lines)
    return results.results_panel(drawn, [(TITLE, rows, style.GREEN, "triangle-left")], view)
