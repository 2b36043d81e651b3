"""Levels of ciclosporin that are no trough: two hours after the dose (C2) with their target, and those without a sampling time, which no
rule judges."""

from dashboard import style
from dashboard.charts import ciclosporin_level, trough
from dashboard.charts.panel import Panel, View

PLACE = 83
TITLE = "Ciclosporin C2"
OPTIONAL = True
COMPANION = True  # of the drug
SCALES = True


def rows(page: dict) -> list[dict]:
    """The levels that are no trough, as `trough.of` gives them."""
    return [row for row in trough.of(page, "ciclosporin") if row.get("sample_timing") not in trough.TROUGH]


def panel(rows: list[dict], view: View) -> Panel:
    numbers = trough.limits(view)
    timed = [row for row in rows if row.get("sample_timing") == "C2"]
    others = [row for row in rows if row.get("sample_timing") != "C2"]
    drawn = Panel("ciclosporin_c2", TITLE if timed or not others else "Ciclosporin level", "ng/mL", height=84)
    series = [
        ("Ciclosporin C2", timed, style.PURPLE, "star"),
        ("Ciclosporin, sampling time not recorded", others, style.GREY, "cross"),
    ]
    bands = ciclosporin_level.constant_bands(timed, numbers, "c2", view)
    trough.levels_panel(drawn, series, bands, view, (drawn.name,))  # held ones stand beside the troughs
    if not drawn.empty:
        trough.say(
            drawn,
            f"band: C2 {trough.between(numbers, 'c2')}" if bands else "",
            "cross: sampling time not recorded, not judged" if others else "",
        )
    return drawn
