"""The tables of the Rulebook that are about every rule: the numbers that a committee must approve, the sources, and what changed."""

import streamlit as st

from dashboard import data, style
from pipelines.errors import StoreEmpty
from pipelines.rulebook import wording
from pipelines.rulebook.content import CHAPTERS, Entry, Rulebook, Source

BADGES = {"published": "green", "project default": "orange", "unverified": "red"}


def tag_badge(tag: str) -> str:
    """A tag of the catalog as a coloured badge that names it."""
    return f":{BADGES[tag]}-badge[{tag}]"


def doi_link(source: Source) -> str:
    """A link to a source, made of the dictionary's DOI; nothing where none is recorded."""
    return f"[{style.as_markdown(source.doi)}]({source.link})" if source.link else ""


def draw_to_approve(book: Rulebook) -> None:
    found = book.to_approve()
    st.markdown(wording.TO_APPROVE if found else wording.NOTHING_TO_APPROVE)
    st.caption(" ".join(f"{tag_badge(tag)} {meaning}." for tag, meaning in wording.TAG_MEANINGS.items()))
    cells, before = [], None
    for entry, number in found:
        first = before != (entry.id, number.tag)
        before = (entry.id, number.tag)
        cells.append(
            {
                "Tag": tag_badge(number.tag),
                "Rule": f"[{style.as_markdown(entry.title)}](rulebook?criterion={entry.id})" if first else "",
                "Group": CHAPTERS[entry.chapter] if first else "",
                "Number": style.as_markdown(number.name),
                "Value": f"**{style.as_markdown(number.value)}**",
                "This site": style.as_markdown(number.site or ""),
            }
        )
    draw(cells)


def draw(cells: list[dict[str, str]]) -> None:
    """Rows of Markdown cells; a column that says nothing anywhere is left out."""
    said = {name for row in cells for name, cell in row.items() if cell}
    rows = [{name: cell for name, cell in row.items() if name in said} for row in cells]
    if rows:
        st.table(rows, border="horizontal", hide_index=True)


def draw_sources(book: Rulebook) -> None:
    st.markdown("Every source that a number names, and how well it was read. A link leads to the DOI.")
    cited = {source.key: 0 for source in book.sources}
    for entry in book.entries:
        for number in entry.numbers:
            cited[number.source.key] += 1
    cells = [
        {
            "No.": str(source.number),
            "Source": style.as_markdown(source.text),
            "DOI": doi_link(source),
            "How well it was read": style.as_markdown(source.certainty),
            "Numbers": str(cited[source.key]),
        }
        for source in book.sources
    ]
    draw(cells)


def draw_changes() -> None:
    """Every change of the rules since this store was first judged, newest first, with the patients whose answer it turned."""
    try:
        told = data.rule_versions_told()
    except StoreEmpty:
        st.info("Nothing has been loaded yet: no rule has judged anything.")
        return
    if not told["changes"]:
        st.info("No rule has changed since this store was first judged.")
        return
    st.markdown(
        "Every time a rule, what it reads, or a number of this site had changed, everyone was judged again. A change turned the answer "
        "of so many patients."
    )
    known = data.rules()
    cells = []
    for change in told["changes"]:
        name, through = change["criterion"], [part for part in change["parts"] if part != change["criterion"]]
        title = style.as_markdown(known[name].title if name in known else name)
        cells.append(
            {
                "Judged at": change["judged_at"].replace("T", " "),
                "Rule": f"[{title}](rulebook?criterion={name})" if name in known else title,
                "Change": change["change"],
                "Version": str(change["version"] or ""),
                "Through": style.as_markdown(", ".join(map(style.words, through))),
                "Patients": str(change["patients"]),
                "Why": style.as_markdown(change["why"]),
            }
        )
    draw(cells)


def judged_since(entry: Entry) -> str | None:
    """Since when this store is judged by this version of a rule, in words; None where that cannot be told."""
    try:
        told = data.rule_versions_told()
    except StoreEmpty:
        return None
    for row in told["criteria"]:
        if row["criterion"] == entry.id:
            if not row["content_hash"].startswith(entry.content_hash):
                return "This store was judged by another version; the next load or rebuild judges it by this one."
            return row["since"] and f"This store is judged by this version since {row['since'].replace('T', ' ')}."
    return None
