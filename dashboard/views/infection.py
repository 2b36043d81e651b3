"""Infection: who is under immunosuppression, unprotected, infected or not looked at, one row per patient.

The state is the address: ?flag=gap&agent=cni&find=abc opens the same rows again.
"""

import re
from datetime import date

import streamlit as st

from dashboard import address, deidentify, infection_table, infection_words, style
from dashboard.data import infection
from dashboard.infection_words import Statement

ON_A_PAGE = 20
WIDTHS = (1.45, 1.9, 2.1, 2.5, 2.5, 2.3, 2.3)
SENTENCE = (
    "In this order: an infection open under at least two agents; a PJP prophylaxis gap, the oldest first; counts at stop level "
    "(lymphopenia or neutropenia from CTCAE grade 3, a project default, or the stop of the JAK inhibitor label); another infection or "
    "exchange flag; surveillance overdue; the rest. Within each the oldest first."
)
SIGNS = f"{infection_words.MET} met, {infection_words.UNKNOWN} cannot be told."
READING = (
    "A result is the worst of its last day, as the rules judge a day, beside that of the day before it of the same assay or laboratory. "
    "β-D-glucan is in no schedule, so no test of it is overdue. The (?) of a cell names file and line; the CSV has them all."
)
FLAGS = {
    "gap": "prophylaxis gap",
    "open_infection": "open infection",
    "counts": "low counts",
    "surveillance": "surveillance overdue",
    "screening": "screening missing",
    "exchange": "exchange near IVIG or rituximab",
}
MOST_SOURCES = 5  # of one statement in the help of its cell; the file has them all
SHEET = """<style>
[class*="st-key-row-infection-"] [data-testid="stMarkdownContainer"] p { font-size: 0.78rem; line-height: 1.25; }
[class*="st-key-row-infection-"] [data-testid="stCaptionContainer"] p { font-size: 0.74rem; }
[class*="st-key-infection-reading"] [data-testid="stCaptionContainer"] { margin-bottom: 0; }
[class*="st-key-infection-reading"] p { font-size: 0.76rem; line-height: 1.25; margin: 0; }
</style>"""


def draw() -> None:
    as_of = infection.last_day()
    st.html(SHEET)
    lacking = infection.lacking()
    if lacking:
        names = ", ".join(style.words(name) for name in lacking)
        st.subheader("Infection", anchor=False)
        st.info(f"Load or rebuild to see this: the snapshot was made by older rules, which did not keep {names}.")
        st.code("python -m pipelines rebuild", language="bash")
        return
    rows = infection.board(as_of) if as_of else []
    found = draw_filters(rows, as_of)
    with st.container(key="infection-reading"):
        st.caption(f"{SENTENCE} **{SIGNS}**{left_out(as_of)}", help=READING)
    if not found:
        st.info("No patient matches." if rows else "No patient is under immunosuppression or has an infection flag.")
        return
    pages = -(-len(found) // ON_A_PAGE)
    number = min(st.session_state.get("infection_page", 1), pages)
    first = (number - 1) * ON_A_PAGE
    shown = found[first : first + ON_A_PAGE]
    details = infection.details(as_of, [row["patient_id"] for row in shown])
    draw_rows(shown, details, as_of)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"Patients {first + 1} to {first + len(shown)} of {len(found)}")
        if pages > 1:
            st.pagination(pages, key="infection_page")
        st.download_button(
            "Download as CSV",
            deidentify.kept(lambda: infection_table.as_csv(found, as_of)),
            "infection-board.csv",
            "text/csv",
            on_click="ignore",
        )
    with st.expander("The same rows as a table"):
        st.dataframe(infection_table.as_table(shown, details, as_of), hide_index=True)


def left_out(as_of: date | None) -> str:
    died = infection.died(as_of) if as_of else 0
    return f" {died} patient{'s' * (died != 1)} recorded to have died {'is' if died == 1 else 'are'} left out." * (
        died > 0
    )


