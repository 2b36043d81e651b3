"""What people entered: reviews, notes, decisions and what became of them, acknowledgements, the state of a referral.

An entry is a file of records that is loaded like any other (sources/entries.py), so it is kept in landing, survives a rebuild, and goes
with its patient when that is erased. Nothing is overwritten: a correction, and the undoing of an entry, is a new version of it.
"""

import csv
import io
import json
import re
import uuid
from collections.abc import Iterable
from datetime import date, datetime

import duckdb

from pipelines.errors import Refusal
from pipelines.sources.entries import FIELDS, fault

COLUMNS = (
    "kind", "entry_id", "patient_id", "author", "author_known", "entered_at", "day", "code", "item", "criterion", "text", "why", "owner",
    "due_on", "until", "about", "topic", "frozen", "withdrawn", "version", "receipt", "line", "received_at",
)  # fmt: skip


class EntryIncomplete(Refusal):
    """An entry does not say what its kind must say."""


def entry_file(rows: Iterable[dict], author: str, entered_at: datetime) -> str:
    """The text of the file that entries become. A row has the fields of sources/entries.py that its kind needs, as text, date, dict
    (`frozen`) or bool (`withdrawn`); entry_id is made here where the row is no new version of one.

    Raises EntryIncomplete with what is missing or wrong, for a person.
    """
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\n")
    out.writerow(FIELDS)
    for row in rows:
        by = {"author": author, "author_known": "typed", "entered_at": entered_at.isoformat(timespec="seconds")}
        said = {name: _text(value) for name, value in ({"entry_id": new_id()} | row | by).items()}
        wrong = fault(said)
        if wrong:
            raise EntryIncomplete(wrong, row.get("kind"), "Fill it in, and enter it again.")
        out.writerow([said.get(name) or "" for name in FIELDS])
    return written.getvalue()


def new_id() -> str:
    """An id that no other entry has."""
    return uuid.uuid4().hex


def standing(
    cursor: duckdb.DuckDBPyConnection,
    kinds: Iterable[str] | None = None,
    patients: Iterable[str] | None = None,
    received_at: datetime | None = None,
) -> list[dict]:
    """The newest version of every entry that is not withdrawn, oldest first: the fields of COLUMNS, `frozen` as a dict (empty where
    nothing was frozen). `received_at`: of what this store had received by then."""
    return [row for row in _newest(cursor, kinds, patients, received_at) if not row["withdrawn"]]


def withdrawn_version(entry: dict) -> dict:
    """The row that undoes an entry, for `entry_file`."""
    return _again(entry) | {"withdrawn": True}


def corrected_version(entry: dict, **said: object) -> dict:
    """The row that says something else in place of an entry, for `entry_file`."""
    return _again(entry) | said


def versions(cursor: duckdb.DuckDBPyConnection, entry_id: str) -> list[dict]:
    """Every version of one entry, oldest first."""
    return _rows(cursor, f"{NUMBERED} WHERE entry_id = $entry_id ORDER BY version", {"entry_id": entry_id})


def not_taken(cursor: duckdb.DuckDBPyConnection, sha256: str) -> dict[int, str]:
    """Of a file of entries, the place of every row that was rejected (0 is the first row) with what to do about it."""
    found = cursor.execute(
        """
        SELECT place, hint FROM (
            SELECT file_id, line, row_number() OVER (ORDER BY line) - 1 AS place FROM source.row
            WHERE file_id = (SELECT max(file_id) FROM source.file WHERE sha256 = $sha256)) AS numbered
        JOIN source.rejected USING (file_id, line) ORDER BY place""",
        {"sha256": sha256},
    )
    return dict(found.fetchall())


# The versions of every entry in order; the last one counts.
NUMBERED = """
    SELECT kind, entry_id, patient_id, author, author_known, entered_at, day, code, item, criterion, text, why, owner, due_on, until, about,
        topic, frozen, withdrawn, version, receipt, line, received_at
    FROM (
        SELECT entry.*, file_id AS receipt, received_at, row_number() OVER versions AS version, lead(1) OVER versions IS NULL AS newest
        FROM record.entry AS entry JOIN source.file USING (file_id)
        WHERE $moment IS NULL OR received_at <= $moment
        WINDOW versions AS (PARTITION BY entry_id ORDER BY entered_at, file_id, entry.line)) AS numbered"""


def _newest(cursor, kinds, patients, received_at) -> list[dict]:
    kinds, patients = _listed(kinds), _listed(patients)
    return _rows(
        cursor,
        f"""{NUMBERED} WHERE newest AND ($kinds IS NULL OR list_contains($kinds, kind))
            AND ($patients IS NULL OR patient_id IN (SELECT unnest($patients))) ORDER BY entered_at, receipt, line""",
        {"kinds": kinds, "patients": patients, "moment": received_at},
    )


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: dict) -> list[dict]:
    found = cursor.execute(sql, {"moment": None} | parameters).fetchall()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    return [row | {"frozen": json.loads(row["frozen"]) if row["frozen"] else {}} for row in rows]


def _listed(names: Iterable[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _again(entry: dict) -> dict:
    """What an entry says, without what each version has of its own."""
    own = ("author", "author_known", "entered_at", "version", "receipt", "line", "received_at", "withdrawn")
    return {name: value for name, value in entry.items() if name not in own and value not in (None, {})}


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else None
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)
    if isinstance(value, date):
        return value.isoformat()
    return re.sub(r"[^\S\n]+|[\x00-\x09\x0b-\x1f\x7f]", " ", str(value).replace("\r\n", "\n")).strip() or None


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be frozen")
