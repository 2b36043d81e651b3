"""What was received and what became of it, for people: the history of loads, rejected rows by page, names that nothing knows, one row.

Of a file that was received more than once, only the rejects of its last arrival count: the same bytes are not two problems.
"""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import accounting
from pipelines.received import reopened
from pipelines.sources.native_csv import COLUMNS
from pipelines.store.database import Store

MOST_UNMAPPED = 5_000  # different names; a column of free text taken for one has as many as rows
MOST_BYTES = 100 << 20  # a file is read up to the row that is asked for: of a larger one the line number must do

FILES = f"""
    SELECT file.file_id AS receipt, name, format, received_at, sha256, notes, coalesce(received, 0) AS received,
        {", ".join(f"coalesce({outcome}, 0) AS {outcome}" for outcome in accounting.OUTCOMES)}, coalesce(held, 0) AS held
    FROM source.file
    LEFT JOIN (
        SELECT file_id, count(*) AS received,
            {", ".join(f"count(*) FILTER (outcome = '{outcome}') AS {outcome}" for outcome in accounting.OUTCOMES)}
        FROM source.row GROUP BY file_id) AS counted USING (file_id)
    LEFT JOIN (
        SELECT file_id, count(*) FILTER (class = 'held') AS held FROM source.rejected GROUP BY file_id) AS kept USING (file_id)
    ORDER BY receipt DESC"""

REJECTED = """
    SELECT {columns} FROM source.rejected JOIN source.last_arrival USING (file_id) JOIN source.row USING (file_id, line)
    LEFT JOIN source.decided USING (sha256, line)
    WHERE coalesce(decision, 'reject') = 'reject' AND ($receipt IS NULL OR file_id = $receipt) AND ($reason IS NULL OR reason = $reason)
    AND ($text IS NULL OR contains(lower(raw || ' ' || coalesce(found, '') || ' ' || name), $text))"""

# Reasons that say a printed name or word is not in the dictionary: it can be added there, and the file loaded again.
UNMAPPED = f"""
    SELECT reason, field, found, count(*) AS rows, list_sort(list(DISTINCT name)) AS files, min(hint) AS hint
    FROM source.rejected JOIN source.last_arrival USING (file_id)
    WHERE ends_with(reason, '_unknown') AND found IS NOT NULL
    GROUP BY reason, field, found ORDER BY rows DESC, reason, found LIMIT {MOST_UNMAPPED}"""

REASONS = """
    SELECT reason, class, count(*) AS rows, list_slice(list_sort(list(line)), 1, $lines) AS first_lines
    FROM source.rejected WHERE file_id = $receipt GROUP BY reason, class ORDER BY rows DESC, reason"""

ONE_ROW = """
    SELECT file_id AS receipt, name AS file, format, sha256, received_at, line, place, kind, outcome,
        class, reason, field, found, hint, raw, cells
    FROM source.row JOIN source.file USING (file_id) LEFT JOIN source.rejected USING (file_id, line)
    WHERE file_id = $receipt AND line = $line"""


def files(cursor: duckdb.DuckDBPyConnection) -> list[dict]:
    """Every file received, newest first: receipt, name, format, received_at, sha256, notes, the accounting, and how many are held."""
    return _dicts(cursor.execute(FILES))


def rejected(
    cursor: duckdb.DuckDBPyConnection,
    limit: int,
    offset: int = 0,
    receipt: int | None = None,
    reason: str | None = None,
    text: str | None = None,
) -> tuple[int, list[dict]]:
    """How many rejected rows there are of a file, with a reason, holding a text; and some of them, newest file first."""
    asked = {"receipt": receipt, "reason": reason, "text": text.strip().lower() if text and text.strip() else None}
    number = cursor.execute(REJECTED.format(columns="count(*)"), asked).fetchone()[0]
    columns = (
        "file_id AS receipt, name AS file, line, place, class, reason, field, found, hint, raw, patient_id, decision"
    )
    page = f"{REJECTED.format(columns=columns)} ORDER BY file_id DESC, line LIMIT $limit OFFSET $offset"
    return number, _dicts(cursor.execute(page, asked | {"limit": limit, "offset": offset}))


def rejection_reasons(cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many rows stand rejected for each reason, most first."""
    asked = {"receipt": None, "reason": None, "text": None}
    rows = cursor.execute(REJECTED.format(columns="reason, count(*)") + " GROUP BY reason ORDER BY 2 DESC, 1", asked)
    return dict(rows.fetchall())


def unmapped(cursor: duckdb.DuckDBPyConnection) -> list[dict]:
    """What was printed that no dictionary knows: reason, field, found, rows, files, hint; the MOST_UNMAPPED most frequent."""
    return _dicts(cursor.execute(UNMAPPED))


def reasons_of(cursor: duckdb.DuckDBPyConnection, receipt: int, lines: int = 20) -> list[dict]:
    """Why rows of one file were rejected: reason, class, rows and the first so many lines. No text of the rows themselves."""
    return _dicts(cursor.execute(REASONS, {"receipt": receipt, "lines": lines}))


def one_row(cursor: duckdb.DuckDBPyConnection, folder: Path, receipt: int, line: int) -> dict | None:
    """What became of one row of the store in `folder`: file, receipt, line, place, kind, outcome, and of a rejected one why.

    `raw` is the row as received and `cells` what was read in it by native column, each None where it is not to be had. None: no such row.
    """
    found = _dicts(cursor.execute(ONE_ROW, {"receipt": receipt, "line": line}))
    if not found:
        return None
    row = found[0] | {"cells": json.loads(found[0]["cells"] or "null")}
    return row if row["raw"] is not None else row | as_received(Store(folder), receipt, line)


def as_received(store: Store, receipt: int, line: int) -> dict:
    """raw and cells of one row, read again from the file kept in landing by its own reader, so without names and identifiers.

    Both None: the file is larger than MOST_BYTES, or has no such row. Raises NotFound, FileRefused.
    """
    kept = store.landing.find(receipt)
    if store.landing.path(kept.sha256).stat().st_size <= MOST_BYTES:
        for batch in reopened(store, kept).batches():
            at = pc.index(batch.table.column("line"), pa.scalar(line, pa.int32())).as_py()
            if at >= 0:
                (row,) = batch.table.slice(at, 1).to_pylist()
                return {
                    "raw": row["raw"],
                    "cells": {name: row[name] for name in COLUMNS.get(batch.kind, ()) if row.get(name)},
                }
    return {"raw": None, "cells": None}


def _dicts(found: duckdb.DuckDBPyConnection) -> list[dict]:
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
