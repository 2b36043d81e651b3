"""One opened row of the transplant board: the conditions and barriers with their findings, the referral, the work-up, the actions."""

from datetime import date

import streamlit as st

from dashboard import author, data, deidentify, relative_days, rows, style, transplant_forms
from dashboard import transplant_words as words
from dashboard.data import transplant
from dashboard.strip import identity

ORDER = ("met", "not_evaluable", "not_met")


def draw(row: dict, as_of: date) -> None:
    told = transplant.patient(row["patient_id"], as_of)
    may_enter = not deidentify.on()
    with st.container(border=True, key="transplant-details"):
        if may_enter:
            with st.container(width=320):
                author.asked("transplant_author")
        names = ("Conditions and barriers", "Referral", "Work-up", "Actions")
        conditions, referral, workup, actions = st.tabs(names)
        with conditions:
            draw_conditions(row, told, as_of)
        with referral:
            draw_referral(told["referrals"], as_of)
            if may_enter:
                transplant_forms.draw_referral(row["patient_id"], told["referrals"], as_of)
        with workup:
            draw_workup(told["workup"])
            if may_enter:
                transplant_forms.draw_workup(row["patient_id"], told["workup"], as_of)
        with actions:
            transplant_forms.draw_actions(row["patient_id"], told["actions"], as_of, may_enter)


def draw_conditions(row: dict, told: dict, as_of: date) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        for status in ORDER[:2]:
            for answer in (one for one in told["answers"] if one["status"] == status):
                draw_answer(answer, as_of)
        clear = [one["title"] for one in told["answers"] if one["status"] == "not_met"]
        st.caption(style.as_markdown(f"✓ Not met: {'; '.join(clear) or 'none'}."))
    with right:
        st.markdown("**Barriers** · beside the triggers: they hide none and change no order")
        for answer in sorted(told["barriers"], key=lambda one: (ORDER.index(one["status"]), -(one["grade"] or 0))):
            if answer["status"] != "not_met":
                mark = style.STATUS_MARKS[answer["status"]]
                st.markdown(style.as_markdown(f"{mark} {answer['finding']}"))
        st.markdown("**Clock by trigger**")
        for one in row["clocks"] or ():
            st.markdown(
                style.as_markdown(
                    f"{words.SHORT[one['trigger']]}: {one['days']:,} days from {style.day(one['first_met'])}"
                )
            )


def draw_answer(answer: dict, as_of: date) -> None:
    """A condition with its sentence, as a link to the patient's page on that day with the flag opened."""
    with st.container(key=f"row-answer-{answer['criterion']}"):
        st.page_link(
            "views/patient.py",
            label=style.as_markdown(f"{style.STATUS_MARKS[answer['status']]} {answer['title']}"),
            query_params={
                "patient": answer["patient_id"],
                "as_of": relative_days.in_address(as_of),
                "flag": identity(answer),
            },
        )
        since = f" Since {style.day(answer['since'])}." if answer["status"] == "met" else ""
        st.caption(style.as_markdown(answer["finding"] + since))


def draw_referral(referrals: list[dict], as_of: date) -> None:
    if not referrals:
        st.markdown("No referral record: not discussed.")
        return
    st.dataframe([referral_line(one, as_of) for one in referrals], hide_index=True, alt="Referral records")


def referral_line(one: dict, as_of: date) -> dict:
    later = " (after the day of the board)" if one["on_date"] > as_of else ""
    entry = one["entry"]
    return {
        "Day": style.day(one["on_date"]) + (" (assumed)" if one["date_assumed"] else "") + later,
        "Status": transplant.STATUS_WORDS[one["code"]],
        "Reason or text": one["text"] or "",
        "Source": rows.source_of(one),
        "Entered by": f"{entry['author']} ({entry['author_known']})" if entry and entry["author"] else "",
    }


WORKUP_WIDTHS = {
    "Item": 240, "State": 150, "Day": 95, "Expires": 95, "Days left": 70, "In the records": 490, "Result entered": 160, "Valid for": 80,
    "Asked for by": 260,
}  # fmt: skip


def draw_workup(items: list[dict]) -> None:
    st.dataframe(
        [workup_line(one) for one in items],
        hide_index=True,
        height=420,
        alt="Work-up with expiry dates",
        column_config={name: st.column_config.Column(width=width) for name, width in WORKUP_WIDTHS.items()},
    )
    st.caption(
        "An item is done when a person says so; a result in the records is shown beside and settles nothing. It holds to the end of its "
        "last day. Every number of days is a project default unless entered; the source named is one that the item follows from."
    )


def workup_line(one: dict) -> dict:
    state = transplant.WORKUP_STATES[one["state"]]
    plan = "; planned" + (f" {style.day(one['planned'])}" if one["planned"] else "") if one["planned_known"] else ""
    return {
        "Item": one["title"],
        "State": state + (plan if one["state"] != "planned" else ""),
        "Day": style.day(one["day"]) if one["day"] else "",
        "Expires": style.day(one["expires"]) if one["expires"] else "",
        "Days left": "" if one["days_left"] is None else str(one["days_left"]),
        "In the records": newest(one["newest"]),
        "Result entered": one["text"] or "",
        "Valid for": f"{one['valid_days']} days",
        "Asked for by": one["cite"] if one["published"] else "project default",
    }


def newest(record: dict | None) -> str:
    """'Creatinine 0.8 mg/dL: 13 Aug 2021, 25 days old (labs.csv line 3)'."""
    if record is None:
        return "none"
    value = " ".join(part for part in (record["value"], style.unit(record["unit"])) if part)
    assumed = " (day assumed)" if record["date_assumed"] else ""
    age = f"{record['age_days']} day{'s' * (record['age_days'] != 1)} old"
    name = f"{data.title_of(record['kind'], record['title'])} {value}".strip()
    return f"{name}: {style.day(record['on_date'])}{assumed}, {age} ({rows.source_of(record)})"
