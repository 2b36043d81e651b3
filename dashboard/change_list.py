"""What changed since a meeting as lists under plain headings, and the same as rows for CSV and for the packet."""

from dataclasses import dataclass, field
from datetime import date

import streamlit as st

from dashboard import data, deidentify, style, table
from dashboard.data.meeting import Changes, Since

MOST = 8  # so many of a kind are listed at once
LISTED = 200  # and so many when all are asked for
MOST_RECORDS = 3  # so many of the records that changed a flag are named

HEADINGS = {
    "new": "New data",
    "corrected": "Corrected data",
    "gained": "Flags gained",
    "lost": "Flags lost",
    "rules": "Rules changed",
    "undone": "Decisions not done, or to check",
}
NO_RECORD = {  # where no record is named: what changed the answer
    "first": "nothing of the patient had been received then",
    "waiting time": "no record did it: a waiting time ran out",
    "time": "no record did it: time passed",
}


@dataclass
class Line:
    """One change in words: what it is of, what stood then and what stands now, when, why, and the rows of files that say so."""

    what: str
    now: str
    day: date | str | None
    unit: str = ""
    before: str = ""
    remark: str = ""
    sources: list[tuple[str, int, int]] = field(default_factory=list)  # file, receipt, line


def draw(changes: Changes, since: Since, key: str = "") -> None:
    """The five kinds of change of one patient, flags in two lists; `key` tells them apart from others of the page."""
    with st.container(key=f"change-list-{key}"):
        st.caption(style.as_markdown(said_of(since)))
        for kind, told in lines(changes).items():
            number = {"new": changes.new_in_all, "rules": len(changes.rules)}.get(kind, len(told))
            _draw_kind(kind, told, number, since, key)
        if changes:
            st.download_button(
                "Download as CSV",
                deidentify.kept(lambda: table.as_csv(rows(changes))),
                "changes.csv",
                "text/csv",
                on_click="ignore",
                key=f"csv-changes-{key}",
            )


def _draw_kind(kind: str, told: list[Line], number: int, since: Since, key: str) -> None:
    if not told:
        st.markdown(f"**{HEADINGS[kind]}:** {_nothing(kind, since)}")
        return
    st.markdown("\n".join([f"**{HEADINGS[kind]}: {number:,}**\n", *(_bullet(line) for line in told[:MOST])]))
    if len(told) > MOST:
        with st.expander(f"and {number - MOST:,} more", type="compact", key=f"more-{kind}-{key}"):
            st.markdown("\n".join(_bullet(line) for line in told[MOST:LISTED]))
            if number > LISTED:
                st.caption(f"{number - LISTED:,} more are not listed here.")


def said_of(since: Since) -> str:
    """What then and now are."""
    if since.received_at is None:
        return (
            f"Since {style.day(since.as_of)}, by the days of the records alone: this store had received nothing by then, "
            "so that late arrivals and corrections cannot be told."
        )
    if deidentify.on():  # when this store received something is no day of a patient
        return f"What had been received by the last meeting and was dated up to {style.day(since.as_of)}, against what is received now."
    return (
        f"What had been received by {style.day(since.received_at)} {since.received_at:%H:%M} and was dated up to {style.day(since.as_of)}, "
        "against what is received now; by the rules of now on both sides."
    )


def _nothing(kind: str, since: Since) -> str:
    return "cannot be told" if kind == "corrected" and since.received_at is None else "none"


def rows(changes: Changes) -> list[dict]:
    """Every change as one row of text: kind, what, before, now, unit, date, remark, source."""
    return [
        {
            "kind": HEADINGS[kind],
            "what": line.what,
            "before": line.before,
            "now": line.now,
            "unit": line.unit,
            "date": style.day(line.day) if line.day else "",
            "remark": line.remark,
            "source": "; ".join(f"{file} line {number}" for file, _, number in line.sources),
        }
        for kind, told in lines(changes).items()
        for line in told
    ]


def lines(changes: Changes) -> dict[str, list[Line]]:
    """The changes in words, by kind, in the order of HEADINGS."""
    words = {"new": _new, "corrected": _corrected, "gained": _flag, "lost": _flag, "undone": _undone}
    told = {kind: [words[kind](row) for row in getattr(changes, kind)] for kind in words}
    return {kind: told[kind] if kind in told else _rules(changes.rules) for kind in HEADINGS}


def words(line: Line) -> str:
    """A change as plain text in one line, without its sources."""
    now = " ".join(part for part in (line.now, line.unit) if part)
    said = f"{line.before} → {now}" if line.before else now
    return ", ".join(part for part in (f"{line.what} {said}", line.remark) if part)


def _bullet(line: Line) -> str:
    """One line of a list, as Markdown."""
    now = " ".join(part for part in (line.now, line.unit) if part)
    said = f"{line.before} → {now}" if line.before else now
    parts = [
        f"**{style.as_markdown(line.what)}** {style.as_markdown(said)}",
        style.as_markdown(style.day(line.day)) if line.day else "",
        style.as_markdown(line.remark),
        *(_link(*source) for source in dict.fromkeys(line.sources)),
    ]
    return "- " + " · ".join(part for part in parts if part)


def _link(file: str, receipt: int, number: int) -> str:
    return f"[{style.as_markdown(f'{file} line {number}')}](files?show=rejected&file={receipt}&receipt={receipt}&line={number})"


def _name(row: dict) -> str:
    if row["kind"] == "event":
        return (
            f"{style.words(row['label'])}: {style.words(row['what'])}"
            if row["label"] != row["what"]
            else style.words(row["what"])
        )
    return data.title_of(row["kind"], row["what"])


def _value(record: dict) -> str:
    """The value as printed with its unit; of what has none, that it is recorded."""
    parts = (record["value"], style.unit(record["unit"]))
    return " ".join(str(part) for part in parts if part) or "recorded"


