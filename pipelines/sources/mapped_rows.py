"""One line of a local table as native rows, as its mapping says. Nothing is read that the mapping does not name."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from pipelines.identity import PatientIds
from pipelines.ingest.columns import NUMBERS
from pipelines.mapping.dates import reader
from pipelines.mapping.model import DATE_OF, VALUES, Entry, Mapping
from pipelines.sources.excel import move_percent_sign, raw_text
from pipelines.sources.tables import TableRow
from pipelines.sources.workbook_cells import ErrorCell, Number

DATE_COLUMNS = frozenset(("at", "start", "stop", "reported_at", "until", "last_confirmed_on"))
# Patients and dates of events that are kept in memory while a file is read.
MOST_REMEMBERED = 2_000_000


@dataclass
class Counts:
    """What is said after a file has been read."""

    blank: int = 0
    empty_lines: int = 0
    blanked: int = 0
    carried: Counter[str] = field(default_factory=Counter)
    of_event: int = 0
    birth_dates: int = 0
    same_patient: int = 0


class RowMaker:
    """Makes native rows of lines. `event_dates`: (patient as printed, event) -> its date, where exactly one is printed."""

    def __init__(self, mapping: Mapping, ids: PatientIds, place: str, columns: dict[str, str]) -> None:
        """`columns`: a column as the mapping writes it -> as the table does."""
        self._mapping, self._ids, self._place, self._of = mapping, ids, place, columns
        self._kept = ids.are_kept(mapping.pseudonymous)
        self._date: Callable[[str], str] = reader(mapping.date_formats)
        self._blanks = frozenset(word.strip().casefold() for word in mapping.blanks)
        self._sentinels = Sentinels(mapping.sentinels)
        self._own_sentinels = {
            entry.key: Sentinels(entry.sentinels) for entry in mapping.entries if entry.sentinels is not None
        }
        self._people: set[tuple] = set()
        self._above: dict[str, str] = {}
        self._above_number = 0
        self.counts = Counts()
        self.event_dates: dict[tuple[str, str], str | None] = {}

    def remember(self, line: TableRow) -> None:
        """Takes the date of the line's event, for lines of the same event that have none (a first reading)."""
        cells = self._filled(line)
        patient, event = self._cell(cells, self._mapping.patient), self._cell(cells, self._mapping.dates.event_column)
        at = self._line_date(cells)
        if patient and event and at and len(self.event_dates) < MOST_REMEMBERED:
            known = self.event_dates.setdefault((patient, event), at)
            if known != at:
                self.event_dates[patient, event] = None  # two dates: neither is taken

    def start_again(self) -> None:
        """Before the lines are read from the first one on."""
        self._above, self._above_number, self.counts = {}, 0, Counts()
        self._people.clear()

    def rows(self, line: TableRow) -> Iterator[tuple[str, dict[str, str | None]]]:
        """(kind, native row with place, raw and cell_fault) of everything that the line says."""
        if line.fault:
            fault = {
                "place": f"{self._place} {line.number}",
                "raw": "a row of another width than the header",
                "cell_fault": line.fault,
            }
            yield "unreadable", fault
            return
        cells = self._filled(line)
        made, groups = 0, {}
        for entry in self._mapping.entries:
            if not self._applies(entry, cells):
                continue
            own = [self._of[column] for column in entry.own if self._cell(cells, column)]
            self.counts.blank += len(entry.own) - len(own) if entry.wide else 0
            if not own:
                continue
            made += 1
            row = self._row(entry, cells)
            fault = self._fault(entry, cells)
            if entry.kind == "oxygen" and entry.wide and not fault:  # the values of one moment stay together
                shared = tuple(sorted((name, text) for name, text in row.items() if name not in VALUES["oxygen"]))
                whole = groups.setdefault(shared, ({}, []))
                if not set(whole[0]) & (set(row) & set(VALUES["oxygen"])):
                    whole[0].update(row)
                    whole[1].append(entry)
                    continue
            if entry.kind != "patients" or self._is_new_person(row):
                yield entry.kind, self._finished(row, [entry], cells, line.number, fault)
        for row, entries in groups.values():
            yield "oxygen", self._finished(row, entries, cells, line.number, None)
        self.counts.empty_lines += not made

    def _filled(self, line: TableRow) -> dict[str, str]:
        """The cells of a line, with those that the mapping carries down."""
        if not self._mapping.carry_down:
            return line.cells
        cells = dict(line.cells)
        follows = self._above_number == line.number - 1
        for written in self._mapping.carry_down:
            column = self._of[written]
            if column not in cells and follows and column in self._above:
                cells[column] = self._above[column]
                self.counts.carried[column] += 1
        self._above = {
            self._of[written]: cells[self._of[written]]
            for written in self._mapping.carry_down
            if self._of[written] in cells
        }
        self._above_number = line.number
        return cells

    def _cell(self, cells: dict[str, str], column: str | None) -> str | None:
        """The text of a cell; None when it is blank or a word that the mapping calls blank."""
        text = cells.get(self._of[column], "").strip() if column else ""
        return text if text and text.casefold() not in self._blanks else None

    def _applies(self, entry: Entry, cells: dict[str, str]) -> bool:
        return all((self._cell(cells, column) or "") in words for column, words in entry.where.items())

    def _row(self, entry: Entry, cells: dict[str, str]) -> dict[str, str | None]:
        row: dict[str, str | None] = entry.constants | {"patient_id": self._patient(cells)}
        sentinels = self._own_sentinels.get(entry.key, self._sentinels)
        for name, column in entry.columns.items():
            text = self._cell(cells, column)
            if text is None:
                continue
            if name in entry.words:
                text = entry.words[name].get(text.casefold(), text)
            if name not in VALUES[entry.kind] and sentinels.holds(text):
                self.counts.blanked += 1
            elif name in DATE_COLUMNS:
                row[name] = self._date(text)
            else:
                row[name] = Number(text) if isinstance(cells[self._of[column]], Number) else text
        self._print_numbers(entry, row)
        if entry.kind == "patients" and self._mapping.birth_date:
            self._year_of_birth(row)
        at = DATE_OF.get(entry.kind)
        if at and at not in row and at not in entry.columns:
            row[at] = self._default_date(cells)
        return row

    def _print_numbers(self, entry: Entry, row: dict[str, str | None]) -> None:
        """The numbers of cells with the decimal mark of the table, and no sign for percent."""
        if entry.kind in ("labs", "pft"):
            move_percent_sign(row)
        for name in NUMBERS[entry.kind]:
            if self._mapping.decimal == "comma" and isinstance(row.get(name), Number):
                row[name] = row[name].replace(".", ",")

    def _patient(self, cells: dict[str, str]) -> str | None:
        """The id of the store; None where the line names nobody."""
        printed = self._cell(cells, self._mapping.patient)
        if (
            printed is None
            or isinstance(cells[self._of[self._mapping.patient]], ErrorCell)
            or self._sentinels.holds(printed)
        ):
            return None
        return printed if self._kept else self._ids.pseudonym(printed, self._mapping.assigner)

    def _year_of_birth(self, row: dict[str, str | None]) -> None:
        born = self._date(row.get("birth_year") or "")
        if born:
            self.counts.birth_dates += 1
            year = born[:4]
            row["birth_year"] = year if year.isdigit() and (len(born) == 4 or born[4] == "-") else "unreadable"

    def _line_date(self, cells: dict[str, str]) -> str | None:
        """The date that the line itself gives for what has none of its own."""
        dates = self._mapping.dates
        column = dates.of_event.get(self._cell(cells, dates.event_column) or "", dates.column)
        day = self._cell(cells, column)
        if day is None or self._sentinels.holds(day):
            return None
        day, time = self._date(day), self._cell(cells, dates.time_column)
        return f"{day}T{time}" if time and "T" not in day else day

    def _default_date(self, cells: dict[str, str]) -> str | None:
        found = self._line_date(cells)
        if found or not self._mapping.dates.from_same_event:
            return found
        key = self._cell(cells, self._mapping.patient) or "", self._cell(cells, self._mapping.dates.event_column) or ""
        found = self.event_dates.get(key)
        self.counts.of_event += found is not None
        return found

    def _fault(self, entry: Entry, cells: dict[str, str]) -> str | None:
        read = [cells.get(self._of[column]) for column in entry.columns.values()]
        if any(isinstance(cell, ErrorCell) for cell in read):
            return "error_cell"
        sentinels = self._own_sentinels.get(entry.key, self._sentinels)
        values = [self._cell(cells, entry.columns[name]) for name in VALUES[entry.kind] if name in entry.columns]
        return "sentinel" if any(text and sentinels.holds(text) for text in values) else None

    def _is_new_person(self, row: dict[str, str | None]) -> bool:
        """Whether the line says of a patient what no line before it said: a wide table repeats it in every line."""
        person = tuple(sorted((name, text or "") for name, text in row.items()))
        if person in self._people:
            self.counts.same_patient += 1
            return False
        if len(self._people) < MOST_REMEMBERED:
            self._people.add(person)
        return True

    def _finished(
        self, row: dict[str, str | None], entries: list[Entry], cells: dict[str, str], number: int, fault: str | None
    ) -> dict[str, str | None]:
        read = [self._of[column] for entry in entries for column in entry.columns.values()]
        dates = self._mapping.dates
        read += [self._of[column] for column in (dates.column, dates.event_column) if column]
        hidden = {self._of[self._mapping.patient]} if not self._kept else set()
        if self._mapping.birth_date:
            hidden.add(self._of[self._mapping.birth_date])
        raw = raw_text({name: cells[name] for name in dict.fromkeys(read) if name in cells and name not in hidden})
        values = ", ".join(self._of[column] for entry in entries for column in entry.own if self._of[column] in cells)
        return row | {"raw": raw, "place": f"{self._place} {number}, column {values[:200]}", "cell_fault": fault}


class Sentinels:
    """Words and numbers that mean "no result": words in any case, numbers however they are written (-99 is -99.0)."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._words = frozenset(text.strip().casefold() for text in texts)
        self._numbers = frozenset(number for text in texts if (number := _number(text)) is not None)

    def holds(self, text: str) -> bool:
        """Whether a text is one of them."""
        if text.casefold() in self._words:
            return True
        return bool(self._numbers) and _number(text) in self._numbers


def _number(text: str) -> Decimal | None:
    if len(text) > 20:
        return None
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
