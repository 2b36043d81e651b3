"""The cohort's figures beside the published ones: a headline, and a table that always says the counts."""

import streamlit as st

from dashboard import style
from dashboard.data import transplant

FEW = "A share or a median of few patients means little: compare it with the published numbers with that in mind."


def draw(figures: dict) -> None:
    """Both definitions and the paper, folded under their headline."""
    with st.expander(style.as_markdown(headline(figures))):
        st.table(table(figures))
        paper = figures["published"]
        st.caption(
            style.as_markdown(
                f"{FEW} No percentage of fewer than {transplant.FEWEST} patients (project default). Days run from the first day met to the "
                "first record of a work-up, a referral or its answer, 0 where that came first; of those who wait to the day of the board. "
                f"Published: {paper['citation']}, doi {paper['doi']}."
            )
        )


def headline(figures: dict) -> str:
    like, ours, paper = figures["rows"][0], figures["rows"][-1], figures["published"]
    return (
        f"Lung-function criteria ever met: {share(like)} referred{_median(like)}; published "
        f"{paper['percent']} % of {paper['patients']}, median {paper['days']} days. "
        f"Any trigger: {share(ours)} referred, {ours['waiting']} wait"
    )


def _median(row: dict) -> str:
    return "" if row["days_to_referral"] is None else f", median {days(row['days_to_referral'])}"


def table(figures: dict) -> list[dict]:
    """A row for each definition, and one for the paper."""
    paper = figures["published"]
    told = [
        {
            "Who": row["title"],
            "Patients": str(row["patients"]),
            "Referred": share(row),
            "Median to referral": f"{days(row['days_to_referral'])} (n {row['referred']}, {row['before']} referred before)",
            "Median waiting": f"{days(row['days_waiting'])} (n {row['waiting']})",
            "Not referred, apart": f"{row['died']} died, {row['not_needed']} no longer needed",
        }
        for row in figures["rows"]
    ]
    return [
        *told,
        {
            "Who": "Published: lung-function criteria met",
            "Patients": paper["patients"],
            "Referred": f"{paper['percent']} %",
            "Median to referral": f"{paper['days']} days",
            "Median waiting": "not told",
            "Not referred, apart": "not told",
        },
    ]


def share(row: dict) -> str:
    """'16 of 49 (32.7 %)'; of few the counts alone."""
    counts = f"{row['referred']} of {row['patients']}"
    return counts if row["percent"] is None else f"{counts} ({style.number(row['percent'])} %)"


def days(median: float | None) -> str:
    return "nobody" if median is None else f"{median:g} days"
