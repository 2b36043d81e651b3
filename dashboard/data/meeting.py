"""What the meeting asks: when the last one was, what changed since, and whether decisions did what was expected of them.

What costs seconds to judge is kept until records or rules change; what was entered is read anew from every snapshot.
"""

from dataclasses import replace
from datetime import date

import streamlit as st

from dashboard.data.snapshot import ask, provenance, reader, store_folder
from pipelines import changes, effects, entries, meetings
from pipelines.changes import Changes as Changes
from pipelines.changes import Since as Since
from pipelines.effects import Effect as Effect


def last_meeting(as_of: date) -> Since | None:
    """The latest recorded meeting before a day (`meetings.last_meeting`). None: none is recorded. Raises StoreEmpty."""
    return ask(meetings.last_meeting, as_of)


def meeting_of(day: date) -> Since:
    """The meeting of a day, recorded or taken to be on it (`meetings.meeting_of`). Raises StoreEmpty."""
    return ask(meetings.meeting_of, day)


def changes_of(patients: tuple[str, ...], since: Since, as_of: date) -> dict[str, Changes]:
    """What changed of each of some patients (`changes.changes`). Raises StoreEmpty, and ValueError for a day before the meeting's."""
    found = _changes(str(store_folder()), provenance().records, patients, since, as_of)
    undone = ask(_undone, patients, since, as_of)
    return {
        patient_id: replace(one, undone=[row for row in undone if row["patient_id"] == patient_id])
        for patient_id, one in found.items()
    }


def cohort_changes(since: Since, as_of: date) -> dict:
    """What changed in the whole store (`changes.cohort_changes`). Raises StoreEmpty, and ValueError for a day before the meeting's."""
    found = _cohort_changes(str(store_folder()), provenance().records, since, as_of)
    return found | {"undone": ask(_undone, None, since, as_of)}


def effects_of(patients: tuple[str, ...], as_of: date) -> dict[str, Effect]:
    """Of the standing decisions of some patients of which an effect is expected: whether it came (`effects.judged`), by entry_id."""
    decisions = [row for row in ask(entries.standing, ("decision",), patients) if row["day"] <= as_of]
    versions = tuple((row["entry_id"], row["version"]) for row in decisions)
    return _effects(str(store_folder()), provenance().records, versions, decisions, as_of)


def _undone(cursor, patients: tuple[str, ...] | None, since: Since, as_of: date) -> list[dict]:
    return changes.undone(cursor, since, as_of, None if patients is None else list(patients))


@st.cache_data(show_spinner="Comparing with what had been received then", max_entries=64)
def _changes(folder: str, records: str, patients: tuple[str, ...], since: Since, as_of: date) -> dict[str, Changes]:
    with reader(folder).cursor() as cursor:
        return changes.changes(cursor, list(patients), since, as_of)


@st.cache_data(show_spinner="Comparing with what had been received then", max_entries=8)
def _cohort_changes(folder: str, records: str, since: Since, as_of: date) -> dict:
    with reader(folder).cursor() as cursor:
        return changes.cohort_changes(cursor, since, as_of)


@st.cache_data(show_spinner="Judging what was expected", max_entries=32)
def _effects(folder: str, records: str, versions: tuple, _decisions: list[dict], as_of: date) -> dict[str, Effect]:
    with reader(folder).cursor() as cursor:
        return effects.judged(cursor, _decisions, as_of)
