"""Systemic glucocorticoid in prednisone equivalent: the area is what was given each day, as far as that is known; a dose with no stop
recorded goes on as a dashed line after the day it was last confirmed."""

from collections.abc import Iterable
from datetime import date, timedelta

from dashboard import style
from dashboard.charts import marks, results, treatment
from dashboard.charts.labels import STEPPED, labels
from dashboard.charts.panel import Panel, View

PLACE = 70
TITLE = "Prednisone eq."
EDGE = "#8A5F00"
Piece = tuple[date, date, float]  # from, to, mg/day


def rows(page: dict) -> list[dict]:
    """The intervals of concept prednisone_equivalent in order, each with its `source` and with `sure_until`: the first day on which it
    rests on a drug with no stop recorded that was not confirmed since; None: on no day of it."""
    records = {row["record_id"]: row for row in page.get("administration", [])}
    open_since = _unconfirmed(page["treatment_course"])
    found = []
    for row in sorted(page["prednisone_equivalent"], key=lambda row: row["from_date"]):
        days = [open_since[one] for one in row["evidence"] if one in open_since]
        if row["to_date"] is None and not days:
            days = [row["from_date"] + timedelta(days=1)]  # its own record is all that is known
        day = max(row["from_date"], min(days)) if days else row["to_date"]
        ended = row["to_date"] is not None and day is not None and day >= row["to_date"]
        source = treatment.source([records[one] for one in row["evidence"] if one in records])
        found.append(
            row
            | {"sure_until": None if ended else day, "confirmed_on": min(days) - timedelta(days=1) if days else None}
            | {"source": source}
        )
    return found


def _unconfirmed(courses: Iterable[dict]) -> dict[str, date]:
    """By record the day after the last on which a glucocorticoid with no stop recorded is known to have been given."""
    found: dict[str, date] = {}
    for row in courses:
        if row["drug_class"] == "glucocorticoid" and row["action"] == "given" and row["to_date"] is None:
            day = max(row["from_date"], row["last_confirmed"] or row["from_date"]) + timedelta(days=1)
            found |= {one: max(day, found.get(one, day)) for one in row["evidence"]}
    return found


def panel(rows: list[dict], view: View) -> Panel:
    drawn = Panel("glucocorticoid", TITLE, "mg/day", height=76)
    drawn.table = [_told(row) for row in rows]
    shown = [(row, span) for row in rows if (span := marks.overlapping(row["from_date"], row["to_date"], view))]
    if not shown:
        drawn.empty, drawn.height = "no systemic glucocorticoid recorded", 24
        return drawn
    highest = max(row["mg_per_day"] for row, _ in shown)
    drawn.axis = results.axis([highest], drawn, view, floor=0, top=None)
    drawn.axis["range"] = [0, highest * 1.3 or 1]
    drawn.traces += _drawn(rows, view)
    points = [
        {"x": start.isoformat(), "y": row["mg_per_day"], "text": hover(row),
         "label": style.number(row["mg_per_day"]) + ("+?" if row["dose_unknown"] else "")}
        for row, (start, _) in shown
    ]  # fmt: skip
    drawn.traces.append(marks.point(points, TITLE, EDGE, "circle", size=5))
    drawn.traces.append(labels(view, points, results.pixels(drawn), drawn.height, STEPPED))
    drawn.points = [(frozenset(row["evidence"]), start.isoformat(), row["mg_per_day"]) for row, (start, _) in shown]
    return drawn


