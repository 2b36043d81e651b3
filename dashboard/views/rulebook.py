"""The rulebook: every criterion with its numbers, their sources, its worked examples and the patients it is met in; the numbers that a
committee must approve; the sources. The state is the address: ?criterion=... opens the same rule again.
"""

import streamlit as st

from dashboard import data, deidentify, rule_page, rulebook_tables, style
from pipelines.catalog import TAGS
from pipelines.rulebook import wording
from pipelines.rulebook.content import CHAPTERS, Entry, Rulebook

SECTIONS = {"rules": "Rules", "approve": "Numbers to approve", "sources": "Sources", "changes": "Changes"}
DOWNLOADS = {"md": ("Markdown", "text/markdown"), "pdf": ("PDF", "application/pdf")}


def draw() -> None:
    book = data.rulebook()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width="content"):
            st.subheader("Rulebook", anchor=False)
            st.caption(style.as_markdown(wording.edition(book)))
        draw_downloads()
    doubt = wording.warning(book)
    if doubt:
        st.warning(style.as_markdown(doubt))
    asked = st.query_params.get("show", "rules")
    st.session_state["rulebook_section"] = asked if asked in SECTIONS else "rules"
    counts = {"rules": len(book.entries), "approve": len(book.to_approve()), "sources": len(book.sources)}
    section = st.segmented_control(
        "Section",
        list(SECTIONS),
        key="rulebook_section",
        required=True,
        label_visibility="collapsed",
        on_change=lambda: st.query_params.from_dict({"show": st.session_state["rulebook_section"]}),
        format_func=lambda name: f"{SECTIONS[name]} ({counts[name]})" if name in counts else SECTIONS[name],
    )
    if section == "rules":
        draw_rules(book)
    else:
        with st.container(key="rule-page"):
            SECTION_DRAWN[section](book)


SECTION_DRAWN = {
    "approve": rulebook_tables.draw_to_approve,
    "sources": rulebook_tables.draw_sources,
    "changes": lambda _: rulebook_tables.draw_changes(),
}


def draw_downloads() -> None:
    """The same as documents for a committee, made when they are asked for."""
    with st.container(horizontal=True, width="content"):
        for form, (label, kind) in DOWNLOADS.items():
            st.download_button(
                label,
                deidentify.kept(lambda form=form: data.rulebook_document(form)),
                f"rulebook.{form}",
                kind,
                key=f"rulebook-{form}",
                icon=":material/download:",
                on_click="ignore",
            )


def draw_rules(book: Rulebook) -> None:
    listing, detail = st.columns([1, 2.6], gap="large")
    with listing:
        found = draw_filters(book)
        asked = st.query_params.get("criterion")
        current = next((entry for entry in found if entry.id == asked), found[0] if found else None)
        draw_list(found, current)
    with detail, st.container(key="rule-page"):
        if current is None:
            st.info("No rule matches.")
        else:
            rule_page.draw(book, current)


def draw_filters(book: Rulebook) -> list[Entry]:
    """The search and the filters, and the rules that pass them."""
    asked = st.text_input(
        "Find a rule", key="find_rule", placeholder="words of it, a number, an author", type="search"
    ).casefold()
    chapters = [chapter for chapter in CHAPTERS if book.chapter(chapter)]
    chapter = st.selectbox(
        "Group",
        ["all", *chapters],
        key="rule_group",
        format_func=lambda name: CHAPTERS.get(name, "All groups"),
        label_visibility="collapsed",
    )
    tag = st.selectbox(
        "Tag",
        ["any", *TAGS],
        key="rule_tag",
        format_func=lambda name: "Any tag" if name == "any" else f"With a number tagged {name}",
        label_visibility="collapsed",
    )
    met = book.counts is not None and st.toggle("Met in this store", key="rule_met")
    return [
        entry
        for entry in book.entries
        if chapter in ("all", None, entry.chapter)
        and (tag in ("any", None) or entry.tagged(tag))
        and (not met or (entry.answers or {}).get("met"))
        and all(word in searched(entry) for word in asked.split())
    ]


def searched(entry: Entry) -> str:
    """Everything of a rule that a search looks through."""
    numbers = [f"{number.name} {number.value} {number.tag} {number.source.text}" for number in entry.numbers]
    parts = (entry.title, entry.id, style.words(entry.id), entry.why, *entry.sentences.values(), *entry.notes, *numbers)
    return "\n".join(parts).casefold()


def draw_list(found: list[Entry], current: Entry | None) -> None:
    st.caption(f"{len(found)} rule{'s' * (len(found) != 1)}")
    with st.container(key="rules-list"):
        before = None
        for entry in found:
            if entry.chapter != before:
                before = entry.chapter
                st.markdown(f"**{CHAPTERS[before]}**")
            met = (entry.answers or {}).get("met")
            mark = f" {style.STATUS_MARKS['met']}\u00a0{met}" if met else ""
            st.button(
                style.as_markdown(entry.title) + mark,
                key=f"rule-{entry.id}",
                type="secondary" if entry is current else "tertiary",
                on_click=rule_page.choose,
                args=(entry.id,),
                wrap=True,
            )


draw()
