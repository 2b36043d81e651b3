"""The native CSV files: patients, labs, pft, oxygen, administrations, events. The kind is known by the header.

Column order and case are free, blanks and hyphens in a name count as underscores. The delimiter is the one of `,` `;` tab `|`
that gives most known column names. A quoted cell may span lines; a quote that is never closed costs only the line it is on.
"""

import csv
import io
from collections import Counter, deque
from collections.abc import Container, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pipelines.errors import FileRefused
from pipelines.sources import Batch, Declared, plain_lines, text
from pipelines.sources.direct_identifiers import DROPPED, dropped_note, identifying

COLUMNS = {
    "patients": ("patient_id", "sex", "birth_year", "site"),
    "labs": (
        "patient_id", "analyte", "code", "value", "unit", "at", "reported_at", "ref_low", "ref_high", "assay", "laboratory",
        "sample_timing", "status", "specimen_id", "record_id",
    ),
    "pft": (
        "patient_id", "measure", "value", "unit", "percent_predicted", "phase", "reference_set", "at", "reported_at", "status",
        "record_id",
    ),
    "oxygen": (
        "patient_id", "at", "reported_at", "device", "flow_l_min", "fio2", "spo2", "respiratory_rate", "pao2", "paco2", "activity",
        "status", "record_id",
    ),
    "administrations": (
        "patient_id", "drug", "code", "route", "dose", "dose_unit", "per", "start", "stop", "ongoing", "last_confirmed_on", "action",
        "purpose", "reported_at", "status", "record_id",
    ),
    "events": ("patient_id", "at", "until", "kind", "code", "value", "text", "reported_at", "date_assumed", "status", "record_id"),
}  # fmt: skip
# What a header must have to be of a kind: one name of every group.
NEEDED = {
    "events": [("patient_id",), ("kind",), ("at",)],
    "administrations": [("patient_id",), ("drug", "code"), ("start",)],
    "pft": [("patient_id",), ("measure",), ("value", "percent_predicted"), ("at",)],
    "labs": [("patient_id",), ("analyte", "code"), ("value",), ("at",)],
    "oxygen": [("patient_id",), ("device", "flow_l_min", "fio2", "spo2", "respiratory_rate", "pao2", "paco2"), ("at",)],
    "patients": [("patient_id",), ("sex", "birth_year", "site")],
}
SUFFIXES = (".csv", ".tsv", ".txt")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MOST_COLUMNS = 500
# DuckDB 1.5.5 hides rows until the next checkpoint when the first rows that a transaction adds to a table come in one insert of
# nine tenths of a row group (measured: 110,000 rows are safe, 110,592 are not) after an insert of none. So no insert of ours is that
# large: a batch has fewer rows, counting every cell that becomes a record of its own.
BATCH_ROWS = {"oxygen": 14_000, "pft": 50_000}
MOST_ROWS = 100_000
BATCH_CHARACTERS = 64 << 20
PLAIN_ENCODINGS = ("utf-8", "utf-8-sig")
MOST_NOBODYS = 200_000  # different cells of rows that cannot be read; a file with more is as good as unreadable
LONGEST_ROW = 200  # lines that one quoted cell may span


def recognises(path: Path, declared: Declared) -> bool:
    """Every text file is taken for CSV: what is wrong with its header can then be told."""
    return text.is_text(path)


def read(path: Path, declared: Declared) -> "NativeCsv":
    """Reads the header. Raises FileRefused, with what is missing, when it is no header of a native file."""
    return NativeCsv(text.examine(path), declared)


