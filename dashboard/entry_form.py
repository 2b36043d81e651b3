"""Entering something from a page: written, loaded, and the page drawn anew on the new snapshot; or what is missing, in words."""

from collections.abc import Iterable

import streamlit as st

from dashboard import author, deidentify, style
from dashboard.data import entering
from pipelines.errors import Refusal

TOLD = "entry_told"  # what the page says after it was drawn anew: kind of message and text


def enter(rows: Iterable[dict], said: str, who: str | None = None) -> bool:
    """Keeps entries by `who` (default: the author of the session). `tell` then says `said`, or why they were not kept; says whether they
    were.
    """
    who = author.known() if who is None else who
    if not who.strip():
        st.session_state[TOLD] = ("warning", "Say first who enters it.")
        return False
    try:
        entering.enter(rows, who)
    except Refusal as refusal:  # incomplete, busy, refused
        st.session_state[TOLD] = ("error", str(refusal))
        return False
    st.session_state[TOLD] = ("success", said)
    return True


def tell() -> None:
    """Draws, once, what became of the last entry; it names a patient, so while the de-identification switch is on it is dropped."""
    kind, text = st.session_state.pop(TOLD, (None, ""))
    if kind and not deidentify.on():
        {"warning": st.warning, "error": st.error, "success": st.success}[kind](style.as_markdown(text))
