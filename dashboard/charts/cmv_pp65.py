"""CMV antigenaemia: pp65-positive cells as printed. Left out where it was never measured."""

from dashboard.charts import cmv, results
from dashboard.charts.panel import Panel, View

PLACE = 67
TITLE = "CMV pp65"
DEFAULT = False
ANALYTES = ("cmv_pp65",)
OPTIONAL = True
COMPANION = True
SCALES = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("cmv_pp65", TITLE, "cells", height=56)
    return cmv.series_panel(drawn, ANALYTES, rows, view.lines("cmv_reactivation", "cells"), view)