class NativeCsv:
    """One native file (a Source, see sources/__init__.py)."""

    def __init__(self, file: text.TextFile, declared: Declared) -> None:
        self._file, self.decimal, self._ids = file, declared.decimal, declared.ids
        self.size, self.position, self.notes = file.path.stat().st_size, 0, []
        if file.encoding != "utf-8":
            how = "guessed from its text" if file.guessed else "named by its byte order mark"
            self.notes.append(f"encoding {file.encoding.removesuffix('-sig')}, {how}")
        with self._open() as opened:
            self._header_line, header = next(
                ((number, line) for number, line in enumerate(opened, start=1) if line.strip()), (1, "")
            )
        self._nobodys: set[str] = set()  # cells of rows that name nobody, because none of their cells can be trusted
        self._delimiter, self._names = _columns(header, file.path.name)
        self.kind = _kind(self._names, file.path.name)
        self.format = f"csv/{self.kind}"
        self.may_hold_commas = self._delimiter != "," or file.quotes
        self.separated_by_comma = self._delimiter == ","
        self._note_columns()

    def _note_columns(self) -> None:
        if self._delimiter != ",":
            self.notes.append(f"delimiter {DELIMITERS[self._delimiter]}")
        unknown = [name for name in self._names if name and name not in COLUMNS[self.kind]]
        if unknown:
            more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
            self.notes.append(f"columns not read: {', '.join(unknown[:20])}{more}")
        if "" in self._names:
            self.notes.append("a column without a name was not read")
        self._identifying = {place: what for place, name in enumerate(self._names) if (what := identifying(name))}
        if self._identifying:
            self.notes.append(dropped_note(self._identifying.values()))

    def _open(self) -> io.TextIOWrapper:
        file = self._file
        return io.TextIOWrapper(file.path.open("rb"), file.encoding, file.errors, newline="")

    def batches(self) -> Iterator[Batch]:
        """Tables of at most BATCH_ROWS rows of its kind (see Source)."""
        csv.field_size_limit(2 * text.LONGEST_LINE)
        plain = self._file.encoding in PLAIN_ENCODINGS and not (self._file.quotes or self._file.returns)
        for table in self._plain_tables() if plain and not self._is_identified() else self._tables():
            most = BATCH_ROWS.get(self.kind, MOST_ROWS)
            for begin in range(0, table.num_rows, most):
                yield Batch(self.kind, table.slice(begin, most))
        self.position = self.size

    def speaks_of(self, names: Container[str]) -> bool:
        """Whether one of these patients stands, or may stand, in a row that cannot be read. Asked after `batches`."""
        kept = self._ids.are_kept(True)
        return len(self._nobodys) >= MOST_NOBODYS or any(
            (cell if kept else self._ids.would_be(cell)) in names for cell in self._nobodys
        )

    def _tables(self) -> Iterator[pa.Table]:
        with self._open() as opened:
            rows = self._rows(islice(opened, self._header_line, None), self._header_line)
            while batch := self._take(rows):
                self.position = opened.buffer.tell()
                yield self._table(batch)

    def _plain_tables(self) -> Iterator[pa.Table]:
        """The same, quicker: piece by piece, and line by line only where a piece is not plain."""
        with self._file.path.open("rb") as file:
            for _ in range(self._header_line):
                file.readline()
            number = self._header_line
            for piece in plain_lines.pieces(file):
                self.position = file.tell()
                table = plain_lines.table(piece, self._delimiter, len(self._names))
                if table is None:
                    lines = io.StringIO(piece.decode("utf-8"), newline="").readlines()
                    batch = list(self._rows(iter(lines), number))
                    number += len(lines)
                    if batch:
                        yield self._table(batch)
                    continue
                begin, number = number + 1, number + table.num_rows
                lines = {"line": pa.array(range(begin, number + 1), pa.int32()), "raw": table.column("raw")}
                cells = {name: table.column(str(place)) for place, name in enumerate(self._names)}
                yield pa.table(lines | {name: cells[name] for name in COLUMNS[self.kind] if name in cells})

    def _is_identified(self) -> bool:
        return bool(self._identifying) or not self._ids.are_kept(True)

    def _take(self, rows: Iterator[tuple[int, str, str | None]]) -> list[tuple[int, str, str | None]]:
        """The next rows, as many as make a batch."""
        batch, characters = [], 0
        for row in rows:
            batch.append(row)
            characters += len(row[1])
            if len(batch) == BATCH_ROWS.get(self.kind, MOST_ROWS) or characters > BATCH_CHARACTERS:
                break
        return batch

    def _rows(self, lines: Iterator[str], number: int) -> Iterator[tuple[int, str, str | None]]:
        """(line, text of the row, fault): a row is a line, or the lines that one quoted cell spans. `number` lines came before."""
        if not self._file.quotes:  # every line is a row
            for place, line in enumerate(lines, start=number + 1):
                if not line.isspace():
                    yield place, line.rstrip("\r\n"), None
            return
        again: deque[str] = deque()
        while True:
            line = again.popleft() if again else next(lines, None)
            if line is None:
                return
            number += 1
            if not line.strip():
                continue
            if line.count('"') % 2 == 0 or not self._is_open(line):
                yield number, line.rstrip("\r\n"), None
                continue
            span = self._span(line, again, lines)
            if span is None:
                yield number, line.rstrip("\r\n"), "quote_unclosed"
            else:
                yield number, "".join(span).rstrip("\r\n"), None
                number += len(span) - 1

    def _span(self, first: str, again: deque[str], lines: Iterator[str]) -> list[str] | None:
        """The lines of the row that begins with `first`, whose quote is open. None, with the lines given back to
        `again`, when no whole row of the right width begins here."""
        span = [first]
        quotes, length = first.count('"'), len(first)
        while len(span) < LONGEST_ROW and length < text.LONGEST_LINE:
            line = again.popleft() if again else next(lines, None)
            if line is None:
                break
            span.append(line)
            quotes, length = quotes + line.count('"'), length + len(line)
            if '"' in line and quotes % 2 == 0:
                rows = self._parse(["".join(span)], strict=True)
                if rows is not None and len(rows[0]) == len(self._names):
                    return span
                break
        again.extendleft(reversed(span[1:]))
        return None

    def _is_open(self, line: str) -> bool:
        """Whether a quoted cell of this line goes on in the next (a quote inside an unquoted cell is only a character)."""
        return self._parse([line, "end"]) is None

    def _parse(self, lines: list[str], strict: bool = False) -> list[list[str]] | None:
        """One list of cells per text given; None when a quote runs over from one into the next, and, if `strict`,
        when text follows a closing quote."""
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=strict))
        except csv.Error:
            return None
        return rows if len(rows) == len(lines) else None

    def _table(self, batch: list[tuple[int, str, str | None]]) -> pa.Table:
        numbers, raws, faults = (list(column) for column in zip(*batch, strict=True))
        parsed = self._parse(raws) or [(self._parse([raw]) or [[]])[0] for raw in raws]
        width = len(self._names)
        ragged = [] if set(map(len, parsed)) == {width} else parsed
        for at, cells in enumerate(ragged):
            if len(cells) != width:
                faults[at] = faults[at] or ("too_many_cells" if len(cells) > width else "too_few_cells")
        raws = self._without_identifiers(raws, parsed, faults)
        parsed = [(cells + [""] * width)[:width] for cells in parsed] if ragged else parsed
        by_name = dict(zip(self._names, zip(*parsed, strict=True), strict=True))
        arrays = {name: pa.array(by_name[name], pa.string()) for name in COLUMNS[self.kind] if name in by_name}
        return pa.table(
            {
                "line": pa.array(numbers, pa.int32()),
                "raw": pa.array(raws, pa.string()),
                "cell_fault": pa.array(faults, pa.string()),
            }
            | arrays
        )

    def _without_identifiers(self, raws: list[str], parsed: list[list[str]], faults: list[str | None]) -> list[str]:
        """The rows as text without direct identifiers; puts the pseudonym into `parsed` where the ids are identifiers, and
        nothing for a row with a fault: nobody knows which of its cells is a name."""
        if not self._is_identified():
            return raws
        identified = not self._ids.are_kept(True)
        place = self._names.index("patient_id")
        written = io.StringIO()
        rows = csv.writer(written, delimiter=self._delimiter, lineterminator="\n")
        shown = []
        for row, cells in enumerate(parsed):
            if faults[row]:
                if len(self._nobodys) < MOST_NOBODYS:
                    self._nobodys.update(filter(None, map(str.strip, cells)))
                shown.append(f"{len(cells)} cells, the header has {len(self._names)}")
                parsed[row] = [""] * len(self._names)
                continue
            if identified and cells[place].strip():
                cells[place] = self._ids.pseudonym(cells[place].strip())
            rows.writerow([DROPPED if at in self._identifying else cell for at, cell in enumerate(cells)])
            shown.append(written.getvalue().rstrip("\n"))
            written.seek(0)
            written.truncate()
        return shown


