"""What people decide on held rows: which rows wait, the file that a decision becomes, and the decisions made.

A decision is written as a file of records and loaded like any other: it is kept in landing, and a rebuild makes it again.
"""

import csv
import io
import json
from datetime import datetime

import duckdb

from pipelines.ingest import reasons
from pipelines.sources.decisions import DECISIONS, FIELDS
from pipelines.sources.native_csv import COLUMNS

# The reasons of which a row can be accepted as it is printed; any other is as unreadable after a decision as before it.
ACCEPTABLE = tuple(reason for reason, block in reasons().items() if block.get("acceptable"))
HELD_COLUMNS = (
    "file",
    "receipt",
    "sha256",
    "line",
    "place",
    "kind",
    "patient_id",
    "reason",
    "field",
    "found",
    "hint",
    "raw",
    "cells",
)
DECIDED_COLUMNS = (
    "decided_at", "decided_by", "decision", "unit", "why", "file", "line", "place", "patient_id", "reason", "found", "raw", "of_receipt",
    "receipt",
)  # fmt: skip


def held_rows(cursor: duckdb.DuckDBPyConnection) -> list[dict]:
    """The held rows that wait for a person, by file and line; `cells` are the native columns as read (dict of texts).

    Of a file that was received more than once, those of its last arrival.
    """
    rows = cursor.execute(
        """
        SELECT name, file_id, sha256, line, place, kind, patient_id, reason, field, found, hint, raw, cells
        FROM source.rejected JOIN source.row USING (file_id, line) JOIN source.last_arrival USING (file_id)
        ANTI JOIN source.decided USING (sha256, line) WHERE class = 'held'
        ORDER BY file_id, line"""
    ).fetchall()
    held = [dict(zip(HELD_COLUMNS, row, strict=True)) for row in rows]
    return [row | {"cells": _native(row["kind"], json.loads(row["cells"] or "{}"))} for row in held]


def decision_file(
    row: dict, decision: str, decided_by: str, why: str, decided_at: datetime, unit: str | None = None
) -> str:
    """The text of the file that a decision on a held row becomes. `unit` is the right one, where the decision is correct_unit.

    Raises ValueError for a decision that is not one of DECISIONS, that nobody made or gave a reason for, or that lacks its unit.
    """
    if decision not in DECISIONS:
        raise ValueError(f"A decision is one of {', '.join(DECISIONS)}, not {decision!r}.")
    if not decided_by.strip() or not why.strip():
        raise ValueError("A decision names who made it, and why.")
    if decision == "accept" and row["reason"] not in ACCEPTABLE:
        raise ValueError(
            "This row cannot be read as it is printed: mend it in its source, correct its unit, or reject it."
        )
    if (decision == "correct_unit") != bool(unit):
        raise ValueError("A unit belongs to the decision to correct it, and to no other.")
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\n")
    out.writerow(FIELDS)
    out.writerow((
        decision, decided_by.strip(), why.strip(), decided_at.isoformat(timespec="seconds"), row["sha256"], row["line"], unit or "",
    ))  # fmt: skip
    return written.getvalue()


def decisions(cursor: duckdb.DuckDBPyConnection) -> list[dict]:
    """The decisions made, newest first, each with the row it was made on."""
    rows = cursor.execute(
        """
        SELECT decided_at, decided_by, decision, unit, why, file.name, of_line, place, patient_id, reason, found, raw, of_file_id,
            decision.file_id
        FROM source.decision JOIN source.file ON file.file_id = of_file_id
        JOIN source.rejected ON rejected.file_id = of_file_id AND rejected.line = of_line
        JOIN source.row ON source.row.file_id = of_file_id AND source.row.line = of_line
        ORDER BY decided_at DESC, decision.file_id DESC, decision.line"""
    ).fetchall()
    return [dict(zip(DECIDED_COLUMNS, row, strict=True)) for row in rows]


def _native(kind: str, cells: dict) -> dict[str, str]:
    return {name: cells[name] for name in COLUMNS.get(kind, ()) if cells.get(name)}
