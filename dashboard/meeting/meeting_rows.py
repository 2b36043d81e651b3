"""What the packet says of a patient beyond the record: changes, decisions and notes of the meeting, the lines of the two boards."""

import functools
from collections.abc import Callable, Sequence
from datetime import date

from dashboard import change_list, deidentify, header
from dashboard.data import deidentified, entering, meeting
from dashboard.meeting import board_lines, decided


def of_agenda(patients: Sequence[str], day: date) -> Callable[[str], dict[str, list[dict]]]:
    """By patient the rows of `reports.packet.packet`: all its parts. Read for all patients at once, when first asked for.

    `day` is the calendar day of the meeting."""
    asked = tuple(patients)
    read = functools.cache(lambda: _read(asked, day))
    return lambda patient_id: _rows_of(patient_id, day, *read())


def _read(asked: tuple[str, ...], day: date) -> tuple[dict, dict, dict, dict]:
    """The changes by patient, the effects by decision, the entries by kind, the lines of the boards by name and patient."""
    held = meeting.meeting_of(header.last_meeting(day).day)
    changed = meeting.changes_of(asked, held, max(day, held.as_of))
    effects = meeting.effects_of(asked, day)
    entered = {kind: entering.standing((kind,), asked) for kind in ("decision", "note")}
    boards = {
        "transplant": board_lines.transplant_lines(asked, day),
        "infection": board_lines.infection_lines(asked, day),
    }
    return changed, effects, entered, boards


def _rows_of(
    patient_id: str, calendar: date, changed: dict, effects: dict, entered: dict, boards: dict
) -> dict[str, list[dict]]:
    day = deidentified.whose(patient_id).shown(calendar)
    own = {
        kind: [row for row in rows if row["patient_id"] == patient_id and row["day"] <= day]
        for kind, rows in entered.items()
    }
    return {
        "changes": _changes(changed.get(patient_id)),
        "decisions": [_decision(row, effects.get(row["entry_id"])) for row in reversed(own["decision"])],
        "notes": [
            {name: row[name] for name in ("day", "topic", "author")} | {"text": deidentify.or_left(row["text"])}
            for row in reversed(own["note"])
        ],
    } | {name: lines.get(patient_id) for name, lines in boards.items()}


def _changes(changes) -> list[dict]:
    """The changes as the list on screen says them; `day` is a date or None."""
    if changes is None:
        return []
    return [
        {"kind": change_list.HEADINGS[kind], "text": change_list.words(line), "day": line.day}
        for kind, lines in change_list.lines(changes).items()
        for line in lines
    ]


def _decision(row: dict, effect) -> dict:
    outcome = decided.OUTCOMES[effect.outcome] + (f": {effect.because}" if effect.because else "") if effect else ""
    return {name: row[name] for name in ("day", "why", "owner", "due_on", "author")} | {
        "text": deidentify.or_left(row["text"]),
        "effect": decided.expected(row) if row["criterion"] else "",
        "outcome": outcome,
    }
