"""What is entered from an opened row of the transplant board: a referral's status, an item of the work-up, a decision and its end.

Each becomes a file of records; a correction or a withdrawal is a new version of the same entry.
"""

from datetime import date

import streamlit as st

from dashboard import deidentify, entry_form, style
from dashboard import transplant_words as words
from dashboard.data import entering, transplant

CODES = {"done": "done", "planned": "planned", "not_needed": "not needed"}
ENDS = (("done", "Done"), ("dropped", "Dropped"))
LONGEST = 500
NEW = ""


def draw_referral(patient_id: str, referrals: list[dict], as_of: date) -> None:
    """Records a status, or corrects or withdraws one that was entered here."""
    entered = {one["entry"]["entry_id"]: one["entry"] for one in referrals if one["entry"]}
    which = _which(
        "referral", patient_id, entered, lambda one: f"{transplant.STATUS_WORDS[one['code']]}, {style.day(one['day'])}"
    )
    known = entered.get(which)
    key = f"{patient_id}-{which}"
    day, code, reason = st.columns([1, 1.2, 3])
    day.date_input("Day", value=known["day"] if known else as_of, key=f"referral-day-{key}", format="YYYY-MM-DD")
    codes = list(transplant.STATUS_ORDER)
    code.selectbox(
        "Status",
        codes,
        index=codes.index(known["code"]) if known else None,
        key=f"referral-code-{key}",
        format_func=transplant.STATUS_WORDS.get,
        placeholder="choose",
    )
    reason.text_input(
        "Reason (needed when declined)",
        value=(known["text"] or "") if known else "",
        key=f"referral-text-{key}",
        max_chars=LONGEST,
    )
    _buttons("referral", key, known, enter_referral, (patient_id, key, known))


def enter_referral(patient_id: str, key: str, known: dict | None) -> None:
    said = {
        "day": st.session_state[f"referral-day-{key}"],
        "code": st.session_state[f"referral-code-{key}"],
        "text": st.session_state[f"referral-text-{key}"],
    }
    keep(known, {"kind": "referral", "patient_id": patient_id}, said, f"referral-{{}}-{key}")


def draw_workup(patient_id: str, items: list[dict], as_of: date) -> None:
    """Says of an item that it is done, planned or not needed; or corrects or withdraws what was said."""
    entered = {entry["entry_id"]: entry for one in items for entry in one["entered"]}
    titles = transplant.workup_titles()
    which = _which("work-up", patient_id, entered, lambda one: f"{titles[one['item']]}: {CODES[one['code']]}")
    known = entered.get(which)
    key = f"{patient_id}-{which}"
    item, code, day, until, text = st.columns([2.4, 1.1, 1.1, 1.1, 2.4])
    names = list(titles)
    item.selectbox(
        "Item",
        names,
        index=names.index(known["item"]) if known else None,
        key=f"workup-item-{key}",
        format_func=titles.get,
        placeholder="choose",
    )
    codes = list(CODES)
    code.selectbox(
        "State",
        codes,
        index=codes.index(known["code"]) if known else 0,
        key=f"workup-code-{key}",
        format_func=CODES.get,
    )
    day.date_input("Day", value=known["day"] if known else as_of, key=f"workup-day-{key}", format="YYYY-MM-DD")
    until.date_input(
        "Expires",
        value=known["until"] if known else None,
        key=f"workup-until-{key}",
        format="YYYY-MM-DD",
        help="The last day it holds. Empty: by the item's own days (project default).",
    )
    text.text_input("Result", value=(known["text"] or "") if known else "", key=f"workup-text-{key}", max_chars=LONGEST)
    _buttons("workup", key, known, enter_workup, (patient_id, key, known))


