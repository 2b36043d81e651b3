"""KL-6, with the cut-offs of the score that reads it. Left out where it was never measured."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 61
TITLE = "KL-6"
ANALYTES = ("kl6",)
SCALES = True
OPTIONAL = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("kl6", TITLE, "U/mL", height=60, lines=view.lines("mck_score", "U/mL"))
    return results.results_panel(drawn, [(TITLE, rows, style.PURPLE, "diamond")], view)
