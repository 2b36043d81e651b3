"""The form of a decision: what is to be done, why, by whom and until when, and what is expected of it in a criterion's terms.

With it is frozen what the meeting saw: the answers met on that day and the one it expects something of, with their evidence, and the
versions of their rules.
"""

from datetime import date, timedelta

import streamlit as st

from dashboard import data, entry_form, strip, style
from dashboard.charts.flags import lane_name
from dashboard.meeting import agenda
from pipelines import frozen_decision

NOTHING = "nothing that a rule can check"
EXPECTED = {"not_met": "no longer met", "met": "met"}
TOPICS = {"": "the meeting in general", "transplant": "transplantation", "infection": "infection"}
CHECK_AFTER_DAYS = 14  # offered; the meeting says when it wants to look again


def draw(patient_id: str, page: dict, day: date) -> None:
    """The form of a meeting of a day, empty after a decision was kept."""
    answers = strip.standing(page, day)
    form = form_of(patient_id, day)
    with st.form(f"decision-{form}", border=True):
        st.markdown("**Record a decision**")
        st.text_area("What is to be done", key=f"decision_text-{form}", height=68, max_chars=1_000)
        st.text_input("Why", key=f"decision_why-{form}", max_chars=1_000)
        who, due = st.columns(2)
        who.text_input("Owner", key=f"decision_owner-{form}", max_chars=120, placeholder="who does it")
        due.date_input("Due", value=None, key=f"decision_due-{form}", format="YYYY-MM-DD", min_value=day)
        st.selectbox("About", list(TOPICS), key=f"decision_topic-{form}", format_func=TOPICS.get)
        flags = [NOTHING, *expectable(answers)]
        st.selectbox(
            "It should turn", flags, key=f"decision_flag-{form}", format_func=lambda flag: flag_words(flag, answers)
        )
        into, check = st.columns(2)
        into.selectbox("into", list(EXPECTED), key=f"decision_expected-{form}", format_func=EXPECTED.get)
        check.date_input(
            "by (check on)",
            value=day + timedelta(days=CHECK_AFTER_DAYS),
            key=f"decision_check-{form}",
            format="YYYY-MM-DD",
            min_value=day,
        )
        st.form_submit_button("Keep the decision", type="primary", on_click=_keep, args=(patient_id, page, day))


def form_of(patient_id: str, day: date) -> str:
    """What the fields of the form are called by: nothing typed for one patient stands in the form of another, or after it was kept."""
    return f"{patient_id}-{day}-{st.session_state.get(f'decisions-{patient_id}-{day}', 0)}"


def expectable(answers: list[dict]) -> list[str]:
    """The flags a decision may expect something of: those met first, then those that cannot be told, then the others."""
    order = list(style.STATUS_WORDS)
    ordered = sorted(answers, key=lambda row: (order.index(row["status"]), list(style.GROUPS).index(row["group"])))
    return list(dict.fromkeys(strip.identity(row) for row in ordered))


def flag_words(flag: str, answers: list[dict]) -> str:
    """A flag in words, and how it stands."""
    found = next((row for row in answers if strip.identity(row) == flag), None)
    if found is None:
        return NOTHING
    return f"{lane_name(found['criterion'], found['item'])} (now {style.STATUS_WORDS[found['status']]})"


def _keep(patient_id: str, page: dict, day: date) -> None:
    """What was typed, as an entry."""
    form = form_of(patient_id, day)
    said = {
        name: st.session_state[f"decision_{name}-{form}"] for name in ("text", "why", "owner", "due", "topic", "flag")
    }
    expected = {}
    if said["flag"] != NOTHING:
        criterion, _, item = said["flag"].partition("~")
        expected = {
            "criterion": criterion,
            "item": item,
            "code": st.session_state[f"decision_expected-{form}"],
            "until": st.session_state[f"decision_check-{form}"],
        }
    row = {
        "kind": "decision",
        "patient_id": patient_id,
        "day": agenda.entered_on(day),
        "text": said["text"],
        "why": said["why"],
        "owner": said["owner"],
        "due_on": said["due"],
        "topic": said["topic"],
        "frozen": frozen(strip.standing(page, day), day, expected.get("criterion")),
    } | expected
    if entry_form.enter([row], "The decision is kept."):
        st.session_state[f"decisions-{patient_id}-{day}"] = st.session_state.get(f"decisions-{patient_id}-{day}", 0) + 1


def frozen(answers: list[dict], as_of: date, criterion: str | None) -> dict:
    """What the meeting saw: the answers met, and those of the criterion it expects something of."""
    seen = [row for row in answers if row["status"] == "met" or row["criterion"] == criterion]
    versions = {row["criterion"]: row for row in data.rule_versions_told()["criteria"]}
    return frozen_decision.made(seen, versions, as_of, data.provenance().snapshot)
