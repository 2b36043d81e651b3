"""Neutrophils, with the grades of the rule that reads them."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 69
TITLE = "Neutrophils"
DEFAULT = False
ANALYTES = ("neutrophils",)
SCALES = True
UNIT = "10*9/L"


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("neutrophils", TITLE, style.unit(UNIT), height=80, lines=view.lines("neutropenia", UNIT))
    return results.results_panel(drawn, [(TITLE, rows, style.BLUE, "circle")], view)