def draw_filters(rows: list[dict], as_of: date | None) -> list[dict]:
    """The title and the filters, which the address holds. Returns the rows that pass."""
    agents = sorted({agent for row in rows for agent in row["agents"]})
    left, right = st.columns([3, 6], vertical_alignment="bottom")
    left.subheader(
        f"Infection board on {style.day(as_of)}" if as_of and not deidentify.on() else "Infection board", anchor=False
    )
    with right.container(horizontal=True, vertical_alignment="bottom"):
        find = st.query_params.get("find", "")[: address.LONGEST]
        st.session_state["infection_find"] = find
        st.text_input(
            "Find a patient",
            key="infection_find",
            placeholder="Find a patient: part of the id",
            on_change=put,
            label_visibility="collapsed",
        )
        flag = chosen("flag", list(FLAGS))
        st.selectbox(
            "Flag",
            ["", *FLAGS],
            key="infection_flag",
            on_change=put,
            label_visibility="collapsed",
            format_func=flag_name,
        )
        agent = chosen("agent", agents)
        st.selectbox(
            "Agent",
            ["", *agents],
            key="infection_agent",
            on_change=put,
            label_visibility="collapsed",
            format_func=agent_name,
        )
    asked = find.strip().lower()
    return [
        row
        for row in rows
        if asked in row["patient_id"].lower() and (not flag or row[flag]) and (not agent or agent in row["agents"])
    ]


def chosen(name: str, known: list[str]) -> str:
    """A choice of the address if it is one on offer, put into its widget; '' is none."""
    asked = st.query_params.get(name, "")
    st.session_state[f"infection_{name}"] = asked if asked in known else ""
    return st.session_state[f"infection_{name}"]


def put() -> None:
    """What the widgets say goes into the address; the first page of what is found is shown."""
    address.put(**{name: st.session_state[f"infection_{name}"] for name in ("find", "flag", "agent")})
    st.session_state["infection_page"] = 1


def flag_name(flag: str) -> str:
    return FLAGS.get(flag, "any flag")


def agent_name(agent: str) -> str:
    return style.words(agent) or "any agent"


def draw_rows(rows: list[dict], details: list[dict], as_of: date) -> None:
    with st.container(key="head-infection"):
        for column, heading in zip(st.columns(WIDTHS), ("Patient", *infection_table.TITLES.values()), strict=True):
            column.markdown(heading)
    before = None
    for number, (row, detail) in enumerate(zip(rows, details, strict=True)):
        if row["rank"] != before:
            before = row["rank"]
            st.markdown(f"**{infection_table.RANKS[before]}**")
        with st.container(key=f"row-infection-{number}"):
            draw_row(row, detail, as_of)


def draw_row(row: dict, detail: dict, as_of: date) -> None:
    columns = st.columns(WIDTHS, gap="small")
    with columns[0]:
        flag = infection_words.first_flag(detail)
        query = {"patient": row["patient_id"], "view": "infection"} | ({"flag": flag} if flag else {})
        st.page_link("views/patient.py", label=style.as_markdown(row["patient_id"]), query_params=query)
        for line in infection_table.who(row, detail):
            st.caption(line)
    for column, statements in zip(columns[1:], infection_words.cells(detail, as_of).values(), strict=True):
        column.markdown("  \n".join(said(one) for one in statements), help=sources(statements))


def said(one: Statement) -> str:
    """A statement as Markdown: of what is met the first words are bold with the sign."""
    if one.sign != infection_words.MET:
        return style.as_markdown(one.said)
    first, mark, rest = re.match(r"([^,:(]*?)(\s*[,:(]|$)(.*)", " ".join(one.said.split())).groups()
    return f"**{style.as_markdown(first)}**{' ' * mark.startswith(' ')}{style.as_markdown(mark + rest)}"


def sources(statements: list[Statement]) -> str | None:
    """File and line of what a cell says; None where nothing in it comes from a record."""
    lines = []
    for one in (one for one in statements if one.sources):
        more = len(one.sources) - MOST_SOURCES
        named = ", ".join(one.sources[:MOST_SOURCES]) + (f" and {more} more" if more > 0 else "")
        lines.append(style.as_markdown(f"{one.text}: {named}"))
    return "\n\n".join(lines) or None


draw()
