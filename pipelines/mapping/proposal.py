"""A first draft of a mapping, from the names and the first rows of a table. It proposes; it never loads: a person decides.

Confidence: 'exact' (the name stands in the dictionary), 'name' (it does without its unit or number), 'perhaps' (it only looks like one:
never put into the mapping, only shown), 'none'.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pipelines import dictionary
from pipelines.errors import FileRefused
from pipelines.mapping import date_guess
from pipelines.mapping.entries import units_of
from pipelines.sources.direct_identifiers import DROPPED, identifying
from pipelines.sources.excel_sheet import HEADER_WITHIN
from pipelines.sources.kinds import analyte_of_name
from pipelines.sources.native_header import column_name
from pipelines.sources.tables import Table, TableRow, open_table
from pipelines.sources.workbook import Workbook, is_workbook
from pipelines.sources.workbook_cells import Number

SAMPLE_ROWS = 2000  # enough to see how a column is filled; a draft need not read a whole file
PATIENT_NAMES = (
    "patient_id", "patientid", "patient_no", "patient_number", "patient", "pat_id", "pid", "subject_id", "subjid", "subject", "usubjid",
    "study_id", "record_id", "mrn", "medical_record_number", "hospital_number", "case_id", "case", "participant_id", "patienten_id",
    "patientennummer", "fallnummer", "id",
)  # fmt: skip
LONG_NAMES = {
    "analyte": ("analyte", "test", "test_name", "parameter", "lab_test", "item", "component", "measurement", "analyse"),
    "value": ("value", "result", "results", "wert", "ergebnis", "lab_value", "test_result"),
    "unit": ("unit", "units", "einheit", "uom", "unite", "unidad"),
    "ref_low": ("ref_low", "lower_limit", "reference_low", "lln"),
    "ref_high": ("ref_high", "upper_limit", "reference_high", "uln"),
}
SENTINELS = ("-1", "-9", "-99", "-999", "-9999", "na", "n/a", "nd", "n.d.", "not done", "missing", ".")
IN_BRACKETS = re.compile(r"^(?P<name>[^()\[\]]+)[(\[](?P<unit>[^()\[\]]{1,30})[)\]]$")
NUMBERED = re.compile(r"(?:[\s_#-]*\d{1,3}|[\s_-]+(?:t|v|visit)\d{1,3})$", re.IGNORECASE)


@dataclass
class ColumnGuess:
    """A column for the preview: three of its texts (none of identifying columns) and what it is taken for.

    `role`: patient, date, analyte, event, repeat, identifying, long (`detail` says which native column) or unknown.
    """

    name: str
    samples: list[str]
    role: str = "unknown"
    confidence: str = "none"
    detail: str = ""
    unit: str | None = None
    remark: str = ""


@dataclass
class Proposal:
    """What was found in a file. `toml` writes it down as a mapping that is not approved."""

    path: Path
    sheet: str | None
    header_rows: tuple[int, ...]
    skip_rows: list[int]
    delimiter: str | None
    decimal: str | None
    date_formats: list[str]
    sentinels: list[str]
    columns: list[ColumnGuess]
    remarks: list[str] = field(default_factory=list)

    def of(self, role: str) -> list[ColumnGuess]:
        """The columns of one role."""
        return [column for column in self.columns if column.role == role]

    def toml(self) -> str:
        """The draft as the text of a mapping file."""
        from pipelines.mapping.draft import draft

        return draft(self)


def propose(path: Path) -> Proposal:
    """Looks at the names and the first SAMPLE_ROWS rows. Raises FileRefused where the file is no table."""
    sheet, header = _header(path)
    table = open_table(path, sheet, (header,))
    rows = [row for row in islice(table.rows(), SAMPLE_ROWS) if not row.fault]
    skipped = _units_row(table, rows)
    units = rows[0].cells if skipped else {}
    rows = [row for row in rows if row.number not in skipped]
    columns = [
        _guess(name, [row.cells[name] for row in rows if name in row.cells], units.get(name))
        for name in table.columns
        if name
    ]
    proposal = Proposal(path, sheet, (header,), skipped, table.delimiter, None, [], [], columns)
    _choose_patient(proposal)
    _choose_long(proposal, rows)
    _settle_dates(proposal, rows)
    _settle_numbers(proposal, rows)
    if len(rows) + len(skipped) == SAMPLE_ROWS:
        proposal.remarks.append(f"only the first {SAMPLE_ROWS:,} rows were looked at")
    return proposal


def _header(path: Path) -> tuple[str | None, int]:
    """The sheet with the most telling row among its first, and that row."""
    best: tuple[int, str | None, int] = (-1, None, 1)
    for sheet, number, cells in _first_rows(path):
        names = [cell.strip() for cell in cells if cell.strip()]
        told = sum(_tells(name) for name in names)
        letters = sum(not re.fullmatch(r"[\d.,:/ <>=+-]*", name) for name in names)
        score = 20 * told + min(len(set(names)), 200) * (letters == len(names))
        if names and score > best[0]:
            best = (score, sheet, number)
    if best[0] < 0:
        raise FileRefused("The table has no header.", path.name, "The first rows name the columns.")
    return best[1], best[2]


def _first_rows(path: Path) -> Iterator[tuple[str | None, int, list[str]]]:
    if is_workbook(path):
        book = Workbook(path)
        for sheet in book.sheets:
            if sheet.kind == "worksheet" and not sheet.hidden:
                for row in islice(book.rows(sheet), HEADER_WITHIN):
                    yield sheet.name, row.number, list(row.cells.values())
    else:
        table = open_table(path)
        yield None, table.header_rows[0], table.columns
        for row in islice(table.rows(), 10):
            yield None, row.number, list(row.cells.values())


def _tells(name: str) -> bool:
    plain = column_name(name)
    return (
        plain in PATIENT_NAMES
        or plain.startswith("redcap_")
        or date_guess.is_date_name(plain)
        or analyte_of(name)[0] is not None
    )


def _units_row(table: Table, rows: list[TableRow]) -> list[int]:
    """The first row, where it holds the units of the columns above it and nothing else."""
    if not rows:
        return []
    known = {
        dictionary.normal_unit(text) for code, more in dictionary.unit_spellings().items() for text in (code, *more)
    }
    cells = [cell for cell in rows[0].cells.values() if cell.strip()]
    units = [cell for cell in cells if dictionary.normal_unit(cell.strip("()[] ")) in known]
    return [rows[0].number] if len(units) >= 2 and len(units) * 2 > len(cells) else []


def analyte_of(name: str) -> tuple[str | None, str, str | None]:
    """(analyte, confidence, unit printed in the name) of a column name."""
    exact = analyte_of_name(name)
    if exact:
        return exact, "exact", None
    bracket = IN_BRACKETS.match(name.strip())
    if bracket and (
        found := analyte_of_name(bracket["name"]) or analyte_of_name(NUMBERED.sub("", bracket["name"].strip()))
    ):
        return found, "name", bracket["unit"].strip()
    words = re.split(r"[\s_]+", NUMBERED.sub("", name.strip()))
    for cut in range(len(words), max(0, len(words) - 4), -1):
        found = analyte_of_name(" ".join(words[:cut]))
        if not found:
            continue
        rest = "/".join(words[cut:])
        if not rest:
            return found, "name", None
        if dictionary.normal_unit(rest) in units_of(found):
            return found, "name", rest
    return None, "none", None


def _perhaps(name: str) -> str | None:
    """An analyte of a similar name, or one that stands at the end of the name."""
    words = re.split(r"[\s_]+", NUMBERED.sub("", name.strip()))[:6]
    for at in range(1, len(words)):
        if found := analyte_of(" ".join(words[at:]))[0]:
            return found
    plain = dictionary.normal_name(NUMBERED.sub("", name.strip()))[:60]
    names = {dictionary.normal_name(text): analyte for analyte, block in dictionary.analytes().items()
             for text in (analyte, *block["synonyms"]) if len(text) > 3}  # fmt: skip
    near = difflib.get_close_matches(plain, names, n=1, cutoff=0.8) if len(plain) > 3 else []
    return names[near[0]] if near else None


def _guess(name: str, texts: list[str], unit: str | None) -> ColumnGuess:
    plain = column_name(name)
    guess = ColumnGuess(name, [text[:60] for text in dict.fromkeys(texts)][:3])
    if plain in ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"):
        guess.role, guess.confidence = ("event" if plain.endswith("event_name") else "repeat"), "exact"
        return guess
    what = identifying(plain)
    if what and not (plain == "name" and analyte_of_name(guess.samples[0] if guess.samples else "")):
        guess.role, guess.confidence, guess.detail, guess.samples = (
            "identifying",
            "exact",
            what,
            [DROPPED] * bool(texts),
        )
        return guess
    if date_guess.looks_like_dates(plain, texts):
        guess.role, guess.confidence = "date", "exact" if date_guess.is_date_name(plain) else "name"
        return guess
    analyte, guess.confidence, in_name = analyte_of(name)
    if analyte:
        guess.role, guess.detail, guess.unit = "analyte", analyte, in_name or (unit.strip("()[] ") if unit else None)
        if guess.unit and dictionary.normal_unit(guess.unit) not in units_of(analyte):
            guess.remark, guess.unit = f"its unit {guess.unit!r} is not known for {analyte}", None
    elif similar := _perhaps(name):
        guess.confidence, guess.remark = "perhaps", f"perhaps {similar}"
    return guess


def _choose_patient(proposal: Proposal) -> None:
    named = {column_name(column.name): column for column in proposal.columns if column.role == "unknown"}
    found = next((named[name] for name in PATIENT_NAMES if name in named), None)
    if found:
        found.role, found.confidence, found.remark = "patient", "exact" if found.name != "id" else "name", ""


def _choose_long(proposal: Proposal, rows: list[TableRow]) -> None:
    """Takes a table for a long one when one column holds the names of analytes."""
    for column in proposal.columns:
        texts = {row.cells[column.name] for row in rows if column.name in row.cells}
        known = sum(analyte_of_name(text[:200]) is not None for text in islice(texts, 500))
        if column.role in ("unknown", "identifying") and known and known * 2 >= min(len(texts), 500):
            column.role, column.confidence, column.detail = "long", "exact", "analyte"
            column.remark = f"{known} of {len(texts)} different texts are analytes of the dictionary"
            break
    else:
        return
    for column in proposal.columns:
        plain = column_name(column.name)
        native = next((native for native, names in LONG_NAMES.items() if plain in names), None)
        if column.role == "unknown" and native and native != "analyte":
            column.role, column.confidence, column.detail, column.remark = "long", "exact", native, ""


def _settle_dates(proposal: Proposal, rows: list[TableRow]) -> None:
    """The format of each date column; formats that would read one text differently are not both proposed."""
    for column in proposal.of("date"):
        texts = [row.cells[column.name] for row in rows if column.name in row.cells]
        format, column.remark = date_guess.format_of(texts)
        column.detail = format or ""
        if format and format not in proposal.date_formats:
            proposal.date_formats.append(format)


def _settle_numbers(proposal: Proposal, rows: list[TableRow]) -> None:
    from pipelines.ingest.decimal_mark import decimal_mark
    from pipelines.sources.excel import TextCells

    cells = {
        row.cells[column.name]
        for column in proposal.columns
        if column.role in ("analyte", "unknown") or column.detail == "value"
        for row in rows
        if column.name in row.cells
    }
    marked = {cell[:100] for cell in cells if ("," in cell or "." in cell) and not isinstance(cell, Number)}
    texts = {cell.strip() for cell in cells}
    mark = decimal_mark(TextCells(marked)) if marked else "dot"
    proposal.decimal = None if mark == "unsettled" else mark
    proposal.sentinels = [text for text in sorted(texts) if text.casefold() in SENTINELS and text not in ("-1", "-9")]
    suspicious = [text for text in sorted(texts) if text in ("-1", "-9")]
    if suspicious:
        proposal.remarks.append(f"{', '.join(suspicious)} may be a sentinel: add it to sentinels if it is")
