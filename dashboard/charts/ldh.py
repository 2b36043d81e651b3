"""LDH, with the cut-offs of the score that reads it. Left out where it was never measured."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 60
TITLE = "LDH"
ANALYTES = ("ldh",)
SCALES = True
OPTIONAL = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("ldh", TITLE, "U/L", height=60, lines=view.lines("flair_score", "U/L"))
    return results.results_panel(drawn, [(TITLE, rows, style.BLUE, "square")], view)
