"""Results that a person must settle: at the foot of their panel on their day, below the scale, because no unit is known."""

import re
from datetime import date

from dashboard import held, style
from dashboard.charts.panel import View

REASONS = {
    "unit_missing": "unit not printed",
    "unit_contradicts_range": "unit and reference range contradict",
    "value_slip": "far off the patient's own values",
    "decimal_ambiguous": "decimal mark not settled",
    "numeric_unreadable": "no number",
    "specimen_not_blood": "specimen is not blood",
}
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}\S*)?")


def of(analytes: tuple[str, ...], view: View) -> list[dict]:
    """The held rows of some analytes (queries.HELD) with `day` (None where no day can be read) and `said`, what is printed and why it
    is held; those with a day first, in order of it."""
    rows = [row for analyte in analytes for row in view.held.get(analyte, ())]
    found = [row | {"day": day_of(row), "said": said(row)} for row in rows]
    return sorted(found, key=lambda row: (row["day"] is None, row["day"] or date.min))


def day_of(row: dict) -> date | None:
    """The day in the row's column of dates where it has one, else the one day that any cell names; no other form of date is guessed."""
    printed = row.get("date as printed")
    named = {found for cell in ([printed] if printed else held.cells(row["row as received"])) if (found := _day(cell))}
    return named.pop() if len(named) == 1 else None


def _day(cell: str) -> date | None:
    found = _DAY.fullmatch(cell.strip())
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def said(row: dict) -> str:
    """'held: 18, unit not printed'."""
    value = row.get("value as printed")
    return f"held: {value}, {reason(row)}" if value else f"held: {reason(row)}"


def reason(row: dict) -> str:
    if row["reason"] == "unit_unknown" and row["found"]:
        return f"unit {row['found']} not known"
    return REASONS.get(row["reason"]) or style.words(row["reason"])


def listed(row: dict) -> dict:
    """A held row in a list that shows nothing of the row as received."""
    day = day_of(row)
    return {
        "day": style.day(day) if day else None,
        "result": style.words(row["analyte"]),
        "value as printed": row.get("value as printed"),
        "held because": reason(row),
    }


def mark(row: dict, y: float) -> dict:
    value = row.get("value as printed")
    return {
        "x": row["day"].isoformat(),
        "y": y,
        "label": row["said"],
        "short": f"held: {value}" if value else "held",
        "text": style.as_label(f"{row['said']} · {row['source']}"),
        "symbol": "square",
        "hollow": True,
    }


def table_row(row: dict, what: str) -> dict:
    """A row of the table twin."""
    undated = [] if row["day"] else ["no day that can be read: not drawn"]
    return {
        "date": row["day"].isoformat() if row["day"] else None,
        "what": what,
        "value": row.get("value as printed"),
        "unit": None,
        "remark": "; ".join([f"held, on no scale: {reason(row)}", *undated]),
        "source": row["source"],
    }
