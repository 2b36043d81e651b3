"""The agenda of a day: made from the groups of the worklist, read as a list, handed out as packets."""

from datetime import date

import streamlit as st

from dashboard import data, deidentify, entry_form, header, packet_section, shown_rows, style, worklist_words
from dashboard.data import alerting, worklist
from dashboard.meeting import agenda, cohort_changes, meeting_rows, patient_page
from pipelines.worklist_groups import TITLES

USUAL = ("decide", "new")  # the groups of the worklist that a meeting talks about
MOST_NAMED = 300  # patients that can be chosen by id; others are found on the worklist
MOST_OFFERED = 60  # patients of a group in one choice; the worklist has the others


def draw(day: date, places: list[agenda.Place]) -> None:
    """The list, the way into it, and what belongs to the whole meeting."""
    if places:
        draw_list(day, places)
    elif deidentify.on():
        st.info("Nobody is on the agenda of this day, and nobody is put on it while the page is de-identified.")
    else:
        st.info("Nobody is on the agenda of this day. Choose groups of the worklist, or patients, below.")
    if not deidentify.on():
        with st.expander("Put patients on the agenda", expanded=not places):
            draw_choice(day, places)
    with st.expander("What changed since the last meeting, all patients"):
        if st.toggle(
            "Compare", key="compare_cohort", help="Patients with new records are judged again as of then: some seconds."
        ):
            cohort_changes.draw(day)
    if places:
        patients = [place.patient_id for place in places]
        st.markdown("**The whole agenda in one file**")
        rows_of = meeting_rows.of_agenda(patients, day)
        since = header.last_meeting(day).day
        packet_section.draw(patients, day, since, rows_of=rows_of, key="agenda")
        st.download_button(
            "Digest before the meeting (Markdown)",
            deidentify.kept(lambda: alerting.digest_markdown(day, since, tuple(patients)).encode()),
            deidentify.file_name("digest", day, ".md"),
            "text/markdown",
            on_click="ignore",
        )


def draw_list(day: date, places: list[agenda.Place]) -> None:
    """One line a patient; the first who is still to be seen opens with one key."""
    rows = lines(day, places)
    first = next((place.patient_id for place in places if place.code == "planned"), places[0].patient_id)
    seen = sum(place.code == "seen" for place in places)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(places)} on the agenda, {seen} seen**")
        st.button(
            "Begin" if not seen else "Go on",
            type="primary",
            icon=":material/play_arrow:",
            shortcut="Right",
            on_click=patient_page.show,
            args=(first,),
        )
    last = data.provenance().last_day
    if day != last and not deidentify.on():
        st.caption(f"Why they are listed is said as the worklist stands on {style.day(last)}.")
    for number, (place, row) in enumerate(zip(places, rows, strict=True)):
        with st.container(key=f"row-agenda-{number}", horizontal=True, vertical_alignment="center"):
            st.button(
                style.as_markdown(place.patient_id),
                key=f"open-{number}",
                type="tertiary",
                on_click=patient_page.show,
                args=(place.patient_id,),
            )
            st.caption(style.as_markdown(f"{row['state']} · {row['group']}: {row['why']}"), width="stretch")
            if place.code == "planned" and not deidentify.on():
                st.button("Take off", key=f"off-{number}", type="tertiary", on_click=_take_off, args=(place,))
    with st.expander("The agenda as a table"):
        shown_rows.draw(rows, deidentify.file_name("agenda", day, ".csv"), "agenda")


def lines(day: date, places: list[agenda.Place]) -> list[dict]:
    """The agenda as a table of text: number, patient, state, group, why."""
    known = {row["patient_id"]: row for row in worklist.of_patients(tuple(place.patient_id for place in places))}
    return [
        {
            "number": number,
            "patient": place.patient_id,
            "state": agenda.STATES[place.code],
            "group": TITLES[known[place.patient_id]["group"]] if place.patient_id in known else "",
            "why": worklist_words.why(known[place.patient_id]) if place.patient_id in known else "",
        }
        for number, place in enumerate(places, start=1)
    ]


def draw_choice(day: date, places: list[agenda.Place]) -> None:
    """Whole groups of the worklist, and patients by name."""
    groups = worklist.by_group()
    chosen = st.pills(
        "Groups of the worklist",
        list(groups),
        selection_mode="multi",
        default=[group for group in USUAL if groups.get(group)] if not places else [],
        format_func=lambda group: f"{TITLES[group]} ({len(groups[group]):,})",
        key="agenda_groups",
    )
    offered = [patient for group in chosen for patient in groups[group][:MOST_OFFERED]]
    wanted = st.multiselect(
        "Patients, in the order of the worklist", worklist.order()[:MOST_NAMED], key="agenda_patients"
    )
    patients = list(dict.fromkeys([*offered, *wanted]))
    there = {place.patient_id for place in places}
    new = [patient for patient in patients if patient not in there]
    cut = [group for group in chosen if len(groups[group]) > MOST_OFFERED]
    if cut:
        st.caption(f"Of a group the first {MOST_OFFERED} are taken, in the order of the worklist.")
    st.button(
        f"Put {len(new)} on the agenda of {style.day(day)}",
        disabled=not new,
        type="primary",
        key="make_agenda",
        on_click=_put,
        args=(day, new, places),
    )


def _put(day: date, patients: list[str], places: list[agenda.Place]) -> None:
    entry_form.enter(agenda.planned(day, patients, places), f"{len(patients)} are on the agenda.")


def _take_off(place: agenda.Place) -> None:
    entry_form.enter([agenda.taken_off(place)], f"{place.patient_id} is off the agenda.")
