"""The flags beside the chart: what is met, what cannot be told and why, what is not met; and one opened down to its source lines."""

from datetime import date

import streamlit as st

from dashboard import address, data, deidentify, strip, style
from dashboard.charts.flags import lane_name
from dashboard.strip import identity

WITHOUT = {  # by what a record is weak in (pipelines/sensitivity.py): what is left out
    "tie": "without this one of several of the same day",
    "assumed date": "without this record, whose date is assumed",
    "estimated FiO2": "without this flow, from which the FiO2 is estimated",
    "record": "without this record",
}
SEVERAL = 3  # so many items of one criterion share a card
MOST = 3  # so many of the missing things are named that would settle the most


def chosen(answers: list[dict]) -> dict | None:
    """The answer that the address asks for, if it stands on this day."""
    asked = address.now().flag
    return next((answer for answer in answers if identity(answer) == asked), None)


def choose(flag: str | None, patient_id: str) -> None:
    """Puts a flag into the address, or takes it out."""
    address.put(patient=patient_id, flag=flag)


def draw(
    answers: list[dict], as_of: date, opened: dict | None, new: frozenset[str] = frozenset(), since: date | None = None
) -> None:
    """The chosen flag on top, then every answer standing, by status, in the order of groups; within a group those newly met
    `since` a day first (`new`, by identity), each marked so."""
    groups = list(style.GROUPS)
    ordered = sorted(
        answers,
        key=lambda answer: (
            groups.index(answer["group"]), identity(answer) not in new, answer["criterion"], answer["item"] or ""
        ),
    )  # fmt: skip
    by_status = {status: [answer for answer in ordered if answer["status"] == status] for status in style.STATUS_WORDS}
    if opened:
        draw_opened(opened, as_of, since if identity(opened) in new else None)
    of_them = f", {len(new)} new since {style.day(since)}" if new else ""
    st.markdown(f"**Met on {style.day(as_of)}: {len(by_status['met'])}{of_them}**")
    if new:
        with st.container(key="new-flags"):
            listed = names([answer for answer in by_status["met"] if identity(answer) in new])
            st.markdown(style.as_markdown(f"✱ New: {listed}"))
    draw_each([answer for answer in by_status["met"] if answer is not opened], new, since)
    st.markdown(f"**Cannot be told: {len(by_status['not_evaluable'])}**")
    draw_what_would_settle(by_status["not_evaluable"])
    draw_each([answer for answer in by_status["not_evaluable"] if answer is not opened])
    with st.expander(f"Not met: {len(by_status['not_met'])}"):
        draw_each([answer for answer in by_status["not_met"] if answer is not opened])


def draw_each(answers: list[dict], new: frozenset[str] = frozenset(), since: date | None = None) -> None:
    """A card for each answer; one for all of a criterion that has several items, where the first of them stands."""
    by_criterion: dict[str, list[dict]] = {}
    for answer in answers:
        by_criterion.setdefault(answer["criterion"], []).append(answer)
    for found in by_criterion.values():
        if len(found) >= SEVERAL:
            draw_several(found, new, since)
            continue
        for answer in found:
            draw_flag(answer, answer["status"] == "met", since if identity(answer) in new else None)


def draw_several(answers: list[dict], new: frozenset[str], since: date | None) -> None:
    """The items of one criterion in one card, a line each, which opens it."""
    first = answers[0]
    mark = "new-" if any(identity(answer) in new for answer in answers) else ""
    with st.container(border=True, key=f"flag-{first['status']}-{first['group']}-{mark}{_safe(first)}-and-others"):
        said = f"{style.STATUS_MARKS[first['status']]} {first['title']}: {len(answers)}"
        st.markdown(f"**{style.as_markdown(said)}**")
        for answer in answers:
            is_new = "✱ new, " if identity(answer) in new else ""
            label = f"{style.words(answer['item'])}, {is_new}since {style.day(answer['since'])}"
            draw_button(answer, label, identity(answer), "Show its evidence here and on the chart")
        st.caption(style.GROUPS[first["group"]])


def names(answers: list[dict]) -> str:
    """Flags in few words, the items of one criterion together: 'urgent transfer; overdue tests: crp, ferritin'."""
    items: dict[str, list[str]] = {}
    for answer in answers:
        items.setdefault(answer["criterion"], []).extend([style.words(answer["item"])] if answer["item"] else [])
    return "; ".join(lane_name(criterion, ", ".join(of)) for criterion, of in items.items())


def draw_what_would_settle(unknown: list[dict]) -> None:
    """The missing things that most of the open questions wait for."""
    most = [
        f"{one.thing} ({one.settles}" + (f", asked for by {one.asked_by})" if one.asked_by != one.settles else ")")
        for one in strip.missing_things(unknown)[:MOST]
    ]
    if most:
        st.caption(style.as_markdown(f"Criteria that one record would settle: {'; '.join(most)}"))


def draw_flag(answer: dict, with_finding: bool = True, since: date | None = None) -> None:
    """One flag as a card: its title opens it on top and rings its evidence on the chart. `since`: the day since which it is new."""
    mark = "new-" if since else ""
    with st.container(border=True, key=f"flag-{answer['status']}-{answer['group']}-{mark}{_safe(answer)}"):
        draw_title(answer, identity(answer), "Show its evidence here and on the chart", since)
        if with_finding:
            st.text(answer["finding"])
        elif answer["missing"]:
            st.text(f"Missing: {', '.join(answer['missing'])}")
        st.caption(f"{style.GROUPS[answer['group']]} · since {style.day(answer['since'])}")


