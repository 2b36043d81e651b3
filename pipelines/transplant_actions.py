"""What has been decided for a patient's transplantation and is still to be done, by whom and until when."""

from collections.abc import Iterable
from datetime import date

import duckdb

from pipelines import decision_state, entries

TOPIC = "transplant"


def open_actions(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: Iterable[str] | None = None
) -> dict[str, list[dict]]:
    """By patient the decisions on transplantation made by a day that are open (decision_state.py), the earliest due first (those
    without a due day last): patient_id, entry_id, text, why, owner, day, due_on, until (the day it is checked), overdue_days (None: not
    overdue), author, entered_at, entry.
    """
    found: dict[str, list[dict]] = {}
    for row in about_transplantation(cursor, as_of, patients):
        if row["open"]:
            found.setdefault(row["patient_id"], []).append(_action(row))
    return {
        patient_id: sorted(actions, key=lambda one: (one["due_on"] is None, one["due_on"] or one["day"], one["day"]))
        for patient_id, actions in found.items()
    }


def about_transplantation(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: Iterable[str] | None = None
) -> list[dict]:
    """The decisions on transplantation that stand on a day, as `decision_state.decisions` tells them."""
    return [row for row in decision_state.decisions(cursor, as_of, patients) if row["topic"] == TOPIC]


def _action(row: dict) -> dict:
    names = (
        "patient_id",
        "entry_id",
        "text",
        "why",
        "owner",
        "day",
        "due_on",
        "until",
        "author",
        "entered_at",
        "overdue_days",
    )
    entry = {name: row[name] for name in entries.COLUMNS}
    return {name: row[name] for name in names} | {"entry": entry}
