"""One patient as of a day: what stands now, every trajectory against every treatment, and the flags with their evidence.

The state is the address: ?patient=...&as_of=...&flag=... opens the same screen again.
"""

from datetime import date, datetime, time

import streamlit as st

from dashboard import (
    address,
    alert_cards,
    change_list,
    chart_section,
    data,
    day_input,
    deidentify,
    flag_cards,
    header,
    in_popover,
    packet_section,
    patient_choice,
    queries,
    relative_days,
    response_section,
    strip,
    style,
    zoom,
)
from dashboard.charts import held_marks
from dashboard.data import meeting, worklist
from dashboard.meeting import meeting_rows


def draw() -> None:
    patients = worklist.order()  # labels, while the switch is on
    if not patients:
        st.info("The store holds no patients yet.")
        return
    chosen = address.now()
    if chosen.patient is not None and chosen.patient not in patients:  # never another patient's page under this address
        st.warning("There is no such patient in this store.")
        st.page_link("views/worklist.py", label="Choose one from the worklist")
        return
    patient_id = chosen.patient or patients[0]
    page = data.patient_page(patient_id, data.known(chosen.known_at, chosen.received_at))
    days = strip.recorded_days(page)
    if not days:
        choose_patient(patients, patient_id, st.container(), page)
        if not deidentify.on():
            draw_known(chosen)
        st.info("Nothing dated is recorded of this patient yet." if not chosen.past else NOTHING_KNOWN)
        return
    narrow = zoom.asked(patient_id).narrow
    st.session_state[zoom.PAGE_IS_NARROW] = narrow
    as_of = min(max(chosen.as_of or days[-1], days[0]), days[-1])
    draw_controls(patients, patient_id, page, days, as_of, chosen)
    if chosen.as_of not in (None, as_of):
        reach = f"from {style.day(days[0])} to {style.day(days[-1])}"
        then = "what was known then" if chosen.past else "the record"
        st.caption(f"Not as of {style.day(chosen.as_of)}: {then} reaches {reach}. The nearest of its days is shown.")
    since = header.last_meeting(as_of, patient_id)
    header.draw(page, as_of, since)
    if not chosen.past:
        draw_changes(patient_id, as_of, since)
    answers = strip.standing(page, as_of)
    opened = flag_cards.chosen(answers)
    chart, flags = st.columns([2.75, 1], gap="small")
    with chart:
        chart_section.draw(patient_id, as_of, days, frozenset(opened["evidence"] if opened else ()))
        draw_held(page, as_of)
    with flags, st.container(key="flags-of-the-day"):
        new = frozenset(strip.identity(answer) for answer in strip.newly_met(page, as_of, since.day))
        if not chosen.past and as_of == days[-1]:  # an alert waits now, whatever day is looked at
            alert_cards.draw_of_patient(patient_id)
        flag_cards.draw(answers, as_of, opened, new, since.day)
    response_section.draw(page, as_of, narrow)
    with st.expander(
        "Packet: this patient to take to a meeting or to a referral centre", key="packet", on_change="rerun"
    ) as opened:
        if opened.open:
            known = data.known(chosen.known_at, chosen.received_at)
            rows_of = None if chosen.past else meeting_rows.of_agenda([patient_id], as_of)
            packet_section.draw([patient_id], as_of, since.day, known, rows_of)


NOTHING_KNOWN = "Nothing of this patient was known then."


def draw_changes(patient_id: str, as_of: date, since: header.LastMeeting) -> None:
    """What changed since the last meeting; nothing is read before it is opened."""
    assumed = ", assumed" if since.assumed else ""
    label = f"What changed since the last meeting ({style.day(since.day)}{assumed})"
    opened = st.expander(label, type="compact", key="what-changed", on_change="rerun")
    if opened.open:
        with opened:
            held = meeting.meeting_of(since.day, patient_id)
            changed = meeting.changes_of((patient_id,), held, as_of, patient_id)
            change_list.draw(changed[patient_id], held, "patient")


