"""Held rows: what was found, what the row says, and a person's decision with who and why. A decision is kept as a file of the store."""

import streamlit as st

from dashboard import data, held, received, style
from dashboard.load_job import LoadJob

DECISIONS = {
    "accept": "Accept it as printed",
    "correct_unit": "Correct its unit",
    "reject": "Reject it for good",
}
MEANING = {
    "accept": "value and unit are right",
    "correct_unit": "the value is right, its unit is missing or wrong",
    "reject": "it is no result of this patient, or it is mended at its source and loaded again",
}


def draw() -> None:
    job = st.session_state.get("decision_job")
    if job and job.running:
        job.draw()
        st.rerun()
    if job:
        draw_outcome(job)
    rows = data.held_rows()
    if not rows:
        st.info("No row waits for a decision.")
    else:
        draw_waiting(rows)
    draw_decided()


def draw_outcome(job: LoadJob) -> None:
    refused = job.trouble or (job.reports and job.reports[0].refused)
    if refused:
        st.error(style.as_markdown(refused))
    elif job.reports[0].rejected:
        st.warning("The decision was kept, and its row is still not taken: see the rejected rows of decision.csv.")
    else:
        st.success("The decision is kept, and the row is settled.")


def draw_waiting(rows: list[dict]) -> None:
    """The rows that wait at the left; the one that is chosen, or the first, with its form at the right."""
    left, right = st.columns([1.25, 1], gap="medium")
    first = received.first_of(len(rows), "held_page")
    shown = rows[first : first + received.ON_A_PAGE]
    with left:
        key = f"held-{first}"
        st.dataframe(
            [line_of(row) for row in shown],
            hide_index=True,
            on_select=lambda: received.choose(key, shown, receipt="receipt", line="line"),
            selection_mode=received.ONE,
            key=key,
            alt="Rows that wait for a decision",
        )
        received.draw_pages(len(rows), first, len(shown), "held_page", "rows")
    place = (received.number_asked("receipt"), received.number_asked("line"))
    with right.container(border=True, key="held-row"):
        draw_form(next((row for row in rows if (row["receipt"], row["line"]) == place), shown[0]))


def line_of(row: dict) -> dict:
    return {
        "Patient": row["patient_id"] or "",
        "Reason": style.words(row["reason"]),
        "Found": row["found"] or "",
        "File": row["file"],
        "Line": row["line"],
        "Row as received": row["raw"],
    }


def draw_form(row: dict) -> None:
    """What the row says, why it is held, and the decision on it."""
    st.markdown(f"**{style.as_markdown(row['file'])}, line {row['line']}: {style.words(row['reason'])}**")
    place = f" · {row['place']}" if row["place"] else ""
    st.caption(style.as_markdown(f"Patient {row['patient_id'] or 'not named'}{place} · receipt {row['receipt']}"))
    received.draw_cells({name: cell for name, cell in row["cells"].items() if name != "patient_id"})
    st.text(row["hint"])
    decision, unit = draw_choice(row)
    who = st.text_input("Who decides", key="decided_by", max_chars=100, placeholder="your name or initials")
    why = st.text_input("Why", key=f"why-{_which(row)}", max_chars=500, placeholder="how you know")
    lacking = not decision or not who.strip() or not why.strip() or (decision == "correct_unit" and not unit)
    st.button(
        "Keep this decision",
        type="primary",
        key="decide",
        disabled=lacking,
        on_click=decide,
        args=(row, decision, who, why, unit),
    )
    if lacking:
        st.caption("A decision needs a choice, who made it and why. It is kept like a file and survives a rebuild.")


def draw_choice(row: dict) -> tuple[str | None, str | None]:
    """The decision, of those that the row allows, and the unit where it is the unit that is corrected."""
    units = held.units_of(row)
    choices = [name for name in DECISIONS if name != "correct_unit" or units]
    if row["reason"] not in data.ACCEPTABLE:  # it cannot be read as it is printed
        choices.remove("accept")
    decision = st.radio(
        "Decision",
        choices,
        format_func=DECISIONS.get,
        captions=[MEANING[name] for name in choices],
        key=f"decision-{_which(row)}",
        index=None,
    )
    if decision != "correct_unit":
        return decision, None
    chosen = st.selectbox(
        "The unit it was measured in",
        units,
        index=None,
        key=f"unit-{_which(row)}",
        format_func=style.unit,
        placeholder="choose",
    )
    return decision, chosen


def _which(row: dict) -> str:
    return f"{row['receipt']}-{row['line']}"


def decide(row: dict, decision: str, who: str, why: str, unit: str | None) -> None:
    st.session_state["decision_job"] = LoadJob(lambda told: data.decide(row, decision, who, why, unit, told))
    st.query_params.from_dict({"show": "held"})


def draw_decided() -> None:
    """The decisions made, newest first."""
    made = data.decided()
    if not made:
        return
    st.markdown(f"**Decisions made** · {len(made):,}")
    st.dataframe(
        [
            {
                "When": f"{row['decided_at']:%Y-%m-%d %H:%M}",
                "Who": row["decided_by"],
                "Decision": DECISIONS[row["decision"]] + (f": {style.unit(row['unit'])}" if row["unit"] else ""),
                "Why": row["why"],
                "Patient": row["patient_id"],
                "Reason it was held": style.words(row["reason"]),
                "File": row["file"],
                "Line": row["line"],
                "Row as received": row["raw"],
            }
            for row in made
        ],
        hide_index=True,
        key="decided",
        height=min(36 * len(made) + 40, received.TALL),
    )
