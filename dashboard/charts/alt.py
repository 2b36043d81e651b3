"""The chart in words, for those who do not see it: a sentence for each panel."""

from dashboard import style
from dashboard.charts.panel import Panel, View

LONGEST = 3_000  # letters; the table twin holds the rest


def sentence(drawn: list[Panel], view: View) -> str:
    """From when to when, as of which day, and of every panel how much it shows and the last of it up to that day."""
    window = f"One time axis from {style.day(view.start)} to {style.day(view.end)}, as of {style.day(view.as_of)}."
    said = [f"{panel.title}: {_words(panel, view)}." for panel in drawn]
    return " ".join([window, *said, "The table below holds the same rows."])[:LONGEST]


def _words(panel: Panel, view: View) -> str:
    if panel.empty:
        return panel.empty
    rows = [row for row in panel.table if str(row["date"])[:10] <= view.as_of.isoformat()]
    if not rows:
        return "nothing up to this day"
    last = max(rows, key=lambda row: str(row["date"]))
    told = " ".join(str(last[name]) for name in ("what", "value", "unit") if last[name])
    return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}, the last {told}, {style.day(str(last['date']))}"
