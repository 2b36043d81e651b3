"""CMV PCR in copies/mL, which no factor turns into IU/mL. Left out where it was never measured."""

from dashboard.charts import cmv, results
from dashboard.charts.panel import Panel, View

PLACE = 66
TITLE = "CMV PCR, copies"
DEFAULT = False
ANALYTES = ("cmv_dna_copies",)
OPTIONAL = True
COMPANION = True
SCALES = True


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("cmv_copies", TITLE, "copies/mL", height=56)
    return cmv.series_panel(drawn, ANALYTES, rows, view.lines("cmv_reactivation", "copies/mL"), view)
