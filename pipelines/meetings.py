"""When the meetings were, from what was entered of them: a meeting is the day of its agenda entries, held where somebody was seen."""

from datetime import date, datetime, time

import duckdb

from pipelines import entries
from pipelines.changed_records import Since


def last_meeting(cursor: duckdb.DuckDBPyConnection, as_of: date) -> Since | None:
    """The latest meeting before a day at which a patient was seen, with its moment. None: no such meeting is recorded."""
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
    """The meetings before a day. The moment of one is when the store first received that anybody of its day was seen, whatever was said
    of that or of others later: what came in since then may not have been seen, and is shown rather than hidden."""
    days = {
        row["day"] for row in entries.standing(cursor, ("agenda",)) if row["code"] == "seen" and row["day"] < before
    }
    first = dict(cursor.execute(FIRST_SEEN).fetchall())
    return [Since(first[day], day) for day in days]


# By day of a meeting; of an entry that was moved to that day, what it said before counts too.
FIRST_SEEN = """
    WITH seen AS (
        SELECT entry_id, day, min(received_at) OVER (PARTITION BY entry_id) AS first_received
        FROM record.entry JOIN source.file USING (file_id)
        WHERE kind = 'agenda' AND code = 'seen' AND NOT withdrawn)
    SELECT day, min(first_received) FROM seen GROUP BY day"""
