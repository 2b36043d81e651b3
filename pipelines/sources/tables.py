"""A local table, from a CSV file or a sheet of a workbook: its columns by name, and its rows as name -> text."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import FileRefused
from pipelines.sources import text
from pipelines.sources.direct_identifiers import identifying
from pipelines.sources.native_header import column_name
from pipelines.sources.workbook import Sheet, Workbook, is_workbook
from pipelines.sources.workbook_cells import Row

DELIMITERS = (",", ";", "\t", "|")
MOST_COLUMNS = 5000  # REDCap projects of some thousand fields exist
LONGEST_SPAN = 200  # lines that one quoted cell may span


class TableRow(NamedTuple):
    """A row: its number in the file (line) or sheet, column name -> text of its filled cells, and why it cannot be read."""

    number: int
    cells: dict[str, str]
    fault: str | None = None


@dataclass
class Table:
    """One table. `columns` are the names as printed, made different with #2, #3 where one is printed twice; '' has no name."""

    path: Path
    columns: list[str]
    header_rows: tuple[int, ...]
    place: str  # what a row is called: "line" or "sheet 'Labs', row"
    notes: list[str] = field(default_factory=list)
    delimiter: str | None = None
    book: Workbook | None = None
    sheet: Sheet | None = None
    file: text.TextFile | None = None
    share_read: float = 0.0

    def rows(self) -> Iterator[TableRow]:
        """The rows below the header that hold something. Raises FileRefused where the file is damaged."""
        if self.book:
            reader = self.book.reader(self.sheet)
            for row in reader.rows():
                self.share_read = reader.share_read
                if row.number > self.header_rows[-1]:
                    yield TableRow(row.number, self._named(row.cells))
        else:
            yield from self._lines()

    def texts(self) -> Iterator[str]:
        """Every text of the file: cells of all columns, rows that cannot be read, and of a workbook all sheets. Raises FileRefused."""
        if self.book:
            yield from self.book.texts()
        else:
            for _, line, cells, fault in records(self.file, self.delimiter):
                yield from line.split(self.delimiter) if fault else cells

    def _named(self, cells: dict[int, str]) -> dict[str, str]:
        width = len(self.columns)
        return {
            self.columns[at]: cell for at, cell in cells.items() if at < width and self.columns[at] and cell.strip()
        }

    def _lines(self) -> Iterator[TableRow]:
        size, read = max(self.path.stat().st_size, 1), 0
        for number, line, cells, fault in records(self.file, self.delimiter):
            read += len(line)
            self.share_read = min(read / size, 1.0)
            if number <= self.header_rows[-1]:
                continue
            if not fault and len(cells) != len(self.columns):
                fault = "too_many_cells" if len(cells) > len(self.columns) else "too_few_cells"
            yield TableRow(number, {} if fault else self._named(dict(enumerate(cells))), fault)


def open_table(
    path: Path,
    sheet: str | None = None,
    header_rows: tuple[int, ...] = (1,),
    delimiter: str | None = None,
    named: bool = True,
) -> Table:
    """The table of a file. Raises FileRefused when the sheet or the header is not there.

    `named` False: its sheets are called by their numbers, since they may bear the names of patients."""
    if is_workbook(path):
        return _sheet_table(path, sheet, header_rows, named)
    if not text.is_text(path):
        raise FileRefused("This is neither a text file nor a workbook.", path.name, "Export the table as CSV or .xlsx.")
    file = text.examine(path)
    if delimiter is None:
        lines = dict(_first_lines(file, header_rows[-1]))
        delimiter = max(DELIMITERS, key=lambda mark: len(_cells(lines.get(header_rows[-1], ""), mark) or ()))
    rows = {number: cells for number, _, cells, _ in _until(records(file, delimiter), header_rows[-1])}
    header = [Row(number, dict(enumerate(rows[number]))) for number in header_rows if number in rows]
    table = Table(path, _column_names(header, path), header_rows, "line", delimiter=delimiter, file=file)
    if file.guessed:
        table.notes.append(f"encoding {file.encoding}, guessed from its text")
    return table


