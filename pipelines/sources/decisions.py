"""Decisions on held rows: the file that the Data page writes, and that is loaded and kept like any other.

One row, one decision: which row of which file (its SHA-256 and line), accept, correct_unit or reject, who, why and when, and the right
unit. What the row says is not repeated here: ingest reads it from the held row.
"""

import re
from datetime import datetime
from pathlib import Path

from pipelines.sources import Declared
from pipelines.sources.entered_rows import EnteredRows, begins_with

SUFFIXES = (".csv",)
FIELDS = ("decision", "decided_by", "why", "decided_at", "of_file", "of_line", "unit")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
LINE = re.compile(r"\d{1,9}")
DECISIONS = ("accept", "correct_unit", "reject")


def recognises(path: Path, declared: Declared) -> bool:
    return begins_with(path, FIELDS)


def read(path: Path, declared: Declared) -> EnteredRows:
    """Raises FileRefused for a file larger than a person can have decided on. The rows that they let in ingest reads again, as rows of
    their own kind."""
    return EnteredRows(path, "decisions", FIELDS, _is_decision, "decision_unknown")


def _is_decision(row: dict[str, str]) -> bool:
    """Whether a row says all that a decision must say."""
    return (
        row.get("decision") in DECISIONS
        and (row["decision"] == "correct_unit") == bool((row.get("unit") or "").strip())
        and all((row.get(name) or "").strip() for name in ("decided_by", "why", "of_file"))
        and LINE.fullmatch(row.get("of_line") or "") is not None
        and MOMENT.fullmatch(row.get("decided_at") or "") is not None
        and _is_moment(row["decided_at"])
    )


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
