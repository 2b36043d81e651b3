"""The worklist: every patient in one of six plain groups, in a stated order, and what was reviewed by whom.

The state is the address: ?group=...&site=...&find=... opens the same list again.
"""

from datetime import date

import streamlit as st

from dashboard import author, data, deidentify, entry_form, style, table, worklist_filters, worklist_words
from dashboard.charts.sparkline import sparkline
from dashboard.data import worklist as listed
from pipelines.worklist_groups import MEANING, SENTENCE, TITLES

WIDTHS = (1.75, 1.4, 1.7, 1.7, 5.1, 2.1)
HEADINGS = ("Patient", "Oxygen now", "Ferritin", "FVC", "Why here, and flags met by group", "Review")
BADGES = {
    "refractory": "red",
    "transplant": "blue",
    "progression": "violet",
    "therapy": "orange",
    "infection": "green",
    "monitoring": "gray",
    "prognosis": "blue",
}
REVIEWED = "worklist_reviewed"  # the patient whose review the page offers to undo, once


def draw() -> None:
    now = data.provenance()
    choices = listed.choices()
    asked = worklist_filters.read(st.query_params, choices)
    found = listed.worklist(asked)
    draw_head(now.last_day, asked, choices)
    worklist_filters.draw_groups(asked, found.counts)
    st.caption(SENTENCE)
    draw_told()
    if found.rows:
        draw_rows(found.rows, now.last_day)
    elif not now.patients:
        st.info("The store holds no patients yet.")
    else:
        st.info("No patient matches.")
    draw_foot(found, asked)


def draw_head(as_of: date | None, asked: listed.Asked, choices: listed.Choices) -> None:
    title, text, filters, who = st.columns([3.2, 2.1, 1.1, 2.6], vertical_alignment="bottom")
    title.subheader(f"Worklist on {style.day(as_of)}" if as_of and not deidentify.on() else "Worklist", anchor=False)
    with text:
        worklist_filters.draw_text(asked)
    with filters:
        worklist_filters.draw_filters(asked, choices)
    with who, st.container(key="worklist-author"):
        author.asked(label="Reviewer (typed)")


def draw_told() -> None:
    """What became of the last review, and the button that undoes it."""
    patient_id = st.session_state.pop(REVIEWED, None)
    with st.container(horizontal=True, vertical_alignment="center"):
        entry_form.tell()
        if patient_id is not None and not deidentify.on():
            st.button("Undo", key="undo-last", icon=":material/undo:", on_click=undo, args=(patient_id,))


def draw_rows(rows: list[dict], as_of: date) -> None:
    with st.container(key="head-worklist"):
        for column, heading in zip(st.columns(WIDTHS), HEADINGS, strict=True):
            column.markdown(heading)
    lines, before = threshold_lines(), None
    for number, row in enumerate(rows):
        if row["group"] != before:
            before = row["group"]
            st.markdown(f"**{TITLES[before]}** · {MEANING[before]}")
        with st.container(key=f"row-{number}"):
            draw_row(number, row, lines, as_of)


def threshold_lines() -> dict[str, list[float]]:
    """The dotted lines of the curves: the thresholds of the rules on ferritin and FVC."""
    rules = {"ferritin": ("high_ferritin", ""), "fvc": ("referral_lung_function", "fvc")}
    return {
        name: sorted(
            line["value"]
            for line in data.thresholds()
            if line["criterion"] == criterion
            and part in line["name"]
            and (name != "ferritin" or line["unit"] == "ng/mL")
        )
        for name, (criterion, part) in rules.items()
    }


