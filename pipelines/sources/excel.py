"""Excel workbooks with native columns (.xlsx, .xlsm): every visible sheet whose header is that of a native file is read.

The header may stand below titles and may be of several rows. Sheets of other content are named in the notes and left alone; so
are hidden sheets, whatever they hold, since nobody who looks at the workbook sees them. Cells are read as they are shown: a
date as ISO 8601, a percentage with its sign, a number to the 15 digits that Excel shows. A formula has its saved value.
"""

import csv
import io
from collections import Counter
from collections.abc import Container, Iterator
from pathlib import Path

import pyarrow as pa

from pipelines.errors import FileRefused
from pipelines.ingest.columns import NUMBERS
from pipelines.ingest.decimal_mark import decimal_mark
from pipelines.sources import Batch, Declared
from pipelines.sources.batching import Gatherer
from pipelines.sources.direct_identifiers import dropped_note, identifying
from pipelines.sources.excel_sheet import UNREADABLE, Block, Carrier, Look, cells_of, look, rows_of_blocks
from pipelines.sources.named_in_cells import named_in_cells
from pipelines.sources.workbook import Sheet, Workbook, is_workbook
from pipelines.sources.workbook_cells import ErrorCell, Number, Row

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb")  # the last two are refused, with what to do
# Numbers that say "no result". No native column can hold them; -1 can be a base excess, and is judged by ingest.
SENTINELS = frozenset(("-99", "-999", "-9999"))


def recognises(path: Path, declared: Declared) -> bool:
    """Every zip file and compound file, unless a mapping file says how to read it: what is wrong with it can then be told."""
    return declared.mapping is None and is_workbook(path)


def read(path: Path, declared: Declared) -> "Excel":
    """Looks through every visible sheet. Raises FileRefused when none has the header of a native file."""
    return Excel(path, declared)


class TextCells:
    """The numbers that stand in a workbook as text, as far as decimal_mark needs to see them (a Source)."""

    format, decimal, may_hold_commas, separated_by_comma = "xlsx/texts", None, True, False
    size = position = 0

    def __init__(self, texts: set[str]) -> None:
        self._texts, self.notes = sorted(texts), []

    def batches(self) -> Iterator[Batch]:
        """The texts as values of one batch."""
        yield Batch("labs", pa.table({"value": pa.array(self._texts, pa.string())}))


class Excel:
    """One workbook (a Source, see sources/__init__.py)."""

    separated_by_comma = False

    def __init__(self, path: Path, declared: Declared) -> None:
        self._path, self._ids, self._kept = path, declared.ids, declared.ids.are_kept(True)
        self.size, self.position = path.stat().st_size, 0
        self._workbook = Workbook(path)
        self._looks: list[tuple[str, Sheet, Look]] = []
        self.notes = self._workbook.remarks()
        unread = self._look()
        self._check(unread)
        kinds = {block.header.kind for _, _, found in self._looks for block in found.blocks} - {UNREADABLE}
        self.format = f"xlsx/{'+'.join(sorted(kinds))}"
        self.notes += unread
        for called, _, found in self._looks:
            self.notes += _remarks(called, found)
        self._settle_decimal(declared.decimal)
        self._notes_before = list(self.notes)

    def _look(self) -> list[str]:
        """Reads every visible sheet once; says which sheets are not read."""
        sheets = self._workbook.sheets
        looks = {
            place: look(self._workbook.reader(sheet))
            for place, sheet in enumerate(sheets)
            if not sheet.hidden and sheet.kind == "worksheet"
        }
        # A sheet may bear the name of the patient whom it is about.
        named = self._kept and not any(map(_identifies, looks.values()))
        hidden = [sheet.name if named else str(place + 1) for place, sheet in enumerate(sheets) if sheet.hidden]
        unread = [f"hidden sheets were not read: {_listed(hidden)}"] if hidden else []
        for place, sheet in enumerate(sheets):
            called = f"sheet '{shown(sheet.name)}'" if named else f"sheet {place + 1}"
            if sheet.hidden:
                continue
            if sheet.kind != "worksheet":
                unread.append(f"{called} has no cells ({sheet.kind}): not read")
            elif looks[place].blocks:
                self._looks.append((called, sheet, looks[place]))
            else:
                unread.append(f"{called} {_why_unread(looks[place])}: not read")
        return unread

    def _check(self, unread: list[str]) -> None:
        for called, _, found in self._looks:
            for block in found.blocks:
                if block.header.twice:
                    raise FileRefused(
                        f"S{called[1:]} names a column twice: {', '.join(block.header.twice[:5])}.",
                        self._path.name,
                        "Rename or remove one of them.",
                    )
        if not self._looks:
            raise FileRefused(
                f"No sheet has the columns of a native file: {'; '.join(unread)[:1000]}.",
                self._path.name,
                "A header names its columns, such as patient_id, analyte, value, unit, at. "
                "Another layout needs a mapping file: `python -m pipelines map FILE` proposes one.",
            )

    def _settle_decimal(self, declared: str | None) -> None:
        """Numbers of cells have no mark of their own: they are written with the one that the texts beside them have."""
        texts = set().union(*(found.marked for _, _, found in self._looks))
        mark = declared or (decimal_mark(TextCells(texts)) if texts else "dot")
        self._comma = mark == "comma"
        self.may_hold_commas = self._comma
        self.decimal = declared or ("unsettled" if mark == "unsettled" else "comma" if self._comma else None)

    def batches(self) -> Iterator[Batch]:
        """Rows of every sheet in order. `line` counts on over the sheets: in the first it is Excel's own row number."""
        gatherer, before = Gatherer(), 0
        carried, beside = Counter(), Counter()
        for place, (called, sheet, found) in enumerate(self._looks):
            reader = self._workbook.reader(sheet)
            carrier, of_block = None, None
            for block, row in rows_of_blocks(found, reader):
                if block is not of_block:
                    of_block, carrier = block, self._carrier(block, found)
                cells = cells_of(block.header, row)
                if not cells and block.header.kind != UNREADABLE:
                    beside[called] += 1
                    continue
                had = carrier.carried
                arrived = self._row(block, row, cells, carrier)
                carried[called] += carrier.carried - had
                arrived |= {"line": before + row.number, "place": f"{called}, row {row.number}"}
                yield from gatherer.add(block.header.kind, arrived)
                self.position = int(self.size * (place + reader.share_read) / len(self._looks))
            before += found.last_row
        yield from gatherer.rest()
        self.position = self.size
        self.notes[:] = self._notes_before + [
            f"patient_id carried down to {rows:,} rows of {called} that print none: to the patient above"
            for called, rows in carried.items()
            if rows
        ]
        self.notes += [
            f"{called}: {rows:,} rows hold nothing in the columns that are read" for called, rows in beside.items()
        ]

    def speaks_of(self, names: Container[str]) -> bool:
        """Whether one of these patients stands in any cell of any sheet, also of hidden ones and above headers; so, too, when
        one of them cannot be read."""
        try:
            return named_in_cells(self._workbook.texts(), names, str if self._kept else self._ids.would_be)
        except FileRefused:
            return True

    def _carrier(self, block: Block, found: Look) -> Carrier:
        pairs = found.facts.merged.get(block.header.columns["patient_id"], ())
        return Carrier(block, sorted((pairs[at], pairs[at + 1]) for at in range(0, len(pairs), 2)))

    def _row(self, block: Block, row: Row, cells: dict[str, str], carrier: Carrier) -> dict[str, str | int | None]:
        """The native columns of a row, with what was received (raw) and the fault that the sheet shows."""
        patient = carrier.patient(row, cells)
        kept = self._kept
        fault = "error_cell" if ErrorCell in map(type, cells.values()) else None
        if any(cells.get(name) in SENTINELS for name in NUMBERS.get(block.header.kind, ())):
            fault = fault or "sentinel"
        raw = raw_text({name: cell for name, cell in cells.items() if kept or name != "patient_id"})
        if block.header.kind == UNREADABLE:
            cells, fault = {}, "header_unfitting"
        elif block.header.kind in ("labs", "pft"):
            move_percent_sign(cells)
        if self._comma:
            for name in NUMBERS.get(block.header.kind, ()):
                if isinstance(cells.get(name), Number):
                    cells[name] = cells[name].replace(".", ",")
        cells["patient_id"] = patient if kept or patient is None else self._ids.pseudonym(patient)
        return cells | {"raw": raw, "cell_fault": fault}