def _columns(header: str, name: str) -> tuple[str, list[str]]:
    """The delimiter, and the column names as compared."""
    known = {column for columns in COLUMNS.values() for column in columns}
    choices = [(delimiter, _names(header, delimiter)) for delimiter in DELIMITERS]
    delimiter, names = max(choices, key=lambda choice: len(known.intersection(choice[1])))
    if len(names) > MOST_COLUMNS:
        found = f"The header has {len(names)} columns; at most {MOST_COLUMNS} are read."
        raise FileRefused(found, name, "Export only the native columns.")
    twice = [column for column, count in Counter(names).items() if column and count > 1]
    if twice:  # a line that is no header may hold a name: only native columns are quoted
        quoted = [column for column in twice if column in known] or ["none of the native ones"]
        raise FileRefused(
            f"The header names a column twice: {', '.join(quoted[:5])}.", name, "Rename or remove one of them."
        )
    return delimiter, names


def _names(header: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        return []
    return ["_".join(cell.replace("-", " ").replace("_", " ").replace("\ufeff", "").lower().split()) for cell in cells]


def _kind(names: list[str], file: str) -> str:
    """The kind whose needed columns are all there, and of these the one with most known columns."""
    present = set(names)

    def missing(kind: str) -> list[str]:
        return [" or ".join(group) for group in NEEDED[kind] if not present.intersection(group)]

    def known(kind: str) -> int:
        return len(present.intersection(COLUMNS[kind]))

    fitting = [kind for kind in NEEDED if not missing(kind)]
    if fitting:
        return max(fitting, key=known)
    nearest = max(NEEDED, key=lambda kind: known(kind) - len(missing(kind)))
    if known(nearest) < 2:  # such a line may be no header, but hold a name: it is not quoted
        named = sum(bool(name) for name in names)
        raise FileRefused(
            f"The header has no known columns: its {named} columns are not those of a native file.",
            file,
            "The first line names the columns, such as patient_id, analyte, value, unit, at.",
        )
    article = "an" if nearest[0] in "aeiou" else "a"
    raise FileRefused(
        f"The header looks like {article} {nearest} file but has no column {', no column '.join(missing(nearest))}.",
        file,
        "Add it.",
    )
