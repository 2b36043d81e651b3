"""The flags beside the chart: what is met, what cannot be told and why, what is not met; and one opened down to its source lines."""

from datetime import date

import streamlit as st

from dashboard import data, style

ORDER = ("met", "not_evaluable", "not_met")


def identity(answer: dict) -> str:
    """What the address calls a flag: the criterion, and the item where it judges several things."""
    return answer["criterion"] + (f"~{answer['item']}" if answer["item"] else "")


def chosen(answers: list[dict]) -> dict | None:
    """The answer that the address asks for, if it stands on this day."""
    asked = st.query_params.get("flag")
    return next((answer for answer in answers if identity(answer) == asked), None)


def choose(flag: str | None, patient_id: str) -> None:
    st.query_params["patient"] = patient_id
    if flag is None:
        st.query_params.pop("flag", None)
    else:
        st.query_params["flag"] = flag


def draw(answers: list[dict], as_of: date, opened: dict | None) -> None:
    """Every answer standing, by status, then in the order of groups."""
    groups = list(style.GROUPS)
    ordered = sorted(
        answers, key=lambda answer: (groups.index(answer["group"]), answer["criterion"], answer["item"] or "")
    )
    for status in ORDER:
        found = [answer for answer in ordered if answer["status"] == status]
        heading = (
            f"{style.STATUS_WORDS[status]} on {style.day(as_of)}" if status == "met" else style.STATUS_WORDS[status]
        )
        if status == "not_met":
            with st.expander(f"{heading}: {len(found)}", expanded=bool(opened and opened["status"] == status)):
                for answer in found:
                    draw_flag(answer, answer is opened)
            continue
        st.markdown(f"**{heading}: {len(found)}**")
        for answer in found:
            draw_flag(answer, answer is opened)


def draw_flag(answer: dict, opened: bool) -> None:
    """One flag as a card: its title opens it and rings its evidence on the chart."""
    flag = identity(answer)
    state = "chosen" if opened else answer["status"]
    with st.container(border=True, key=f"flag-{state}-{answer['group']}-{_safe(flag)}"):
        item = f": {style.words(answer['item'])}" if answer["item"] else ""
        label = style.as_markdown(f"{style.STATUS_MARKS[answer['status']]} {answer['title']}{item}")
        st.button(
            label,
            key=f"choose-{flag}",
            type="tertiary",
            on_click=choose,
            wrap=True,
            help="Close" if opened else "Show its evidence here and on the chart",
            args=(None if opened else flag, st.session_state.get("patient_choice")),
        )
        if answer["status"] != "not_met" or opened:
            st.text(answer["finding"])
        since = f"{style.GROUPS[answer['group']]} · since {style.day(answer['since'])}"
        st.caption(since + (f" · grade {answer['grade']}" if answer["grade"] is not None else ""))
        if opened:
            draw_evidence(answer)
            draw_thresholds(answer["criterion"])


def draw_evidence(answer: dict) -> None:
    """The records that decided, down to file and line."""
    records = data.evidence(answer["evidence"])
    if answer["missing"]:
        st.text(f"What would settle it: {', '.join(answer['missing'])}")
    if not records:
        st.caption("No record decided: the answer rests on what is missing or on the calendar.")
        return
    cells = [
        {
            "Date": style.as_markdown(style.day(record["at"])),
            "Record": style.as_markdown(words_of(record)),
            "Source": style.as_markdown(f"{record['file']} line {record['line']}"),
        }
        for record in records
    ]
    st.table(cells, border="horizontal", hide_index=True)


def words_of(record: dict) -> str:
    """What a record says, as printed: 'ferritin 1500 ng/mL'."""
    parts = (style.words(record["what"]), record["value"], record["unit"], record["assay"])
    return " ".join(str(part) for part in parts if part)


def draw_thresholds(criterion: str) -> None:
    """The numbers of the rule, each with its tag and its paper. Links are made of the DOIs of the dictionary only."""
    for line in data.cited(criterion):
        link = f" [doi](https://doi.org/{line['doi']})" if line["doi"] else ""
        said = style.as_markdown(
            f"{style.words(line['name'])}: {line['value']} {line['unit']} ({line['tag']}). {line['citation']}"
        )
        st.caption(said + link)
    st.page_link("views/rulebook.py", label="The rule in the Rulebook", query_params={"criterion": criterion})


def _safe(flag: str) -> str:
    """A flag's identity as a class name; items may be text of any origin."""
    return "".join(letter if letter.isalnum() else "-" for letter in flag)[:60] + f"-{abs(hash(flag)) % 10_000}"