def _drawn(rows: list[dict], view: View) -> list[dict]:
    """The area of what is known, its upper edge, and the dashed line of what may go on."""
    sure = _inside(((row["from_date"], _until(row), row["mg_per_day"]) for row in rows), view)
    unsure = _inside(
        ((row["sure_until"], row["to_date"], row["mg_per_day"]) for row in rows if row["sure_until"]), view
    )
    starts = {row["from_date"] for row in rows}
    stops = {row["to_date"] for row in rows if row["to_date"]}
    shared = {"type": "scatter", "mode": "lines", "name": TITLE, "hoverinfo": "skip", "connectgaps": False}
    area = {"fill": "tozeroy", "fillcolor": style.faded(style.ORANGE, 0.35), "line": {"width": 0}}
    edge, open_edge = {"line": {"color": EDGE, "width": 1.6}}, {"line": {"color": EDGE, "width": 1.6, "dash": "dot"}}
    return [
        shared | look | {"x": [x for x, _ in corners], "y": [y for _, y in corners]}
        for look, corners in (
            (area, _corners(sure, None, None)),
            (edge, _corners(sure, starts, stops)),
            (open_edge, _corners(unsure, set(), stops)),
        )
        if corners
    ]


def _until(row: dict) -> date | None:
    return row["sure_until"] or row["to_date"]


def _inside(pieces: Iterable[tuple[date, date | None, float]], view: View) -> list[Piece]:
    """What of the pieces lies inside the window."""
    spans = ((marks.overlapping(start, end, view), mg) for start, end, mg in pieces if end is None or start < end)
    return [(*span, mg) for span, mg in spans if span]


def _corners(pieces: list[Piece], starts: set[date] | None, stops: set[date] | None) -> list[tuple[str | None, float]]:
    """The corners of a step through pieces. Where no other piece touches it, it rises from 0 on the days of `starts` and falls to 0 on
    those of `stops` alone (None: on every day): an edge of the window is neither."""
    found: list[tuple[str | None, float | None]] = []
    before: date | None = None
    for start, end, mg in [*pieces, (None, None, 0)]:
        if before != start:
            if before and (stops is None or before in stops):
                found.append((before.isoformat(), 0))
            if before and start:
                found.append((None, None))
            if start and (starts is None or start in starts):
                found.append((start.isoformat(), 0))
        if start:
            found += [(start.isoformat(), mg), (end.isoformat(), mg)]
        before = end
    return found


def _told(row: dict) -> dict:
    """A row of the table twin."""
    least = "at least " if row["dose_unknown"] else ""
    unread = ["a further dose could not be read"] if row["dose_unknown"] else []
    until = f"until {style.day(row['to_date'] - timedelta(days=1))}" if row["to_date"] else ""
    remark = [*unread, *row["notes"]]
    return {
        "date": row["from_date"].isoformat(),
        "until": row["to_date"].isoformat() if row["to_date"] else None,
        "what": "prednisone equivalent",
        "value": least + style.number(row["mg_per_day"]),
        "unit": "mg/day",
        "ends": ", ".join(part for part in (until, _open(row)) if part),
        "ends_known": max(row["from_date"], *_days_of_end(row)).isoformat(),
        "remark": ", ".join(part for part in remark if part),
        "source": row["source"] or None,
    }


def _days_of_end(row: dict) -> list[date]:
    """The days named in what is said of its end."""
    last = [row["to_date"] - timedelta(days=1)] if row["to_date"] else []
    return [*last, *([row["confirmed_on"]] if row["confirmed_on"] else []), row["from_date"]]


def _open(row: dict) -> str:
    """What is in doubt of a dose with no stop recorded."""
    if row["sure_until"] is None:
        return ""
    confirmed = f"last confirmed {style.day(row['confirmed_on'])}"
    return (
        f"ongoing, no stop recorded, {confirmed}" if row["to_date"] is None else f"not every stop recorded, {confirmed}"
    )


def hover(row: dict) -> str:
    """The dose with its days and source; an unread dose and what has no stop recorded are said."""
    until = f" to {style.day(row['to_date'] - timedelta(days=1))}" if row["to_date"] else ""
    parts = [
        f"Prednisone equivalent {style.number(row['mg_per_day'])} mg/day",
        f"from {style.day(row['from_date'])}{until}",
        _open(row),
        "a further dose could not be read" if row["dose_unknown"] else "",
        *row["notes"],
        row["source"],
    ]
    return style.as_label(" · ".join(part for part in parts if part))
