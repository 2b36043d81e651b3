"""Writes a proposal down as a mapping file: what is sure as keys, what is not as comments. Never approved."""

import json

from pipelines.mapping.proposal import ColumnGuess, Proposal
from pipelines.sources.kinds import OXYGEN

LONGEST = 200


def draft(proposal: Proposal) -> str:
    """The TOML text. It can be read as it stands once patient, ids and decimal are settled, and loads nothing until approved."""
    parts = [
        _top(proposal),
        _table(proposal),
        _patient(proposal),
        _date(proposal),
        _long(proposal),
        _wide(proposal),
        _left(proposal),
    ]
    return "\n".join(part for part in parts if part)


def text(value: str) -> str:
    """A text in quotes, as TOML writes it: a JSON string is one, but for two characters."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def said(remark: str) -> str:
    """A remark as a comment: one line, without control characters, not endless."""
    return "".join(letter if letter.isprintable() else " " for letter in remark)[:LONGEST]


def _top(proposal: Proposal) -> str:
    lines = [
        "# Proposed from the file: check every line, complete what is open, then put your name and the day.",
        "# Nothing is loaded with this mapping before that.",
        f"files = [{text(proposal.path.name)}]",
        'approved_by = ""',
        'approved_on = ""',
    ]
    return "\n".join(lines + [f"# {said(remark)}" for remark in proposal.remarks]) + "\n"


def _table(proposal: Proposal) -> str:
    lines = ["[table]"]
    if proposal.sheet is not None:
        lines.append(f"sheet = {text(proposal.sheet)}")
    lines.append(f"header_rows = {list(proposal.header_rows)}")
    if proposal.skip_rows:
        lines.append(f"skip_rows = {proposal.skip_rows}  # the units of the columns")
    if proposal.delimiter:
        lines.append(f"delimiter = {text(proposal.delimiter)}")
    unsettled = "" if proposal.decimal else '  # the numbers do not settle it: "dot" or "comma"'
    lines.append(f"decimal = {text(proposal.decimal or '')}{unsettled}")
    lines.append(f"date_formats = [{', '.join(text(format) for format in proposal.date_formats)}]")
    lines.append(
        f"sentinels = [{', '.join(text(word) for word in proposal.sentinels)}]  # seen among the values: no result"
    )
    ignored = [column.name for column in proposal.of("repeat")]
    if ignored:
        lines.append(f"ignore = [{', '.join(text(name) for name in ignored)}]")
    return "\n".join(lines) + "\n"


def _patient(proposal: Proposal) -> str:
    found = proposal.of("patient")
    lines = [
        "[patient]",
        f"column = {text(found[0].name if found else '')}" + ("" if found else "  # which column names the patient?"),
    ]
    lines += [
        'ids = ""  # "pseudonyms": kept as they are; "identifiers": made into pseudonyms',
        '# assigner = ""  # with identifiers: who gave them, such as the hospital',
    ]
    births = [column for column in proposal.of("identifying") if column.detail == "birth dates"]
    lines += [f"# birth_date_column = {text(column.name)}  # only the year is kept" for column in births[:1]]
    return "\n".join(lines) + "\n"


def _date(proposal: Proposal) -> str:
    found = proposal.of("date")
    lines = ["[date]"]
    for number, column in enumerate(found):
        lines.append(f"{'# ' if number else ''}column = {text(column.name)}  # {said(column.remark)}")
    if not found:
        lines.append('# column = ""  # which column holds the date?')
    if len(found) > 1:
        lines.append("# there are several: give at_column in an entry whose date is not the first")
    event = proposal.of("event")
    if event:
        lines += [
            f"event_column = {text(event[0].name)}",
            "# from_same_event = true  # take the date from another line of the event",
        ]
    return "\n".join(lines) + "\n"


def _long(proposal: Proposal) -> str:
    found = {column.detail: column for column in proposal.of("long")}
    if "analyte" not in found:
        return ""
    lines = ["[[rows]]", 'kind = "labs"']
    lines += [f"{native}_column = {text(column.name)}{_because(column)}" for native, column in found.items()]
    if "value" not in found:
        lines.append('# value_column = ""  # which column holds the result?')
    return "\n".join(lines) + "\n"


def _wide(proposal: Proposal) -> str:
    if any(column.detail == "analyte" for column in proposal.of("long")):
        return ""
    blocks = []
    for column in proposal.of("analyte"):
        lines = [f"[wide.{text(column.name)}]{_because(column)}", f"analyte = {text(column.detail)}"]
        if column.unit:
            lines.append(f"unit = {text(column.unit)}")
        elif column.detail not in OXYGEN:
            lines.append('# unit = ""  # not printed in the table: look it up')
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _left(proposal: Proposal) -> str:
    lines = []
    for column in proposal.columns:
        if column.role == "identifying":
            lines.append(f"# not read, for it names a person: {said(column.name)} ({column.detail})")
        elif column.role == "unknown":
            lines.append(f"# not placed: {said(column.name)}" + (f" ({said(column.remark)})" if column.remark else ""))
    return "\n".join(lines) + "\n" if lines else ""


def _because(column: ColumnGuess) -> str:
    what = {"exact": "exact name", "name": "by its name without unit or number"}.get(
        column.confidence, column.confidence
    )
    return f"  # {what}" + (f"; {said(column.remark)}" if column.remark else "")
