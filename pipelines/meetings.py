"""When the meetings were, from what was entered of them: a meeting is the day of its agenda entries, held where somebody was seen."""

from datetime import date, datetime, time

import duckdb

from pipelines import entries
from pipelines.changed_records import Since


def last_meeting(cursor: duckdb.DuckDBPyConnection, as_of: date) -> Since | None:
    """The latest meeting before a day at which a patient was seen, with the moment at which the last of that was received. None: no such
    meeting is recorded."""
    return max(_held(cursor, as_of), key=lambda meeting: meeting.as_of, default=None)


def meeting_of(cursor: duckdb.DuckDBPyConnection, day: date) -> Since:
    """The meeting of a day; where none is recorded on it, the end of that day is taken for its moment, or no moment at all where this store
    had received nothing by then: so it is with records of the past that were loaded together."""
    recorded = [meeting for meeting in _held(cursor, date.max) if meeting.as_of == day]
    if recorded:
        return recorded[0]
    first = cursor.execute("SELECT min(received_at) FROM source.file WHERE format <> 'csv/entries'").fetchone()[0]
    moment = datetime.combine(day, time.max)
    return Since(moment if first is not None and first <= moment else None, day)


def _held(cursor: duckdb.DuckDBPyConnection, before: date) -> list[Since]:
    received: dict[date, datetime] = {}
    for row in entries.standing(cursor, ("agenda",)):
        if row["code"] == "seen" and row["day"] < before:
            received[row["day"]] = max(row["received_at"], received.get(row["day"], datetime.min))
    return [Since(moment, day) for day, moment in received.items()]