def enter_workup(patient_id: str, key: str, known: dict | None) -> None:
    said = {name: st.session_state[f"workup-{name}-{key}"] for name in ("item", "code", "day", "until", "text")}
    if said["until"] and said["day"] and said["until"] < said["day"]:
        st.session_state[entry_form.TOLD] = ("error", "It cannot expire before the day it was done.")
        return
    keep(known, {"kind": "workup", "patient_id": patient_id}, said, f"workup-{{}}-{key}")


def draw_actions(patient_id: str, actions: list[dict], as_of: date, may_enter: bool) -> None:
    """The open decisions, the one due first on top; where something may be entered each can be ended, and a new one recorded."""
    if not actions:
        st.markdown("No open decision on transplantation.")
    for number, action in enumerate(actions):
        with st.container(horizontal=True, vertical_alignment="center"):
            late = "! " if action["overdue_days"] else ""
            owner = f"{action['owner']} · " if action["owner"] else ""
            said = f"{late}{deidentify.or_left(action['text'])} · {owner}{words.due(action)}"
            st.markdown(style.as_markdown(said))
            for code, label in ENDS if may_enter else ():
                st.button(label, key=f"action-{code}-{number}", on_click=end_action, args=(action, code, as_of))
    if may_enter:
        draw_new_action(patient_id, as_of)


def draw_new_action(patient_id: str, as_of: date) -> None:
    """A decision with who does it until when."""
    text, owner, due = st.columns([3, 1.4, 1])
    text.text_input("What is to be done", key=f"action-text-{patient_id}", max_chars=LONGEST)
    owner.text_input("Owner", key=f"action-owner-{patient_id}", max_chars=100)
    due.date_input("Due on", value=None, key=f"action-due_on-{patient_id}", format="YYYY-MM-DD")
    st.button(
        "Record this decision", key="action-keep", type="primary", on_click=enter_action, args=(patient_id, as_of)
    )


def enter_action(patient_id: str, as_of: date) -> None:
    said = {name: st.session_state[f"action-{name}-{patient_id}"] for name in ("text", "owner", "due_on")}
    row = {"kind": "decision", "patient_id": patient_id, "day": as_of, "topic": transplant.TOPIC}
    row["frozen"] = transplant.frozen(patient_id, as_of)
    keep(None, row, said, f"action-{{}}-{patient_id}")


def end_action(action: dict, code: str, as_of: date) -> None:
    row = {
        "kind": "progress",
        "patient_id": action["patient_id"],
        "about": action["entry_id"],
        "code": code,
        "day": as_of,
    }
    entry_form.enter([row], f"Recorded as {code}.")


def keep(known: dict | None, row: dict, said: dict, keys: str) -> None:
    """Keeps a new entry, or a new version of one; the fields of what was kept are emptied. `keys`: their keys, with {} for the name."""
    if known:
        row = entering.corrected_version(known) | {name: value for name, value in row.items() if name not in known}
    if entry_form.enter([row | said], "Kept as a new version." if known else "Kept."):
        for name in said:
            st.session_state.pop(keys.format(name), None)


def withdraw(known: dict) -> None:
    entry_form.enter([entering.withdrawn_version(known)], "Withdrawn: it no longer counts, and stays on record.")


def _which(what: str, patient_id: str, entered: dict[str, dict], words) -> str:
    """A new entry, or which of those there are is corrected."""
    if not entered:
        return NEW
    return st.selectbox(
        f"New {what} entry, or one to correct",
        [NEW, *entered],
        key=f"{what}-which-{patient_id}",
        format_func=lambda entry_id: words(entered[entry_id]) if entry_id else f"new {what} entry",
        width=420,
    )


def _buttons(kind: str, key: str, known: dict | None, enter, asked: tuple) -> None:
    with st.container(horizontal=True):
        label = "Correct this entry" if known else "Record"
        st.button(label, key=f"{kind}-keep-{key}", type="primary", on_click=enter, args=asked)
        if known:
            st.button("Withdraw this entry", key=f"{kind}-withdraw-{key}", on_click=withdraw, args=(known,))
