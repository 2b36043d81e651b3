"""What the meeting asks: when the last one was, what changed since, and whether decisions did what was expected of them.

What costs seconds to judge is kept until records or rules change; what was entered is read anew from every snapshot.

A meeting is of a calendar day, and so of another day of each patient while days count from their first records (deidentify.py). Then a
day that is asked about is that of the patient `of`, or the calendar day, which is kept here and on no screen.
"""

from dataclasses import replace
from datetime import date

import streamlit as st

from dashboard import deidentify
from dashboard.data import deidentified
from dashboard.data.snapshot import as_stored, ask, provenance, reader, store_folder
from pipelines import changes, decision_state, effects, entries, meetings
from pipelines.changes import Changes as Changes
from pipelines.changes import Since as Since
from pipelines.effects import Effect as Effect


def agendas() -> list[dict]:
    """The entries of every agenda (`entries.standing`) with their calendar days: to be matched with the day of a meeting, never shown."""
    return as_stored(entries.standing, ("agenda",))


def last_meeting(as_of: date, of: str | None = None) -> Since | None:
    """The latest recorded meeting before a day (`meetings.last_meeting`). None: none is recorded. Raises StoreEmpty."""
    found = as_stored(meetings.last_meeting, _real(as_of, of))
    return found and replace(found, as_of=_shown(found.as_of, of))


def meeting_of(day: date, of: str | None = None) -> Since:
    """The meeting of a day, recorded or taken to be on it (`meetings.meeting_of`). Raises StoreEmpty."""
    found = as_stored(meetings.meeting_of, _real(day, of))
    return replace(found, as_of=_shown(found.as_of, of))


def changes_of(patients: tuple[str, ...], since: Since, as_of: date, of: str | None = None) -> dict[str, Changes]:
    """What changed of each of some patients (`changes.changes`). Raises StoreEmpty, and ValueError for a day before the meeting's."""
    ids = tuple(deidentified.whose(one).patient_id for one in patients)
    since, as_of = replace(since, as_of=_real(since.as_of, of)), _real(as_of, of)
    found = _changes(str(store_folder()), provenance().records, ids, since, as_of)
    undone = as_stored(_undone, ids, since, as_of)
    told = {
        patient_id: replace(one, undone=[row for row in undone if row["patient_id"] == patient_id])
        for patient_id, one in found.items()
    }
    return deidentified.rows(told)


def cohort_changes(since: Since, as_of: date) -> dict:
    """What changed in the whole store (`changes.cohort_changes`). Raises StoreEmpty, and ValueError for a day before the meeting's."""
    found = _cohort_changes(str(store_folder()), provenance().records, since, as_of)
    found = deidentified.rows(found)
    return found | {"undone": ask(_undone, None, since, as_of)}


def decisions_of(patient_id: str, as_of: date) -> list[dict]:
    """The decisions on a patient made by a day, and how each stands on it (`decision_state.decisions`), newest first."""
    who = deidentified.whose(patient_id)
    found = as_stored(decision_state.decisions, who.real(as_of), (who.patient_id,))
    return list(reversed(deidentified.rows(found)))


def effects_of(patients: tuple[str, ...], as_of: date, of: str | None = None) -> dict[str, Effect]:
    """Of the standing decisions of some patients of which an effect is expected: whether it came (`effects.judged`), by entry_id."""
    as_of = _real(as_of, of)
    ids = tuple(deidentified.whose(one).patient_id for one in patients)
    decisions = [row for row in as_stored(entries.standing, ("decision",), ids) if row["day"] <= as_of]
    versions = tuple((row["entry_id"], row["version"]) for row in decisions)
    found = _effects(str(store_folder()), provenance().records, versions, decisions, as_of)
    owner = {row["entry_id"]: row["patient_id"] for row in decisions}
    if not deidentify.on():
        return found
    told = [deidentified.rows(effect, deidentified.person(owner[entry_id])) for entry_id, effect in found.items()]
    return {effect.entry_id: effect for effect in told}


def _real(day: date, of: str | None) -> date:
    return day if of is None else deidentified.whose(of).real(day)


def _shown(day: date, of: str | None) -> date:
    return day if of is None else deidentified.whose(of).shown(day)


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
