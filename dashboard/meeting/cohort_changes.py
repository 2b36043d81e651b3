"""What changed in the whole store since the last meeting, in the same five kinds as of one patient."""

from datetime import date

import streamlit as st

from dashboard import deidentify, header, shown_rows, style
from dashboard.data import meeting

NAMED = 6  # so many patients of a flag are named in the table's cell; the file has them all


def draw(day: date) -> None:
    """Counts of records, then one table of flags, the rules and the decisions not done."""
    since = header.last_meeting(day)
    held = meeting.meeting_of(since.day)
    found = meeting.cohort_changes(held, day)
    assumed = " (assumed: no earlier meeting is recorded)" if since.assumed else ""
    if not deidentify.on():  # calendar days, of no patient
        st.caption(f"From {style.day(since.day)}{assumed} to {style.day(day)}.")
    st.markdown(records_words(found["records"]))
    if found["left_out"]["patients"]:
        st.warning(f"{len(found['left_out']['patients']):,} patients are in no flag below: {found['left_out']['why']}.")
    rows = flag_rows(found)
    if rows:
        shown_rows.draw(rows, deidentify.file_name("changes", day, ".csv"), "cohort-changes")
    else:
        st.caption("No flag was gained or lost.")
    for rule in found["rules"]:
        st.markdown(
            f"- Rule changed: {style.as_markdown(rule['title'])}, in {rule['patients']} patients another answer"
        )
    undone = found["undone"]
    st.markdown(f"**Decisions not done, or to check: {len(undone)}**")
    for row in undone:
        st.markdown(f"- {style.as_markdown(row['patient_id'])}: {style.as_markdown(deidentify.or_left(row['text']))}")


def records_words(records: dict) -> str:
    """'**New records: 12** in 3 patients · **corrected: 1** in 1 patient'."""
    parts = [
        f"**{words}: {records[kind]['records']:,}** in {records[kind]['patients']:,} patients"
        for kind, words in (("new", "New records"), ("corrected", "corrected or withdrawn"))
    ]
    return " · ".join(parts)


def flag_rows(found: dict) -> list[dict]:
    """One row a criterion gained or lost: which, how many patients, who, and of how many it now cannot be told."""
    return [
        {
            "change": kind,
            "flag": row["title"],
            "group": style.GROUPS[row["group"]],
            "patients": len(row["patients"]),
            "now cannot be told": len(row.get("unknown", ())),
            "who": ", ".join(row["patients"]),
        }
        for kind in ("gained", "lost")
        for row in sorted(found[kind], key=lambda row: -len(row["patients"]))
    ]
