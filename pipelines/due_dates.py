"""Due dates as a calendar file: when work-up items expire, when decisions on transplantation are due, and when they are checked.

The same entries give the same bytes: a date's identity is that of its entry, its time that of the entry. Nothing of a patient is named
but the id and the action, and without the id where that is asked for.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, date

import duckdb
from icalendar import Calendar, Event

from pipelines import dictionary, entries
from pipelines.transplant_actions import about_transplantation
from pipelines.transplant_workup import counts_as_done, expiry

PRODUCT = "-//mda5-monitor//due dates//EN"
WORDS = {"expires": "expires", "due": "due", "check": "to be checked"}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def due_dates(cursor: duckdb.DuckDBPyConnection, as_of: date, patients: Iterable[str] | None = None) -> list[dict]:
    """What falls due, by day: patient_id, day, what ('expires': the last day a work-up item holds, 'due' and 'check' of a
    decision, each until it is settled: decision_state.py), action, entry_id, entered_at. Days that have passed stay until then.
    """
    asked = None if patients is None else list(patients)
    rows = [
        _due(decision, what, day, decision["text"])
        for decision in about_transplantation(cursor, as_of, asked)
        for what, day, stands in (
            ("due", decision["due_on"], decision["open"]),
            ("check", decision["until"], decision["checking"]),
        )
        if day and stands
    ] + [
        _due(entry, "expires", expiry(entry), dictionary.workup()[entry["item"]]["title"])
        for entry in _holding(entries.standing(cursor, ["workup"], asked), as_of)
    ]
    return sorted(rows, key=lambda row: (row["day"], row["patient_id"], row["what"], row["entry_id"]))


def _holding(entered: list[dict], as_of: date) -> list[dict]:
    """Of each patient's items the one that was done last, unless the item was said not to be needed after it."""
    last: dict[tuple[str, str], dict] = {}
    for entry in entered:
        key = (entry["patient_id"], entry["item"])
        if entry["code"] == "not_needed":
            last.pop(key, None)
        elif counts_as_done(entry, as_of) and entry["item"] in dictionary.workup():
            before = last.get(key)
            last[key] = entry if before is None or entry["day"] >= before["day"] else before
    return list(last.values())


def _due(entry: dict, what: str, day: date, action: str) -> dict:
    told = {name: entry[name] for name in ("patient_id", "entry_id", "entered_at")}
    return told | {"what": what, "day": day, "action": action}


def calendar(rows: Iterable[dict], with_patient_ids: bool = True) -> bytes:
    """The rows of `due_dates` as an iCalendar file, one all-day event each. Without ids a patient's own id is left out of the action
    too."""
    told = Calendar()
    told.add("prodid", PRODUCT)
    told.add("version", "2.0")
    for row in rows:
        event = Event()
        event.add("uid", identity(row["entry_id"], row["what"]))
        # Entries say the local time without a zone; it is written as it was said, so that no machine's zone changes the file.
        event.add("dtstamp", row["entered_at"].replace(microsecond=0, tzinfo=UTC))
        event.add("dtstart", row["day"])
        event.add("summary", summary(row, with_patient_ids))
        event.add("transp", "TRANSPARENT")
        told.add_component(event)
    return told.to_ical()


def summary(row: dict, with_patient_ids: bool = True) -> str:
    """What the calendar shows: '<id>: <action> (due)', in one line of plain text."""
    said = f"{one_line(row['action'])} ({WORDS[row['what']]})"
    if with_patient_ids:
        return f"{one_line(row['patient_id'])}: {said}"
    return re.sub(re.escape(one_line(row["patient_id"])), "the patient", said, flags=re.IGNORECASE)


def one_line(text: str) -> str:
    """Text without control characters, in one line. A backslash is written as a slash: icalendar 6.3 reads and writes one before n or N as
    the end of a line."""
    return " ".join(CONTROL.sub(" ", text).replace("\\", "/").split())


def identity(entry_id: str, what: str) -> str:
    """The identity of a date in calendars: the same for every version of an entry, and no text of anybody's."""
    return f"{hashlib.sha256(f'{what} {entry_id}'.encode()).hexdigest()[:32]}@mda5-monitor"
