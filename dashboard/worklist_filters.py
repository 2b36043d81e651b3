"""What of the worklist is asked for, as the address holds it: the same address opens the same list again, and the widgets that change it.

Everything in an address is hostile: what is not one of the choices on offer is passed over.
"""

from collections.abc import Mapping

import streamlit as st

from dashboard import address, deidentify, style
from dashboard.charts.treatment_words import class_title
from dashboard.data.worklist import Asked, Choices
from pipelines.worklist_groups import GROUPS, TITLES

WITHIN = (7, 14, 30, 90, 365)  # days that are offered
LONGEST_ID = 200  # characters of an id that are looked for


def read(query: Mapping[str, str], choices: Choices) -> Asked:
    """The choices in the query of an address."""

    def one_of(name: str, offered) -> str | None:
        return query.get(name) if query.get(name) in offered else None

    def days(name: str) -> int | None:
        return next((days for days in WITHIN if str(days) == query.get(name)), None)

    page = query.get("page", "")
    return Asked(
        text=query.get("find", "")[:LONGEST_ID],
        site=one_of("site", choices.sites),
        group=one_of("group", GROUPS),
        flags=one_of("flags", style.GROUPS),
        agent=one_of("agent", choices.agents),
        recorded=days("recorded"),
        newly=days("newly"),
        page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) <= 6 else 1,
    )


def put(name: str) -> None:
    """Puts what a widget says into the address; the list begins at its first page again."""
    said = st.session_state[f"worklist_{name}"]
    address.put(**{name: None if said is None else str(said)} | ({} if name == "page" else {"page": None}))


def forget() -> None:
    """Takes every filter out of the address."""
    address.put(**dict.fromkeys(("find", "site", "group", "flags", "agent", "recorded", "newly", "page")))


def draw_text(asked: Asked) -> None:
    st.session_state["worklist_find"] = asked.text
    st.text_input(
        "Find a patient",
        key="worklist_find",
        placeholder="Find: part of the label" if deidentify.on() else "Find: part of the id",
        type="search",
        label_visibility="collapsed",
        max_chars=LONGEST_ID,
        on_change=put,
        args=("find",),
    )


def draw_groups(asked: Asked, counts: dict[str, int]) -> None:
    """The groups with how many are in each; the one chosen is shown alone."""
    st.session_state["worklist_group"] = asked.group
    st.pills(
        "Group",
        GROUPS,
        key="worklist_group",
        format_func=lambda group: f"{TITLES[group]} {counts[group]:,}",
        label_visibility="collapsed",
        on_change=put,
        args=("group",),
    )


def draw_filters(asked: Asked, choices: Choices) -> None:
    """The other filters, in a popover that says how many are on."""
    on = [asked.site, asked.flags, asked.agent, asked.recorded, asked.newly]
    number = sum(one is not None for one in on)
    with st.popover(f"Filters: {number} on" if number else "Filters", icon=":material/filter_list:"):
        if choices.sites:  # none is offered while the page is de-identified
            _choose("site", "Site", "any site", asked.site, choices.sites, style.as_markdown)
        _choose("flags", "Flags met in", "any group", asked.flags, tuple(style.GROUPS), style.GROUPS.get)
        _choose("agent", "Agent acting now", "any agent", asked.agent, choices.agents, class_title)
        _choose("recorded", "Last record within", "any time", asked.recorded, WITHIN, _within)
        _choose("newly", "A flag newly met within", "any time", asked.newly, WITHIN, _within)
        st.button("No filters", on_click=forget, disabled=asked == Asked(page=asked.page))


def _choose(name: str, label: str, none: str, chosen, offered: tuple, said) -> None:
    st.session_state[f"worklist_{name}"] = chosen
    st.selectbox(
        label,
        offered,
        index=None,
        placeholder=none,
        key=f"worklist_{name}",
        format_func=said,
        on_change=put,
        args=(name,),
    )


def _within(days: int) -> str:
    return f"{days} days of the as-of day"
