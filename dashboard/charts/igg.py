"""Immunoglobulin G, with the grades of the rule that reads it."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 68
TITLE = "IgG"
DEFAULT = False
ANALYTES = ("igg",)
SCALES = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("igg", TITLE, "g/L", height=64, lines=view.lines("hypogammaglobulinaemia", "g/L"))
    return results.results_panel(drawn, [(TITLE, rows, style.GREEN, "diamond")], view)
