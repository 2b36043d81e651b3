"""CMV PCR in IU/mL and qualitative; copies/mL and pp65 cells, which nothing converts, are panels of their own (cmv_copies, cmv_pp65)."""

from itertools import groupby

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 65
TITLE = "CMV PCR"
DEFAULT = False
SCALES = True
ANALYTES = ("cmv_dna", "cmv_dna_qualitative")
GAP_DAYS = 30  # a virus doubles within days: samples further apart are not joined
MARKS = ((style.PURPLE, "circle"), (style.BLUE, "square"), (style.GREEN, "diamond"), (style.ORANGE, "cross"))
ANY_VALUE = "any quantified value counts: no threshold of this site is set"


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("cmv", TITLE, "IU/mL", height=56)
    return series_panel(drawn, ANALYTES, rows, view.lines("cmv_reactivation", "IU/mL"), view)


def series_panel(drawn: Panel, analytes: tuple[str, ...], rows: list[dict], lines: list[dict], view: View) -> Panel:
    """A series per analyte and laboratory: samples of different laboratories are not compared, and so not joined.

    A threshold of 0 is no line: it takes in whatever could be quantified, which the note says.
    """
    kinds = [
        (kind, list(found)) for kind, found in groupby(sorted(rows, key=lambda row: (same(row), row["at"])), key=same)
    ]
    if any(row["low"] is not None for row in rows):
        drawn.lines = [line for line in lines if float(line["value"]) > 0]
        drawn.note = "" if drawn.lines or not lines else ANY_VALUE
    series = []
    for number, ((analyte, laboratory), found) in enumerate(kinds):
        name = drawn.title + (", qualitative" if analyte == "cmv_dna_qualitative" else "")
        series.append((", ".join(part for part in (name, laboratory) if part), found, *MARKS[number % len(MARKS)]))
    return results.results_panel(drawn, series, view, gap_days=GAP_DAYS, analytes=analytes)


def same(row: dict) -> tuple[str, str]:
    """What two results share that may be joined."""
    return row["analyte"], row["laboratory"] or ""
