"""The de-identification switch: a toggle in the frame of every page, a banner while it is on, and an address that names nobody.

It is kept in the session, over pages, and in the address (`deidentified=1`), so that a link opens de-identified and a page that is loaded
anew stays so. While it is on the address holds the patient's label and days; turning it on or off turns these and leaves the rest.
"""

from datetime import date

import streamlit as st

from dashboard import deidentify, relative_days
from dashboard.data import deidentified
from dashboard.meeting import agenda
from pipelines.errors import Refusal

ON = "1"
TOGGLE = "deidentify-toggle"
DAYS = ("as_of", "since")  # parameters that are days
MEETING = ("day", "meeting")  # a calendar day, and the number that stands for it
TYPED = ("transplant_find", "patient_sought")  # in the session: ids, or parts of ids, that were typed into a search
DROPPED = (
    "known_at",
    "received_at",
    "axis",
    "starts",
    "line",
    "receipt",
    "file",
    "site",
)  # moments of the store, files, sites, days within texts
BANNER = (
    "**De-identified.** Days are counted from each patient's first record (day 0), ages are bands at that day. Ids, sites, free text, "
    "files, names and dates are left out."
)
LABEL = "De-identify"


def settle() -> None:
    """Before a page is drawn: takes the switch from the address, and takes from the address what names anybody."""
    if st.query_params.get(deidentify.SWITCH) == ON or _is_label(st.query_params.get("patient", "")):
        st.session_state[deidentify.SWITCH] = True
    if not deidentify.on():
        return
    if st.query_params.get(deidentify.SWITCH) != ON:
        st.query_params[deidentify.SWITCH] = ON
    _hide()


def draw() -> None:
    """The toggle, which the style sheet puts into the head of the page, and the banner."""
    with st.container(key="deidentify", width="content"):
        st.session_state[TOGGLE] = deidentify.on()
        st.toggle(
            f":material/visibility_off: {LABEL}",
            key=TOGGLE,
            on_change=_turn,
            help="Shows days since the first record for dates, and no ids, sites, free text or files; exports too.",
        )
    if deidentify.on():
        with st.container(key="deidentified-banner"):
            st.markdown(BANNER)


def _turn() -> None:
    if st.session_state[TOGGLE]:
        st.session_state[deidentify.SWITCH] = True
        st.query_params[deidentify.SWITCH] = ON
        _forget()
        _hide()
    else:
        _forget()
        _show()
        st.session_state[deidentify.SWITCH] = False
        st.query_params.pop(deidentify.SWITCH, None)


def _forget() -> None:
    """What was typed into a search is of ids or of labels, and not of both."""
    st.query_params.pop("find", None)
    for name in TYPED:
        st.session_state.pop(name, None)


def _hide() -> None:
    """The address with a label for the id and days for dates. An id that is nobody's is a name still: it is taken out."""
    query = st.query_params
    who = _who(query.get("patient"))
    if "patient" in query:
        _set("patient", who.label if who else deidentified.UNKNOWN)
    for name in DAYS:
        day = _read(query.get(name, ""))
        moved = day if day is None or relative_days.is_relative(day) else who and who.shown(day)
        _set(name, relative_days.in_address(moved) if moved else None)
    for name in DROPPED:
        query.pop(name, None)
    if query.get("find") and not deidentified.ids_with(query["find"]):
        query["find"] = deidentified.UNKNOWN
    day, number = MEETING
    if day in query:
        on = _read(query[day][:10])
        _set(number, (on and agenda.called(on)) or query.get(number))
        query.pop(day)


def _show() -> None:
    """The address with the id and dates again."""
    query = st.query_params
    who = _who(query.get("patient"))
    if "patient" in query:
        _set("patient", who.patient_id if who else None)
    for name in DAYS:
        day = _read(query.get(name, ""))
        _set(name, who.real(day).isoformat() if who and day else None)
    query.pop("starts", None)
    day, number = MEETING
    if number in query:
        on = agenda.of_number(query[number])
        _set(day, on and on.isoformat())
        query.pop(number)


def _who(named: str | None):
    try:
        return deidentified.person(named) if named else None
    except Refusal:  # an empty store: the page says so
        return None


def _is_label(named: str) -> bool:
    """A link with a label opens de-identified, also in a tab of its own."""
    if not named.startswith(deidentified.LABEL):
        return False
    who = _who(named)
    return who is not None and who.label == named


def _set(name: str, value: str | None) -> None:
    """Changes the address only where it says something else."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def _read(text: str) -> date | None:
    try:
        return relative_days.from_address(text) or date.fromisoformat(text)
    except ValueError:
        return None