def _sheet_table(path: Path, name: str | None, header_rows: tuple[int, ...], named: bool) -> Table:
    book = Workbook(path)
    readable = [sheet for sheet in book.sheets if sheet.kind == "worksheet"]
    listed = ", ".join(sheet.name for sheet in readable)[:500] if named else f"{len(readable)} sheets"
    if name is None:
        visible = [sheet for sheet in readable if not sheet.hidden]
        if len(visible) != 1:
            raise FileRefused(f"The workbook has several sheets: {listed}.", path.name, "Name one as sheet in [table].")
        sheet = visible[0]
    else:
        sheet = next((sheet for sheet in readable if sheet.name == name), None)
        if sheet is None:
            raise FileRefused(
                f"The workbook has no sheet '{name}', but: {listed}.", path.name, "Correct sheet in [table]."
            )
    header = [row for row in _up_to(book.rows(sheet), header_rows[-1]) if row.number >= header_rows[0]]
    columns = _column_names(header, path)
    named = named and not any(identifying(column_name(column)) for column in columns)
    notes = book.remarks()
    others = [
        other.name if named else str(place) for place, other in enumerate(book.sheets, start=1) if other is not sheet
    ]
    if others:
        notes.append(f"sheets not read: {', '.join(others)[:500]}")
    shown = "".join(letter if letter.isprintable() else " " for letter in sheet.name[:60])
    called = f"sheet '{shown}'" if named else f"sheet {book.sheets.index(sheet) + 1}"
    if sheet.hidden:
        notes.append(f"{called} is hidden in Excel")
    return Table(path, columns, header_rows, f"{called}, row", notes, book=book, sheet=sheet)


def _up_to(rows: Iterator[Row], last: int) -> Iterator[Row]:
    for row in rows:
        if row.number > last:
            return
        yield row


def _until(rows: Iterator[tuple], last: int) -> Iterator[tuple]:
    for row in rows:
        if row[0] > last:
            return
        yield row


def _column_names(header: list[Row], path: Path) -> list[str]:
    """Names of columns by place: of several header rows joined by a blank. A group's name goes over the columns to its right."""
    width = max((max(row.cells) + 1 for row in header if row.cells), default=0)
    if not width:
        raise FileRefused("The row of the header is empty.", path.name, "Correct header_rows in [table].")
    if width > MOST_COLUMNS:
        raise FileRefused(
            f"The table has {width:,} columns; at most {MOST_COLUMNS:,} are read.", path.name, "Export fewer."
        )
    names, group = [], ""
    for column in range(width):
        parts = [" ".join(row.cells.get(column, "").split())[:200] for row in header]
        if len(parts) > 1 and parts[-1] and not any(parts[:-1]):
            parts[0] = group
        elif len(parts) > 1:
            group = " ".join(part for part in parts[:-1] if part) if parts[-1] else ""
        names.append(" ".join(part for part in parts if part).replace("\ufeff", ""))
    return _different(names)


def _different(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    different = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        different.append(name if not name or seen[name] == 1 else f"{name}#{seen[name]}")
    return different


def _first_lines(file: text.TextFile, last: int) -> Iterator[tuple[int, str]]:
    with _opened(file) as lines:
        for number, line in enumerate(lines, start=1):
            if number > last:
                return
            yield number, line


def _opened(file: text.TextFile) -> io.TextIOWrapper:
    return io.TextIOWrapper(file.path.open("rb"), file.encoding, file.errors, newline="")


def records(file: text.TextFile, delimiter: str) -> Iterator[tuple[int, str, list[str], str | None]]:
    """(line, text, cells, fault) of each line of a CSV file, or of the lines that one quoted cell spans. A quote that is
    never closed costs only the line on which it opens."""
    csv.field_size_limit(2 * text.LONGEST_LINE)
    with _opened(file) as lines:
        again: deque[str] = deque()
        number = 0
        while (line := again.popleft() if again else next(lines, None)) is not None:
            number += 1
            if not line.strip():
                continue
            cells = _cells(line, delimiter)
            if cells is not None:
                yield number, line, cells, None
                continue
            span = _span(line, again, lines)
            cells = _cells("".join(span), delimiter, strict=True) if span else None
            if cells is None:
                again.extendleft(reversed(span[1:]))
                yield number, line, [], "quote_unclosed"
            else:
                yield number, "".join(span), cells, None
                number += len(span) - 1


def _span(first: str, again: deque[str], lines: Iterator[str]) -> list[str]:
    """The lines up to the one that closes the quote open in the first; all that were looked at when none does."""
    span, quotes, length = [first], first.count('"'), len(first)
    while len(span) < LONGEST_SPAN and length < text.LONGEST_LINE:
        line = again.popleft() if again else next(lines, None)
        if line is None:
            break
        span.append(line)
        quotes, length = quotes + line.count('"'), length + len(line)
        if '"' in line and quotes % 2 == 0:
            break
    return span


def _cells(line: str, delimiter: str, strict: bool = False) -> list[str] | None:
    """The cells of a text; None when a quote is open at its end."""
    if '"' not in line and "\r" not in line.rstrip("\r\n"):
        return line.rstrip("\r\n").split(delimiter)
    try:
        rows = list(csv.reader([line, "end"] if not strict else [line], delimiter=delimiter, strict=strict))
    except csv.Error:
        return None
    if strict:
        return rows[0] if len(rows) == 1 else None
    return rows[0] if len(rows) == 2 else None
