"""Systemic glucocorticoid in prednisone equivalent: the area is what was given each day."""

from datetime import date, timedelta

from dashboard import style
from dashboard.charts import marks, results
from dashboard.charts.labels import STEPPED, labels
from dashboard.charts.panel import Panel, View

PLACE = 70
TITLE = "Prednisone eq."


def rows(page: dict) -> list[dict]:
    """The intervals of concept prednisone_equivalent, in order."""
    return sorted(page["prednisone_equivalent"], key=lambda row: row["from_date"])


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("glucocorticoid", TITLE, "mg/day", height=76)
    drawn.table = [_told(row) for row in rows]
    shown = [(row, span) for row in rows if (span := _span(row, view))]
    if not shown:
        drawn.empty, drawn.height = "no systemic glucocorticoid recorded", 24
        return drawn
    highest = max(row["mg_per_day"] for row, _ in shown)
    drawn.axis = results.axis([highest], drawn, view, floor=0, top=None)
    drawn.axis["range"] = [0, highest * 1.3 or 1]
    xs, ys, points, before = [], [], [], None
    for row, (start, end) in shown:
        if before and before < start:
            xs += [before.isoformat(), None]
            ys += [0, None]
        if before != start:
            xs.append(start.isoformat())
            ys.append(0)
        xs += [start.isoformat(), end.isoformat()]
        ys += [row["mg_per_day"], row["mg_per_day"]]
        label = style.number(row["mg_per_day"]) + ("+?" if row["dose_unknown"] else "")
        points.append({"x": start.isoformat(), "y": row["mg_per_day"], "label": label, "text": hover(row)})
        before = end
    xs.append(before.isoformat())
    ys.append(0)
    drawn.traces.append(
        {"type": "scatter", "mode": "lines", "name": TITLE, "x": xs, "y": ys, "fill": "tozeroy", "hoverinfo": "skip", "connectgaps": False,
         "fillcolor": style.faded(style.ORANGE, 0.35), "line": {"color": "#8A5F00", "width": 1.6}}
    )  # fmt: skip
    drawn.traces.append(marks.point(points, TITLE, "#8A5F00", "circle", size=5))
    drawn.traces.append(labels(view, points, results.pixels(drawn), drawn.height, STEPPED))
    drawn.points = [(frozenset(row["evidence"]), start.isoformat(), row["mg_per_day"]) for row, (start, _) in shown]
    return drawn


def _span(row: dict, view: View) -> tuple[date, date] | None:
    return marks.overlapping(row["from_date"], row["to_date"], view)


def _told(row: dict) -> dict:
    """A row of the table twin."""
    least = "at least " if row["dose_unknown"] else ""
    until = f"until {style.day(row['to_date'] - timedelta(days=1))}" if row["to_date"] else "no stop recorded"
    unread = ["a further dose could not be read"] if row["dose_unknown"] else []
    return {
        "date": row["from_date"].isoformat(),
        "until": row["to_date"].isoformat() if row["to_date"] else None,
        "what": "prednisone equivalent",
        "value": least + style.number(row["mg_per_day"]),
        "unit": "mg/day",
        "remark": ", ".join([until, *unread, *row["notes"]]),
        "source": None,
    }


def hover(row: dict) -> str:
    """The dose with its days; an unread dose and an unknown end are said."""
    until = f"to {style.day(row['to_date'] - timedelta(days=1))}" if row["to_date"] else "no stop recorded"
    parts = [
        f"Prednisone equivalent {style.number(row['mg_per_day'])} mg/day",
        f"from {style.day(row['from_date'])} {until}",
    ]
    parts += ["a further dose could not be read"] if row["dose_unknown"] else []
    return style.as_label(" · ".join(parts + list(row["notes"])))
