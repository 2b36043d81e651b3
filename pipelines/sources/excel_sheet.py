"""One sheet with native columns: where its header is, what each column means, and whose the rows without a patient_id are.

A sheet can hold several blocks below one another, each with a header of its own. Below a header that does not fit any kind no
row can be read, up to the next one that does: its rows are given with a fault. A block's patient_id may be printed only on
the first row of each patient. It is carried down where the sheet merges these cells; and, where in the whole block no id is ever
printed on two rows running, to rows that follow without a gap and have what their kind needs. In a block that does print ids
row after row a blank one is an omission, and its row is refused: it may be anybody's.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.ingest.columns import DATES, NUMBERS
from pipelines.sources.native_csv import COLUMNS, NEEDED
from pipelines.sources.native_header import KNOWN, Fit, column_name, fit, named_twice
from pipelines.sources.workbook_cells import ErrorCell, Number, Row, SheetFacts, SheetReader

# Titles, filters and dates of an export stand above its header; more than some lines of them was never seen.
HEADER_WITHIN = 50
HEADER_ROWS = 3  # a header of more than one row is joined from at most this many
UNREADABLE = "unreadable"  # the kind of rows below a header that does not fit
# Columns in which a header has no figures, and a row of data has some.
FIGURE_COLUMNS = frozenset(name for of in (NUMBERS, DATES) for names in of.values() for name in names) | {"birth_year"}
FIGURES = re.compile(r"[<>]?\s*\d(?![A-Za-z])")  # a result or a date, not a name such as 6mwd


@dataclass(frozen=True)
class Header:
    """A header: its kind, native column -> column of the sheet, and the names that are no native columns.

    A header that does not fit has the kind UNREADABLE, and the columns of every kind that it names."""

    kind: str
    first: int
    last: int
    columns: dict[str, int]
    others: tuple[str, ...]
    twice: tuple[str, ...] = ()


@dataclass
class Block:
    """The rows below one header, and what was seen of them in a first reading."""

    header: Header
    rows: int = 0
    blank_ids: int = 0
    running_ids: int = 0  # rows whose id is that of the row just above
    _above: tuple[int, str] = (0, "")

    def see(self, row: Row) -> None:
        """Counts a row."""
        self.rows += 1
        printed = row.cells.get(self.header.columns["patient_id"], "").strip()
        self.blank_ids += not printed
        self.running_ids += bool(printed) and self._above == (row.number - 1, printed)
        self._above = (row.number, printed)

    @property
    def carries(self) -> bool:
        """Whether a blank id means: the patient above."""
        return self.header.kind not in ("patients", UNREADABLE) and self.blank_ids > 0 and self.running_ids == 0


@dataclass
class Look:
    """What a first reading of a sheet found. `near`: the best header that is not one, for the person who has to mend it."""

    blocks: list[Block] = field(default_factory=list)
    near: Fit | None = None
    names: str = ""
    marked: set[str] = field(default_factory=set)  # texts of number columns with a comma or dot, not numbers
    repeated: int = 0
    above: int = 0
    last_row: int = 0
    facts: SheetFacts = field(default_factory=SheetFacts)


MOST_MARKED = 10_000  # different texts with a comma or a dot are enough to settle the decimal mark


def look(reader: SheetReader) -> Look:
    """Reads a sheet to its end, once. Keeps the first rows only until the header is found."""
    found, early, block = Look(), [], None
    for row in reader.rows():
        found.last_row = row.number
        if block is None and len(early) < HEADER_WITHIN:
            early.append(row)
            continue
        if block is None:
            if found.near is not None:
                continue
            block = _begin(found, early)
        block = _next_block(found, block, row)
    if block is None and found.near is None and early:
        _begin(found, early)
    found.facts = reader.facts
    return found


def _begin(found: Look, early: list[Row]) -> Block | None:
    """The block that begins among the first rows, those of its rows that are among them already seen."""
    header, found.near, found.names = find_header(early)
    if header is None:
        return None
    block = Block(header)
    found.blocks.append(block)
    found.above = sum(row.number < header.first for row in early)
    for row in early:
        if row.number > header.last:
            block = _next_block(found, block, row)
    return block


def _next_block(found: Look, block: Block | None, row: Row) -> Block | None:
    if block is None:
        return None
    header = header_below(block.header, row)
    if header:
        if header.columns == block.header.columns:
            found.repeated += 1
            return block
        block = Block(header)
        found.blocks.append(block)
        return block
    block.see(row)
    if len(found.marked) < MOST_MARKED:
        for column in NUMBERS.get(block.header.kind, ()):
            text = row.cells.get(block.header.columns.get(column, -1))
            if text and not isinstance(text, Number | ErrorCell) and ("," in text or "." in text):
                found.marked.add(text[:100])
    return block


def header_below(above: Header, row: Row) -> Header | None:
    """The header that a row below a header is; None for a row of data, also for one in which a cell happens to read patient_id."""
    if not any(map(_names_patients, row.cells.values())):
        return None
    held = [row.cells.get(column, "") for name, column in above.columns.items() if name in FIGURE_COLUMNS]
    if any(isinstance(cell, Number) or FIGURES.match(cell) for cell in held):
        return None
    header = find_header([row])[0]
    if header:
        return header
    names = _names([row])
    known = {name: column for column, name in names.items() if name in KNOWN}
    if not _names_patients(row.cells.get(above.columns["patient_id"], "")) and len(known) < 3:
        return None
    return Header(UNREADABLE, row.number, row.number, known, ())


def _names_patients(cell: str) -> bool:
    return cell[:1] in ("p", "P") and len(cell) < 40 and column_name(cell) == "patient_id"


def find_header(rows: list[Row]) -> tuple[Header | None, Fit | None, str]:
    """The first header among these rows: one that fits, or the one of up to HEADER_ROWS rows around it with most native columns.

    Without one: None, the nearest fit, and the names of that row."""
    fitting: list[tuple[int, int, Header]] = []
    near, near_names = Fit(None, 0), ""
    for span in range(1, HEADER_ROWS + 1):
        for at in range(len(rows) - span + 1):
            names = _names(rows[at : at + span])
            if names is None or sum(name in KNOWN for name in names.values()) < 2:
                continue
            fitted = fit(list(names.values()))
            if fitted.kind:
                header = _header(fitted.kind, rows[at].number, rows[at + span - 1].number, names)
                fitting.append((fitted.known, -span, header))
            elif fitted.known > near.known:
                near, near_names = fitted, ", ".join(names.values())[:200]
    if not fitting:
        return None, near, near_names
    first_fit = min(header.last for _, _, header in fitting)
    around = [found for found in fitting if found[2].first <= first_fit]
    return max(around, key=lambda found: (found[0], found[1], -found[2].last))[2], None, ""


def _names(rows: list[Row]) -> dict[int, str] | None:
    """Column -> its name, joined from the rows where that makes a native name, else the part that is one. None for rows that are
    not one header: a line lies between them, or two of them name a column."""
    if rows[-1].number - rows[0].number >= len(rows):
        return None
    named = {}
    for column in sorted(set().union(*(row.cells for row in rows))):
        parts = [column_name(row.cells[column][:200]) for row in rows if column in row.cells]
        joined = "_".join(part for part in parts if part)
        known = [part for part in parts if part in KNOWN]
        if len(known) > 1 and joined not in KNOWN:
            return None
        named[column] = joined if joined in KNOWN or not known else known[0]
    return named


def _header(kind: str, first: int, last: int, names: dict[int, str]) -> Header:
    columns = {name: column for column, name in names.items() if name in COLUMNS[kind]}
    others = tuple(name for name in names.values() if name not in COLUMNS[kind])
    twice = tuple(name for name in named_twice(list(names.values())) if name in columns)
    return Header(kind, first, last, columns, others, twice)


@dataclass
class Carrier:
    """Whose a row is: the printed id, or the one carried down to it."""

    block: Block
    merged: list[tuple[int, int]]
    carried: int = 0
    _printed: str | None = None
    _printed_at: int = 0
    _unbroken_to: int = 0

    def patient(self, row: Row, cells: dict[str, str]) -> str | None:
        """The id as printed or carried; None when the row is nobody's. `cells`: native column -> text."""
        printed = cells.get("patient_id", "").strip()
        if isinstance(cells.get("patient_id"), ErrorCell):
            self._unbroken_to = 0
            self._printed_at = 0
            return None
        if printed:
            self._printed, self._printed_at, self._unbroken_to = printed, row.number, row.number
            return printed
        if self._printed_at and self._first_merged(row.number) == self._printed_at:
            self._unbroken_to = row.number
            self.carried += 1
            return self._printed
        if self.block.carries and self._unbroken_to == row.number - 1 > 0 and self._whole(cells):
            self._unbroken_to = row.number
            self.carried += 1
            return self._printed
        self._unbroken_to = 0
        return None

    def _whole(self, cells: dict[str, str]) -> bool:
        """Whether the row has what its kind needs: a line of totals or a remark has not."""
        return all(any(cells.get(name) for name in group) for group in NEEDED[self.block.header.kind][1:])

    def _first_merged(self, row: int) -> int | None:
        at = bisect_right(self.merged, (row, 1 << 30)) - 1
        return self.merged[at][0] if at >= 0 and row <= self.merged[at][1] else None


def cells_of(header: Header, row: Row) -> dict[str, str]:
    """Native column -> text, of the cells that hold something."""
    return {name: row.cells[column] for name, column in header.columns.items() if column in row.cells}


def rows_of_blocks(found: Look, reader: SheetReader) -> Iterator[tuple[Block, Row]]:
    """The rows below each header, on a second reading of the sheet."""
    headers = iter(found.blocks)
    block, coming = None, next(headers)
    for row in reader.rows():
        if coming and row.number >= coming.header.first:
            if row.number >= coming.header.last:
                block, coming = coming, next(headers, None)
            continue
        if block and not header_below(block.header, row):
            yield block, row
