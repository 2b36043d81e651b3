"""Entries: what people enter in the dashboard, a file of records that is loaded and kept like any other.

One row, one version of an entry (dictionary/entries.toml says what each kind needs). The patient's id is that of the store. A later
version of the same entry_id corrects or withdraws it.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from pipelines import dictionary
from pipelines.errors import FileRefused
from pipelines.sources import Batch, Declared, text

SUFFIXES = (".csv",)
FIELDS = (
    "kind", "entry_id", "patient_id", "author", "author_known", "entered_at", "day", "code", "item", "criterion", "text", "why", "owner",
    "due_on", "until", "about", "topic", "frozen", "withdrawn",
)  # fmt: skip
ALWAYS = ("kind", "entry_id", "patient_id", "author", "author_known", "entered_at")
DAYS = ("day", "due_on", "until")
AUTHOR_KNOWN = ("typed",)
HEADER = ",".join(FIELDS).encode()
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
LARGEST = 32 << 20  # bytes: people enter some rows, not a million
LONGEST = 4_000  # characters of one text


def recognises(path: Path, declared: Declared) -> bool:
    with path.open("rb") as file:
        return file.read(len(HEADER) + 1).rstrip() == HEADER


def read(path: Path, declared: Declared) -> "Entries":
    """Raises FileRefused for a file larger than people can have entered."""
    if path.stat().st_size > LARGEST:
        raise FileRefused(f"It is larger than {LARGEST >> 20} MB.", path.name, "Load entries in smaller files.")
    return Entries(path)


class Entries:
    """One file of entries (a Source, see sources/__init__.py)."""

    format = "csv/entries"
    decimal = None
    may_hold_commas = True
    separated_by_comma = True

    def __init__(self, path: Path) -> None:
        self._path, self.size, self.position, self.notes = path, path.stat().st_size, 0, []

    def batches(self) -> Iterator[Batch]:
        """One batch of kind entries; the events among them are read again, as events, by ingest."""
        rows, raws, lines = [], [], []
        try:
            content = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise FileRefused("It is not UTF-8.", self._path.name, "Load the file that the dashboard wrote.") from None
        csv.field_size_limit(2 * text.LONGEST_LINE)
        reader = csv.reader(io.StringIO(content, newline=""))
        next(reader)
        line = reader.line_num
        try:
            for cells in reader:
                begun, line = line + 1, reader.line_num
                if cells:
                    rows.append(dict(zip(FIELDS, (cell.strip() for cell in cells), strict=False)))
                    raws.append(_raw(cells))
                    lines.append(begun)
        except csv.Error as error:
            raise FileRefused(f"Line {line + 1} cannot be read: {error}.", self._path.name) from None
        self.position = self.size
        if rows:
            columns = {name: pa.array([row.get(name) or None for row in rows], pa.string()) for name in FIELDS}
            faults = [None if fault(row) is None else "entry_unknown" for row in rows]
            table = {
                "line": pa.array(lines, pa.int32()),
                "raw": pa.array(raws),
                "cell_fault": pa.array(faults, pa.string()),
            }
            yield Batch("entries", pa.table(table | columns))


def fault(row: dict[str, str | None]) -> str | None:
    """What an entry lacks or says wrongly, in words for a person; None where it says all it must. `row`: its texts by field."""
    said = {name for name in FIELDS if row.get(name)}
    rule = dictionary.entries().get(row.get("kind") or "")
    if rule is None:
        return "There is no such kind of entry."
    code = row.get("code")
    needs = [*ALWAYS, *rule["needs"]] + (["text"] if code in rule.get("reasons", ()) else [])
    needs += (["day"] if code in rule.get("dated", ()) else []) + (
        rule.get("together", []) if said & set(rule.get("together", ())) else []
    )
    missing = [name for name in needs if name not in said]
    if missing:
        return f"It says nothing of: {', '.join(dict.fromkeys(missing))}."
    beyond = said - set(ALWAYS) - set(rule["needs"]) - set(rule.get("may", ())) - {"withdrawn"}
    if beyond:
        return f"This kind of entry has no {', '.join(sorted(beyond))}."
    return _unreadable(row, rule)


def _unreadable(row: dict, rule: dict) -> str | None:
    """The first cell that is not what it must be."""
    if row.get("code") and row["code"] not in rule.get("codes", ()):
        return f"The code is one of: {', '.join(rule.get('codes', ()))}."
    if row["author_known"] not in AUTHOR_KNOWN or row.get("withdrawn") not in (None, "", "yes"):
        return "author_known is 'typed', withdrawn is 'yes' or empty."
    if not MOMENT.fullmatch(row["entered_at"]) or not _is(datetime.fromisoformat, row["entered_at"]):
        return "The time of the entry cannot be read."
    for name in DAYS:
        if row.get(name) and not (DAY.fullmatch(row[name]) and _is(date.fromisoformat, row[name])):
            return f"{name} is no day."
    if any(len(row.get(name) or "") > LONGEST for name in FIELDS if name != "frozen"):
        return f"A text is longer than {LONGEST:,} characters."
    if row.get("frozen") and not _is(_json_object, row["frozen"]):
        return "frozen is no JSON object."
    return None


def _is(read, text: str) -> bool:
    try:
        read(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json_object(text: str) -> dict:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("an object is needed")
    return found


def _raw(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()
