"""The lines of the transplant and the infection board on some patients, for the packet: what the boards say, in their words."""

from collections.abc import Sequence
from datetime import date

from dashboard import deidentify, infection_table, infection_words, transplant_words
from dashboard.data import infection, transplant

NO_TRIGGER = {"name": "Transplant board", "value": "no condition for referral has been met"}


def transplant_lines(patients: Sequence[str], as_of: date) -> dict[str, list[dict]]:
    """By patient: triggers, clock, barriers, referral, next action (name and value)."""
    wanted = set(patients)
    rows = transplant.told([row for row in transplant.board(as_of) if row["patient_id"] in wanted], as_of)
    return {patient_id: [NO_TRIGGER] for patient_id in patients} | {
        row["patient_id"]: _of_transplant(row) for row in rows
    }


def _of_transplant(row: dict) -> list[dict]:
    words, action = transplant_words, row["next_action"]
    told = {
        "Triggers met": "; ".join(words.triggers(row)) or "none now",
        "No longer met": "; ".join(words.no_longer(row)),
        "Referral clock": f"{words.clock(row)}, {words.clock_said(row)}",
        "Barriers, beside it": words.barriers(row) or "none recorded",
        "Referral": words.status(row),
        "Next action": _action(action) if action else "none recorded",
    }
    return [{"name": name, "value": value} for name, value in told.items() if value]


def _action(action: dict) -> str:
    said = (deidentify.or_left(action["text"]), action["owner"], transplant_words.due(action))
    return ", ".join(part for part in said if part)


def infection_lines(patients: Sequence[str], as_of: date) -> dict[str, list[dict]]:
    """By patient a line for each column of the infection board; nothing where an older snapshot does not hold what it reads."""
    if infection.lacking():
        return {}
    return {
        patient_id: [
            {"name": infection_table.TITLES[name], "value": "; ".join(one.said for one in statements)}
            for name, statements in infection_words.cells(detail, as_of).items()
        ]
        for patient_id, detail in zip(patients, infection.details(as_of, list(patients)), strict=True)
    }
