"""One patient as of a day: what stands now, every trajectory against every treatment, and the flags with their evidence.

The state is the address: ?patient=...&as_of=...&flag=... opens the same screen again.
"""

from datetime import date

import streamlit as st

from dashboard import data, flag_cards, response_section, strip, style, table
from dashboard.charts import lung_function, panels
from dashboard.charts.page import page_figure


def draw() -> None:
    patients = [row["patient_id"] for row in data.worklist()]
    if not patients:
        st.info("The store holds no patients yet.")
        return
    asked = st.query_params.get("patient")
    if asked is not None and asked not in patients:  # never another patient's page under this address
        st.warning("There is no such patient in this store.")
        st.page_link("views/worklist.py", label="Choose one from the worklist")
        return
    patient_id = asked or patients[0]
    page = data.patient_page(patient_id)
    days = strip.recorded_days(page)
    if not days:
        choose_patient(patients, patient_id, st.container(), page)
        st.info("Nothing dated is recorded of this patient yet.")
        return
    as_of = asked_day(days)
    draw_controls(patients, patient_id, page, days, as_of)
    draw_strip(page, as_of)
    answers = strip.standing(page, as_of)
    chosen = flag_cards.chosen(answers)
    chart, flags = st.columns([2.75, 1], gap="small")
    with chart:
        draw_chart(page, as_of, set(chosen["evidence"]) if chosen else set())
    with flags:
        flag_cards.draw(answers, as_of, chosen)
    draw_table(page, as_of, patient_id)
    response_section.draw(page, as_of)


def asked_day(days: list[date]) -> date:
    """The as-of day of the address, else the last recorded day of the patient; never outside the record."""
    try:
        asked = date.fromisoformat(st.query_params.get("as_of", ""))
    except ValueError:
        return days[-1]
    return min(max(asked, days[0]), days[-1])


def draw_controls(patients: list[str], patient_id: str, page: dict, days: list[date], as_of: date) -> None:
    who, slider, buttons = st.columns([1.5, 4, 1.9], vertical_alignment="bottom", gap="medium")
    choose_patient(patients, patient_id, who, page)
    if days[0] < days[-1]:
        st.session_state["as_of_slider"] = as_of
        slider.slider(
            "As of",
            days[0],
            days[-1],
            key="as_of_slider",
            format="D MMM YYYY",
            on_change=lambda: go_to(st.session_state["as_of_slider"]),
        )
    changes = [day for day in strip.changes(page) if days[0] <= day <= days[-1]]
    earlier = [day for day in changes if day < as_of]
    later = [day for day in changes if day > as_of]
    with buttons.container(horizontal=True, gap="small"):
        draw_step("Earlier change", ":material/chevron_left:", max(earlier, default=None))
        draw_step("Later change", ":material/chevron_right:", min(later, default=None))


def draw_step(label: str, icon: str, day: date | None) -> None:
    """A button to the nearest day on which a flag was met or ceased."""
    key = label.split()[0].lower()
    said = "The nearest day on which a flag was met or ceased"
    st.button(label, icon=icon, disabled=day is None, on_click=go_to, args=(day,), key=key, help=said)


def choose_patient(patients: list[str], patient_id: str, place, page: dict) -> None:
    st.session_state["patient_choice"] = patient_id
    person = page["patient"][0]
    known = [person["sex"], f"born {person['birth_year']}" if person["birth_year"] else None, person["site"]]
    place.selectbox(
        f"Patient: {style.as_markdown(', '.join(part for part in known if part) or 'sex and age unknown')}",
        patients,
        key="patient_choice",
        on_change=open_patient,
    )


def open_patient() -> None:
    st.query_params.from_dict({"patient": st.session_state["patient_choice"]})


def go_to(day: date) -> None:
    st.query_params["patient"] = st.session_state["patient_choice"]
    st.query_params["as_of"] = day.isoformat()


def draw_strip(page: dict, as_of: date) -> None:
    cards = strip.cards(page, as_of)
    for number, (column, card) in enumerate(zip(st.columns(len(cards), gap="small"), cards, strict=True)):
        key = f"card-{number}" if card.known else f"card-unknown-{number}"
        with column.container(border=True, key=key, height="stretch"):
            st.caption(card.name)
            st.markdown(f"**{style.as_markdown(card.value)}**")
            st.caption(style.as_markdown(card.detail or " "))


def draw_chart(page: dict, as_of: date, ringed: set[str]) -> None:
    names = {
        name: panel.TITLE for name, panel in panels().items() if getattr(panel, "SCALES", False) and panel.rows(page)
    }
    logarithmic = [name for name in st.session_state.get("logarithmic", []) if name in names]
    figure = page_figure(page, as_of, ringed, data.thresholds(), scales=dict.fromkeys(logarithmic, "log"))
    st.plotly_chart(
        figure,
        theme=None,
        key="timeline",
        config=style.CHART_CONFIG,
        alt="Every trajectory and treatment of the patient on one time axis; the table below holds the same records.",
    )
    for sentence in lung_function.sentences(page, as_of):
        st.caption(style.as_markdown(sentence))
    if names:
        st.pills("Logarithmic scale for", list(names), selection_mode="multi", format_func=names.get, key="logarithmic")


def draw_table(page: dict, as_of: date, patient_id: str) -> None:
    rows = table.twin(page, as_of)
    with st.expander(f"The chart as a table: {len(rows)} records up to {style.day(as_of)}"):
        st.dataframe(rows, hide_index=True, height=360)
        st.download_button(
            "Download as CSV",
            lambda: table.as_csv(rows),
            "patient_records.csv",
            "text/csv",
            on_click="ignore",
            key=f"csv-{as_of}",
        )
    held = page["held"]
    if held:
        with st.expander(f"Held: {len(held)} values a person must settle, not drawn and not judged"):
            st.dataframe(held, hide_index=True)


draw()
