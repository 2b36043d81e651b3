"""One patient of the agenda: what stands, what changed, whether the last decisions worked, what is open, and what is decided now."""

from datetime import date

import streamlit as st

from dashboard import (
    address,
    alert_cards,
    change_list,
    chart_section,
    data,
    deidentify,
    entry_form,
    header,
    packet_section,
    strip,
    style,
    zoom,
)
from dashboard.data import deidentified, meeting, worklist
from dashboard.meeting import agenda, decided, decision, meeting_rows, notes


def draw(day: date, places: list[agenda.Place], patient_id: str) -> None:
    """The page of a patient on the agenda of a day."""
    with st.spinner("Reading the agenda"):
        data.prepare(one.patient_id for one in places)
    page = data.patient_page(patient_id)
    days = strip.recorded_days(page)
    place = next(one for one in places if one.patient_id == patient_id)
    draw_steps(day, places, place, page)
    if not days:
        st.info("Nothing dated is recorded of this patient yet.")
        return
    calendar, day = day, deidentified.whose(patient_id).shown(day)
    if day < days[0]:
        st.info(f"Nothing of this patient was recorded by then: the record begins on {style.day(days[0])}.")
        return
    since = header.last_meeting(day, patient_id)
    header.draw(page, day, since)
    told, asked = st.columns([1.7, 1], gap="medium")
    patients = tuple(one.patient_id for one in places)
    with told:
        st.markdown("**Did it work?**")
        decided.draw(patient_id, meeting.effects_of(patients, day, patient_id), day)
        assumed = ": assumed, no earlier meeting is recorded" if since.assumed else ""
        st.markdown(f"**What changed since the last meeting ({style.day(since.day)}{assumed})**")
        held = meeting.meeting_of(since.day, patient_id)
        changed = meeting.changes_of(patients, held, max(day, held.as_of), patient_id)
        change_list.draw(changed[patient_id], held, "meeting")
    with asked:
        alert_cards.draw_of_patient(patient_id, calendar)
        if not deidentify.on():  # nothing is entered then
            decision.draw(patient_id, page, day)
        notes.draw(patient_id, day)
    st.session_state[zoom.PAGE_IS_NARROW] = zoom.asked(patient_id).narrow
    chart_section.draw(patient_id, min(day, days[-1]), days, frozenset())
    packet_section.draw(
        [patient_id], day, since.day, rows_of=meeting_rows.of_agenda([patient_id], calendar), key="meeting-patient"
    )


def draw_steps(day: date, places: list[agenda.Place], place: agenda.Place, page: dict) -> None:
    """Who it is, the way to the neighbours by button or arrow key, and that the patient was seen."""
    before, after = agenda.neighbours(places, place.patient_id)
    number = [one.patient_id for one in places].index(place.patient_id) + 1
    who, steps = st.columns([2, 3.2], vertical_alignment="center")
    who.markdown(f"**{number} of {len(places)}: {style.as_markdown(place.patient_id)}** · {agenda.STATES[place.code]}")
    with steps.container(horizontal=True, horizontal_alignment="right"):
        st.button("Agenda", icon=":material/list:", on_click=show, args=(None,))
        for label, icon, key, there in (("Previous", "left", "Left", before), ("Next", "right", "Right", after)):
            arrow = f":material/chevron_{icon}:"
            st.button(label, icon=arrow, shortcut=key, disabled=there is None, on_click=show, args=(there,))
        if deidentify.on():  # nothing is entered then
            return
        seen = place.code == "seen"
        st.button(
            "Not seen after all" if seen else "Seen" + (", next" if after else ""),
            type="secondary" if seen else "primary",
            key="seen",
            on_click=_mark,
            args=(place, [] if seen else [reviewed(day, place.patient_id, page)], place.patient_id if seen else after),
        )  # fmt: skip


def show(patient_id: str | None) -> None:
    """Another patient of the same agenda, or the agenda itself."""
    address.put(patient=patient_id, flag=None)


def reviewed(day: date, patient_id: str, page: dict) -> dict:
    """Who is seen by a meeting is reviewed by it: the entry that keeps what stands on this page, by the meeting's day, of the records that
    it was made of."""
    answers = {"met": [], "not_evaluable": []}
    for row in strip.standing(page, day):
        if row["status"] in answers:
            answers[row["status"]].append(f"{strip.identity(row)}:{'' if row['grade'] is None else row['grade']}")
    (listed,) = worklist.of_patients((patient_id,))
    frozen = listed["frozen"] | {"met": sorted(answers["met"]), "unknown": sorted(answers["not_evaluable"])}
    return worklist.review(listed | {"frozen": frozen}, agenda.entered_on(day))


def _mark(place: agenda.Place, reviews: list[dict], then: str | None) -> None:
    """Says whether the patient was seen, with the review of what was."""
    code = "seen" if reviews else "planned"
    if entry_form.enter([agenda.marked(place, code), *reviews], f"{place.patient_id}: {agenda.STATES[code]}."):
        show(then)
