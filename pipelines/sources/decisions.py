"""Decisions on held rows: the file that the Data page writes, and that is loaded and kept like any other.

One row, one decision: which row of which file (its SHA-256 and line), accept, correct_unit or reject, who, why and when, and the row as it
is to be read now (`cells`, a JSON object of native columns).
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipelines.errors import FileRefused
from pipelines.sources import Batch, Declared, text
from pipelines.sources.native_csv import COLUMNS

SUFFIXES = (".csv",)
FIELDS = ("decision", "decided_by", "why", "decided_at", "of_file", "of_line", "kind", "unit", "cells")
HEADER = ",".join(FIELDS).encode()
DECISIONS = ("accept", "correct_unit", "reject")
LARGEST = 32 << 20  # bytes: a person decides on some rows, not on a million


def recognises(path: Path, declared: Declared) -> bool:
    with path.open("rb") as file:
        return file.read(len(HEADER) + 1).rstrip() == HEADER


def read(path: Path, declared: Declared) -> "Decisions":
    """Raises FileRefused for a file larger than a person can have decided on."""
    if path.stat().st_size > LARGEST:
        raise FileRefused(f"It is larger than {LARGEST >> 20} MB.", path.name, "Load decisions in smaller files.")
    return Decisions(path)


class Decisions:
    """One file of decisions (a Source, see sources/__init__.py). Its numbers are read with a decimal dot unless they say otherwise."""

    format = "csv/decisions"
    decimal = None
    may_hold_commas = True
    separated_by_comma = True

    def __init__(self, path: Path) -> None:
        self._path, self.size, self.position, self.notes = path, path.stat().st_size, 0, []

    def batches(self) -> Iterator[Batch]:
        """A batch of kind decisions for all rows, of which those that bring a record are read again as rows of their own kind by ingest."""
        rows, raws, lines = [], [], []
        try:
            content = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise FileRefused("It is not UTF-8.", self._path.name, "Load the file that the Data page wrote.") from None
        csv.field_size_limit(2 * text.LONGEST_LINE)
        reader = csv.reader(io.StringIO(content, newline=""))
        header = next(reader)
        line = reader.line_num
        for cells in reader:
            begun, line = line + 1, reader.line_num
            if cells:
                rows.append(dict(zip(header, cells, strict=False)))
                raws.append(_raw(cells))
                lines.append(begun)
        self.position = self.size
        if rows:
            columns = {name: pa.array([row.get(name) or None for row in rows], pa.string()) for name in FIELDS}
            faults = [None if _is_decision(row) else "decision_unknown" for row in rows]
            table = {
                "line": pa.array(lines, pa.int32()),
                "raw": pa.array(raws),
                "cell_fault": pa.array(faults, pa.string()),
            }
            yield Batch("decisions", pa.table(table | columns))


def _is_decision(row: dict[str, str]) -> bool:
    """Whether a row says all that a decision must say."""
    try:
        datetime.fromisoformat(row.get("decided_at") or "")
        cells = json.loads(row.get("cells") or "")
        int(row.get("of_line") or "")
    except (ValueError, RecursionError):
        return False
    return (
        row.get("decision") in DECISIONS
        and bool((row.get("decided_by") or "").strip() and (row.get("why") or "").strip() and row.get("of_file"))
        and (row.get("kind") in COLUMNS or row.get("decision") == "reject")
        and isinstance(cells, dict)
        and all(isinstance(cell, str) for cell in cells.values())
    )


def _raw(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()
