"""Widgets for a day: a calendar, and while days count from a first record (relative_days.py) a number, for a calendar would name a date.

The key holds a date, as that of `st.date_input` and `st.slider` does: whoever asks `said` need not know which of the two was drawn.
"""

from collections.abc import Callable
from datetime import date

import streamlit as st

from dashboard import deidentify, relative_days


def draw(
    label: str,
    key: str,
    value: date,
    first: date,
    last: date,
    on_change: Callable,
    width: int | str = "stretch",
    **more,
) -> None:
    """A day between two others. What it was set to is `said(key)`."""
    if not relative_days.is_relative(value):
        st.session_state[key] = value
        more = {"format": "YYYY-MM-DD"} | more
        st.date_input(label, key=key, min_value=first, max_value=last, on_change=on_change, width=width, **more)
        return
    st.session_state[_days(key)] = relative_days.number(value)
    ends = {
        name: relative_days.number(end)
        for name, end in (("min_value", first), ("max_value", last))
        if relative_days.is_relative(end)
    }
    st.number_input(f"{label}: day", key=_days(key), step=1, on_change=on_change, width=width, **ends)


def slide(place, label: str, key: str, value: date, first: date, last: date, on_change: Callable) -> None:
    """A day on a slider from the first to the last."""
    if not relative_days.is_relative(value):
        st.session_state[key] = value
        place.slider(label, first, last, key=key, format="D MMM YYYY", on_change=on_change)
        return
    st.session_state[_days(key)] = relative_days.number(value)
    ends = relative_days.number(first), relative_days.number(last)
    place.slider(label, *ends, key=_days(key), format="day %d", on_change=on_change)


def said(key: str) -> date | None:
    """The day that a widget of this module was set to."""
    if deidentify.on() and _days(key) in st.session_state:
        return relative_days.of(st.session_state[_days(key)])
    return st.session_state.get(key)


def _days(key: str) -> str:
    return f"{key}-in-days"