def draw_opened(answer: dict, as_of: date, since: date | None = None) -> None:
    """The chosen flag with its evidence, what would turn it, its thresholds and their papers."""
    with st.container(border=True, key=f"flag-chosen-{answer['group']}-{_safe(answer)}"):
        draw_title(answer, None, "Close", since)
        st.text(answer["finding"])
        status = style.STATUS_WORDS[answer["status"]].lower()
        st.caption(f"{style.GROUPS[answer['group']]} · {status} since {style.day(answer['since'])}")
        if answer["missing"]:
            st.text(f"Would settle it: {', '.join(answer['missing'])}")
        draw_evidence(answer)
        draw_turning(answer, as_of)
        draw_thresholds(answer["criterion"])
        st.button(
            "Close",
            key="close-flag",
            type="tertiary",
            icon=":material/close:",
            on_click=choose,
            args=(None, st.session_state.get("patient_choice")),
        )


def draw_title(answer: dict, flag: str | None, said: str, since: date | None = None) -> None:
    if since:
        st.markdown(f"**✱ New since {style.day(since)}**")
    item = f": {style.words(answer['item'])}" if answer["item"] else ""
    draw_button(answer, f"{style.STATUS_MARKS[answer['status']]} {answer['title']}{item}", flag, said)


def draw_button(answer: dict, label: str, flag: str | None, said: str) -> None:
    """Opens a flag, or closes it (None)."""
    st.button(
        style.as_markdown(label),
        key=f"choose-{identity(answer)}",
        type="tertiary",
        on_click=choose,
        args=(flag, st.session_state.get("patient_choice")),
        help=said,
        wrap=True,
    )


def draw_evidence(answer: dict) -> None:
    """The records that decided, down to file and line."""
    records = data.evidence(answer["evidence"])
    if not records:
        st.caption("No record decided: the answer rests on what is missing or on the calendar.")
        return
    rows: dict[tuple[str, str, int, int], list[str]] = {}
    for record in records:  # the cells of one row of a file are one line here
        key = (style.day(record["at"]), record["file"], record["receipt"], record["line"])
        rows.setdefault(key, []).append(words_of(record))
    told = not deidentify.on()  # else no file and no line
    cells = [
        {
            "Date": style.as_markdown(day),
            "Record": style.as_markdown("; ".join(said)),
        }
        | ({"Source": source_link(file, receipt, line)} if told else {})
        for (day, file, receipt, line), said in rows.items()
    ]
    st.table(cells, border="horizontal", hide_index=True)


def source_link(file: str, receipt: int, line: int) -> str:
    """A link to a row as received."""
    shown = style.as_markdown(f"{file} line {line}")
    return f"[{shown}](files?show=rejected&file={receipt}&receipt={receipt}&line={line})"


def draw_turning(answer: dict, as_of: date) -> None:
    """The single records without which a met or not met answer would be another, the weak ones named as such."""
    if answer["status"] == "not_evaluable" or not answer["evidence"]:
        return
    asked = address.now()
    known = data.known(asked.known_at, asked.received_at)
    found = data.turning(answer["patient_id"], answer["criterion"], answer["item"], as_of, known)
    for flip in found["flips"]:
        becomes = style.STATUS_WORDS[flip["becomes"]].lower()
        records = "; ".join(f"{words_of(record)}, {style.day(record['at'])}" for record in flip["left_out"])
        st.text(f"Would be {becomes} {WITHOUT[flip['basis']]}: {records}")
    if not found["flips"]:
        status = style.STATUS_WORDS[answer["status"]].lower()
        st.caption(f"No single record would turn it: without any one of these it is {status} still.")
    if found["untried"]:
        st.caption(f"{found['untried']} more of its records, none of them weak, were not left out in turn.")


def words_of(record: dict) -> str:
    """What a record says, as printed: 'Ferritin 1500 ng/mL'; of an event its kind first: 'stay: respiratory, present'."""
    if record["kind"] == "event":  # its kind stands where a result has its assay
        said = ", ".join(str(part) for part in (data.title_of("event", record["what"]), record["value"]) if part)
        return f"{style.words(record['assay'])}: {said}" if record["assay"] else said
    parts = (
        data.title_of(record["kind"], record["what"]),
        record["value"],
        style.unit(record["unit"]),
        record["assay"],
    )
    return " ".join(str(part) for part in parts if part)


def draw_thresholds(criterion: str) -> None:
    """The numbers of the rule, each with its tag and its paper. Links are made of the DOIs of the dictionary only.

    A rule without a number of its own is explained instead.
    """
    lines = data.cited(criterion)
    if not lines:
        st.caption(style.as_markdown(data.rules()[criterion].why))
    for line in lines:
        if line["tag"] == "project default":
            continue
        link = f" [doi](https://doi.org/{line['doi']})" if line["doi"] else ""
        st.caption(style.as_markdown(f"{number_of(line)} ({line['tag']}). {line['citation']}") + link)
    own = [number_of(line) for line in lines if line["tag"] == "project default"]
    if own:
        st.caption(style.as_markdown(f"Project defaults, without a published source: {'; '.join(own)}."))
    st.page_link("views/rulebook.py", label="The rule in the Rulebook", query_params={"criterion": criterion})


def number_of(line: dict) -> str:
    """One threshold in words: 'fvc below: 80 % predicted', and what this site uses instead."""
    site = line["site"]
    by = f": {site['why']}; {site['set_by']}, {site['on']}" if site and site["why"] else ""
    instead = f" (this site uses {site['value']}{by})" if site else ""
    return f"{style.words(line['name'])}: {line['value']} {line['unit']}{instead}"


def _safe(answer: dict) -> str:
    """A flag's identity as a class name; items may be text of any origin."""
    return "".join(letter if letter.isalnum() else "-" for letter in identity(answer))[:80]
