"""Decisions on held rows: the file that the Data page writes, and that is loaded and kept like any other.

One row, one decision: which row of which file (its SHA-256 and line), accept, correct_unit or reject, who, why and when, and the right
unit. What the row says is not repeated here: ingest reads it from the held row.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipelines.errors import FileRefused
from pipelines.sources import Batch, Declared, text

SUFFIXES = (".csv",)
FIELDS = ("decision", "decided_by", "why", "decided_at", "of_file", "of_line", "unit")
HEADER = ",".join(FIELDS).encode()
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
LINE = re.compile(r"\d{1,9}")
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
        """One batch of kind decisions; the rows that they let in are read again, as rows of their own kind, by ingest."""
        rows, raws, lines = [], [], []
        try:
            content = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise FileRefused("It is not UTF-8.", self._path.name, "Load the file that the Data page wrote.") from None
        csv.field_size_limit(2 * text.LONGEST_LINE)
        reader = csv.reader(io.StringIO(content, newline=""))
        header = next(reader)
        line = reader.line_num
        try:
            for cells in reader:
                begun, line = line + 1, reader.line_num
                if cells:
                    rows.append(dict(zip(header, cells, strict=False)))
                    raws.append(_raw(cells))
                    lines.append(begun)
        except csv.Error as error:
            raise FileRefused(f"Line {line + 1} cannot be read: {error}.", self._path.name) from None
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


def _raw(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()
