"""The decisions on a patient: what was expected of each, and whether it came about, computed from what was recorded since."""

from datetime import date

import streamlit as st

from dashboard import deidentify, entry_form, style
from dashboard.charts.flags import lane_name
from dashboard.data import entering, meeting
from dashboard.meeting import agenda, decision, notes
from pipelines import frozen_decision

OUTCOMES = {
    "reached": "▲ it worked",
    "not_reached": "✗ it did not",
    "cannot_be_told": "? cannot be told",
    "not_due": "… not yet due",
}
PROGRESS = {"done": "done", "not_done": "not done", "dropped": "dropped"}


def draw(patient_id: str, effects: dict, day: date) -> None:
    """The decisions made by the day of a meeting, newest first; `effects` are those of `dashboard.data.meeting.effects_of`."""
    decisions = meeting.decisions_of(patient_id, day)
    if not decisions:
        st.caption("No decision is recorded of this patient.")
    for row in decisions:
        with st.container(border=True, key=f"decided-{row['entry_id']}"):
            draw_one(row, effects.get(row["entry_id"]), day)


def draw_one(row: dict, effect, day: date) -> None:
    st.text(deidentify.or_left(row["text"]))
    if row["why"]:
        st.text(f"Why: {row['why']}")
    st.caption(style.as_markdown(f"{task(row)}; {notes.by_and_when(row)}"))
    if effect is not None:
        st.markdown(f"**Did it work?** {style.as_markdown(expected(row))}: **{OUTCOMES[effect.outcome]}**")
        if effect.because:
            st.text(effect.because)
        if effect.rules_changed:
            st.caption("The rule was changed after the decision: the answer is the rule's of now.")
    with st.expander("What the meeting saw"):
        draw_frozen(row["frozen"])
    if not deidentify.on():  # nothing is entered then
        draw_buttons(row, day)


def draw_buttons(row: dict, day: date) -> None:
    """What became of it, and that it is withdrawn."""
    said = row["progress"] and row["progress"]["code"]
    with st.container(horizontal=True):
        for code, words in PROGRESS.items():
            st.button(
                words.capitalize(),
                key=f"{code}-{row['entry_id']}",
                disabled=said == code,
                on_click=_progress,
                args=(row, code, day),
            )
        with st.popover("Correct", type="tertiary"):
            draw_correction(row)
        st.button("Withdraw", key=f"withdraw-{row['entry_id']}", type="tertiary", on_click=_withdraw, args=(row,))


def draw_correction(row: dict) -> None:
    """The words, the owner and the due day again; what was expected and what was seen stay as they were frozen."""
    key = f"{row['entry_id']}-{row['version']}"
    with st.form(f"correct-{key}", border=False):
        st.text_area("What is to be done", value=row["text"], key=f"correct_text-{key}", max_chars=1_000)
        st.text_input("Why", value=row["why"] or "", key=f"correct_why-{key}", max_chars=1_000)
        st.text_input("Owner", value=row["owner"] or "", key=f"correct_owner-{key}", max_chars=120)
        st.date_input("Due", value=row["due_on"], key=f"correct_due-{key}", format="YYYY-MM-DD")
        st.caption(
            "A new version; what is expected by when cannot be changed: withdraw the decision, and make another."
        )
        st.form_submit_button("Keep the correction", on_click=_correct, args=(row, key))


def task(row: dict) -> str:
    """'by the rheumatologist, due 10 Sep 2021: not said to be done, OVERDUE by 3 days'."""
    due = f", due {style.day(row['due_on'])}" if row["due_on"] else ", no due day"
    progress, state = row["progress"], "not said to be done"
    if progress:
        said_by = f" (said by {progress['author']})" if progress["author"] else ""
        state = f"{PROGRESS[progress['code']]} on {style.day(progress['day'])}{said_by}"
    if row["overdue_days"]:
        state += f", OVERDUE by {row['overdue_days']} day{'s' * (row['overdue_days'] > 1)}"
    about = f"{decision.TOPICS[row['topic']]}; " if row["topic"] in decision.TOPICS and row["topic"] else ""
    owner = f"by {row['owner']}" if row["owner"] else f"owner {deidentify.LEFT}"
    return f"{about}{owner}{due}: {state}"


def expected(row: dict) -> str:
    """'urgent transfer no longer met by 14 Sep 2021'."""
    return f"{lane_name(row['criterion'], row['item'])} {decision.EXPECTED[row['code']]} by {style.day(row['until'])}"


def draw_frozen(frozen: dict) -> None:
    """The answers of that moment as they were worded then, and the versions of the rules."""
    kept = frozen_decision.read(frozen)
    if kept is None:
        st.caption("What was kept of that moment cannot be read: nothing of it is shown.")
        return
    snapshot = "a snapshot that was not kept" if kept.snapshot is None else f"snapshot {kept.snapshot}"
    st.caption(f"As of {style.day(kept.as_of)}, {snapshot}; what the answers were then, by the rules of then.")
    for answer in kept.answers:
        rule = kept.rules.get(answer["criterion"])
        version = f" · rule version {rule.get('version', 'not kept')} ({rule['content_hash'][:8]})" if rule else ""
        st.text(f"{answer['finding']} [{len(answer['evidence'])} records]{version}")


def _progress(row: dict, code: str, day: date) -> None:
    said = {"kind": "progress", "patient_id": row["patient_id"], "about": row["entry_id"], "code": code}
    said["day"] = agenda.entered_on(day)
    entry_form.enter([said], f"The decision is said to be {PROGRESS[code]}.")


def _correct(row: dict, key: str) -> None:
    said = {name: st.session_state[f"correct_{name}-{key}"] for name in ("text", "why", "owner")}
    said["due_on"] = st.session_state[f"correct_due-{key}"]
    entry_form.enter([entering.corrected_version(row, **said)], "The decision is corrected; both versions are kept.")


def _withdraw(row: dict) -> None:
    entry_form.enter(
        [entering.withdrawn_version(row)], "The decision is withdrawn; its versions stay in the record of entries."
    )
