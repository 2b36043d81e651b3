"""Rows as a table on the page with the same as CSV below it."""

import streamlit as st

from dashboard import deidentify, relative_days, table

HEIGHT = 340  # pixels; more rows are scrolled


def draw(rows: list[dict], file_name: str, key: str) -> None:
    """The rows and a download of exactly these; `key` tells the download apart from others of the page."""
    rows = [{name: relative_days.cell(value) for name, value in row.items()} for row in rows]
    st.dataframe(rows, hide_index=True, height=HEIGHT)
    st.download_button(
        "Download as CSV",
        deidentify.kept(lambda: table.as_csv(rows)),
        file_name,
        "text/csv",
        on_click="ignore",
        key=f"csv-{key}",
    )