def draw_row(number: int, row: dict, lines: dict, as_of: date) -> None:
    patient, oxygen, ferritin, fvc, why, review = st.columns(WIDTHS, vertical_alignment="top")
    with patient:
        label, query = style.as_markdown(row["patient_id"]), {"patient": row["patient_id"]}
        st.page_link("views/patient.py", label=label, query_params=query)
        st.caption(style.as_markdown(worklist_words.who(row)))
    with oxygen:
        st.markdown(style.as_markdown(worklist_words.oxygen(row["oxygen"])))
        st.caption(style.as_markdown(worklist_words.dates(row)))
    with ferritin:
        draw_curve("Ferritin", row["ferritin"], lines["ferritin"], style.VERMILION, "ng/mL")
    with fvc:
        draw_curve("FVC", row["fvc"], lines["fvc"], style.GREEN, "% predicted")
    with why:
        st.markdown(style.as_markdown(sentence(worklist_words.why(row))))
        st.markdown(badges(row))
        said = (worklist_words.newest(row), worklist_words.agents(row))
        st.caption(style.as_markdown(" · ".join(part for part in said if part)))
    with review:
        draw_review(number, row, as_of)


def draw_review(number: int, row: dict, as_of: date) -> None:
    if not deidentify.on():
        draw_review_buttons(number, row, as_of)
    said = (worklist_words.reviewed(row), worklist_words.since(row))
    st.caption(style.as_markdown(". ".join(part for part in said if part)))


def draw_review_buttons(number: int, row: dict, as_of: date) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button("Reviewed", key=f"review-{number}", icon=":material/check:", on_click=mark, args=(row, as_of))
        if row["review"]:
            said = "Takes back the last review of this patient"
            st.button(
                "Undo", key=f"undo-{number}", type="tertiary", help=said, on_click=undo, args=(row["patient_id"],)
            )


def mark(row: dict, as_of: date) -> None:
    """Keeps that a patient was reviewed, with what the row said."""
    if entry_form.enter([listed.review(row, as_of)], f"{row['patient_id']} is marked as reviewed."):
        st.session_state[REVIEWED] = row["patient_id"]


def undo(patient_id: str) -> None:
    """Takes the last review of a patient back; it stays in the store, withdrawn."""
    rows = listed.undone(patient_id)
    if rows:
        entry_form.enter(rows, f"The last review of {patient_id} is taken back.")


def draw_curve(name: str, points: list[dict], lines: list[float], colour: str, unit: str) -> None:
    if not points:
        st.caption(f"{name} never measured")
        return
    last = points[-1]
    sign = "" if last["value"] is not None else ">" if last["high"] is None else "<"
    value = last["value"] if last["value"] is not None else last["low"] if last["high"] is None else last["high"]
    said = f"{sign}{style.number(value)} {unit}, {style.day(last['day'])}"
    st.image(sparkline(points, lines, colour), width=150, alt=f"{len(points)} results, the last {said}")
    st.caption(style.as_markdown(f"{name} {said}"))


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def badges(row: dict) -> str:
    """How many criteria are met in each group."""
    found = worklist_words.met_by_group(row)
    if found:
        return " ".join(f":{BADGES[group]}-badge[{style.GROUPS[group]} {number}]" for group, number in found.items())
    return "Nothing met" if row["judged"] else "Not judged"


def draw_foot(found: listed.Worklist, asked: listed.Asked) -> None:
    """Which of the patients the page shows, those folded, the other pages, and the download of all."""
    folded = sum(found.counts.values()) - len(found.ids) if asked.group is None else 0
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shown = f"Patients {found.first + 1:,} to {found.first + len(found.rows):,} of {len(found.ids):,}"
        said = f"; folded: {folded:,} whose death is recorded, the last group above" if folded else ""
        st.caption((shown if found.rows else "No patients") + said)
        if found.pages > 1:
            st.session_state["worklist_page"] = found.page
            st.pagination(found.pages, key="worklist_page", on_change=worklist_filters.put, args=("page",))
        st.download_button(
            "Download as CSV",
            deidentify.kept(lambda: table.as_csv(worklist_words.as_table(listed.everything(asked)))),
            "worklist.csv",
            "text/csv",
            on_click="ignore",
        )


draw()
