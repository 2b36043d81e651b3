"""Data: add files, see what became of each, find any row again, decide on what is held.

The state is the address: ?show=rejected&receipt=3&line=12 opens the same row again. Nothing here is for the open network: there is no
login, so the server listens on 127.0.0.1 only (.streamlit/config.toml).
"""

import streamlit as st

from dashboard import adding, alarm_budget, data, decision_form, deidentify, received
from pipelines.errors import StoreEmpty

SECTIONS = {
    "add": "Add files",
    "received": "Files received",
    "rejected": "Rejected rows",
    "unknown": "Unknown names",
    "held": "Held for a decision",
    "alarms": "Alarm budget",
}


def draw() -> None:
    if deidentify.on():
        st.subheader("Data", anchor=False)
        st.info(
            "Not shown while de-identified: this page holds rows as they were received.",
            icon=":material/visibility_off:",
        )
        return
    counts = counted()
    st.subheader("Data", anchor=False)
    asked = st.query_params.get("show", "rejected" if "line" in st.query_params else "add")
    st.session_state["section"] = asked if asked in SECTIONS else "add"
    section = st.segmented_control(
        "Section",
        list(SECTIONS),
        key="section",
        required=True,
        label_visibility="collapsed",
        on_change=lambda: show(st.session_state["section"]),
        format_func=lambda name: f"{SECTIONS[name]} ({counts[name]:,})" if name in counts else SECTIONS[name],
    )
    if section == "add":
        adding.draw()
    elif not counts:
        st.info("Nothing has been received yet. Add files first.")
    else:
        {
            "received": received.draw_files,
            "rejected": received.draw_rejected,
            "unknown": received.draw_unknown,
            "held": decision_form.draw,
            "alarms": alarm_budget.draw,
        }[section]()


def show(section: str) -> None:
    """Another section: the row that was open is closed."""
    st.query_params.from_dict({"show": section})


def counted() -> dict[str, int]:
    """How many there are of each; empty before anything was loaded."""
    try:
        return {
            "received": len(data.received_files()),
            "rejected": sum(data.rejection_reasons().values()),
            "unknown": len(data.unmapped()),
            "held": len(data.held_rows()),
        }
    except StoreEmpty:
        return {}


draw()
