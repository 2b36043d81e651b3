"""Native rows as a workbook: one sheet per kind, numbers as numbers, days as dates, everything else as text."""

import re
from datetime import date, datetime
from pathlib import Path

import openpyxl

from pipelines.sources.native_csv import COLUMNS

DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}\Z")
EXCEL_STARTS = 1900, 3  # before 1 March 1900 Excel counts a day that never was


def write(rows: dict[str, list[dict[str, str]]], path: Path) -> None:
    """rows: kind -> native rows, column -> text; an absent cell is "" or a missing key."""
    book = openpyxl.Workbook(write_only=True)
    for kind, of_kind in rows.items():
        sheet = book.create_sheet(kind)
        sheet.append(list(COLUMNS[kind]))
        for row in of_kind:
            sheet.append([cell(row.get(column) or None) for column in COLUMNS[kind]])
    book.save(path)


def cell(text: str | None) -> str | int | float | date | datetime | None:
    """The value that a person would have typed; text where Excel would not give the same text back."""
    if text is None:
        return None
    if DAY.match(text) and (int(text[:4]), int(text[5:7])) >= EXCEL_STARTS:
        return _date(text) or text
    if MINUTE.match(text) and (int(text[:4]), int(text[5:7])) >= EXCEL_STARTS:
        return _instant(text) or text
    if re.fullmatch(r"-?(0|[1-9]\d{0,8})", text) and text != "-0":
        return int(text)
    if re.fullmatch(r"-?(0|[1-9]\d{0,8})\.\d{0,5}[1-9]", text):
        return float(text)
    return text


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    """A time at midnight is left as text: a cell cannot say that it is known to the minute."""
    try:
        return None if text.endswith("T00:00") else datetime.fromisoformat(text)
    except ValueError:
        return None
