"""Rows of a query as plain dicts, as every chart, table and card takes them."""

from datetime import date, datetime
from decimal import Decimal

NO_RECORD_IDS = {"patient_id", "file_id", "specimen_id"}


def fetch_rows(cursor, sql: str, parameters: dict | None = None) -> list[dict]:
    """Every row as a dict. Record ids are text, 63 bits do not fit a number of JavaScript; decimals only place things from here on."""
    found = cursor.execute(sql, parameters or {})
    names = [column[0] for column in found.description]
    ids = {
        name for name in names if name in ("record_id", "set_id", "evidence") or name.endswith("_id")
    } - NO_RECORD_IDS
    return [
        {name: _id(value) if name in ids else plain(value) for name, value in zip(names, row, strict=True)}
        for row in found.fetchall()
    ]


def source_of(row: dict, between: str = " line ") -> str:
    """Where a record stands: 'labs.csv line 12'; the file alone where the line is left out (deidentify.py)."""
    return row["file"] if row["line"] is None else f"{row['file']}{between}{row['line']}"


def plain(value: object) -> object:
    """Decimals only place things on a chart from here on; what is judged was judged."""
    return float(value) if isinstance(value, Decimal) else value


def moment(value: date | datetime) -> str:
    """A day or a moment as text that orders as time does."""
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()


def _id(value: object) -> object:
    return [str(one) for one in value] if isinstance(value, list) else None if value is None else str(value)
