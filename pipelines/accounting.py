"""What became of every row received: per file, received = accepted + duplicate + superseded + rejected."""

import duckdb

OUTCOMES = ("accepted", "duplicate", "superseded", "rejected")


def outcomes(con: duckdb.DuckDBPyConnection, file_ids: list[int] | None = None) -> dict[int, dict[str, int]]:
    """By file, in order of arrival, the number of its data rows received and of each outcome. `file_ids` None: every file."""
    only = "" if file_ids is None else "WHERE file_id IN (SELECT unnest(CAST($file_ids AS INTEGER[])))"
    rows = con.execute(
        f"""
        SELECT file_id, count(line), {", ".join(f"count(*) FILTER (outcome = '{outcome}')" for outcome in OUTCOMES)}
        FROM (FROM source.file {only}) LEFT JOIN (FROM source.row {only}) USING (file_id)
        GROUP BY file_id ORDER BY file_id""",
        {} if file_ids is None else {"file_ids": file_ids},
    ).fetchall()
    return {file_id: dict(zip(("received", *OUTCOMES), counts, strict=True)) for file_id, *counts in rows}


REJECTED_COLUMNS = (
    "file",
    "line",
    "class",
    "reason",
    "field",
    "found",
    "hint",
    "raw",
    "patient_id",
    "receipt",
    "place",
)


def rejected_rows(cursor: duckdb.DuckDBPyConnection) -> list[dict]:
    """The rows that stand rejected, by file and line, each with its text, first reason and what to do.

    A held row that a person accepted or corrected stands rejected no more: the decision brought its record.

    Of a file that was received more than once, those of its last arrival: the same bytes are not two problems.
    """
    rows = cursor.execute(
        """
        SELECT name, line, class, reason, field, found, hint, raw, patient_id, file_id, place
        FROM source.rejected JOIN source.row USING (file_id, line) JOIN source.last_arrival USING (file_id)
        LEFT JOIN source.decided USING (sha256, line) WHERE coalesce(decision, 'reject') = 'reject'
        ORDER BY file_id, line"""
    ).fetchall()
    return [dict(zip(REJECTED_COLUMNS, row, strict=True)) for row in rows]
