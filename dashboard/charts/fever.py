"""Body temperature as measured, and fever as somebody recorded it. No rule has a limit of fever, so no line is drawn."""

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 22
TITLE = "Temperature, fever"
DEFAULT = False
FEVER = "Fever recorded"
GAP_DAYS = 2  # temperatures of days that do not follow each other say nothing of the days between
FLOOR, TOP = 36, 38  # room for the scale when little was measured; no limits


def rows(page: dict) -> list[dict]:
    """Temperatures, and fever events as results of the same unit marked `symptom`, in order of time."""
    fevers = [_result(row) for row in page["event"] if row["kind"] == "symptom" and row["code"] == "fever"]
    return sorted(results.of(page, "temperature") + fevers, key=lambda row: (row["at"], row["record_id"]))


def panel(rows: list[dict], view: View) -> Panel:
    """A line through temperatures of following days, a triangle per fever recorded, which no line joins."""
    measured = [row for row in rows if not row.get("symptom")]
    fevers = [row for row in rows if row.get("symptom")]
    drawn = Panel("fever", TITLE, "°C", height=56)
    series = [("Temperature", measured, style.BLUE, "circle"), (FEVER, fevers, style.VERMILION, "triangle-up")]
    drawn = results.results_panel(
        drawn, [one for one in series if one[1]], view, floor=FLOOR, top=TOP, gap_days=GAP_DAYS
    )
    if drawn.empty:
        held = len(view.held.get("temperature", []))
        none = "no temperature measured, no fever recorded"
        drawn.empty = f"{none}; {held} held, see below" if held else none
    drawn.traces = [trace for trace in drawn.traces if not (trace["name"] == FEVER and trace["mode"] == "lines")]
    return drawn


def _result(event: dict) -> dict:
    """A fever event as a result in degrees Celsius; without a number, as a word."""
    number = event["number"]
    return {
        "record_id": event["record_id"],
        "symptom": True,
        "analyte": "fever",
        "at": event["on_date"].isoformat(),
        "value": number,
        "low": number,
        "low_open": False,
        "high": number,
        "high_open": False,
        "coded": None if number is not None else "fever",
        "unit": "Cel",
        "unit_assumed": False,
        "original_value": event["value"] or "fever",
        "original_unit": "°C" if number is not None else None,
        "ref_low": None,
        "ref_high": None,
        "assay": None,
        "laboratory": None,
        "activity": None,
        "remark": "; ".join(
            part for part in (event["text"], "date assumed" if event["date_assumed"] else None) if part
        ),
        "status": "final",
        "partial": None,
        "file": event["file"],
        "line": event["line"],
    }
