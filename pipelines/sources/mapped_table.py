"""Local tables, long or wide, read with a mapping file: CSV or Excel, also the longitudinal exports of REDCap.

A cell becomes a native row as the mapping says (pipelines/mapping); a blank cell of a wide table is no row. A mapping that nobody has
approved loads nothing. `line` is a running number of the rows made; `place` says where each stands.
"""

from collections.abc import Container, Iterator
from pathlib import Path

from pipelines.errors import FileRefused
from pipelines.mapping import read_mapping
from pipelines.mapping.model import Mapping
from pipelines.sources import Batch, Declared
from pipelines.sources.batching import Gatherer
from pipelines.sources.direct_identifiers import dropped_note, identifying
from pipelines.sources.mapped_rows import RowMaker
from pipelines.sources.named_in_cells import named_in_cells
from pipelines.sources.native_header import column_name
from pipelines.sources.tables import Table, open_table

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")


def recognises(path: Path, declared: Declared) -> bool:
    """Every file for which a mapping is given."""
    return declared.mapping is not None


def read(path: Path, declared: Declared) -> "MappedTable":
    """Raises FileRefused when the mapping is not approved or does not fit the file, Refusal when it cannot be read."""
    return MappedTable(path, declared, read_mapping(declared.mapping))


class MappedTable:
    """One table with its mapping (a Source, see sources/__init__.py)."""

    def __init__(self, path: Path, declared: Declared, mapping: Mapping) -> None:
        if not mapping.approved:
            raise FileRefused(
                f"Its {mapping.called} is not approved.",
                path.name,
                "Check every line of the mapping, then fill in approved_by and approved_on.",
            )
        if declared.decimal and declared.decimal != mapping.decimal:
            raise FileRefused(
                f"Its decimal mark is declared as {declared.decimal}, but the {mapping.called} says {mapping.decimal}.",
                path.name,
                "Correct one of them.",
            )
        self.size, self.position = path.stat().st_size, 0
        kept = declared.ids.are_kept(mapping.pseudonymous)
        self._table = open_table(path, mapping.sheet, mapping.header_rows, mapping.delimiter, named=kept)
        self._mapping, self._ids, self._kept = mapping, declared.ids, kept
        self.format = f"mapped/{'+'.join(sorted({entry.kind for entry in mapping.entries}))}"
        self.decimal, self.may_hold_commas, self.separated_by_comma = mapping.decimal, mapping.decimal == "comma", False
        columns = _matched(self._table, mapping)
        _check_no_identifiers(mapping, path)
        self._maker = RowMaker(mapping, declared.ids, self._table.place, columns)
        self.notes = [
            f"{mapping.called}, approved by {mapping.approved_by} on {mapping.approved_on}",
            *self._table.notes,
        ]
        self.notes += _unmapped(self._table, mapping, columns)
        if not kept:
            self.notes.append(
                f"dropped at the door: the identifiers of column {columns[mapping.patient]}, kept as pseudonyms"
            )
        self._notes_before = list(self.notes)

    def batches(self) -> Iterator[Batch]:
        """The native rows of every line, kinds apart."""
        maker, gatherer, number = self._maker, Gatherer(), 0
        if self._mapping.dates.from_same_event and not maker.event_dates:
            for line in self._lines():
                if not line.fault:
                    maker.remember(line)
        maker.start_again()
        for line in self._lines():
            for kind, row in maker.rows(line):
                number += 1
                yield from gatherer.add(kind, row | {"line": number})
            self.position = int(self.size * self._table.share_read)
        yield from gatherer.rest()
        self.position = self.size
        self.notes[:] = self._notes_before + self._counted()

    def speaks_of(self, names: Container[str]) -> bool:
        """Whether one of these patients stands in any cell of the file, mapped or not; so, too, when a sheet cannot be read."""
        ids, assigner = self._ids, self._mapping.assigner
        try:
            return named_in_cells(
                self._table.texts(), names, str if self._kept else lambda text: ids.would_be(text, assigner)
            )
        except FileRefused:
            return True

    def _lines(self):
        return (line for line in self._table.rows() if line.number not in self._mapping.skip_rows)

    def _counted(self) -> list[str]:
        counts = self._maker.counts
        said = [
            (counts.blank, f"{counts.blank:,} blank cells made no row"),
            (counts.empty_lines, f"{counts.empty_lines:,} lines hold nothing that the mapping reads"),
            (
                counts.blanked,
                f"{counts.blanked:,} cells besides the values say that there is nothing, and were read as empty",
            ),
            (counts.of_event, f"{counts.of_event:,} rows have the date of their event, from another line"),
            (counts.birth_dates, f"dropped at the door: {counts.birth_dates:,} birth dates (year kept)"),
            (counts.same_patient, f"{counts.same_patient:,} lines repeat what was said of their patient"),
        ]
        carried = [
            f"column {name} carried down to {cells:,} blank cells below" for name, cells in counts.carried.items()
        ]
        return [text for count, text in said if count] + carried


def _matched(table: Table, mapping: Mapping) -> dict[str, str]:
    """Every column that the mapping names -> as the table prints it; case and runs of blanks do not count. Raises FileRefused."""
    printed: dict[str, str] = {}
    for name in table.columns:
        printed.setdefault(_plain(name), name)
    exact = set(table.columns)
    named = {
        name: name if name in exact else printed.get(_plain(name)) for name in [*mapping.columns(), *mapping.ignore]
    }
    missing = [name for name in mapping.columns() if not named[name]]
    if missing:
        more = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
        # Where none is there, the line may be no header, but hold a patient's name.
        found = [name for name in table.columns if name]
        fits = any(named.values())
        hint = (
            f"Its columns are: {', '.join(found)[:300]}."
            if fits
            else f"None of its {len(found)} columns is named there."
        )
        raise FileRefused(
            f"It lacks columns that the {mapping.called} names: {', '.join(missing[:20])}{more}.",
            table.path.name,
            hint,
        )
    return {name: column for name, column in named.items() if column}


def _check_no_identifiers(mapping: Mapping, path: Path) -> None:
    """Refuses a mapping that would load a name, an address or a telephone number as if it were a finding."""
    for entry in mapping.entries:
        for native, column in entry.columns.items():
            what = identifying(column_name(column))
            named_like_one = what == "names" and native in ("analyte", "measure", "drug", "kind", "code")
            if what and not named_like_one and column != mapping.birth_date:
                raise FileRefused(
                    f"Its {mapping.called} reads column {column} as {native}, which holds {what}: these are never loaded.",
                    path.name,
                    "Take it out of the mapping, or rename the column if it holds something else.",
                )


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _unmapped(table: Table, mapping: Mapping, columns: dict[str, str]) -> list[str]:
    """What is said of the columns that are not read."""
    read = {columns[name] for name in mapping.columns()}
    ignored = {columns[name] for name in mapping.ignore if name in columns}
    others = [name for name in table.columns if name and name not in read]
    dropped = [what for name in others if (what := identifying(column_name(name)))]
    unknown = [name for name in others if name not in ignored and not identifying(column_name(name))]
    notes = [dropped_note(dropped)] if dropped else []
    if unknown:
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        notes.append(f"columns that the mapping does not name: {', '.join(unknown[:20])}{more}")
    if ignored:
        notes.append(f"{len(ignored)} columns ignored as the mapping says")
    return notes
