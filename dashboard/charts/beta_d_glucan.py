"""Beta-D-glucan. Assays are not interchangeable: each is a series of its own with the cut-offs the rule gives it, and none is joined
to another; results that name no assay are joined within a laboratory only."""

from itertools import groupby

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View
from pipelines import dictionary

PLACE = 64
TITLE = "β-D-glucan"
DEFAULT = False
ANALYTES = ("beta_d_glucan",)
SCALES = True
UNIT = "pg/mL"
MARKS = (
    (style.GREEN, "circle", "●"),
    (style.BLUE, "square", "■"),
    (style.PURPLE, "diamond", "◆"),
    (style.ORANGE, "cross", "✚"),
)


def rows(page: dict) -> list[dict]:
    return results.of(page, *ANALYTES)


def panel(rows: list[dict], view: View) -> Panel:
    kinds = [
        (kind, list(found)) for kind, found in groupby(sorted(rows, key=lambda row: (same(row), row["at"])), key=same)
    ]
    drawn = Panel("beta_d_glucan", TITLE, UNIT, height=64)
    series, told = [], []
    for number, (kind, found) in enumerate(kinds):
        colour, symbol, sign = MARKS[number % len(MARKS)]
        name = assay_name(*kind)
        series.append((f"{TITLE}, {name}", found, colour, symbol))
        told.append(name if len(kinds) == 1 else f"{sign}\u2009{name}")
        if any(row["low"] is not None for row in found):  # words have no height beside which a line could stand
            drawn.lines += cut_offs(kind[0], name, view)
    if told:
        drawn.unit = f"{UNIT} {' '.join(told)}"
    return results.results_panel(drawn, series, view)


def same(row: dict) -> tuple[str, str]:
    """What two results share that may be joined: the assay; with none named, the laboratory."""
    return (row["assay"], "") if row["assay"] else ("", row["laboratory"] or "")


def assay_name(assay: str, laboratory: str = "") -> str:
    """'Fungitell', 'Wako', 'assay not named, Laboratory B'."""
    if assay:
        return dictionary.assays().get(assay, {}).get("title", assay).replace(" beta-D-glucan", "")
    return f"assay not named, {laboratory}" if laboratory else "assay not named"


def cut_offs(assay: str, name: str, view: View) -> list[dict]:
    """The limits the rule gives one assay, each named by it; none for an assay of which the rule can tell nothing."""
    found = view.lines("beta_d_glucan_positive", UNIT, f"{assay}_") if assay else []
    return [line | {"of": name} for line in found]
