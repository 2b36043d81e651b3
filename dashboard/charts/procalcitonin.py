"""Procalcitonin. No rule reads it and no cut-off of it was read in a source, so none is drawn."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 63
TITLE = "Procalcitonin"
DEFAULT = False
ANALYTES = ("procalcitonin",)
SCALES = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("procalcitonin", TITLE, "ng/mL", height=54)
    return results.results_panel(drawn, [(TITLE, rows, style.BLUE, "square")], view)
