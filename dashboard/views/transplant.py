"""The transplant board: a row per patient with a trigger, whose clock runs, where the referral stands, and what is done next.

The state is the address: ?as_of=...&patient=... opens the same board with the same row.
"""

from datetime import date

import streamlit as st

from dashboard import address, deidentify, entry_form, style, table, transplant_details, transplant_figures_table
from dashboard import transplant_words as words
from dashboard.data import deidentified, provenance, transplant

ON_A_PAGE = 20
PAGE = "transplant_page"
MOST_NAMED = 4  # records asked for, in a row; the opened row and the CSV have them all
WIDTHS = (1.6, 4.0, 2.2, 2.5, 1.5, 2.1)
HEADINGS = ("Patient", "Triggers met", "Referral clock", "Barriers, beside it", "Referral", "Next action, owner")
ANY = "any status"


def draw() -> None:
    now = provenance()
    if now.last_day is None:
        st.info("Nothing dated is recorded yet.")
        return
    chosen = address.now()
    asked = deidentified.whose(chosen.patient).real(chosen.as_of) if chosen.patient else chosen.as_of
    as_of = min(asked or now.last_day, now.last_day)
    rows = transplant.board(as_of)
    entry_form.tell()
    found = draw_head(rows, as_of)
    transplant_figures_table.draw(transplant.figures(as_of))
    if chosen.patient is not None and not any(row["patient_id"] == chosen.patient for row in rows):
        st.warning("The patient asked for is not on this board.")
    draw_headings()
    opened = next((row for row in rows if row["patient_id"] == chosen.patient), None)
    if opened:
        draw_opened(opened, as_of)
    if not found:
        st.info("No patient matches." if rows else "No patient has a trigger met, or a referral under way.")
        return
    first = first_place(found)
    shown = transplant.told(found[first : first + ON_A_PAGE], as_of)
    draw_rows([row for row in shown if row["patient_id"] != chosen.patient], unfolded=len(found) < len(rows))
    draw_foot(found, first, as_of)


def draw_head(rows: list[dict], as_of: date) -> list[dict]:
    """The title, the search and the filter; returns the rows they leave."""
    left, right = st.columns([5, 4], vertical_alignment="bottom")
    on = "" if deidentify.on() else f" on {style.day(as_of)}"
    left.subheader(f"Transplant board{on}", anchor=False)
    with right.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.text_input("Find a patient", key="transplant_find", placeholder="part of the id", type="search")
        status = st.selectbox(
            "Referral",
            [ANY, *transplant.STATUS_WORDS],
            key="transplant_status",
            format_func=lambda name: transplant.STATUS_WORDS.get(name, name),
        )
    st.caption(transplant.ORDER_SENTENCE)
    text = (asked or "").strip().lower()
    return [row for row in rows if text in row["patient_id"].lower() and status in (ANY, None, row["status"])]


