"""Notes of the meeting on a patient: written, read back with who and when, withdrawn."""

from datetime import date

import streamlit as st

from dashboard import deidentify, entry_form, style
from dashboard.data import entering
from dashboard.meeting import agenda


def draw(patient_id: str, day: date) -> None:
    """The notes made by the day of a meeting, newest first, and the form for another."""
    if not deidentify.on():  # nothing is entered then
        draw_form(patient_id, day)
    for note in made(patient_id, day):
        with st.container(key=f"note-{note['entry_id']}"):
            st.text(f"A note: {deidentify.LEFT}" if deidentify.on() else note["text"])
            st.caption(style.as_markdown(by_and_when(note)))
            if not deidentify.on():
                key = f"withdraw-{note['entry_id']}"
                st.button("Withdraw", key=key, type="tertiary", on_click=_withdraw, args=(note,))


def made(patient_id: str, day: date) -> list[dict]:
    """The notes that stand of a patient, made by a day, newest first."""
    return [row for row in reversed(entering.standing(("note",), (patient_id,))) if row["day"] <= day]


def draw_form(patient_id: str, day: date) -> None:
    number = st.session_state.get(f"notes-{patient_id}", 0)
    with st.form(f"note-{patient_id}-{number}", border=True):
        st.text_area("Note", key=f"note_text-{patient_id}-{number}", height=68, max_chars=2_000)
        st.form_submit_button("Keep the note", on_click=_keep, args=(patient_id, day))


def by_and_when(entry: dict) -> str:
    """'entered by Dr A (typed), 3 Sep 2021, version 2, for the meeting of 3 Sep 2021'."""
    version = f", version {entry['version']}" if entry["version"] > 1 else ""
    of = f", as of {style.day(entry['day'])}" if entry["day"] else ""
    if deidentify.on():  # by whom and when it was entered is left out
        return f"entered{version}{of}"
    return f"entered by {entry['author']} ({entry['author_known']}) on {style.day(entry['entered_at'])}{version}{of}"


def _keep(patient_id: str, day: date) -> None:
    on = agenda.entered_on(day)
    number = st.session_state.get(f"notes-{patient_id}", 0)
    text = st.session_state[f"note_text-{patient_id}-{number}"]
    if entry_form.enter([{"kind": "note", "patient_id": patient_id, "day": on, "text": text}], "The note is kept."):
        st.session_state[f"notes-{patient_id}"] = number + 1


def _withdraw(note: dict) -> None:
    entry_form.enter(
        [entering.withdrawn_version(note)], "The note is withdrawn; its text stays in the record of entries."
    )
