"""Loads texts as native files, one after the other, and asks what became of them. Used by the tests of ingest."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from pipelines import ingest, sources
from pipelines.sources import Declared, Source

SCHEMA = (Path(ingest.__file__).parents[1] / "store" / "schema.sql").read_text(encoding="utf-8")
RECEIVED = datetime(2026, 11, 21, 9, 30)


LABS = "patient_id;analyte;value;unit;at;reported_at;ref_low;ref_high;assay;laboratory;sample_timing;status;record_id\n"


def empty_store() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(SCHEMA)
    return con


def load(
    con: duckdb.DuckDBPyConnection, text: str | bytes, decimal: str | None = None, received_at: datetime = RECEIVED
) -> Source:
    """One file, one transaction, as a load does it."""
    file_id = con.execute("SELECT coalesce(max(file_id), 0) + 1 FROM source.file").fetchone()[0]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        source = sources.recognise(path, Declared(decimal))
        con.execute("BEGIN")
        con.execute(
            "INSERT INTO source.file VALUES (?, ?, '', ?, ?, ?)",
            [file_id, path.name, source.format, received_at, source.notes],
        )
        ingest.ingest(con, file_id, source, received_at)
        con.execute("COMMIT")
    return source


def outcomes(con: duckdb.DuckDBPyConnection, file_id: int = 1) -> list[str]:
    """What became of each row of a file, in order of line."""
    found = con.execute("SELECT outcome FROM source.row WHERE file_id = ? ORDER BY line", [file_id]).fetchall()
    return [outcome for (outcome,) in found]


def reasons(con: duckdb.DuckDBPyConnection, file_id: int = 1) -> list[tuple[str, str, str]]:
    """(class, reason, field) of each rejected row of a file, in order of line."""
    return con.execute(
        "SELECT class, reason, field FROM source.rejected WHERE file_id = ? ORDER BY line", [file_id]
    ).fetchall()


def lab(value: str, unit: str = "ng/mL", analyte: str = "ferritin", at: str = "2021-07-24", **more: str) -> str:
    """One row of a labs file."""
    cells = {"patient_id": "p1", "analyte": analyte, "value": value, "unit": unit, "at": at} | more
    return ";".join(cells.get(column, "") for column in LABS.strip().split(";")) + "\n"