def first_place(rows: list[dict]) -> int:
    """The place of the first row of the page chosen."""
    return (min(st.session_state.get(PAGE, 1), -(-len(rows) // ON_A_PAGE)) - 1) * ON_A_PAGE


def draw_opened(row: dict, as_of: date) -> None:
    """The patient that is open stands on top, wherever the row is on the board: what is entered moves the row."""
    (told,) = transplant.told([row], as_of)
    st.markdown(f"**Opened** · {transplant.BAND_WORDS[told['band']]}")
    with st.container(key="row-transplant-opened"):
        draw_cells(told, st.columns(WIDTHS, vertical_alignment="top"), "opened", is_open=True)
        transplant_details.draw(told, deidentified.whose(row["patient_id"]).shown(as_of))


def draw_headings() -> None:
    with st.container(key="head-transplant"):
        for column, heading in zip(st.columns(WIDTHS), HEADINGS, strict=True):
            column.markdown(heading)


def draw_rows(rows: list[dict], unfolded: bool) -> None:
    """`unfolded`: those at the end are shown too, for somebody was looked for."""
    before = None
    for number, row in enumerate(row for row in rows if row["band"] != "closed"):
        if row["band"] != before:
            before = row["band"]
            st.markdown(f"**{transplant.BAND_WORDS[before]}**")
        draw_row(row, number)
    closed = [row for row in rows if row["band"] == "closed"]
    if closed:
        with st.expander(f"{transplant.BAND_WORDS['closed']}: {len(closed)} on this page", expanded=unfolded):
            for number, row in enumerate(closed, start=len(rows)):
                draw_row(row, number)


def draw_row(row: dict, number: int) -> None:
    with st.container(key=f"row-transplant-{number}"):
        draw_cells(row, st.columns(WIDTHS, vertical_alignment="top"), number)


def draw_cells(row: dict, columns: list, number: int | str, is_open: bool = False) -> None:
    patient, triggers, clock, barriers, status, action = columns
    with patient:
        mark = "▾" if is_open else "▸"
        label = f"{mark} {style.as_markdown(row['patient_id'])}"
        target = None if is_open else row["patient_id"]
        st.button(label, key=f"open-{number}", type="tertiary", wrap=True, on_click=open_row, args=(target,))
        parts = [row["site"], words.CLOSED.get(row["closed_because"])]
        said(" · ".join(part for part in parts if part))
        said(words.last_record(row))
    with triggers:
        st.markdown(style.as_markdown("; ".join(words.triggers(row)) or "none met now"))
        said(prefixed("No longer met: ", "; ".join(words.no_longer(row))))
        said(prefixed("Cannot be told: ", words.unknown(row, MOST_NAMED)))
    with clock:
        st.markdown(f"**{style.as_markdown(words.clock(row))}**")
        said(words.clock_said(row))
        said(prefixed("Days by trigger: ", words.clocks(row)))
    with barriers:
        st.markdown(style.as_markdown(words.barriers(row)))
        said(prefixed("Cannot be told: ", words.barriers_unknown(row)))
    with status:
        st.markdown(style.as_markdown(words.status(row)))
        said(row["status_text"])
        said(words.status_source(row))
    with action:
        draw_action(row["next_action"])


def draw_action(action: dict | None) -> None:
    if action is None:
        st.markdown("no next action recorded")
        return
    late = bool(action["overdue_days"])
    text = style.as_markdown(deidentify.or_left(action["text"]))
    st.markdown(f"**! {text}**" if late else text)
    said(", ".join(part for part in (action["owner"], words.due(action)) if part))


def prefixed(prefix: str, text: str) -> str:
    return prefix + text if text else ""


def said(text: str | None) -> None:
    if text:
        st.caption(style.as_markdown(text))


def open_row(patient_id: str | None) -> None:
    address.put(patient=patient_id)


def draw_foot(found: list[dict], first: int, as_of: date) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"Patients {first + 1} to {min(first + ON_A_PAGE, len(found))} of {len(found)}")
        pages = -(-len(found) // ON_A_PAGE)
        if pages > 1:
            st.pagination(pages, default=first // ON_A_PAGE + 1, key=PAGE)
        st.download_button(
            "Download as CSV",
            deidentify.kept(lambda: table.as_csv(words.as_table(transplant.whole_table(found, as_of)))),
            "transplant.csv",
            "text/csv",
            on_click="ignore",
        )
        if not deidentify.on():
            draw_calendar([row["patient_id"] for row in found], as_of)


def draw_calendar(patients: list[str], as_of: date) -> None:
    """The due dates of the patients found, as a calendar file; dates and actions are free text, so never while nobody may be named."""
    bare = st.checkbox("without patient ids", key="calendar_bare")
    st.download_button(
        "Due dates (ICS)",
        deidentify.kept(lambda: transplant.calendar(as_of, patients, not bare)),
        "transplant_due_dates.ics",
        "text/calendar",
        on_click="ignore",
        help="Expiry of work-up items, due and check days of open transplant decisions, of the patients found.",
    )


draw()
