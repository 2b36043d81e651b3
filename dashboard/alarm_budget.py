"""The alarm budget on the Data page: what the alerts cost in attention, and on how many of them anybody acted."""

from datetime import date

import streamlit as st

from dashboard import data, style, table
from dashboard.data import alerting

WITHOUT_ACTS = (
    "Nobody has acknowledged an alert in this store or entered a decision that names a criterion. That no alert was acted on says only "
    "that nothing was entered here, not that nothing was done."
)

NARROW = {"Criterion": st.column_config.TextColumn(width="large")}


def draw() -> None:
    as_of = data.provenance().last_day
    if as_of is None:
        st.info("Nothing is recorded yet.")
        return
    budget = alerting.budget(as_of)
    total = budget["total"]
    st.caption(explained(budget, as_of))
    with st.container(horizontal=True):
        st.metric("Alerts per patient-week", rate(total["per_week"]), border=True)
        st.metric("Urgent per patient-week", rate(total["urgent_per_week"]), border=True)
        st.metric("Acted on", share(total, "acted", "due"), border=True)
        st.metric("Urgent acted on", share(total, "acted_urgent", "due_urgent"), border=True)
        st.metric("Silent now (stale data)", str(budget["silent_now"]), border=True)
    if not budget["acts"]:
        st.info(WITHOUT_ACTS)
    rows = lines(budget)
    st.dataframe(
        rows,
        hide_index=True,
        key="alarm-budget",
        column_config=NARROW,
        alt="Alerts by criterion, in all and per patient-week",
    )
    st.download_button("Download as CSV", lambda: table.as_csv(rows), "alarm_budget.csv", "text/csv", on_click="ignore")


def lines(budget: dict) -> list[dict]:
    """The whole and each criterion, as a table of text. Counts of everyone: no row is about a patient."""
    return [line_of(row) for row in [budget["total"], *budget["criteria"]]]


def explained(budget: dict, as_of: date) -> str:
    """What is counted, in words."""
    days = budget["acted_days"]
    return (
        f"Up to {style.day(as_of)}: {budget['patients']:,} patients, {budget['weeks']:,.0f} patient-weeks from the first to the last "
        "record of each. An alert is counted on the day it begins; one that returns within "
        f"{alerting.SETTLE_DAYS} days is the same alert. Acted on: acknowledged, or named by a decision of the patient, within {days} "
        f"days, among the alerts whose {days} days are over. Both numbers of days are project defaults. "
        "What began after the last record of a patient stands apart and is in no rate."
    )


def rate(value: float | None) -> str:
    return "nobody observed" if value is None else f"{value:.3f}"


def share(row: dict, acted: str, due: str) -> str:
    return f"{row[acted]:,} of {row[due]:,}" if row[due] else "none is due"


def line_of(row: dict) -> dict:
    return {
        "Criterion": row["title"],
        "Group": style.GROUPS.get(row["group"], ""),
        "Began": row["began"],
        "of them urgent": row["began_urgent"],
        "Per patient-week": None if row["per_week"] is None else round(row["per_week"], 4),
        "Urgent per patient-week": None if row["urgent_per_week"] is None else round(row["urgent_per_week"], 4),
        "Began after the last record": row["began_later"],
        "Days over": row["due"],
        "Acted on": row["acted"],
        "Share acted on": None if row["share"] is None else f"{row['share']:.0%}",
    }
