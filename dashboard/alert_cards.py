"""Alerts as cards, each with its state and a form to acknowledge it. Severity is said in words and by a mark, not by colour alone."""

from datetime import date, timedelta

import streamlit as st

from dashboard import data, deidentify, entry_form, relative_days, style
from dashboard.author import KEPT as AUTHOR
from dashboard.data import alerting, deidentified, entering
from dashboard.strip import identity

MARKS = {"urgent": "▲▲ Urgent", "warning": "▲ Warning"}
STATES = {"open": "open", "reopened": "re-opened", "acknowledged": "acknowledged"}
BY = "By (typed, not logged in)"
ENTERED = "alerts_entered"  # in this session: the cards stay open then


def draw(alerts: list[dict], key: str, as_of: date) -> None:
    """Every alert of one or more patients, all of them, those that wait first. `key` tells one drawing on a page from another."""
    if not alerts:
        st.caption("No alert.")
        return
    for number, alert in enumerate(alerts):
        with st.container(border=True, key=f"flag-alert-{alert['severity']}-{key}-{number}"):
            draw_alert(alert)
            draw_state(alert, f"{key}-{number}", as_of)


def draw_of_patient(patient_id: str, day: date | None = None) -> None:
    """One patient's alerts as of a day, by default and at the latest the last recorded day of the store, in one line that opens to the
    cards."""
    entry_form.tell()
    last = data.provenance().last_day
    as_of = min(day or last, last)
    alerts, shown = alerting.alerts_of((patient_id,), as_of), deidentified.whose(patient_id).shown(as_of)
    if alerts and shown:
        on = "" if deidentify.on() else f", on {style.day(as_of)}"
        with st.expander(f"{heading(alerts)}{on}", expanded=st.session_state.get(ENTERED, False)):
            draw(alerts, "patient", shown)


def heading(alerts: list[dict]) -> str:
    """'Alerts: 2 urgent, 1 warning; 3 acknowledged'."""
    waiting = [alert for alert in alerts if alert["state"] != "acknowledged"]
    urgent = sum(alert["severity"] == "urgent" for alert in waiting)
    counted = f"{urgent} urgent, {len(waiting) - urgent} warning" if waiting else "none open"
    covered = len(alerts) - len(waiting)
    return f"Alerts: {counted}" + (f"; {covered} acknowledged" if covered else "")


def draw_alert(alert: dict) -> None:
    item = f": {style.words(alert['item'])}" if alert["item"] else ""
    title = style.as_markdown(f"{alert['title']}{item}")
    reopened = " · ↻ re-opened" if alert["state"] == "reopened" else ""
    st.markdown(f"**{MARKS[alert['severity']]}{reopened}** · {title}")
    st.text(alert["finding"])
    if alert["status_words"]:
        st.text(f"Now: {alert['status_words']}")
    if alert["because"]:
        st.text(f"Re-opened: {alert['because']}")
    said = [f"since {style.day(alert['since'])}"]
    said += [f"ceased {alert['flaps']} times since then"] if alert["flaps"] > 1 else []
    said += ["was urgent before"] if alert["was_urgent"] else []
    st.caption(style.as_markdown(f"{style.GROUPS[alert['group']]} · {', '.join(said)}"))


def draw_state(alert: dict, key: str, as_of: date) -> None:
    """Its evidence, what was acknowledged, and the form."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if alert["criterion"] != "stale_data":
            asked = {"patient": alert["patient_id"], "as_of": relative_days.in_address(as_of), "flag": identity(alert)}
            st.page_link("views/patient.py", label="Its evidence", query_params=asked)
        if alert["state"] == "acknowledged":
            with st.popover("✓ Acknowledged", type="tertiary"):
                draw_acknowledged(alert, key)
        elif not deidentify.on():  # nothing is entered then
            with st.popover("Acknowledge", type="tertiary"):
                draw_form(alert, key, as_of)


def draw_acknowledged(alert: dict, key: str) -> None:
    entry = alert["acknowledgement"]
    if deidentify.on():
        st.text(f"Until {style.day(entry['until'])}; by whom and why is {deidentify.LEFT}.")
        st.caption(f"Covers {alerting.CODES[entry['code']]}.")
        return
    st.text(f"By {entry['author']} ({entry['author_known']}), until {style.day(entry['until'])}: {entry['why']}")
    st.caption(f"Covers {alerting.CODES[entry['code']]}.")
    with st.form(f"undo-{key}", border=False):
        author = st.text_input(BY, value=st.session_state.get(AUTHOR, ""))
        if st.form_submit_button("Take it back"):
            entered(entering.withdrawn_version(entry), "What it covered is open again.", author)


def draw_form(alert: dict, key: str, as_of: date) -> None:
    """By whom, why, until when, and what it covers."""
    with st.form(f"acknowledge-{key}", border=False):
        author = st.text_input(BY, value=st.session_state.get(AUTHOR, ""))
        why = st.text_input("Why")
        until = st.date_input(
            "Until, this day included",
            value=as_of + timedelta(days=alerting.ACKNOWLEDGE_DAYS),
            min_value=as_of,
            max_value=as_of + timedelta(days=366),
            help=f"{alerting.ACKNOWLEDGE_DAYS} days are a project default.",
        )
        codes = alerting.offered(alert)
        code = st.radio("It covers", codes, format_func=alerting.CODES.get) if len(codes) > 1 else codes[0]
        if len(codes) == 1:
            st.caption(f"Covers {alerting.CODES[code]}.")
        st.caption("A higher grade or severity re-opens it. No other alert is covered.")
        if st.form_submit_button("Acknowledge", type="primary"):
            row = alerting.acknowledgement(alert, as_of, why, until, code)
            entered(row, "The alert is acknowledged.", author)


def entered(row: dict, said: str, author: str) -> None:
    """Keeps it, remembers who, and draws the page anew; what is missing is said in the form."""
    if not entry_form.enter([row], said, author):
        entry_form.tell()
        return
    st.session_state[AUTHOR], st.session_state[ENTERED] = author, True
    st.rerun()
