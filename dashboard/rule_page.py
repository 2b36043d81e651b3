"""One rule of the Rulebook in a readable form: its numbers and their sources, its sentences, who meets it, its worked examples."""

import streamlit as st

from dashboard import data, rulebook_tables, style
from dashboard.data import alerting
from pipelines.rulebook import wording
from pipelines.rulebook.content import CHAPTERS, Entry, Rulebook
from pipelines.rulebook.examples import EXPECTED, Case

MOST = 100  # patients named behind a count


def choose(rule: str) -> None:
    """Puts a rule into the address."""
    st.query_params.from_dict({"criterion": rule})


def draw(book: Rulebook, entry: Entry) -> None:
    st.subheader(style.as_markdown(entry.title), anchor=False)
    st.caption(style.as_markdown(f"{CHAPTERS[entry.chapter]} · {wording.about(entry)}"))
    st.markdown(style.as_markdown(entry.why))
    if entry.is_criterion:
        st.caption(style.as_markdown(alerting.words_of(entry.id)))
    draw_answers(book, entry)
    draw_numbers(entry)
    if entry.sentences:
        heading("How it answers")
        cells = [
            {"Answer": status, "Sentence": style.as_markdown(sentence)} for status, sentence in entry.sentences.items()
        ]
        rulebook_tables.draw(cells)
        for remark in wording.remarks(entry):
            st.caption(style.as_markdown(remark))
    draw_related(book, entry)
    draw_examples(book, entry)
    if entry.history:
        heading("History")
        for change in entry.history:
            st.text(f"{change['on']}: {change['why']}")
    since = rulebook_tables.judged_since(entry)
    if since:
        st.caption(since)
    with st.expander("SQL"):
        st.code(entry.sql, language="sql")


def heading(words: str) -> None:
    st.markdown(f"**{words}**")


def draw_answers(book: Rulebook, entry: Entry) -> None:
    """How many patients the criterion is met in and so on, each count opening their names."""
    if book.counts is None or entry.answers is None:
        return
    heading(f"In this store on {style.day(book.counts.as_of)}" if book.counts.as_of else "In this store")
    with st.container(horizontal=True, vertical_alignment="center", key="rule-answers"):
        for status, words in style.STATUS_WORDS.items():
            count = entry.answers.get(status, 0)
            label = f"{style.STATUS_MARKS[status]} {words}: {count}"
            if count:
                with st.popover(label):
                    draw_patients(entry, status, book)
            else:
                st.caption(label)
        others = book.counts.patients - sum(entry.answers.values())
        if others:
            st.caption(f"not judged: {others}")


def draw_patients(entry: Entry, status: str, book: Rulebook) -> None:
    patients = data.answering(entry.id)[status]
    as_of = {"as_of": book.counts.as_of.isoformat()} if book.counts.as_of else {}  # de-identified: the last day of each
    for number, patient in enumerate(patients[:MOST]):
        with st.container(key=f"rule-patient-{status}-{number}"):
            st.page_link(
                "views/patient.py",
                label=style.as_markdown(patient),
                query_params={"patient": patient, "flag": entry.id} | as_of,
            )
    if len(patients) > MOST:
        st.caption(f"and {len(patients) - MOST:,} more. All of them:")
        st.code(f"python -m pipelines findings --criterion {entry.id} --status {status}", language="bash")


def draw_numbers(entry: Entry) -> None:
    heading("Numbers")
    if not entry.numbers:
        st.caption(wording.no_number(entry))
        return
    cells = [
        {
            "Number": style.as_markdown(number.name),
            "Value": f"**{style.as_markdown(number.value)}**",
            "Tag": rulebook_tables.tag_badge(number.tag),
            "Source": f"&#91;{number.source.number}&#93;",
            "This site": style.as_markdown(number.site or ""),
        }
        for number in entry.numbers
    ]
    rulebook_tables.draw(cells)
    for source in entry.sources:
        doi = f" DOI\u00a0{rulebook_tables.doi_link(source)}." if source.link else ""
        read = style.as_markdown(wording.how_read(source) or "")
        st.caption(f"&#91;{source.number}&#93; {style.as_markdown(source.text)}.{doi} {read}")


def draw_related(book: Rulebook, entry: Entry) -> None:
    """What the rule reads and what reads it, each a step away."""
    known = {other.id: other for other in book.entries}
    for words, names in (("Reads", entry.reads), ("Read by", entry.read_by)):
        related = [known[name] for name in names if name in known]
        if not related:
            continue
        heading(words)
        with st.container(key=f"rules-related-{words.replace(' ', '-').lower()}"):
            for other in related:
                st.button(
                    style.as_markdown(other.title),
                    key=f"{words}-{other.id}",
                    type="tertiary",
                    icon=":material/arrow_forward:",
                    on_click=choose,
                    args=(other.id,),
                    wrap=True,
                )


def draw_examples(book: Rulebook, entry: Entry) -> None:
    """What is given and what must come out, case by case."""
    heading(f"Worked examples ({len(entry.examples.cases)})" if entry.examples.cases else "Worked examples")
    if not entry.examples.cases:
        st.caption("No worked example yet." if book.examples_installed else wording.NO_EXAMPLES)
        return
    if entry.examples.prose:
        st.caption(style.as_markdown(entry.examples.prose))
    for case in entry.examples.cases:
        with st.expander(style.as_markdown(case.title)):
            draw_case(case)


def draw_case(case: Case) -> None:
    if case.prose:
        st.markdown(style.as_markdown(case.prose))
    for number, table in enumerate(case.tables):
        expected = table.name == EXPECTED
        st.caption("What must come out" if expected else f"Given: {style.as_markdown(table.name)}")
        heads = [style.as_markdown(column) for column in table.columns]
        cells = [dict(zip(heads, map(style.as_markdown, row), strict=False)) for row in table.rows]
        with st.container(key=f"example-{'expected' if expected else 'given'}-{_key(case.title)}-{number}"):
            st.table(cells, border="horizontal", hide_index=True)


def _key(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title)
