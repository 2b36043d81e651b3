"""Anti-MDA5 titre. Assays and laboratories have units of their own and are never joined; each row's own upper limit is its cut-off."""

from itertools import groupby

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 40
TITLE = "Anti-MDA5"
ANALYTES = ("anti_mda5",)
SCALES = True
MARKS = ((style.PURPLE, "circle"), (style.BLUE, "square"), (style.GREEN, "diamond"), (style.ORANGE, "cross"))


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    def same(row: dict) -> tuple:
        return row["assay"] or "", row["laboratory"] or "", style.unit(row["unit"])

    kinds = [
        (kind, list(found)) for kind, found in groupby(sorted(rows, key=lambda row: (same(row), row["at"])), key=same)
    ]
    units = sorted({kind[2] for kind, found in kinds if any(row["low"] is not None for row in found)} - {""})
    drawn = Panel(
        "anti_mda5", TITLE, units[0] if len(units) == 1 else "each assay in its own unit" if units else "", height=62
    )
    series = []
    for number, (kind, found) in enumerate(kinds):
        colour, symbol = MARKS[number % len(MARKS)]
        name = TITLE if len(kinds) == 1 else " ".join(part for part in (TITLE, kind[0], kind[2]) if part)
        series.append((name, found, colour, symbol))
    return results.results_panel(drawn, series, view)
