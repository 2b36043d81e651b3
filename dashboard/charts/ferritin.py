"""Ferritin, with the tiers of the rule that reads it."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 30
TITLE = "Ferritin"
ANALYTES = ("ferritin",)
SCALES = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("ferritin", TITLE, "ng/mL", height=104, lines=view.lines("high_ferritin", "ng/mL"))
    return results.results_panel(drawn, [(TITLE, rows, style.VERMILION, "circle")], view)
