"""What has been decided for a patient's transplantation and is still to be done, by whom and until when."""

from collections.abc import Iterable
from datetime import date

import duckdb

from pipelines import entries

TOPIC = "transplant"
SETTLED = ("done", "dropped")


def open_actions(
    cursor: duckdb.DuckDBPyConnection, as_of: date, patients: Iterable[str] | None = None
) -> dict[str, list[dict]]:
    """By patient the decisions on transplantation made by a day that are neither done nor dropped by it, the earliest due first (those
    without a due day last): patient_id, entry_id, text, why, owner, day, due_on, until (the day it is checked), overdue_days (None: not
    overdue), author, entered_at, entry.
    """
    told = [
        row
        for row in entries.standing(cursor, ["decision", "progress"], patients)
        if row["day"] is None or row["day"] <= as_of
    ]
    latest: dict[str, str] = {}
    for row in sorted((row for row in told if row["kind"] == "progress"), key=lambda row: row["day"]):
        latest[row["about"]] = row["code"]
    found: dict[str, list[dict]] = {}
    for row in told:
        if row["kind"] == "decision" and row["topic"] == TOPIC and latest.get(row["entry_id"]) not in SETTLED:
            found.setdefault(row["patient_id"], []).append(_action(row, as_of))
    return {
        patient_id: sorted(actions, key=lambda one: (one["due_on"] is None, one["due_on"] or one["day"], one["day"]))
        for patient_id, actions in found.items()
    }


def _action(row: dict, as_of: date) -> dict:
    names = ("patient_id", "entry_id", "text", "why", "owner", "day", "due_on", "until", "author", "entered_at")
    overdue = (as_of - row["due_on"]).days if row["due_on"] else 0
    return {name: row[name] for name in names} | {"overdue_days": overdue if overdue > 0 else None, "entry": row}
