"""Who enters something: typed once, remembered for the session, and said to be typed, for nobody logs in."""

import streamlit as st

from dashboard import deidentify

KEPT = "author_kept"  # outlives the page, which the text field does not
LONGEST = 80
NOTHING_ENTERED = "Nothing is entered while de-identified."
SAID = "Typed, not logged in: it is kept with the entry, and said to be typed."


def asked(key: str = "author", label: str = "Entered by") -> str:
    """The text field; what was typed on any page stands in it. Returns the name, empty where none was given.

    While the de-identification switch is on it says instead that nothing is entered: forms and buttons that enter are not drawn then.
    """
    if deidentify.on():
        st.caption(NOTHING_ENTERED)
        return ""
    st.session_state[key] = st.session_state.get(KEPT, "")
    typed = st.text_input(
        label, key=key, max_chars=LONGEST, placeholder="name or role", help=SAID, on_change=lambda: _keep(key)
    )
    return (typed or "").strip()


def known() -> str:
    """The name typed in this session, empty where none was."""
    return st.session_state.get(KEPT, "")


def _keep(key: str) -> None:
    st.session_state[KEPT] = (st.session_state[key] or "").strip()
