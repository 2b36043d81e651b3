"""The meeting: who is on the agenda, and one page a patient with what changed, what worked and what is decided.

The state is the address: ?day=...&patient=... opens the same page of the same meeting again; de-identified it is called by its number,
?meeting=3.
"""

from datetime import date

import streamlit as st

from dashboard import address, author, data, deidentify, entry_form, style
from dashboard.meeting import agenda, agenda_page, patient_page


def draw() -> None:
    now = data.provenance()
    if now.last_day is None:
        st.info("The store holds no dated record yet.")
        return
    day = _day_asked() or next(iter(agenda.days()), now.last_day)
    places = agenda.places(day)
    left, middle, right = st.columns([2.4, 1, 1], vertical_alignment="bottom")
    number = agenda.called(day)
    left.subheader(_called(number) if deidentify.on() else f"Meeting of {style.day(day)}", anchor=False)
    with middle:
        if not deidentify.on():
            st.session_state["meeting_day"] = day
            st.date_input("Meeting", key="meeting_day", format="YYYY-MM-DD", on_change=_open_day)
        elif number:
            st.session_state["meeting_number"] = int(number)
            last = len(agenda.days())
            st.number_input("Meeting", 1, last, step=1, key="meeting_number", on_change=_open_number)
    with right:
        author.asked()
    entry_form.tell()
    asked = address.now().patient
    if asked is not None and any(place.patient_id == asked for place in places):
        patient_page.draw(day, places, asked)
        return
    if asked is not None:
        st.warning("That patient is not on this agenda.")
    agenda_page.draw(day, places)


def _called(number: str | None) -> str:
    return f"Meeting {number} of {len(agenda.days())}" if number else "Meeting"


def _day_asked() -> date | None:
    if deidentify.on():
        return agenda.of_number(st.query_params.get("meeting", ""))
    try:
        return date.fromisoformat(st.query_params.get("day", "")[:10])
    except ValueError:
        return None


def _open_day() -> None:
    chosen = st.session_state["meeting_day"]
    if chosen:
        st.query_params.from_dict({"day": chosen.isoformat()})


def _open_number() -> None:
    st.query_params.from_dict({"meeting": str(st.session_state["meeting_number"]), deidentify.SWITCH: "1"})


draw()
