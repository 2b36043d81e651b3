"""The table twin of the chart: what the panels draw as text, on screen and as CSV."""

import csv
import io
from collections.abc import Iterable
from datetime import date

from dashboard import relative_days, style
from dashboard.charts.panel import Panel, View

COLUMNS = ("date", "what", "value", "unit", "remark", "source")


def twin(panels: Iterable[Panel], view: View, zoomed: tuple[date, date] | None = None) -> list[dict]:
    """What panels show inside the window, or on those of its days zoomed to, and up to the as-of day, newest first: panel, date, what,
    value, unit, remark, source; all text.

    What lasts is in the window where any of its days is; how it `ends` is told where that was known on the
    as-of day. Rows without a date (held, and no day can be read) stand at the end.
    """
    first, last = view.start.isoformat(), min(view.end, view.as_of).isoformat()
    if zoomed:
        first, last = max(first, zoomed[0].isoformat()), min(last, zoomed[1].isoformat())
    rows = [
        {"panel": panel.title} | {name: row[name] or "" for name in COLUMNS} | _ending(row, view)
        for panel in panels
        for row in panel.table
        if _shown(row, first, last)
    ]
    ordered = sorted(rows, key=lambda row: row["date"], reverse=True)
    return [row | {"date": relative_days.cell(row["date"])} for row in ordered]


def _ending(row: dict, view: View) -> dict[str, str]:
    """The remark with how it ends: a day known on the as-of day, or that there was none by then."""
    if not row.get("ends"):
        return {}
    known = row["ends_known"] <= view.as_of.isoformat()
    told = row["ends"] if known else f"no end recorded up to {style.day(view.as_of)}"
    return {"remark": ", ".join(part for part in (row["remark"], told) if part)}


def _shown(row: dict, first: str, last: str) -> bool:
    if row["date"] is None:
        return True
    day = row["date"][:10]
    if "until" not in row:
        return first <= day <= last
    return day <= last and (row["until"] is None or row["until"] > first)


def as_csv(rows: list[dict]) -> bytes:
    """Rows as CSV that a spreadsheet opens without running anything in it. UTF-8 with a mark, which spreadsheets look for."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({name: style.as_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")