def raw_text(cells: dict[str, str]) -> str:
    """A row as received, for a person: each cell with the name of its column."""
    if not any('"' in cell or "," in cell or "\n" in cell or "\r" in cell for cell in cells.values()):
        return ",".join([f"{name}={cell}" for name, cell in cells.items()])
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow([f"{name}={cell}" for name, cell in cells.items()])
    return written.getvalue()


def move_percent_sign(cells: dict[str, str | None]) -> None:
    """Puts the sign of a value that its cell shows as a percentage into the unit, where it belongs, unless another unit is printed."""
    value = cells.get("value")
    if isinstance(value, Number) and value.endswith("%") and (cells.get("unit") or "%").strip() == "%":
        cells["value"], cells["unit"] = Number(value[:-1]), "%"


def _why_unread(found: Look) -> str:
    if not found.last_row:
        return "is empty"
    if found.near is None or found.near.known < 2:
        return "has no known columns"
    article = "an" if found.near.nearest[0] in "aeiou" else "a"
    return f"looks like {article} {found.near.nearest} table but has no column {', no column '.join(found.near.lacks)}"


def _identifies(found: Look) -> bool:
    """Whether a sheet has columns of direct identifiers."""
    names = [name for block in found.blocks for name in block.header.others]
    return any(map(identifying, names + found.names.split(", ")))


def _remarks(called: str, found: Look) -> list[str]:
    """What a person should know of a sheet that is read."""
    others = [name for block in found.blocks for name in block.header.others]
    unknown = [name for name in others if name and not identifying(name)]
    facts = found.facts
    unfitting = [str(block.header.first) for block in found.blocks if block.header.kind == UNREADABLE]
    said = [
        *((row, f"row {row} is a header that does not fit: the rows below it are rejected") for row in unfitting[:20]),
        (found.above, f"{found.above} lines above the header not read"),
        (found.repeated, f"{found.repeated} repeated headers not read"),
        (unknown, f"columns not read: {_listed(unknown)}"),
        (facts.hidden_rows, f"{facts.hidden_rows:,} hidden rows were read too"),
        (
            facts.formulas_without_value,
            f"{facts.formulas_without_value:,} formulas without a saved value are empty cells",
        ),
        (facts.months, f"{facts.months:,} dates shown without a day are partial dates"),
    ]
    remarks = [f"{called}: {remark}" for count, remark in said if count]
    dropped = [what for name in others if (what := identifying(name))]
    return remarks + ([f"{called}: {dropped_note(dropped)}"] if dropped else [])


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(shown(name) for name in names[:20]) + more


def shown(name: str) -> str:
    """The name of a sheet or column for a person: one line, and not endless."""
    return "".join(letter if letter.isprintable() else " " for letter in name[:60])
