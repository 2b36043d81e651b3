"""The rulebook: every criterion with its numbers, their papers, its worked examples and its SQL."""

import streamlit as st

from dashboard import data, style, worked_examples


def draw() -> None:
    rules = data.rules()
    if not rules:
        st.info("No criterion is defined.")
        return
    asked = st.query_params.get("criterion")
    current = asked if asked in rules else ordered(rules)[0]
    listing, detail = st.columns([1, 2.6], gap="large")
    with listing:
        draw_list(rules, current)
    with detail:
        draw_rule(rules[current])


def ordered(rules: dict) -> list[str]:
    groups = list(style.GROUPS)
    return sorted(rules, key=lambda name: (groups.index(rules[name].group), name))


def draw_list(rules: dict, current: str) -> None:
    asked = (
        st.text_input("Find a rule", key="find_rule", placeholder="a word of its title", type="search").strip().lower()
    )
    for group, title in style.GROUPS.items():
        found = [
            name
            for name in ordered(rules)
            if rules[name].group == group and (asked in rules[name].title.lower() or asked in style.words(name))
        ]
        if not found:
            continue
        st.markdown(f"**{title}**")
        with st.container(key=f"rules-{group}"):
            for name in found:
                kind = "secondary" if name == current else "tertiary"
                label = style.as_markdown(rules[name].title)
                st.button(label, key=f"rule-{name}", type=kind, on_click=choose, args=(name,), wrap=True)


def choose(name: str) -> None:
    st.query_params["criterion"] = name


def draw_rule(rule) -> None:
    st.subheader(style.as_markdown(rule.title), anchor=False)
    st.caption(
        f"{style.GROUPS[rule.group]} · `{rule.id}`"
        + (f" · judges each {style.as_markdown(rule.items)} on its own" if rule.items else "")
    )
    st.markdown(style.as_markdown(rule.why))
    st.markdown("**Thresholds**")
    cited = data.cited(rule.id)
    if not cited:
        st.caption("This rule has no number of its own: it combines others or asks whether something is recorded.")
    else:
        cells = [
            {
                "Name": style.as_markdown(style.words(line["name"])),
                "Value": style.as_markdown(f"{line['value']} {line['unit']}"),
                "Tag": line["tag"],
                "Source": style.as_markdown(line["citation"])
                + (f" [doi](https://doi.org/{line['doi']})" if line["doi"] else ""),
            }
            for line in cited
        ]
        st.table(cells, border="horizontal", hide_index=True)
    st.markdown("**How it answers**")
    cells = [
        {"Status": style.STATUS_WORDS[status], "Sentence": style.as_markdown(rule.finding[status])}
        for status in style.STATUS_WORDS
    ]
    st.table(cells, border="horizontal", hide_index=True)
    draw_examples(rule.id)
    with st.expander("SQL"):
        st.code(rule.sql, language="sql")
    with st.expander("History"):
        for entry in rule.history:
            st.text(f"{entry['on']}: {entry['why']}")


def draw_examples(criterion: str) -> None:
    """The cases of the rule's spec file: what was given and what must come out. They are the rule's tests too."""
    st.markdown("**Worked examples**")
    path = worked_examples.SPEC / f"{criterion}.md"
    if not path.exists():
        st.caption(
            "The worked examples are not installed here: they lie in tests/spec of the source tree."
            if not worked_examples.SPEC.exists()
            else "No worked example yet."
        )
        return
    for case in worked_examples.read(path.read_text(encoding="utf-8")):
        with st.expander(style.as_markdown(case.title)):
            if case.prose:
                st.markdown(style.as_markdown(case.prose))
            for name, rows in case.tables:
                st.caption("What must come out" if name == "expected" else f"Given: {name}")
                st.dataframe(rows, hide_index=True)


draw()
