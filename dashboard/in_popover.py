"""Widgets in a popover that show a choice which other things change too.

A closed popover has no widgets in the browser, which keeps what they last said and sends it with the next click. Under the same key
that would be taken for the reader's choice, and undo what was chosen elsewhere meanwhile: a view, a zoom by mouse, another patient.
"""

import streamlit as st


def key(name: str, value: object, unfinished: bool = False) -> str:
    """The key of the widget that is to show `value`, which it is given: another key when anything but the widget changed the value.
    An `unfinished` choice (see `said`) is left as it is."""
    number, shown = st.session_state.get(_place(name), (0, value))
    if unfinished:
        return _key(name, number)
    if st.session_state.get(_key(name, number), shown) != value:
        number += 1
    st.session_state[_place(name)] = (number, value)
    st.session_state[_key(name, number)] = value
    return _key(name, number)


def said(name: str) -> object:
    """What the widget says now; None before it was drawn."""
    number, _ = st.session_state.get(_place(name), (0, None))
    return st.session_state.get(_key(name, number))


def _key(name: str, number: int) -> str:
    return f"{name}-{number}"


def _place(name: str) -> str:
    return f"{name}-in-popover"
