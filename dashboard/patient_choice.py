"""Which patient the page is of. Of few patients the box offers all; of many those at the top of the worklist, or those whose id holds what
is typed into it: a browser that is sent twenty thousand options draws none of them in time."""

import streamlit as st

from dashboard import style
from dashboard.data import worklist

MOST = 200  # that many are offered at once
SOUGHT = "patient_sought"  # what was typed, of which the matches are offered


def draw(label: str, patients: list[str], patient_id: str) -> None:
    """The box; `patients` are all ids in the order of the worklist, `patient_id` the one on screen."""
    many = len(patients) > MOST
    sought = st.session_state.get(SOUGHT, "") if many else ""
    found = matching(patients, sought)
    st.session_state["patient_choice"] = patient_id
    st.selectbox(
        label,
        offered(found, patient_id),
        key="patient_choice",
        accept_new_options=many,
        on_change=choose,
        help=f"Type part of an id and press Enter to find one of {len(patients):,} patients." if many else None,
    )
    if sought:
        first = f", the first {MOST} are offered" if len(found) > MOST else ""
        st.caption(f"{len(found):,} of {len(patients):,} ids hold “{style.as_markdown(sought)}”{first}.")


def matching(patients: list[str], sought: str) -> list[str]:
    """The ids that hold what is sought, in any case, in the order given."""
    sought = sought.strip().lower()
    return [patient for patient in patients if sought in patient.lower()] if sought else patients


def offered(found: list[str], patient_id: str) -> list[str]:
    """At most MOST ids, the one on screen always among them."""
    first = found[:MOST]
    return first if patient_id in first else [patient_id, *first[: MOST - 1]]


def choose() -> None:
    """Opens the patient chosen, or the only one whose id holds what was typed; else offers all that do."""
    said = st.session_state["patient_choice"]
    if said is None:
        return
    patients = worklist.order()
    found = [said] if said in patients else matching(patients, said)
    st.session_state[SOUGHT] = "" if len(found) == 1 else said
    if len(found) == 1:
        open_page(found[0])


def open_page(patient_id: str) -> None:
    """Another patient is another page: nothing chosen for this one but how the chart is drawn goes along."""
    keep = {
        name: st.query_params[name]
        for name in ("view", "panels", "scales", "axis", "since", "bands")
        if name in st.query_params
    }
    st.query_params.from_dict({"patient": patient_id} | keep)
