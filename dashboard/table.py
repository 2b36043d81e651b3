"""The table twin of the chart: what the panels draw as text, on screen and as CSV."""

import csv
import io
from collections.abc import Iterable

from dashboard import style
from dashboard.charts.panel import Panel, View

COLUMNS = ("date", "what", "value", "unit", "remark", "source")


def twin(panels: Iterable[Panel], view: View) -> list[dict]:
    """What panels draw inside the window and up to the as-of day, newest first: panel, date, what, value, unit, remark, source; all text.

    What lasts is in the window where any of its days is. Rows without a date (held, and no day can be read) stand at the end.
    """
    rows = [
        {"panel": panel.title} | {name: row[name] or "" for name in COLUMNS}
        for panel in panels
        for row in panel.table
        if _shown(row, view)
    ]
    return sorted(rows, key=lambda row: row["date"], reverse=True)


def _shown(row: dict, view: View) -> bool:
    if row["date"] is None:
        return True
    start, day = view.start.isoformat(), row["date"][:10]
    last = min(view.end, view.as_of).isoformat()
    if "until" not in row:
        return start <= day <= last
    return day <= last and (row["until"] is None or row["until"] > start)


def as_csv(rows: list[dict]) -> bytes:
    """Rows as CSV that a spreadsheet opens without running anything in it. UTF-8 with a mark, which spreadsheets look for."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({name: style.as_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")