def draw_controls(
    patients: list[str], patient_id: str, page: dict, days: list[date], as_of: date, chosen: address.Address
) -> None:
    who, slider, buttons = st.columns([1.5, 3.6, 2.3], vertical_alignment="bottom", gap="medium")
    choose_patient(patients, patient_id, who, page)
    if days[0] < days[-1]:
        day_input.slide(
            slider, "As of", "as_of_slider", as_of, days[0], days[-1], lambda: go_to(day_input.said("as_of_slider"))
        )
    changes = [day for day in strip.changes(page) if days[0] <= day <= days[-1]]
    earlier = [day for day in changes if day < as_of]
    later = [day for day in changes if day > as_of]
    with buttons.container(horizontal=True, gap="small"):
        draw_step("Earlier change", ":material/chevron_left:", max(earlier, default=None))
        draw_step("Later change", ":material/chevron_right:", min(later, default=None))
        if not deidentify.on():  # a past moment is a date of the store
            with st.popover("", icon=":material/history:", help="What was known at a past moment"):
                draw_known(chosen)
    if chosen.past:
        st.warning(style.as_markdown(said_of_past(chosen)), icon=":material/history:")


def draw_step(label: str, icon: str, day: date | None) -> None:
    """A button to the nearest day on which a flag was met or ceased."""
    key = label.split()[0].lower()
    said = "The nearest day on which a flag was met or ceased"
    st.button(label, icon=icon, disabled=day is None, on_click=go_to, args=(day,), key=key, help=said)


def choose_patient(patients: list[str], patient_id: str, place, page: dict) -> None:
    person = page["patient"][0] if page["patient"] else {"sex": None, "birth_year": None, "site": None}
    known = [person["sex"], style.born(person), person["site"]]
    said = ", ".join(style.as_markdown(part) for part in known if part) or "sex and age unknown"
    with place:
        patient_choice.draw(f"Patient: {said}", patients, patient_id)


def go_to(day: date) -> None:
    address.put(patient=st.session_state["patient_choice"], as_of=relative_days.in_address(day))


WHOSE = {
    "now": "All that is known now",
    "known_at": "What the sources had made known by",
    "received_at": "What this store had received by",
}


def said_of_past(chosen: address.Address) -> str:
    name, moment = ("known_at", chosen.known_at) if chosen.known_at else ("received_at", chosen.received_at)
    return f"{WHOSE[name]} {moment:%Y-%m-%d %H:%M}, not what is known now; held rows are left out."


def draw_known(chosen: address.Address) -> None:
    """Which past moment is read, if any."""
    whose = "known_at" if chosen.known_at else "received_at" if chosen.received_at else "now"
    moment = (
        chosen.known_at or chosen.received_at or datetime.combine(chosen.as_of or data.provenance().last_day, time())
    )
    st.radio("Read", list(WHOSE), format_func=WHOSE.get, key=in_popover.key("whose", whose), on_change=put_known)
    st.date_input(
        "the end of",
        key=in_popover.key("moment", moment.date()),
        on_change=put_known,
        disabled=whose == "now",
        help="Of the first choice there is no day to choose.",
    )


def put_known() -> None:
    whose, moment = in_popover.said("whose"), in_popover.said("moment")
    asked = dict.fromkeys(("known_at", "received_at"))
    address.put(**asked | ({whose: moment.isoformat()} if whose != "now" and moment else {}))


def draw_held(page: dict, as_of: date) -> None:
    """The held rows up to the day, and those of which no day can be read."""
    days = [(row, held_marks.day_of(row)) for row in page["held"]]
    held = [row for row, day in days if day is None or day <= as_of]
    if held:
        with st.expander(
            f"Held up to {style.day(as_of)}, or without a day: {len(held)} values a person must settle, not judged"
        ):
            if len(page["held"]) >= queries.MOST_HELD:
                st.caption(f"The first {queries.MOST_HELD:,} held rows of the patient; the Data page has them all.")
            st.dataframe([held_marks.listed(row) for row in held] if deidentify.on() else held, hide_index=True)


draw()
