"""Blood levels of ciclosporin below the doses: troughs with their target band; a level two hours after the dose (C2) and one without a
sampling time have marks of their own and are in no band."""

from datetime import date, timedelta

from dashboard import style
from dashboard.charts import trough
from dashboard.charts.panel import Panel, View

PLACE = 82
TITLE = "Ciclosporin level"
OPTIONAL = True
COMPANION = True  # of trough
SCALES = True
ANALYTES = ("ciclosporin_level",)


def rows(page: dict) -> list[dict]:
    """The levels, as `trough.of` gives them."""
    return trough.of(page, "ciclosporin")


def panel(rows: list[dict], view: View) -> Panel:
    numbers = trough.limits(view)
    drawn = Panel("ciclosporin_level", TITLE, "ng/mL", height=84)
    timed = {"trough": [], "C2": [], "": []}
    for row in rows:
        timing = row.get("sample_timing")
        timed["trough" if timing in trough.TROUGH else "C2" if timing == "C2" else ""].append(row)
    series = [
        ("Ciclosporin trough", timed["trough"], style.GREEN, "circle"),
        ("Ciclosporin C2", timed["C2"], style.PURPLE, "star"),
        ("Ciclosporin, sampling time not recorded", timed[""], style.GREY, "cross"),
    ]
    bands = _bands(timed["trough"], numbers, view)
    trough.levels_panel(drawn, series, bands, view, ANALYTES)
    if not drawn.empty:
        notes = [
            drawn.note,
            f"band: trough {trough.between(numbers, 'c0')}" if bands else "",
            f"star: C2, target {trough.between(numbers, 'c2')}" if timed["C2"] and "c2_low" in numbers else "",
            "cross: sampling time not recorded" if timed[""] else "",
        ]
        drawn.note = "; ".join(note for note in notes if note)
        drawn.height = max(drawn.height, 22 + 14 * (2 + len(drawn.note) // 24))
    return drawn


def _bands(troughs: list[dict], numbers: dict[str, dict], view: View) -> list[trough.Band]:
    """One range at all times: from the first start or trough to the end of the drug or the last trough, whichever is farther."""
    if not troughs or "c0_low" not in numbers:
        return []
    first, last = (troughs[place]["at"][:10] for place in (0, -1))
    starts = [start for start, _ in troughs[0]["stretches"]]
    ends = [end for _, end in troughs[0]["stretches"]]
    start = min([*starts, date.fromisoformat(first)])
    end = None if None in ends else max([*ends, date.fromisoformat(last) + timedelta(days=1)])
    return trough.clipped(start, end, float(numbers["c0_low"]["value"]), float(numbers["c0_high"]["value"]), view)
