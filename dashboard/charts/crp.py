"""CRP, with the cut-offs of the score that reads it. Left out where it was never measured."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 62
TITLE = "CRP"
ANALYTES = ("crp",)
SCALES = True
OPTIONAL = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("crp", TITLE, "mg/dL", height=60, lines=view.lines("mck_score", "mg/dL"))
    return results.results_panel(drawn, [(TITLE, rows, style.VERMILION, "cross")], view)
