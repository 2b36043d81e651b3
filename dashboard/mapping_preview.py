"""For a table with local column names: the mapping that the file suggests, column by column, to complete, approve and load with.

Nothing is loaded on a guess: the mapping is refused until a person's name and the day stand in it.
"""

from pathlib import PurePath

import streamlit as st

from dashboard import data, style
from pipelines import faults
from pipelines.errors import Refusal

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
ROLES = {
    "patient": "the patient",
    "date": "a date",
    "analyte": "results of",
    "long": "the column",
    "event": "a visit's name",
    "repeat": "a repeat's number",
    "identifying": "dropped at the door:",
    "unknown": "not placed",
}
CONFIDENCE = {"exact": "sure", "name": "by its name", "perhaps": "perhaps", "none": ""}


def draw(upload, number: int, job: int) -> tuple | None:
    """Shows what a refused table suggests; returns the proposal and the completed text once a person asks to load with it.

    `number` is the file's among those loaded, `job` the load's.
    """
    if PurePath(upload.name).suffix.lower() not in TABLES:
        return None
    known = st.session_state.setdefault("proposals", {})
    if number not in known:
        known[number] = proposed(upload)
    if known[number] is None:
        return None
    proposal, text = known[number]
    with st.expander(
        "Its columns may have local names: see what they may be, and load it with a mapping", expanded=True
    ):
        st.caption(
            "Proposed from the file's names and first rows. Check every line, complete what is open, and put your name and the day "
            "into approved_by and approved_on: nothing is loaded before that."
        )
        for remark in proposal.remarks:
            st.caption(style.as_markdown(remark))
        st.dataframe(
            [line_of(column) for column in proposal.columns],
            hide_index=True,
            key=f"columns-{job}-{number}",
            column_config={"Remark": st.column_config.Column(width="large")},
        )
        edited = st.text_area("The mapping file", text, height=420, key=f"mapping-text-{job}-{number}")
        with st.container(horizontal=True):
            asked = st.button("Load it with this mapping", key=f"load-mapped-{job}-{number}", type="primary")
            st.download_button(
                "Download the mapping file",
                edited.encode(),
                f"{PurePath(upload.name).stem[:100]}.mapping.toml",
                "application/toml",
                key=f"mapping-file-{job}-{number}",
                on_click="ignore",
            )
    return (proposal, edited) if asked else None


def proposed(upload) -> tuple | None:
    """The proposal and its text; None where the file suggests nothing."""
    try:
        proposal = data.proposal(upload)
        return proposal, proposal.toml()
    except Refusal:
        return None
    except Exception as error:
        faults.record_fault(data.store_folder(), error)  # the file's own refusal stands above
        return None


def line_of(column) -> dict:
    """A column of the file: what it is taken for and how surely. The patients' column is not quoted."""
    return {
        "Column": column.name,
        "Taken for": f"{ROLES.get(column.role, column.role)} {column.detail}".strip(),
        "How surely": CONFIDENCE.get(column.confidence, column.confidence),
        "Unit": column.unit or "",
        "Remark": column.remark,
        "First texts": "" if column.role == "patient" else " | ".join(column.samples),
    }
