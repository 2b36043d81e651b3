"""Tables of a published snapshot as files for other programs. A table is chosen by name from what the snapshot holds; a name
never becomes a path or SQL.

Record ids are 63 bits wide: in CSV and JSON they are strings, because many programs keep numbers only to 2^53.
"""

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import duckdb
import pyarrow.parquet

from pipelines.errors import NotFound, Refusal
from pipelines.findings import plain_number
from pipelines.store.database import SCHEMAS, Store

ROWS = 50_000  # read, written and forgotten together
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?")


def tables(cursor: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The tables that can be exported: the name people use -> schema and name in the snapshot."""
    found = cursor.execute(
        "SELECT table_name, schema_name FROM duckdb_tables() WHERE list_contains(?, schema_name) AND NOT temporary "
        "ORDER BY table_name, schema_name",
        [list(SCHEMAS)],
    ).fetchall()
    return {name: f'"{schema}"."{name}"' for name, schema in found}


def export(cursor: duckdb.DuckDBPyConnection, store: Store, table: str, form: str, out: Path) -> int:
    """Writes one table, its rows sorted, as 'csv', 'json' or 'parquet', and returns how many rows. The file appears whole.

    Raises NotFound for a table the snapshot does not have, Refusal when `out` is in the store or cannot be written.
    """
    known = tables(cursor)
    if table not in known:
        raise NotFound(f"There is no table '{table}'.", hint=f"Known: {', '.join(known)}.")
    if out.resolve().is_relative_to(store.folder.resolve()):
        raise Refusal("An export is not written into the store.", str(out), "Choose a file elsewhere.")
    arriving = out.with_name(f".{out.name}.arriving")
    try:
        rows = WRITERS[form](cursor, known[table], arriving)
        os.replace(arriving, out)
    except OSError as error:
        raise Refusal(f"It cannot be written: {error.strerror}.", str(out)) from None
    finally:
        arriving.unlink(missing_ok=True)
    return rows


def _write_csv(cursor: duckdb.DuckDBPyConnection, table: str, path: Path) -> int:
    names, rows = _text_rows(cursor, table)
    with path.open("w", newline="", encoding="utf-8") as file:
        return write_csv(file, names, rows)


def _write_json(cursor: duckdb.DuckDBPyConnection, table: str, path: Path) -> int:
    names, rows = _text_rows(cursor, table)
    written = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for row in rows:
            file.write(",\n" if written else "\n")
            json.dump(dict(zip(names, row, strict=True)), file, default=json_value, ensure_ascii=False)
            written += 1
        file.write("\n]\n")
    return written


def _write_parquet(cursor: duckdb.DuckDBPyConnection, table: str, path: Path) -> int:
    reader = cursor.execute(f"FROM {table} ORDER BY ALL").to_arrow_reader(ROWS)
    written = 0
    with pyarrow.parquet.ParquetWriter(path, reader.schema) as file:
        for batch in reader:
            file.write_batch(batch)
            written += batch.num_rows
    return written


WRITERS = {"csv": _write_csv, "json": _write_json, "parquet": _write_parquet}


def _text_rows(cursor: duckdb.DuckDBPyConnection, table: str) -> tuple[list[str], Iterator[tuple]]:
    """The columns and rows of a table, 64-bit numbers as strings."""
    described = cursor.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
    as_text = {"BIGINT": "VARCHAR", "BIGINT[]": "VARCHAR[]"}
    columns = [
        f'CAST("{name}" AS {as_text[form]}) AS "{name}"' if form in as_text else f'"{name}"' for name, form in described
    ]
    cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL")

    def fetched() -> Iterator[tuple]:
        while rows := cursor.fetchmany(ROWS):
            yield from rows

    return [name for name, _ in described], fetched()


def write_csv(file: TextIO, names: list[str], rows: Iterable[Iterable]) -> int:
    """Rows as CSV with a header line, safe to open in a spreadsheet. Returns how many rows."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    written = 0
    for row in rows:
        writer.writerow([csv_cell(value) for value in row])
        written += 1
    return written


def csv_cell(value: object) -> str:
    """A value as the text of a CSV cell. What a spreadsheet would run as a formula gets an apostrophe in front.

    Lists are joined by '; ', an unknown part leaving its place empty. Numbers stay as they are, and so do graded results such
    as '++', which are no formula.
    """
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        text = "; ".join("" if part is None else str(part) for part in value)
    elif isinstance(value, dict):
        text = "; ".join(f"{name}: {part}" for name, part in value.items() if part is not None)
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = plain_number(value) if isinstance(value, Decimal) else str(value)
    starts_formula = text.lstrip(" ")[:1] in set("=+-@\t\r\n") - {""}
    return f"'{text}" if starts_formula and not NUMBER.fullmatch(text) and text.strip("+-") else text


def json_value(value: object) -> object:
    """For json.dump: dates in ISO 8601; decimals as numbers, exact to 15 digits."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
