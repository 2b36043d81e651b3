"""Where a decision stands on a day, the one reading of it: the worklist, the changes since a meeting, the board and the calendar ask here.

Of the entries that say what became of a decision the newest by the moment it was entered counts, whatever day it is of. 'done' ends the
due day and not the check day, 'dropped' ends both, 'not_done' opens the due day again. A decision is due from its due day on, and overdue
from the day after. From its check day on it is to be checked until it is dropped, or somebody has looked at the patient on that day or
later: a meeting that saw the patient, or a review. Entries of a later day than the one asked about have not happened.
"""

from collections.abc import Iterable
from datetime import date

import duckdb

from pipelines import entries

# One row per decision that stands: $day, $moment, $patients (NULL: all). `checking`: its check day, come or not, is not settled.
STATES = f"""
    WITH said AS (
        SELECT * FROM ({entries.NUMBERED} WHERE newest AND NOT withdrawn AND kind IN ('decision', 'progress', 'agenda', 'review')
            AND (day IS NULL OR day <= $day) AND ($patients IS NULL OR patient_id IN (SELECT unnest($patients))))),
    latest AS (
        SELECT about, entry_id AS progress_id, code FROM said WHERE kind = 'progress' AND about IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY about ORDER BY entered_at DESC, receipt DESC, line DESC) = 1),
    looked AS (
        SELECT patient_id, max(day) AS looked_on FROM said WHERE kind = 'review' OR (kind = 'agenda' AND code = 'seen')
        GROUP BY patient_id),
    decided AS (
        SELECT said.patient_id, said.entry_id, said.text, said.due_on, said.until, progress_id,
            coalesce(latest.code NOT IN ('done', 'dropped'), TRUE) AS open,
            said.until IS NOT NULL AND coalesce(latest.code <> 'dropped', TRUE) AND coalesce(looked_on < said.until, TRUE) AS checking
        FROM said LEFT JOIN latest ON latest.about = said.entry_id LEFT JOIN looked USING (patient_id)
        WHERE said.kind = 'decision')
    SELECT *, open AND coalesce(due_on <= $day, FALSE) AS to_do, checking AND until <= $day AS to_check,
        CASE WHEN open AND due_on < $day THEN date_diff('day', due_on, CAST($day AS DATE)) END AS overdue_days
    FROM decided"""


def decisions(cursor: duckdb.DuckDBPyConnection, as_of: date, patients: Iterable[str] | None = None) -> list[dict]:
    """The decisions that stand on a day, oldest first: the entry (`entries.standing`) with `progress`, the entry that says what became of
    it (or None), open (neither done nor dropped), to_do (open, and the due day has come), overdue_days (None: it is not over), checking
    (it has a check day that is not settled) and to_check (and that day has come)."""
    asked = None if patients is None else list(patients)
    found = cursor.execute(
        f"SELECT entry_id, progress_id, open, to_do, overdue_days, checking, to_check FROM ({STATES})",
        {"day": as_of, "moment": None, "patients": asked},
    ).fetchall()
    names = ("open", "to_do", "overdue_days", "checking", "to_check")
    states = {row[0]: {"progress": row[1]} | dict(zip(names, row[2:], strict=True)) for row in found}
    stand = (
        {row["entry_id"]: row for row in entries.standing(cursor, ("decision", "progress"), asked)} if states else {}
    )
    return [
        row | states[entry_id] | {"progress": stand.get(states[entry_id]["progress"])}
        for entry_id, row in stand.items()
        if entry_id in states
    ]