def _source(record: dict) -> list[tuple[str, int, int]]:
    return (
        [(record["file"], record["receipt"], record["line"])]
        if record.get("file") and record["line"] is not None
        else []
    )


def _new(row: dict) -> Line:
    late = ", dated up to the last meeting: late" if row["late"] else ""
    when = "" if deidentify.on() else f" {style.day(row['received_at'])}"
    came = "its day has come since" if row["because"] == "dated" else f"received{when or ' since'}{late}"
    value = str(row["value"] or "recorded")
    return Line(_name(row), value, row["day"], style.unit(row["unit"]), remark=came, sources=_source(row))


def _corrected(row: dict) -> Line:
    old, new = row["old"], row["new"]
    sources = _source(old) + (_source(new) if new else [])
    if row["withdrawn"]:
        return Line(_name(row), "withdrawn", old["day"], before=_value(old), sources=sources)
    told = [one for one in row["changed"] if one["field"] not in ("value", "unit", "value as judged")]
    remark = ", ".join(_differs(one) for one in told)
    if row["continues"]:
        return Line(_name(row), _value(new), new["day"], remark=f"goes on or ended; {remark}", sources=sources)
    return Line(_name(row), _value(new), new["day"], before=_value(old), remark=remark, sources=sources)


def _differs(one: dict) -> str:
    """'end: going on → 9 Sep 2021'."""
    return f"{one['field']}: {_said(one['old'])} → {_said(one['new'])}"


def _said(text: str | None) -> str:
    """A particular of a record; a moment as its day."""
    if text and len(text) >= 10 and text[4] == text[7] == "-" and text[:4].isdigit():
        return style.day(text) + ("" if text[10:] in ("", " 00:00:00") else text[10:16])
    return text or "not said"


def _flag(row: dict) -> Line:
    """A flag that stands otherwise, with the records that did it."""
    item = f": {style.words(row['item'])}" if row["item"] else ""
    did = row["did"]
    named = "; ".join(_record(record) for record in did[:MOST_RECORDS])
    more = f" and {len(did) - MOST_RECORDS} more" if len(did) > MOST_RECORDS else ""
    why = f"{named}{more}" if did else NO_RECORD[row["because"]]
    if row["because"] == "read":
        why = f"the rule reads, but does not name: {why}"
    missing = f"missing: {', '.join(row['missing'])}; " if row["change"] == "unknown" and row["missing"] else ""
    sources = [source for record in did[:MOST_RECORDS] for source in _source(record)]
    now = _answer(row["status"], row["grade"])
    return Line(
        row["title"] + item,
        now,
        row["since"],
        "",
        _answer(row["before_status"], row["before_grade"]),
        missing + why,
        sources,
    )


def _record(record: dict) -> str:
    """'Ferritin 200 ng/mL, 25 May 2024, corrected from 2000 ng/mL'."""
    was = {"value": record.get("old_value"), "unit": record.get("old_unit")}
    ends = "; ".join(_differs(one) for one in record.get("changed", ()))
    how = {"corrected": f", corrected from {_value(was)}", "withdrawn": ", withdrawn", "continued": f", {ends}"}.get(
        record["how"], ""
    )
    late = ", late" if record.get("late") else ""
    day = f", {style.day(record['day'])}" if record["day"] else ""
    return f"{_name(record)} {_value(record)}{day}{how}{late}"


def _answer(status: str | None, grade: int | None) -> str:
    said = style.STATUS_WORDS[status].lower() if status else "no answer"
    return said + (f", grade {grade}" if status == "met" and grade is not None else "")


def _rules(rows: list[dict]) -> list[Line]:
    """Each rule by which some patient of the store has another answer; of the others how many there are."""
    told = [_rule(row) for row in rows if row["patients"]]
    others = [row for row in rows if not row["patients"]]
    if len(others) > 1:
        names = ", ".join(row["title"] for row in others[:MOST_RECORDS])
        more = f" and {len(others) - MOST_RECORDS} more" if len(others) > MOST_RECORDS else ""
        said = "no answer of any patient is another by it"
        return [*told, Line(f"{len(others)} rules", "changed", None, remark=f"{said}: {names}{more}")]
    return told + [_rule(row) for row in others]


def _rule(row: dict) -> Line:
    through = f"through {', '.join(row['through'])}; " if row["through"] and row["through"] != [row["title"]] else ""
    here = ", ".join(f"{style.words(one['item'])} {_answer(one['status'], None)}" if one["item"] else _answer(one["status"], None)
                     for one in row["answers"][:MOST_RECORDS])  # fmt: skip
    patients = f"{row['patients']} patient{'s' * (row['patients'] != 1)}"
    remark = f"{through}{deidentify.or_left(row['why'])}; another answer in {patients} of the store; here: {here}"
    version = f", version {row['version']}" if row["version"] else ""
    return Line(row["title"], row["change"] + version, row["judged_at"], remark=remark)


def _undone(row: dict) -> Line:
    day = row["due_on"] if row["due"] == "to do" else row["until"]
    progress = row["progress"]
    said = (
        f"{style.words(progress['code'])} on {style.day(progress['day'])}" if progress else "nothing said of it since"
    )
    text = " ".join(str(row["text"] or (f"a decision: {deidentify.LEFT}" if deidentify.on() else "a decision")).split())
    checked = ""
    if row["due"] == "to do" and row["check"]:
        checked = f"; its effect was to be checked on {style.day(row['until'])}"
    owner = f", owner {row['owner']}" if row["owner"] else ""
    remark = f"decided {style.day(row['day'])}{owner}; {said}{checked}"
    return Line(text, f"{row['due']}, due" if row["due"] == "to do" else row["due"], day, remark=remark)
