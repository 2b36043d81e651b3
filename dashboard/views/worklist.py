"""The worklist: one row per patient, in order of urgency, in words."""

from collections import Counter

import streamlit as st

from dashboard import data, deidentify, strip, style, table, urgency
from dashboard.charts import oxygen_support
from dashboard.charts.sparkline import sparkline

ON_A_PAGE = 20
WIDTHS = (2.3, 2.0, 2.1, 2.1, 4.6, 1.5)
HEADINGS = ("Patient", "Oxygen now", "Ferritin", "FVC", "Flags met, by group", "Last record")
BADGES = {
    "refractory": "red",
    "transplant": "blue",
    "progression": "violet",
    "therapy": "orange",
    "infection": "green",
    "monitoring": "gray",
    "prognosis": "blue",
}


def draw() -> None:
    now = data.provenance()
    rows = data.worklist()
    left, right = st.columns([5, 4], vertical_alignment="bottom")
    on_day = now.last_day and not deidentify.on()
    left.subheader(f"Worklist on {style.day(now.last_day)}" if on_day else "Worklist", anchor=False)
    with right.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.text_input("Find a patient", key="find", placeholder="part of the id", type="search")
        groups = [group for group in style.GROUPS if any(flag["group"] == group for row in rows for flag in row["met"])]
        group = st.selectbox(
            "Flags met in", ["any group", *groups], key="group", format_func=lambda name: style.GROUPS.get(name, name)
        )
    st.caption(urgency.SENTENCE)
    found = [row for row in rows if wanted(row, asked, group)]
    if not found:
        st.info("No patient matches." if rows else "The store holds no patients yet.")
        return
    pages = -(-len(found) // ON_A_PAGE)
    number = min(st.session_state.get("page_number", 1), pages)
    first = (number - 1) * ON_A_PAGE
    draw_rows(found[first : first + ON_A_PAGE])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"Patients {first + 1} to {min(first + ON_A_PAGE, len(found))} of {len(found)}")
        if pages > 1:
            st.pagination(pages, key="page_number")
        st.download_button(
            "Download as CSV", lambda: table.as_csv(as_table(found)), "worklist.csv", "text/csv", on_click="ignore"
        )


def wanted(row: dict, asked: str, group: str) -> bool:
    """Whether a patient passes the search and the filter."""
    if asked and asked.strip().lower() not in row["patient_id"].lower():
        return False
    return group in ("any group", None) or any(flag["group"] == group for flag in row["met"])


def draw_rows(rows: list[dict]) -> None:
    with st.container(key="head-worklist"):
        for column, heading in zip(st.columns(WIDTHS), HEADINGS, strict=True):
            column.markdown(heading)
    lines = {
        "ferritin": sorted(
            line["value"]
            for line in data.thresholds()
            if line["criterion"] == "high_ferritin" and line["unit"] == "ng/mL"
        ),
        "fvc": [
            line["value"]
            for line in data.thresholds()
            if line["criterion"] == "referral_lung_function" and "fvc" in line["name"]
        ],
    }
    before = None
    for number, row in enumerate(rows):
        if row["urgency"] != before:
            before = row["urgency"]
            st.markdown(f"**{urgency.WORDS[before]}**")
        with st.container(key=f"row-{number}"):
            draw_row(row, lines)


def draw_row(row: dict, lines: dict) -> None:
    patient, oxygen, ferritin, fvc, flags, last = st.columns(WIDTHS, vertical_alignment="center")
    with patient:
        st.page_link(
            "views/patient.py", label=style.as_markdown(row["patient_id"]), query_params={"patient": row["patient_id"]}
        )
        st.caption(style.as_markdown(who(row)))
    with oxygen:
        st.markdown(style.as_markdown(oxygen_words(row["oxygen"])))
        if row["oxygen"]:
            st.caption(style.day(row["oxygen"]["on_date"]))
    with ferritin:
        draw_spark(row["ferritin"], lines["ferritin"], style.VERMILION, "ng/mL")
    with fvc:
        draw_spark(row["fvc"], lines["fvc"], style.GREEN, "%")
    with flags:
        st.markdown(
            flag_badges(row["met"]) or ("Nothing met" if row["not_met"] or row["not_evaluable"] else "Not judged")
        )
        st.caption(style.as_markdown(newest(row)))
    with last:
        st.markdown(style.day(row["last_day"]))
        if row["days_before"]:
            st.caption(f"{row['days_before']} days before")


def draw_spark(points: list[dict], lines: list[float], colour: str, unit: str) -> None:
    if not points:
        st.caption("never measured")
        return
    last = points[-1]
    sign = "" if last["value"] is not None else ">" if last["high"] is None else "<"
    value = last["value"] if last["value"] is not None else last["low"] if last["high"] is None else last["high"]
    said = f"{sign}{style.number(value)} {unit}, {style.day(last['day'])}"
    st.image(sparkline(points, lines, colour), width=150, alt=f"{len(points)} results, the last {said}")
    st.caption(style.as_markdown(said))


def who(row: dict) -> str:
    """Sex, birth year and site as far as known."""
    parts = [row["sex"], style.born(row), row["site"]]
    return ", ".join(part for part in parts if part) or "sex and age unknown"


def oxygen_words(row: dict | None) -> str:
    if row is None:
        return "never recorded"
    level = strip.SHORT[row["level"]]
    return f"{level} {oxygen_support.setting(row, short=row['fio2_source'] == 'set')}".strip()


def flag_badges(met: list[dict]) -> str:
    """How many criteria are met in each group."""
    count = Counter(group for group, _ in {(flag["group"], flag["criterion"]) for flag in met})
    return " ".join(
        f":{BADGES[group]}-badge[{style.GROUPS[group]} {count[group]}]" for group in style.GROUPS if count[group]
    )


def newest(row: dict) -> str:
    """The flag met last, in words; with none, how many cannot be told."""
    if row["met"]:
        flag = max(row["met"], key=lambda flag: (flag["since"], flag["criterion"]))
        item = f" ({style.words(flag['item'])})" if flag["item"] else ""
        return f"newest: {style.words(flag['criterion'])}{item}, since {style.day(flag['since'])}"
    unknown = len({flag["criterion"] for flag in row["not_evaluable"]})
    return f"{unknown} cannot be told" if unknown else ""


def as_table(rows: list[dict]) -> list[dict]:
    """The rows as a table of text."""
    return [
        {
            "patient": row["patient_id"],
            "urgency": urgency.WORDS[row["urgency"]],
            "oxygen now": oxygen_words(row["oxygen"]),
            "oxygen on": row["oxygen"]["on_date"] if row["oxygen"] else None,
            "met": "; ".join(sorted({style.words(flag["criterion"]) for flag in row["met"]})),
            "last record": row["last_day"],
        }
        for row in rows
    ]


draw()
